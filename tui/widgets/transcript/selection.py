"""Text of a selection: lines are rejoined where a soft wrap parted them, decoration is left out."""

from collections.abc import Callable

from textual.geometry import Offset
from textual.selection import Selection

from tui.widgets.transcript.lines import Line

ROWS_PER_ENTRY = 1 << 20
"""Selection rows are entry index * this + line: stable when the heights of entries above change."""
MOST_COLUMNS = 1 << 30
"""Beyond the end of every line."""
RENDERED_AT_MOST = 50
"""Entries of a longer selection are copied from their source: 10,000 would take 22 s to render."""


def bounds(selection: Selection, entries: int) -> tuple[Offset, Offset]:
    """The first and last offset of a selection, within the entries that there are."""
    start = selection.start or Offset(0, 0)
    end = selection.end or Offset(MOST_COLUMNS, entries * ROWS_PER_ENTRY - 1)
    return start, end


def selected_text(
    selection: Selection,
    entries: int,
    lines_of: Callable[[int], list[Line]],
    source_of: Callable[[int], str],
) -> str:
    """The selected text.

    Args:
        selection: What is selected, in selection rows and characters.
        entries: How many entries there are.
        lines_of: Gives the rendered lines of an entry.
        source_of: Gives the text of an entry without rendering it.
    """
    start, end = bounds(selection, entries)
    first, last = max(0, start.y // ROWS_PER_ENTRY), min(end.y // ROWS_PER_ENTRY, entries - 1)
    out: list[str] = []
    for index in range(first, last + 1):
        if first < index < last and last - first > RENDERED_AT_MOST:
            out.append("\n" + source_of(index) + "\n")
        else:
            out += _entry_parts(lines_of(index), index, start, end, begun=bool(out))
    return "".join(out)


def _entry_parts(lines: list[Line], index: int, start: Offset, end: Offset, *, begun: bool) -> list[str]:
    out: list[str] = []
    for number, line in enumerate(lines):
        y = index * ROWS_PER_ENTRY + number
        if not start.y <= y <= end.y:
            continue
        left = max(line.start, start.x if y == start.y else 0)
        right = min(line.stop, end.x if y == end.y else MOST_COLUMNS)
        if line.stop == 0:  # a line of decoration only
            continue
        out.append((line.join if begun or out else "") + line.text[left:right])
    return out
