"""A document that grows: what can no longer change is rendered once, and only the tail again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from tui.widgets.transcript.code import code_rows
from tui.widgets.transcript.lines import BLANK, Line
from tui.widgets.transcript.markdown import BlockRenderer, language_of, parse
from tui.widgets.transcript.model import Thing
from tui.widgets.transcript.palette import Palette

if TYPE_CHECKING:
    from markdown_it.tree import SyntaxTreeNode

PIECE = 40
"""Rows of a long open fence that are frozen at a time."""
LONG_LIST = 20
"""Items from which an open list is frozen in pieces."""


def render_document(
    source: str, width: int, palette: Palette, key: str = ""
) -> tuple[list[Line], list[Thing]]:
    """The exact lines of a whole document, and the things in it."""
    renderer = BlockRenderer(palette, key)
    return renderer.blocks(parse(source, {}), width), renderer.things


def render_in_slices(
    source: str, cuts: Sequence[int], references: dict[str, Any], width: int, renderer: BlockRenderer
) -> Iterator[list[Line]]:
    """The exact lines of a whole document, in slices that each hold up the screen only shortly.

    Args:
        source: The document.
        cuts: Offsets at which top-level blocks begin, in order.
        references: The link definitions of the whole document.
        width: Cells for each line.
        renderer: A fresh one; it collects the things.
    """
    begun = False
    for start, end in pairwise([0, *cuts, len(source)]):
        lines = renderer.blocks(parse(source[start:end], dict(references)), width)
        yield [BLANK, *lines] if begun and lines else lines
        begun = begun or bool(lines)


class _Mark(NamedTuple):
    """How far the frozen part reaches."""

    lines: int = 0
    things: int = 0
    codes: int = 0


@dataclass(slots=True)
class _OpenFence:
    """A fence of which the first rows are frozen."""

    opening: str
    """Its first row, with the newline: put before the tail, it makes the rest a fence again."""
    language: str
    thing: int
    frozen: str
    """The code in the frozen rows."""


class Flow:
    """Renders a document while it streams; each step costs as much as the part that is still open.

    A long open fence or list is frozen in pieces, and a link may be used before it is defined: the lines
    are exact for ordinary documents, and `render_document` gives the exact ones for every document.
    """

    def __init__(self, width: int, palette: Palette, key: str = "") -> None:
        self.lines: list[Line] = []
        """All lines so far; the list is changed in place."""
        self._renderer = BlockRenderer(palette, key)
        self._width = width
        self._palette = palette
        self._cut = 0
        self._mark = _Mark()
        self._references: dict[str, Any] = {}
        self._fence: _OpenFence | None = None
        self._in_list = False
        self.references: dict[str, Any] = {}
        """Link definitions found so far, those of the open part among them."""
        self.exact = True
        """Whether the lines are those of `render_document`."""
        self.closed = False
        """Whether the document is complete and rendered exactly; `advance` then does nothing."""
        self.cuts: list[int] = []
        """Offsets at which the blocks that are rendered for good end; none lies within a block."""

    @property
    def things(self) -> list[Thing]:
        """What keys can reach so far."""
        return self._renderer.things

    def advance(self, source: str) -> None:
        """Render what was added; `source` is the whole document so far."""
        if self.closed:
            return
        mark = self._mark
        del self.lines[mark.lines :], self._renderer.things[mark.things :]
        self._renderer.code_count = mark.codes
        while True:
            tail = (self._fence.opening if self._fence else "") + source[self._cut :]
            self.references = references = dict(self._references)
            nodes = parse(tail, references)
            if self._cut and len(references) > len(self._references):
                self.exact = False  # an earlier block may have used what is defined only here
            if not nodes or not self._freeze(tail, nodes):
                break
        for number, node in enumerate(nodes):
            self._emit(node, first=number == 0)

    def replace(self, lines: list[Line], things: list[Thing]) -> None:
        """Take the exact lines of the whole document; there is nothing left to advance."""
        self.lines, self.exact, self.closed = lines, True, True
        self._renderer.things = things

    def _freeze(self, tail: str, nodes: list[SyntaxTreeNode]) -> bool:
        """Render for good the blocks before the last one; or, where it is alone and long, a piece of it."""
        rows = tail.split("\n")
        complete = len(rows) - 1  # the last row may still change what it is
        last = next((node for node in reversed(nodes) if _first_row(node) < complete), nodes[0])
        end = _first_row(last)
        done = [node for node in nodes if node.map and node.map[1] <= end]
        continued = self._fence
        if done:
            for number, node in enumerate(done):
                self._emit(node, first=number == 0)
            self._fence, self._in_list = None, False
            self.cuts.append(self._cut + _length(rows[:end], continued))
        elif last is not nodes[-1]:
            return False
        elif last.type == "fence" and complete - end > 2 * PIECE:
            self._freeze_fence(rows[end], last)
            end += 1 + PIECE
            self.exact = False
        elif last.type.endswith("_list") and (items := _complete_items(last, complete)):
            end = _first_row(items[-1])
            self._put(self._renderer.list_items(last, items[:-1], self._width), joined=self._in_list)
            self._in_list, self.exact = True, False
        else:
            return False
        length = _length(rows[:end], continued)
        self._cut += length
        self._mark = _Mark(len(self.lines), len(self._renderer.things), self._renderer.code_count)
        if any("]:" in row for row in rows[:end]):
            parse("\n".join(rows[:end]), self._references)
        return True

    def _emit(self, node: SyntaxTreeNode, *, first: bool) -> None:
        if first and self._fence:
            self._put(self._more_code(self._fence, node.content), joined=True)
        else:
            self._put(self._renderer.block(node, self._width), joined=first and self._in_list)

    def _put(self, lines: list[Line], *, joined: bool = False) -> None:
        if self.lines and lines and not joined:
            self.lines.append(BLANK)
        self.lines += lines

    def _more_code(self, fence: _OpenFence, code: str) -> list[Line]:
        self._renderer.things[fence.thing].text = fence.frozen + code
        return code_rows(code, fence.language, self._width, self._palette, fence.thing) if code else []

    def _freeze_fence(self, opening: str, node: SyntaxTreeNode) -> None:
        code = "\n".join(node.content.split("\n")[:PIECE]) + "\n"
        fence = self._fence
        if fence is None:
            language = language_of(node)
            thing, head = self._renderer.start_code(code, language, self._width)
            self._put([head])
            fence = _OpenFence(opening + "\n", language, thing, "")
        self._put(self._more_code(fence, code), joined=True)
        self._fence = _OpenFence(fence.opening, fence.language, fence.thing, fence.frozen + code)


def _length(rows: list[str], fence: _OpenFence | None) -> int:
    """Characters of the source in rows of the tail, without the opening that was put before it."""
    return sum(map(len, rows)) + len(rows) - (len(fence.opening) if fence else 0)


def _first_row(node: SyntaxTreeNode) -> int:
    return node.map[0] if node.map else 0


def _complete_items(node: SyntaxTreeNode, complete: int) -> list[SyntaxTreeNode]:
    """The items of a long list that begin on complete rows; none where the list is short."""
    items = [item for item in node.children if _first_row(item) < complete]
    return items if len(items) > LONG_LIST else []
