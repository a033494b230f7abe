"""The words of the usage footer: figures and a width in, pieces of text out.

Every provider in use has one line. Lines that show what remains of something share one layout, so that their
columns stand under each other: the richest that fits them all. The alert word and what remains go last.
"""

from collections.abc import Sequence
from datetime import tzinfo

from rich.cells import cell_len, set_cell_size

from tui.core.figures import ProviderFigures, UsageSnapshot
from tui.core.frozen import frozen
from tui.core.quota import AlertLevel, KeySource, alert_level, percent
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

_FIGURE_COLUMNS = frozenset({2, 3})
"""What remains, and its percentage: they stand at the right of their columns."""


_INVITATIONS = (detail(" · enter what you purchased in Settings (F4)"), detail(" · purchased? F4"))
"""To an admin whose pool was never entered; the second where the first has no room."""


@frozen
class _Layout:
    """What a line shows besides its name and what remains."""

    bar: int
    """Cells of the bar; 0: none."""
    used: int
    """0: nothing, 1: "45,230 / 1,000,000", 2: with "tokens"."""
    day: int
    """0: nothing, 1: "today 1,204 / 10,000", 2: with its reset."""
    percent: bool = True
    word: bool = True
    """Whether "remaining" follows the figure."""


_RICH = tuple(_Layout(bar=size, used=2, day=2) for size in (20, 16, 11))
_BARE = (_Layout(0, 0, 0, percent=False), _Layout(0, 0, 0, percent=False, word=False))
_LAYOUTS = (
    *_RICH,
    _Layout(bar=11, used=2, day=1),
    *(_Layout(bar=size, used=2, day=0) for size in (16, 11)),
    *(_Layout(bar=size, used=1, day=0) for size in (11, 6, 0)),
    *(_Layout(bar=size, used=0, day=0) for size in (6, 0)),
    *_BARE,
)
"""From the richest to the barest."""
_LAYOUTS_SHORT_DAY = (
    *_RICH,
    _Layout(bar=11, used=2, day=1),
    _Layout(bar=6, used=1, day=1),
    _Layout(bar=11, used=0, day=2),
    *(_Layout(bar=size, used=0, day=1) for size in (11, 6, 0)),
    _Layout(bar=0, used=0, day=1, percent=False),
    *_BARE,
)
"""The same where a day runs short: then its figures outlast those of the pool."""


def usage_lines(snapshot: UsageSnapshot, width: int, zone: tzinfo) -> tuple[Line, ...]:
    """The lines of the footer.

    Args:
        snapshot: The figures.
        width: Cells that each line may fill.
        zone: Where reset times are shown in.

    Returns:
        One line for each provider in the snapshot, none wider than `width`.
    """
    shown = snapshot.providers
    if not shown or width < 1:
        return ()
    indent = max(cell_len(figures.name) for figures in shown) + 1
    pending = sum(f.pending for f in snapshot.providers if f.key_source is KeySource.DEFAULT)
    bodies = _Writer(zone, pending, admin=snapshot.admin).bodies(shown, max(0, width - indent))
    names = (Piece(set_cell_size(figures.name, indent), Part.NAME) for figures in shown)
    return tuple(cut((name, *body), width) for name, body in zip(names, bodies, strict=True))


