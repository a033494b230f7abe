"""A rendered line, and how Content becomes lines."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from textual.content import Content
from textual.strip import Strip
from textual.style import Style

TAB = "    "
"""What a tab is shown as."""

LRM = "\u200e"
"""A mark of no width. Terminals that order right-to-left text reorder nothing across it."""

# Patterns as text are for what is rare: `re` compiles and keeps them when they are first needed.
_RTL = "[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefe\U00010800-\U00010fff\U0001e800-\U0001efff]"
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200f\u2028-\u202e\u2066-\u2069\ufff9-\ufffb\ud800-\udfff]")
_CLUSTERS = re.compile("[\u200d\ufe0f\U0001f1e6-\U0001f1ff\U0001f3fb-\U0001f3ff]")
_CLUSTER = (
    "(?:[\U0001f1e6-\U0001f1ff]{2}"
    "|.[\ufe0f\U0001f3fb-\U0001f3ff]*(?:\u200d.[\ufe0f\U0001f3fb-\U0001f3ff]*)+"
    "|.[\ufe0f\U0001f3fb-\U0001f3ff]+)"
)


class Line(NamedTuple):
    """One row on the screen, with what is needed to copy from it."""

    strip: Strip
    text: str
    """The strip's plain text; columns of a selection are offsets into it."""
    start: int = 0
    """Characters of decoration at the left; they are not copied."""
    stop: int = 1 << 30
    """Where the copied text ends; what follows is decoration."""
    join: str = "\n"
    """What stood between the line before and this one: a newline, or what a soft wrap swallowed."""
    thing: int = -1
    """The number within the entry of the code block that this line belongs to; -1 for none."""


BLANK = Line(Strip([], 0), "")


def has_rtl(text: str) -> bool:
    """Whether a text holds letters that are written from right to left."""
    return not text.isascii() and re.search(_RTL, text) is not None


def safe_strip(segments: Iterable[Segment], text: str, length: int) -> Strip:
    """A strip that can do nothing to a terminal: the last check before text is painted."""
    if _UNSAFE.search(text):
        segments = [Segment(_UNSAFE.sub("\ufffd", part), style) for part, style, _ in segments]
        return Strip(segments)
    if _CLUSTERS.search(text):
        return Strip(_split_clusters(segments, text), length)
    return Strip(segments, length)


def _split_clusters(segments: Iterable[Segment], text: str) -> list[Segment]:
    """Give each joined emoji its own segment: the compositor counts a segment's cells by character.

    A highlighter may have parted one; it is whole again, in the style that it begins with.
    """
    out: list[Segment] = []
    clusters = re.finditer(_CLUSTER, text)
    cluster = next(clusters, None)
    at = end = 0
    for part, style, _ in segments:
        end += len(part)
        while at < end:
            if cluster is None or cluster.start() >= end:
                out.append(Segment(text[at:end], style))
                at = end
                break
            if at < cluster.start():
                out.append(Segment(text[at : cluster.start()], style))
            out.append(Segment(cluster[0], style))
            at = cluster.end()
            cluster = next(clusters, None)
    return out


def line_of(content: Content, base: Style, *, start: int = 0, stop: int = 1 << 30) -> Line:
    """One line that is not wrapped."""
    text = content.plain
    return Line(safe_strip(content.render_segments(base), text, content.cell_length), text, start, stop)


def wrap(content: Content, width: int, base: Style, *, thing: int = -1, fill: bool = False) -> list[Line]:
    """Wrap content to a width in cells; `fill` extends each line to the width in the base style."""
    plain = content.plain
    fits = content.cell_length <= width and "\n" not in plain
    pieces = [content] if fits else content.wrap(max(1, width))
    lines: list[Line] = []
    at = 0
    for number, piece in enumerate(pieces):
        text = piece.plain
        found = plain.find(text, at)
        found = at if found < 0 else found
        strip = safe_strip(piece.render_segments(base), text, piece.cell_length)
        if fill:
            strip = strip.extend_cell_length(width, base.rich_style)
        lines.append(Line(strip, text, join=plain[at:found] if number else "\n", thing=thing))
        at = found + len(text)
    return lines


def prefix(lines: list[Line], first: str, rest: str, style: Style, *, decoration: bool = False) -> list[Line]:
    """Put text before lines: `first` before the first, `rest` before the others.

    With `decoration` it is never copied; otherwise it is, except on lines that continue a wrapped one.
    """
    rich_style = style.rich_style
    out: list[Line] = []
    for number, line in enumerate(lines):
        put = rest if number else first
        hidden = decoration or line.start > 0 or "\n" not in line.join
        strip = Strip([Segment(put, rich_style), *line.strip], cell_len(put) + line.strip.cell_length)
        start = line.start + len(put) if hidden else 0
        stop = line.stop if line.stop == 1 << 30 else line.stop + len(put)
        out.append(line._replace(strip=strip, text=put + line.text, start=start, stop=stop))
    return out
