"""Text of a selection: lines are rejoined where a soft wrap parted them, decoration is left out."""

from collections.abc import Callable

from textual.geometry import Offset
from textual.selection import Selection

from tui.widgets.transcript.lines import LRM, Line
from tui.widgets.transcript.view import EntryView, Place

ROWS_PER_PART = 1 << 20
"""Selection rows are the row of the entry + part * this + line: stable when heights above change."""
ROWS_PER_ENTRY = 1 << 40
"""The row of an entry is its index * this."""
MOST_COLUMNS = 1 << 30
"""Beyond the end of every line."""
RENDERED_AT_MOST = 50
"""Parts of a longer selection are copied from their source: 10,000 messages would take 22 s to render."""


def bounds(selection: Selection, entries: int) -> tuple[Offset, Offset]:
    """The first and last offset of a selection, within the entries that there are."""
    start = selection.start or Offset(0, 0)
    end = selection.end or Offset(MOST_COLUMNS, entries * ROWS_PER_ENTRY - 1)
    return start, end


def selection_row(index: int, place: Place) -> int:
    """The row of a line, as selections count."""
    return index * ROWS_PER_ENTRY + place.part * ROWS_PER_PART + place.line


def selected_text(
    selection: Selection,
    entries: int,
    view_of: Callable[[int], EntryView],
    source_of: Callable[[int], str],
) -> str:
    """The selected text.

    Args:
        selection: What is selected, in selection rows and characters.
        entries: How many entries there are.
        view_of: Gives an entry in parts.
        source_of: Gives the text of an entry without rendering it.
    """
    start, end = bounds(selection, entries)
    first, last = max(0, start.y // ROWS_PER_ENTRY), min(end.y // ROWS_PER_ENTRY, entries - 1)
    out: list[str] = []
    for index in range(first, last + 1):
        if first < index < last and last - first > RENDERED_AT_MOST:
            out.append("\n" + source_of(index) + "\n")
        else:
            out += _entry_text(view_of(index), index, start, end, begun=bool(out))
    return "".join(out).replace(LRM, "")


def _entry_text(view: EntryView, index: int, start: Offset, end: Offset, *, begun: bool) -> list[str]:
    base = index * ROWS_PER_ENTRY
    first = max(0, start.y - base) // ROWS_PER_PART
    last = min((end.y - base) // ROWS_PER_PART, view.parts - 1)
    out: list[str] = []
    for part in range(first, last + 1):
        if first < part < last and last - first > RENDERED_AT_MOST:
            out.append("\n" + view.source_of(part).removesuffix("\n"))
        else:
            row = base + part * ROWS_PER_PART
            out += _part_text(view.lines_of(part), row, start, end, begun=begun or bool(out))
    return out


def _part_text(lines: list[Line], row: int, start: Offset, end: Offset, *, begun: bool) -> list[str]:
    out: list[str] = []
    for y, line in enumerate(lines, row):
        if not start.y <= y <= end.y:
            continue
        left = max(line.start, start.x if y == start.y else 0)
        right = min(line.stop, end.x if y == end.y else MOST_COLUMNS)
        if line.stop == 0:  # a line of decoration only
            continue
        out.append((line.join if begun or out else "") + line.text[left:right])
    return out
