"""Block Markdown as lines: markdown-it's tree is walked, and Content is built and wrapped."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from textual.content import Content
from textual.style import Style

from tui.core.text import sanitize
from tui.widgets.transcript.code import code_head, code_rows
from tui.widgets.transcript.inline import inline
from tui.widgets.transcript.lines import BLANK, TAB, Line, line_of, prefix, wrap
from tui.widgets.transcript.model import Thing, Things
from tui.widgets.transcript.palette import Palette
from tui.widgets.transcript.syntax import parser
from tui.widgets.transcript.tables import table_lines

if TYPE_CHECKING:
    from markdown_it.tree import SyntaxTreeNode

NARROW = 10
"""Cells; below this nested blocks are no longer indented, so that their text stays on the screen."""
_QUOTE = "▌ "
_TASK = re.compile(r"\[([ xX])\] ")


def parse(source: str, references: dict[str, Any]) -> list[SyntaxTreeNode]:
    """The top-level nodes of a document; link definitions found in it are added to `references`."""
    from markdown_it.tree import SyntaxTreeNode

    tokens = parser().parse(source, {"references": references})
    return SyntaxTreeNode(tokens).children


def language_of(node: SyntaxTreeNode) -> str:
    """The language that a fence names, or an empty text."""
    words = sanitize(node.info).split()
    return words[0] if words else ""


def _task_mark(item: SyntaxTreeNode) -> str:
    """What a task has in place of a bullet, or nothing; the brackets are taken from its text."""
    node: SyntaxTreeNode | None = item
    for kind in ("paragraph", "inline", "text"):
        node = next(iter(node.children), None) if node else None
        if node is None or node.type != kind:
            return ""
    if node is None or node.token is None or not (found := _TASK.match(node.content)):
        return ""
    node.token.content = node.content[found.end() :]
    return "☐ " if found[1] == " " else "☑ "


class BlockRenderer:
    """Renders the blocks of one entry, numbering its code blocks and collecting its things."""

    def __init__(self, palette: Palette, key: str = "", *, first: int = 0, codes: int = 0) -> None:
        self.palette = palette
        self._key = key
        self.things = Things(first=first)
        """What keys can reach, in reading order; lines and links hold their numbers."""
        self.code_count = codes
        """Code blocks so far, those before this renderer's text among them."""

    def blocks(self, nodes: Sequence[SyntaxTreeNode], width: int, *, tight: bool = False) -> list[Line]:
        """The lines of blocks, with a blank line between them unless they are tight."""
        out: list[Line] = []
        for node in nodes:
            lines = self.block(node, width)
            if out and lines and not tight:
                out.append(BLANK)
            out += lines
        return out

    def block(self, node: SyntaxTreeNode, width: int) -> list[Line]:
        """The lines of one block."""
        match node.type:
            case "paragraph":
                return self._paragraph(node, width, "")
            case "heading":
                return self._paragraph(node, width, "h1" if node.tag == "h1" else "heading")
            case "fence" | "code_block":
                return self._code(node, width)
            case "bullet_list" | "ordered_list":
                return self.list_items(node, node.children, width)
            case "blockquote":
                return self._quote(node, width)
            case "table":
                return self._table(node, width)
            case "formula_block":
                rows = wrap(Content(sanitize(node.content).replace("\t", TAB)), width - 2, self._formula)
                return prefix(rows, "  ", "  ", self.palette.base, decoration=True)
            case "hr":
                return [line_of(Content("─" * width), self.palette.over_base("rule"))]
        text = sanitize(node.content).rstrip("\n").replace("\t", TAB)
        return wrap(Content(text), width, self.palette.base)

    def list_items(self, node: SyntaxTreeNode, items: Sequence[SyntaxTreeNode], width: int) -> list[Line]:
        """The lines of some items of a list, from its first on."""
        start = int(node.attrs.get("start", 1))
        digits = len(str(start + len(node.children) - 1))
        style = self.palette.over_base("bullet")
        out: list[Line] = []
        for number, item in enumerate(items, start):
            mark = _task_mark(item) or ("• " if node.type == "bullet_list" else f"{number:>{digits}}. ")
            tight = len(item.children) < 2 or any(child.hidden for child in item.children)
            nested = width - len(mark) >= NARROW
            lines = self.blocks(item.children, width - len(mark) if nested else width, tight=tight)
            if out and not tight:
                out.append(BLANK)
            out += prefix(lines or [BLANK], mark, " " * len(mark) if nested else "", style)
        return out

    @property
    def _formula(self) -> Style:
        return self.palette.over_base("em")

    def start_code(self, source: str, language: str, width: int) -> tuple[int, Line]:
        """Number a code block: its number among the things, and its head line."""
        self.code_count += 1
        thing = self.things.put(Thing("code", source, f"code block {self.code_count}", language))
        label = f"{self.code_count} {language or 'text'}"
        return thing, code_head(label, width, self.palette, thing, self._key)

    def _code(self, node: SyntaxTreeNode, width: int) -> list[Line]:
        language = language_of(node)
        thing, head = self.start_code(node.content, language, width)
        return [head, *code_rows(node.content, language, width, self.palette, thing)]

    def _paragraph(self, node: SyntaxTreeNode, width: int, part: str) -> list[Line]:
        style = self.palette.over_base(part) if part else self.palette.base
        content = Content("")
        for child in node.children:
            content = inline(child, self.palette, self.things)
        return wrap(content, width, style)

    def _quote(self, node: SyntaxTreeNode, width: int) -> list[Line]:
        if width - len(_QUOTE) < NARROW:
            return self.blocks(node.children, width)
        lines = self.blocks(node.children, width - len(_QUOTE)) or [BLANK]
        return prefix(lines, _QUOTE, _QUOTE, self.palette.over_base("quote"), decoration=True)

    def _table(self, node: SyntaxTreeNode, width: int) -> list[Line]:
        rows = [row for part in node.children for row in part.children]
        cells = [[self._cell(cell) for cell in row.children] for row in rows]
        aligns = [str(cell.attrs.get("style", "")).rpartition(":")[2] for cell in rows[0].children]
        return table_lines(cells, aligns, width, self.palette)

    def _cell(self, node: SyntaxTreeNode) -> Content:
        for child in node.children:
            return inline(child, self.palette, self.things)
        return Content("")
