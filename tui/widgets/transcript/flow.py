"""A document that grows: what can no longer change is rendered once, and only the tail again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from tui.widgets.transcript.code import code_rows
from tui.widgets.transcript.lines import BLANK, Line
from tui.widgets.transcript.markdown import BlockRenderer, language_of, parse
from tui.widgets.transcript.model import Thing, Things
from tui.widgets.transcript.palette import Palette
from tui.widgets.transcript.sections import CODE_ROWS, LIST_LENGTH, SECTION_LENGTH

if TYPE_CHECKING:
    from markdown_it.tree import SyntaxTreeNode

PIECE = 40
"""Rows of a long open fence that are frozen at a time."""
LONG_LIST = 20
"""Items from which an open list is frozen in pieces."""


def render_document(source: str, width: int, palette: Palette, key: str = "") -> tuple[list[Line], Things]:
    """The exact lines of a whole document, and the things in it."""
    renderer = BlockRenderer(palette, key)
    return renderer.blocks(parse(source, {}), width), renderer.things


@dataclass(slots=True)
class Start:
    """What a section needs to know of the sections before it."""

    first: int = 0
    """The number of its first thing."""
    codes: int = 0
    """Code blocks before it."""
    gap: bool = False
    """Whether a blank line parts it from what is before."""
    opening: str = ""
    """The first row of the fence that it begins in, with the newline."""
    fence: int = -1
    """The number of that fence among the things."""


class Settled(NamedTuple):
    """The part of a growing document that is rendered for good."""

    length: int
    """Characters of its source."""
    lines: list[Line]
    things: Things
    codes: int
    """Code blocks that begin in it."""
    opening: str
    """The first row of the fence that it ends in, with the newline; empty for none."""
    joined: bool
    """Whether it ends within a list."""
    references: dict[str, Any]
    """The link definitions in it, and those before."""


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
    number: int
    """Its number among the things."""
    thing: Thing | None = None
    """The thing, where the fence began here; it grows with the fence."""
    frozen: str = ""
    """The code in the frozen rows."""


class Flow:
    """Renders a document, or a section of one, while it streams.

    Each step costs as much as the part that is still open. A long open fence or list is frozen in pieces,
    and a link may be used before it is defined: the lines are exact for ordinary documents, and
    `render_document` gives the exact ones for every document.
    """

    def __init__(
        self,
        width: int,
        palette: Palette,
        key: str = "",
        start: Start | None = None,
        references: dict[str, Any] | None = None,
    ) -> None:
        self._start = start = start or Start()
        self.lines: list[Line] = []
        """All lines so far; the list is changed in place."""
        self._renderer = BlockRenderer(palette, key, first=start.first, codes=start.codes)
        self._width = width
        self._palette = palette
        self._cut = 0
        self._mark = _Mark(codes=start.codes)
        self._known = dict(references or {})
        self._fence = _OpenFence(start.opening, start.fence) if start.opening else None
        self._in_list = False
        self._gap = start.gap
        """Whether a blank line goes before the next block."""
        self._part_before = False
        """Whether a long fence is open, which is frozen once it begins a section."""
        self.references: dict[str, Any] = self._known
        """Link definitions found so far, those of the open part among them."""
        self.exact = True
        """Whether the lines are those of `render_document`."""

    @property
    def things(self) -> Things:
        """What keys can reach so far."""
        return self._renderer.things

    @property
    def codes(self) -> int:
        """Code blocks that begin here."""
        return self._renderer.code_count - self._start.codes

    def render(self, source: str) -> None:
        """Render a section that is complete, all at once."""
        opening = self._fence.opening if self._fence else ""
        for number, node in enumerate(parse(opening + source, self.references)):
            self._emit(node, first=number == 0)

    def advance(self, source: str) -> None:
        """Render what was added; `source` is the whole document so far."""
        mark = self._mark
        del self.lines[mark.lines :], self._renderer.things[mark.things :]
        self._renderer.code_count = mark.codes
        gap = self._gap
        while True:
            tail = (self._fence.opening if self._fence else "") + source[self._cut :]
            self.references = references = dict(self._known)
            nodes = parse(tail, references)
            if len(references) > len(self._known) and (self._cut or self._start.first):
                self.exact = False  # an earlier block may have used what is defined only here
            if not nodes or not self._freeze(tail, nodes):
                break
            gap = self._gap
        for number, node in enumerate(nodes):
            self._emit(node, first=number == 0)
        self._gap = gap

    def settled(self) -> Settled | None:
        """The part that is rendered for good, once it makes a section; another flow takes the rest."""
        mark, fence = self._mark, self._fence
        least = LIST_LENGTH if self._in_list else SECTION_LENGTH
        if fence is not None and self._cut:
            enough = mark.lines > CODE_ROWS
        else:
            enough = bool(self._cut) and (self._cut >= least or (self._part_before and not self._in_list))
        if not enough:
            return None
        things = Things(self.things[: mark.things], self._start.first)
        codes = mark.codes - self._start.codes
        opening = fence.opening if fence is not None else ""
        lines = self.lines[: mark.lines]
        return Settled(self._cut, lines, things, codes, opening, self._in_list, dict(self._known))

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
        elif last is not nodes[-1]:
            return False
        elif last.type == "fence" and complete - end > 2 * PIECE:
            if self._cut and continued is None:
                self._part_before = True
                return False
            self._freeze_fence(rows[end], last)
            end += 1 + PIECE
            self.exact = False
        elif last.type.endswith("_list") and (items := _complete_items(last, complete)):
            end = _first_row(items[-1])
            self._put(self._renderer.list_items(last, items[:-1], self._width))
            self._gap = not rows[end - 1].strip()
            self._in_list, self.exact = True, False
        else:
            return False
        length = sum(map(len, rows[:end])) + end - (len(continued.opening) if continued else 0)
        self._cut += length
        self._mark = _Mark(len(self.lines), len(self._renderer.things), self._renderer.code_count)
        if any("]:" in row for row in rows[:end]):
            parse("\n".join(rows[:end]), self._known)
        return True

    def _emit(self, node: SyntaxTreeNode, *, first: bool) -> None:
        if first and self._fence:
            self.lines += self._more_code(self._fence, node)
            self._gap = True
        else:
            self._put(self._renderer.block(node, self._width))

    def _put(self, lines: list[Line]) -> None:
        if lines:
            if self._gap:
                self.lines.append(BLANK)
            self.lines += lines
            self._gap = True

    def _more_code(self, fence: _OpenFence, node: SyntaxTreeNode, code: str | None = None) -> list[Line]:
        code = node.content if code is None else code
        if fence.thing is not None:
            fence.thing.text = fence.frozen + code
        language = language_of(node)
        return code_rows(code, language, self._width, self._palette, fence.number) if code else []

    def _freeze_fence(self, opening: str, node: SyntaxTreeNode) -> None:
        code = "\n".join(node.content.split("\n")[:PIECE]) + "\n"
        fence = self._fence
        if fence is None:
            number, head = self._renderer.start_code(code, language_of(node), self._width)
            self._put([head])
            fence = _OpenFence(opening + "\n", number, self.things[-1])
        self.lines += self._more_code(fence, node, code)
        self._gap = True
        self._fence = _OpenFence(fence.opening, fence.number, fence.thing, fence.frozen + code)


def _first_row(node: SyntaxTreeNode) -> int:
    return node.map[0] if node.map else 0


def _complete_items(node: SyntaxTreeNode, complete: int) -> list[SyntaxTreeNode]:
    """The items of a long list that begin on complete rows; none where the list is short."""
    items = [item for item in node.children if _first_row(item) < complete]
    return items if len(items) > LONG_LIST else []