@frozen
class _Writer:
    zone: tzinfo
    pending: int
    """Tokens of streaming turns on default keys: they count on the day of every provider."""
    admin: bool

    def bodies(self, shown: Sequence[ProviderFigures], room: int) -> list[Line]:
        """What follows the name in each line."""
        metered = {f.provider: f for f in shown if self._metered(f)}
        columns = dict(zip(metered, self._columns(list(metered.values()), room), strict=True))
        return [columns.get(f.provider) or self._free_text(f, room) for f in shown]

    def _metered(self, figures: ProviderFigures) -> bool:
        """Whether a line shows what remains of something, and so has columns."""
        if figures.key_source is not KeySource.DEFAULT:
            return False
        return figures.purchased is not None or not (self.admin or figures.key_missing)

    def _columns(self, metered: Sequence[ProviderFigures], room: int) -> list[Line]:
        short_day = self.admin and any(self._day_level(figures) for figures in metered)
        rows: list[list[Cell]] = []
        for layout in _LAYOUTS_SHORT_DAY if short_day else _LAYOUTS:
            rows = [self._cells(figures, layout) for figures in metered]
            if sum(column_widths(rows)) <= room:
                break
        widths = column_widths(rows)
        return [join(row, widths, _FIGURE_COLUMNS) for row in rows]

    def _cells(self, figures: ProviderFigures, layout: _Layout) -> list[Cell]:
        if figures.purchased is None:
            return self._member_cells(figures, layout)
        used = figures.used + figures.pending
        about = "~" if figures.approximate else ""
        meter = self._meter(figures.purchased, used, about, "remaining", layout)
        return [*meter, self._day(figures, layout.day)]

    def _member_cells(self, figures: ProviderFigures, layout: _Layout) -> list[Cell]:
        """A member sees the day in full, and of the pool only its percentage."""
        pool = "" if figures.pool_percent is None else f" · pool {figures.pool_percent}%"
        pool_cell = detail(pool) if pool and layout.used == 2 else ()
        day = figures.day
        if day is None or day.limit is None:
            used = figures.used + figures.pending
            words = figure(f"{'~' if figures.approximate else ''}{used:,} tokens used")
            return [(), alert_word(figures.alert), words, (), (), pool_cell]
        about = "~" if day.estimated or self.pending else ""
        cells = self._meter(day.limit, day.used + self.pending, about, "left today", layout)
        resets = detail(f" · resets {self._resets(figures)}") if layout.day == 2 else ()
        return [*cells, (*resets, *pool_cell)]

    def _meter(self, whole: int, used: int, about: str, word: str, layout: _Layout) -> list[Cell]:
        """Bar, alert word, what is left, its percentage, and used of whole."""
        left = whole - used
        share = percent(left, whole)
        level = alert_level(left, whole)
        meter = (*bar(share, layout.bar, level), *detail(" ")) if layout.bar else ()
        amounts = f" · {about}{used:,} / {whole:,}{' tokens' if layout.used == 2 else ''}"
        return [
            meter,
            alert_word(level),
            figure(f"{about}{left:,} {word}" if layout.word else f"{about}{left:,}"),
            figure(f" ({share}%)") if layout.percent else (),
            detail(amounts) if layout.used else (),
        ]

    def _free_text(self, figures: ProviderFigures, room: int) -> Line:
        """A line without columns: as many of its phrases as fit, the first always."""
        first, *rest = self._phrases(figures)
        pieces = [*first]
        for phrase in rest:
            if phrase is _INVITATIONS[1] and pieces[-1:] == [*_INVITATIONS[0]]:
                break
            if width_of(pieces) + width_of(phrase) <= room:
                pieces += phrase
        return tuple(pieces)

    def _phrases(self, figures: ProviderFigures) -> list[Cell]:
        """What a line says, the most important first."""
        used = f"{'~' if figures.approximate else ''}{figures.used + figures.pending:,} tokens"
        if figures.key_missing:
            return [(Piece("no key", Part.CRITICAL),), detail(" · add a key in Settings (F4)")]
        if figures.key_source is KeySource.OWN:
            return [figure(f"{used} used"), detail(" (Using your API keys)")]
        if figures.provider == "demo":
            return [figure(f"offline · {used}"), detail(" · add a key in Settings (F4)")]
        if figures.key_source is KeySource.NONE:
            return [figure(f"{used} used"), detail(" (no limit)")]
        day, whole_day = self._day(figures, 1), self._day(figures, 2)
        resets = whole_day[len(day) :]
        if self._day_level(figures):
            return [(*figure(f"{used} used"), *day), resets, *_INVITATIONS]
        return [figure(f"{used} used"), day, resets, *_INVITATIONS]

    def _day(self, figures: ProviderFigures, detailed: int) -> Cell:
        """The day's allowance: 0 not at all, 1 its figures, 2 with its reset."""
        day = figures.day
        if not detailed or day is None or day.limit is None:
            return ()
        about = "~" if day.estimated or self.pending else ""
        word = alert_word(self._day_level(figures))
        amounts = detail(f"today {about}{day.used + self.pending:,} / {day.limit:,}")
        resets = detail(f", resets {self._resets(figures)}") if detailed == 2 else ()
        return (*detail(" · "), *word, *amounts, *resets)

    def _day_level(self, figures: ProviderFigures) -> AlertLevel | None:
        day = figures.day
        if day is None or day.limit is None:
            return None
        return alert_level(day.limit - day.used - self.pending, day.limit)

    def _resets(self, figures: ProviderFigures) -> str:
        return f"{figures.day.resets_at.astimezone(self.zone):%H:%M}" if figures.day else ""
