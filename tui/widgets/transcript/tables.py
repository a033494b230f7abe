"""Tables: columns as wide as they need, narrowed to fit, or one record under another where they cannot."""

from textual.content import Content

from tui.widgets.transcript.lines import LRM, Line, has_rtl, line_of, wrap
from tui.widgets.transcript.palette import Palette

_GAP = " │ "
_NARROWEST = 4
"""Cells; columns that would be narrower than this on average are shown as records."""


def table_lines(rows: list[list[Content]], aligns: list[str], width: int, palette: Palette) -> list[Line]:
    """The lines of a table whose first row is its head; `aligns` holds "", "left", "center" or "right"."""
    columns = len(rows[0])
    rows = [(row + [Content("")] * columns)[:columns] for row in rows]
    room = width - len(_GAP) * (columns - 1)
    if room < _NARROWEST * columns:
        return _records(rows, width, palette)
    widths = _fit([max([1, *(_cells(row[j]) for row in rows)]) for j in range(columns)], room)
    head, *body = rows
    out = _row([cell.stylize(palette.part("strong")) for cell in head], widths, aligns, palette)
    rule = "─┼─".join("─" * column for column in widths)
    out.append(line_of(Content(rule), palette.over_base("rule"), stop=0))
    for row in body:
        out += _row(row, widths, aligns, palette)
    return out


def _cells(cell: Content) -> int:
    """Cells of the longest row of a cell."""
    return max(row.cell_length for row in cell.split("\n")) if "\n" in cell.plain else cell.cell_length


def _fit(wanted: list[int], room: int) -> list[int]:
    """Widths within the room: the widest columns give way first."""
    if sum(wanted) <= room:
        return wanted
    low, high = 1, max(wanted)
    while low < high:
        middle = (low + high + 1) // 2
        if sum(min(width, middle) for width in wanted) <= room:
            low = middle
        else:
            high = middle - 1
    widths = [min(width, low) for width in wanted]
    for j, width in enumerate(wanted):
        if sum(widths) < room and widths[j] < width:
            widths[j] += 1
    return widths


def _row(cells: list[Content], widths: list[int], aligns: list[str], palette: Palette) -> list[Line]:
    wrapped = [
        cell.wrap(width) if cell.cell_length > width or "\n" in cell.plain else [cell]
        for cell, width in zip(cells, widths, strict=True)
    ]
    isolated = any(has_rtl(cell.plain) for cell in cells)
    separator = Content.styled(f"{LRM}{_GAP}{LRM}" if isolated else _GAP, palette.part("rule"))
    out: list[Line] = []
    for y in range(max(map(len, wrapped))):
        parts = [
            _aligned(cell[y] if y < len(cell) else Content(""), width, align)
            for cell, width, align in zip(wrapped, widths, aligns, strict=True)
        ]
        out.append(line_of(separator.join(parts), palette.base))
    return out


def _aligned(cell: Content, width: int, align: str) -> Content:
    gap = max(0, width - cell.cell_length)
    left = gap if align == "right" else gap // 2 if align == "center" else 0
    return cell.pad(left, gap - left)


def _records(rows: list[list[Content]], width: int, palette: Palette) -> list[Line]:
    head, *body = rows
    out: list[Line] = []
    for number, row in enumerate(body or [head]):
        if number:
            out.append(line_of(Content("─" * min(width, 8)), palette.over_base("rule"), stop=0))
        for name, cell in zip(head, row, strict=True):
            label = name.stylize(palette.part("strong"))
            out += wrap(Content.assemble(label, ": ", cell), width, palette.base)
    return out
