"""The users of a host as a table: as many columns as there is room for."""

from collections.abc import Mapping, Sequence

from tui.core.frozen import frozen
from tui.core.quota import AlertLevel, percent
from tui.services.snapshots import day_level
from tui.services.user_figures import UserEntry
from tui.services.user_reports import today_words, total_words
from tui.widgets.usage_text import (
    Cell,
    Line,
    Part,
    Piece,
    alert_word,
    bar,
    column_widths,
    cut,
    detail,
    figure,
    join,
    width_of,
)

HEADINGS = ("Name", "Role", "Tier", "", "Used today", "", "In total", "Sessions")
_NAME, _ROLE, _TIER, _BAR, _TODAY, _ALERT, _TOTAL, _SESSIONS = range(len(HEADINGS))
_LIMIT = len(HEADINGS)
"""No column: what follows the figure of today."""
_FIGURES = frozenset({_TODAY, _TOTAL})
"""They stand at the right of their columns."""
_GAP = 2
_BARS = (16, 10, 0)
"""Cells of the bar of what is left today, the widest that fits; and none."""
_DISPENSABLE = (_ROLE, _TOTAL, _TIER, _SESSIONS, _LIMIT)
"""What goes where there is no room for all, first to last: the panel has most of it too."""
_STEPS = (
    *((cells, frozenset[int]()) for cells in _BARS),
    *((0, frozenset(_DISPENSABLE[:count])) for count in range(1, len(_DISPENSABLE) + 1)),
)
CONNECTED = "●"


@frozen
class UserTable:
    """What is drawn: a line of headings, and one for each user."""

    headings: Line
    lines: tuple[Line, ...]


def user_table(entries: Sequence[UserEntry], sessions: Mapping[str, int] | None, width: int) -> UserTable:
    """The table in so many cells; what is wider is cut.

    Args:
        entries: The users.
        sessions: How many sessions each user has; None where there is no server to have any.
        width: Cells.
    """
    for cells, dropped in _STEPS:
        table = _table(entries, sessions, cells, dropped)
        if max(map(width_of, (table.headings, *table.lines))) <= width:
            return table
    return UserTable(cut(table.headings, width), tuple(cut(line, width) for line in table.lines))


def _table(
    entries: Sequence[UserEntry],
    sessions: Mapping[str, int] | None,
    bar_cells: int,
    dropped: frozenset[int],
) -> UserTable:
    rows = [tuple(map(detail, HEADINGS)), *(_row(entry, sessions, bar_cells, dropped) for entry in entries)]
    absent = dropped if sessions is not None else {*dropped, _SESSIONS}
    shown = [
        column
        for column in range(len(HEADINGS))
        if column not in absent and any(row[column] and row[column] != detail("") for row in rows)
    ]
    chosen = [[_spaced(row[column], first=at == 0) for at, column in enumerate(shown)] for row in rows]
    right = frozenset(at for at, column in enumerate(shown) if column in _FIGURES)
    widths = column_widths(chosen)
    headings, *lines = (join(row, widths, right) for row in chosen)
    return UserTable(headings, tuple(lines))


def _row(
    entry: UserEntry,
    sessions: Mapping[str, int] | None,
    bar_cells: int,
    dropped: frozenset[int],
) -> tuple[Cell, ...]:
    level = day_level(entry.day)
    count = (sessions or {}).get(entry.name, 0)
    today = today_words(entry)
    return (
        figure(entry.name),
        detail(entry.role.value),
        detail(entry.tier),
        _bar(entry, level, bar_cells),
        figure(today.partition(" / ")[0] if _LIMIT in dropped else today),
        alert_word(level)[:1],
        detail(total_words(entry)),
        (Piece(CONNECTED, Part.BAR), *figure(f" {count}")) if count else (),
    )


def _bar(entry: UserEntry, level: AlertLevel | None, cells: int) -> Cell:
    """What is left of the day; of an unlimited one, nothing can be drawn."""
    limit, left = entry.day.limit, entry.day.remaining
    if not cells or limit is None or left is None:
        return ()
    return bar(percent(left, limit), cells, level)


def _spaced(cell: Cell, *, first: bool) -> Cell:
    return cell if first or not cell else (*detail(" " * _GAP), *cell)
