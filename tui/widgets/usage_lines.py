"""The words of the usage footer: figures and a width in, pieces of text out.

Every provider has one line. Lines on default keys share one layout, so that their columns stand under each
other: the richest layout that fits them all. What matters most (the alert word, what remains) goes last.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from enum import StrEnum

from rich.cells import cell_len, set_cell_size

from tui.core.figures import ProviderFigures, UsageSnapshot
from tui.core.quota import AlertLevel, KeySource, alert_level, percent

ALERT_WORDS = {
    AlertLevel.LOW: "LOW",
    AlertLevel.CRITICAL: "CRITICAL",
    AlertLevel.EXHAUSTED: "EMPTY",
}
"""Words rather than colours alone, so that the state reads on any terminal."""
SEPARATOR = " · "
_RIGHT = (2, 3)
"""The columns that stand at the right of their width: what remains, and its percentage."""


class Part(StrEnum):
    """What a piece of text is; each has a look in the stylesheet."""

    NAME = "name"
    BAR = "bar"
    TRACK = "track"
    FIGURE = "figure"
    DETAIL = "detail"
    LOW = "low"
    CRITICAL = "critical"
    EMPTY = "empty"


ALERT_PARTS = {
    AlertLevel.LOW: Part.LOW,
    AlertLevel.CRITICAL: Part.CRITICAL,
    AlertLevel.EXHAUSTED: Part.EMPTY,
}


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of text with one look."""

    text: str
    part: Part


Cell = tuple[Piece, ...]
Line = tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class _Layout:
    """What a line on default keys shows besides its name and what remains."""

    bar: int
    """Cells of the bar; 0: none."""
    used: int
    """0: nothing, 1: "45,230 / 1,000,000", 2: with "tokens"."""
    day: int
    """0: nothing, 1: "today 1,204 / 10,000", 2: with its reset."""
    percent: bool = True
    word: bool = True
    """Whether "remaining" follows the figure."""


_LAYOUTS = (
    _Layout(bar=20, used=2, day=2),
    _Layout(bar=11, used=2, day=2),
    _Layout(bar=11, used=2, day=1),
    _Layout(bar=11, used=2, day=0),
    _Layout(bar=11, used=1, day=0),
    _Layout(bar=6, used=1, day=0),
    _Layout(bar=0, used=1, day=0),
    _Layout(bar=6, used=0, day=0),
    _Layout(bar=0, used=0, day=0),
    _Layout(bar=0, used=0, day=0, percent=False),
    _Layout(bar=0, used=0, day=0, percent=False, word=False),
)
"""From the richest to the barest."""

_LAYOUTS_SHORT_DAY = (
    *_LAYOUTS[:3],
    _Layout(bar=11, used=1, day=1),
    _Layout(bar=11, used=0, day=2),
    _Layout(bar=6, used=0, day=1),
    _Layout(bar=0, used=0, day=1),
    _Layout(bar=0, used=0, day=1, percent=False),
    *_LAYOUTS[-2:],
)
"""The same where a day runs short: then its figures outlast those of the pool."""


def usage_lines(snapshot: UsageSnapshot, width: int, zone: tzinfo, current: str = "") -> tuple[Line, ...]:
    """The lines of the footer.

    Args:
        snapshot: The figures.
        width: Cells that each line may fill.
        zone: Where reset times are shown in.
        current: The provider of the open conversation, which always has a line.

    Returns:
        One line for each provider in use, none wider than `width`.
    """
    shown = in_use(snapshot, current)
    if not shown or width < 1:
        return ()
    indent = max(cell_len(figures.name) for figures in shown) + 1
    room = max(0, width - indent)
    pending = sum(f.pending for f in snapshot.providers if f.key_source is KeySource.DEFAULT)
    metered = [f for f in shown if _metered(f)]
    cells = _fit_metered(metered, room, zone, pending)
    lines = []
    for figures in shown:
        name = Piece(set_cell_size(figures.name, indent), Part.NAME)
        body = cells[figures.provider] if _metered(figures) else _free_text(figures, room, zone, pending)
        lines.append(_cut((name, *body), width))
    return tuple(lines)


