"""Inline Markdown (emphasis, code spans, links) as Content."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from textual.content import Content, Span
from textual.style import Style

from tui.core.text import sanitize
from tui.terminal.links import can_be_opened
from tui.widgets.transcript.lines import TAB
from tui.widgets.transcript.model import Thing, Things
from tui.widgets.transcript.palette import Palette

if TYPE_CHECKING:
    from markdown_it.tree import SyntaxTreeNode

_PARTS = {"em": "em", "strong": "strong", "s": "strike", "code_inline": "codespan", "formula": "em"}
_TEXTS = frozenset(("text", "code_inline", "html_inline", "formula"))
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)


def inline(node: SyntaxTreeNode, palette: Palette, things: Things) -> Content:
    """The content of an inline node; its links are added to `things`."""
    builder = _Builder(palette, things)
    builder.add(node)
    return Content("".join(builder.text), builder.spans)


class _Builder:
    def __init__(self, palette: Palette, things: Things) -> None:
        self.text: list[str] = []
        self.spans: list[Span] = []
        self._length = 0
        self._palette = palette
        self._things = things

    def add(self, node: SyntaxTreeNode) -> None:
        start, kind = self._length, node.type
        if kind == "html_inline" and _BREAK.fullmatch(node.content):
            self._put("\n")
        elif kind in _TEXTS:
            # Entities such as &#27; are decoded by the parser, after the source was sanitised.
            self._put(sanitize(node.content).replace("\n", " ").replace("\t", TAB))
        elif kind == "softbreak":
            self._put(" ")
        elif kind == "hardbreak":
            self._put("\n")
        elif kind == "image":
            self._put("🖼 " + sanitize(node.content).replace("\n", " ").replace("\t", TAB))
        else:
            for child in node.children:
                self.add(child)
        if name := _PARTS.get(kind):
            self.spans.append(Span(start, self._length, self._palette.part(name)))
        elif kind in ("link", "image"):
            self._link(node, start)

    def _put(self, text: str) -> None:
        self.text.append(text)
        self._length += len(text)

    def _link(self, node: SyntaxTreeNode, start: int) -> None:
        href = sanitize(str(node.attrs.get("href") or node.attrs.get("src") or ""))
        thing = self._things.put(Thing("link", href, "link"))
        meta = {"thing": thing, "@click": f"open_link({href!r})"}
        style = self._palette.part("link") + Style.from_meta(meta)
        if can_be_opened(href):  # the terminal itself opens what it is given, whatever the scheme
            style += Style(link=href)
        self.spans.append(Span(start, self._length, style))
