"""Where a long text is parted, so that a screen of it costs a screen of work and not the whole."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tui.widgets.transcript.syntax import block_parser

SECTION_LENGTH = 1_500
"""Characters from which a section may end; some 25 ms to render."""
LIST_LENGTH = 4 * SECTION_LENGTH
"""Characters from which a section may end between two items of one list."""
CODE_ROWS = 100
"""Rows of one section of a long fence."""

_OPENING = re.compile(r"( *)(?:(`{3,})[^`]*|(~{3,}).*)$")
_ITEM = re.compile(r" {0,3}(?:[-+*]|\d{1,9}[.)])(?=[ \t]|$)([ \t]*)")
_RULE = re.compile(r" {0,3}([-*_])[ \t]*(?:\1[ \t]*){2,}$")
_LONG_HTML = re.compile(r" {0,3}<(?:script|pre|style|textarea|!|\?)", re.IGNORECASE)
"""Openings of HTML blocks that a blank line does not end."""


@dataclass(slots=True)
class Section:
    """A stretch of a text that is rendered on its own."""

    start: int
    end: int
    opening: str = ""
    """Where the section begins within a fence: the fence's first row, which makes the rest a fence again."""
    joined: bool = False
    """Whether it begins with a later item of the list that the section before ends in."""
    codes: int = 0
    """Code blocks that begin in it; an estimate until it is rendered."""


def plain_sections(text: str) -> list[Section]:
    """The sections of a text without markup; each but the last ends with a newline."""
    out: list[Section] = []
    start = 0
    while len(text) - start > SECTION_LENGTH and (end := text.find("\n", start + SECTION_LENGTH)) >= 0:
        out.append(Section(start, end + 1))
        start = end + 1
    return [*out, Section(start, len(text))]


def markdown_sections(source: str) -> list[Section]:
    """The sections of a Markdown document.

    Rendered one by one they are what the whole is, but for lists longer than `LIST_LENGTH`, of which
    each section is as tight and as wide in its numbers as it alone would be.
    """
    scan = _Scan(source)
    try:
        return scan.sections()
    except _UnclearError:
        return scan.rest_by_parser()


class _UnclearError(Exception):
    """Only the parser can tell what a row is."""


@dataclass(slots=True)
class _Fence:
    mark: str
    start: int
    rows: int = 0
    opening: str = ""
    """Its first row with the newline, where it can be parted: at the left edge of the document."""
    column: int = 0
    """The least indentation of rows that belong to the list item it is in; 0 for no list."""


class _Scan:
    """Reads a document row by row: it follows fences and the outermost list, and parses nothing."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._out: list[Section] = []
        self._start = 0
        self._codes = 0
        self._opening = ""
        self._joined = False
        self._shows = False
        """Whether anything but link definitions came since the section began."""
        self._column = 0
        """Where the text of the outermost open list begins; 0 where no list is open."""

    def sections(self) -> list[Section]:
        """The sections; `_UnclearError` where a row can't be told by its first characters."""
        fence: _Fence | None = None
        after_blank, html = True, False
        for at, row in _rows(self._source):
            if fence is not None:
                if not self._leaves(fence, row):
                    fence = self._in_fence(fence, at, row)
                    after_blank = False
                    continue
                fence = None
            text = row.lstrip(" \t")
            if not text:
                after_blank, html = True, False
                continue
            if text[0] == "<" and _LONG_HTML.match(row):
                raise _UnclearError
            html = html or text[0] == "<"
            fence = self._outside(at, row, text, after_blank=after_blank)
            if fence is not None and html:
                raise _UnclearError
            self._shows = self._shows or text[0] != "["
            after_blank = False
        self._end(len(self._source))
        return self._out

    def rest_by_parser(self) -> list[Section]:
        """The sections, those from where the scan stopped cut between what the parser finds."""
        base, source = self._start, self._source[self._start :]
        if self._opening or self._joined:
            self._end(len(self._source))
            return self._out
        starts = [at for at, _ in _rows(source)]
        for token in block_parser().parse(source):
            if token.level == 0 and token.map and token.nesting >= 0:
                at = base + starts[token.map[0]]
                if self._shows and at - self._start >= SECTION_LENGTH:
                    self._end(at)
                self._shows = True
            self._codes += token.type in ("fence", "code_block")
        self._end(len(self._source))
        return self._out

    def _end(self, at: int, *, opening: str = "", joined: bool = False) -> None:
        self._out.append(Section(self._start, at, self._opening, self._joined, self._codes))
        self._start, self._codes, self._shows = at, 0, False
        self._opening, self._joined = opening, joined

    def _outside(self, at: int, row: str, text: str, *, after_blank: bool) -> _Fence | None:
        """A row that is in no fence; returns the fence that it opens."""
        indent = _indent(row)
        item = None if indent > 3 or _RULE.match(row) else _ITEM.match(row)
        if indent == 0 and item is None and after_blank:
            self._column = 0
            if self._shows and at - self._start >= SECTION_LENGTH:
                self._end(at)
        elif indent == 0 and item is not None and self._column and at - self._start >= LIST_LENGTH:
            self._end(at, joined=True)
        if item is not None and (not self._column or indent < self._column):
            self._column = _column(row, item)
            text = row[item.end() :]
        opened = _OPENING.match(text)
        if opened is None or (indent > 3 and not self._column):
            return None
        self._codes += 1
        mark = opened[2] or opened[3]
        if item is not None or (self._column and indent >= self._column):
            return _Fence(mark, at, column=self._column)
        self._column = 0
        return _Fence(mark, at, opening=row + "\n" if indent == 0 else "")

    def _leaves(self, fence: _Fence, row: str) -> bool:
        """Whether a row ends the list item that a fence is in."""
        return bool(fence.column and row.strip(" \t") and _indent(row) < fence.column)

    def _in_fence(self, fence: _Fence, at: int, row: str) -> _Fence | None:
        text = row.strip(" \t")
        closes = len(text) >= len(fence.mark) and not text.strip(fence.mark[0])
        if closes and (fence.column or _indent(row) <= 3):
            return None
        fence.rows += 1
        if fence.opening and fence.rows > CODE_ROWS:
            self._part(fence, at)
        return fence

    def _part(self, fence: _Fence, at: int) -> None:
        """Part a long fence, which then begins its section, so that its code is the section's first."""
        if self._start < fence.start:
            self._codes -= 1
            self._end(fence.start)
            self._codes = 1
        self._end(at, opening=fence.opening)
        self._shows, fence.rows = True, 1


def _column(row: str, item: re.Match[str]) -> int:
    """The column at which the text of a list item begins."""
    column, mark = len(row[: item.end()].expandtabs(4)), item.start(1)
    return mark + 1 if item.end() == len(row) or column - mark > 4 else column


def _indent(row: str) -> int:
    """Columns before the first character that is no space."""
    lead = row[: len(row) - len(row.lstrip(" \t"))]
    return len(lead.expandtabs(4))


def _rows(source: str) -> Iterator[tuple[int, str]]:
    """Each row, and where it begins."""
    at = 0
    for row in source.split("\n"):
        yield at, row
        at += len(row) + 1