def in_use(snapshot: UsageSnapshot, current: str = "") -> tuple[ProviderFigures, ...]:
    """The providers that have a line: those with a pool and a key, and the current one; else the demo."""
    shown = tuple(
        figures
        for figures in snapshot.providers
        if figures.provider == current
        or (figures.key_source is not KeySource.NONE and not figures.key_missing)
    )
    return shown or tuple(figures for figures in snapshot.providers if figures.provider == "demo")


def bar(share: float, width: int) -> Cell:
    """A bar of `width` cells filled by `share` percent, in half cells; what is left never looks like none."""
    halves = int(share * 2 * width / 100)
    if share > 0:
        halves = max(1, halves)
    full, half = divmod(min(halves, 2 * width), 2)
    filled = "█" * full + "▌" * half
    return (Piece(filled, Part.BAR), Piece("░" * (width - full - half), Part.TRACK))


def _metered(figures: ProviderFigures) -> bool:
    """Whether a line shows what remains of something, and so has columns."""
    if figures.key_source is not KeySource.DEFAULT or figures.key_missing:
        return False
    return figures.purchased is not None or figures.pool_percent is not None


def _fit_metered(
    metered: Sequence[ProviderFigures], room: int, zone: tzinfo, pending: int
) -> dict[str, Cell]:
    short_day = any(_day_level(figures, pending) for figures in metered)
    rows: list[list[Cell]] = []
    for layout in _LAYOUTS_SHORT_DAY if short_day else _LAYOUTS:
        rows = [_cells(figures, layout, zone, pending) for figures in metered]
        if sum(_widths(rows)) <= room:
            break
    widths = _widths(rows)
    return {figures.provider: _join(row, widths) for figures, row in zip(metered, rows, strict=True)}


def _cells(figures: ProviderFigures, layout: _Layout, zone: tzinfo, pending: int) -> list[Cell]:
    """The columns of a line: bar, alert word, what remains, percent, used, day."""
    if figures.purchased is None:
        return _member_cells(figures, layout, zone, pending)
    used = figures.used + figures.pending
    about = "~" if figures.approximate else ""
    left = figures.purchased - used
    share = percent(left, figures.purchased)
    level = alert_level(left, figures.purchased) if figures.purchased else AlertLevel.EXHAUSTED
    remaining = f"{about}{left:,}" + (" remaining" if layout.word else "")
    cells = [
        (*bar(share, layout.bar), Piece(" ", Part.DETAIL)) if layout.bar else (),
        _word(level),
        (Piece(remaining, Part.FIGURE),),
        (Piece(f" ({share}%)", Part.FIGURE),) if layout.percent else (),
    ]
    tokens = " tokens" if layout.used == 2 else ""
    amounts = f"{SEPARATOR}{about}{used:,} / {figures.purchased:,}{tokens}"
    cells.append((Piece(amounts, Part.DETAIL),) if layout.used else ())
    cells.append(_day(figures, layout.day, zone, pending))
    return cells


def _member_cells(figures: ProviderFigures, layout: _Layout, zone: tzinfo, pending: int) -> list[Cell]:
    """A member sees the day in full, and of the pool only its percentage."""
    pool = f"{figures.pool_percent or 0.0}%"
    day = figures.day
    if day is None or day.limit is None:
        return [
            (*bar(figures.pool_percent or 0.0, layout.bar), Piece(" ", Part.DETAIL)) if layout.bar else (),
            _word(figures.alert),
            (Piece(f"{pool} of the pool remaining", Part.FIGURE),),
        ]
    used = day.used + pending
    about = "~" if day.estimated or pending else ""
    left = day.limit - used
    share = percent(left, day.limit)
    word = " left today" if layout.word else ""
    cells = [
        (*bar(share, layout.bar), Piece(" ", Part.DETAIL)) if layout.bar else (),
        _word(alert_level(left, day.limit)),
        (Piece(f"{about}{left:,}{word}", Part.FIGURE),),
        (Piece(f" ({share}%)", Part.FIGURE),) if layout.percent else (),
    ]
    tokens = " tokens" if layout.used == 2 else ""
    detail = f"{SEPARATOR}{about}{used:,} / {day.limit:,}{tokens}"
    cells.append((Piece(detail, Part.DETAIL),) if layout.used else ())
    resets = f"{SEPARATOR}resets {day.resets_at.astimezone(zone):%H:%M}"
    cells.append((Piece(resets, Part.DETAIL),) if layout.day == 2 else ())
    cells.append((Piece(f"{SEPARATOR}pool {pool}", Part.DETAIL),) if layout.used == 2 else ())
    return cells


