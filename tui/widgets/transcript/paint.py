"""Overlays upon a rendered line: selection, matches, focus and cursor. They never enter a cache."""

from collections.abc import Iterable

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style as RichStyle
from textual.content import Content
from textual.geometry import Size
from textual.strip import Strip
from textual.style import Style

from tui.widgets.transcript.lines import LRM, Line, has_rtl, line_of

GUTTER = 2
"""Cells at the left of every line, where the cursor is shown."""
CURSOR = "▌ "


def paint_cells(strip: Strip, start: int, end: int, style: RichStyle) -> Strip:
    """The strip with a style laid over its cells from `start` up to `end`."""
    length = strip.cell_length
    start, end = min(start, length), min(end, length)
    if start >= end:
        return strip
    middle = [Segment(text, (old or RichStyle()) + style) for text, old, _ in strip.crop(start, end)]
    return Strip.join([strip.crop(0, start), Strip(middle, end - start), strip.crop(end, length)])


def paint_characters(strip: Strip, line: Line, start: int, end: int, style: RichStyle) -> Strip:
    """The strip of a line with a style laid over its characters from `start` up to `end`."""
    return paint_cells(strip, cell_len(line.text[:start]), cell_len(line.text[:end]), style)


def paint_selection(strip: Strip, line: Line, span: tuple[int, int], style: RichStyle) -> Strip:
    """The strip of a line with what a copy would take from it marked; an end of -1 is the line's end."""
    start, end = span
    stop = min(line.stop, len(line.text) if end == -1 else end)
    return paint_characters(strip, line, max(start, line.start), stop, style)


def paint_thing(strip: Strip, thing: int, style: RichStyle) -> Strip:
    """The strip with the segments of one link marked."""
    segments = [
        Segment(text, old + style if old and old.meta.get("thing") == thing else old)
        for text, old, _ in strip
    ]
    return Strip(segments, strip.cell_length)


def links_in(line: Line) -> Iterable[int]:
    """The numbers of the links on a line."""
    for segment in line.strip:
        if segment.style and (thing := segment.style.meta.get("thing")) is not None:
            yield thing


def framed(strip: Strip, width: int, y: int, base: RichStyle, cursor: RichStyle | None) -> Strip:
    """The strip as wide as the screen, with gutter or cursor, and the offsets that selection goes by.

    Both cells of the gutter stand for the line's first character, so that a drag may begin there. A line
    with right-to-left text is isolated: else a terminal would reorder it together with what is beside it.
    """
    origin = RichStyle.from_meta({"offset": (0, y)})
    isolation = LRM if has_rtl(strip.text) else ""
    marks = CURSOR if cursor else " " * GUTTER
    style = (cursor or base) + origin
    gutter = Strip([Segment(marks[0], style), Segment(marks[1:] + isolation, style)], GUTTER)
    body = strip.adjust_cell_length(max(0, width - GUTTER), base).apply_offsets(0, y)
    return Strip.join([gutter, body, Strip([Segment(isolation, base)], 0)] if isolation else [gutter, body])


def centered_rows(content: str | Content, size: Size, style: Style) -> list[Strip]:
    """The rows of a view that is empty but for content in its middle."""
    content = Content(content) if isinstance(content, str) else content
    rows = content.wrap(max(1, size.width - 2 * GUTTER)) if content else []
    blank = Strip.blank(size.width, style.rich_style)
    painted = [blank] * max(0, (size.height - len(rows)) // 2)
    for row in rows:
        left = Strip.blank(max(0, (size.width - row.cell_length) // 2), style.rich_style)
        strip = Strip.join([left, line_of(row, style).strip])
        painted.append(strip.adjust_cell_length(size.width, style.rich_style))
    return [*painted, *[blank] * size.height][: size.height]