def _free_text(figures: ProviderFigures, room: int, zone: tzinfo, pending: int) -> Cell:
    """A line without columns: as many of its phrases as fit, the first always."""
    first, rest = _phrases(figures, zone, pending)
    cells: list[Piece] = list(first)
    used = _cell_width(cells)
    for piece in rest:
        if used + cell_len(piece.text) <= room:
            cells.append(piece)
            used += cell_len(piece.text)
    return tuple(cells)


def _phrases(figures: ProviderFigures, zone: tzinfo, pending: int) -> tuple[Cell, list[Piece]]:
    used = f"{'~' if figures.approximate else ''}{figures.used + figures.pending:,} tokens"
    if figures.key_missing:
        return (Piece("no key", Part.CRITICAL),), [_detail(f"{SEPARATOR}add a key in Settings (F4)")]
    if figures.key_source is KeySource.OWN:
        return (Piece(f"{used} used", Part.FIGURE),), [_detail(" (Using your API keys)")]
    if figures.provider == "demo":
        hint = _detail(f"{SEPARATOR}add a key in Settings (F4)")
        return (Piece(f"offline{SEPARATOR}{used}", Part.FIGURE),), [hint]
    if figures.key_source is KeySource.NONE:
        return (Piece(f"{used} used", Part.FIGURE),), [_detail(" (no limit)")]
    first = (Piece(f"{used} used", Part.FIGURE),)
    day = _day(figures, 1, zone, pending)
    resets = _day(figures, 2, zone, pending)[len(day) :]
    invitation = _detail(f"{SEPARATOR}enter what you purchased in Settings (F4)")
    if _day_level(figures, pending):
        return (*first, *day), [*resets, invitation]
    return first, [*day, *resets, invitation]


def _day(figures: ProviderFigures, detail: int, zone: tzinfo, pending: int) -> Cell:
    day = figures.day
    if not detail or day is None or day.limit is None:
        return ()
    about = "~" if day.estimated or pending else ""
    amounts = f"today {about}{day.used + pending:,} / {day.limit:,}"
    cell: Cell = (_detail(SEPARATOR), *_word(_day_level(figures, pending)), _detail(amounts))
    if detail == 2:
        cell = (*cell, _detail(f", resets {day.resets_at.astimezone(zone):%H:%M}"))
    return cell


def _day_level(figures: ProviderFigures, pending: int) -> AlertLevel | None:
    day = figures.day
    if day is None or day.limit is None:
        return None
    return alert_level(day.limit - day.used - pending, day.limit)


def _word(level: AlertLevel | None) -> Cell:
    if level is None:
        return ()
    return (Piece(ALERT_WORDS[level], ALERT_PARTS[level]), _detail(" "))


def _detail(text: str) -> Piece:
    return Piece(text, Part.DETAIL)


def _cell_width(cell: Sequence[Piece]) -> int:
    return sum(cell_len(piece.text) for piece in cell)


def _widths(rows: Sequence[Sequence[Cell]]) -> list[int]:
    columns = max((len(row) for row in rows), default=0)
    return [
        max((_cell_width(row[column]) for row in rows if column < len(row)), default=0)
        for column in range(columns)
    ]


def _join(row: Sequence[Cell], widths: Sequence[int]) -> Cell:
    """The cells in their columns; the alert word and the amounts line up whatever their lengths."""
    pieces: list[Piece] = []
    gap = 0
    for column, (cell, width) in enumerate(zip(row, widths, strict=False)):
        short = width - _cell_width(cell)
        if column in _RIGHT:
            gap, short = gap + short, 0
        if cell and gap:
            pieces.append(_detail(" " * gap))
            gap = 0
        pieces += cell
        gap += short
    return tuple(pieces)


def _cut(line: Line, width: int) -> Line:
    """The line, cut with an ellipsis where it is wider than `width`."""
    if _cell_width(line) <= width:
        return line
    kept: list[Piece] = []
    room = width - 1
    for piece in line:
        size = cell_len(piece.text)
        if size > room:
            kept.append(Piece(f"{set_cell_size(piece.text, room).rstrip()}…", piece.part))
            break
        kept.append(piece)
        room -= size
    return tuple(kept)
