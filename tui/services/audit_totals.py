"""The second part of an audit: every total that is kept beside the ledger is the sum of its rows."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from operator import add, attrgetter
from typing import TypeAlias

from tui.core.periods import Period
from tui.core.ports import State
from tui.core.quota import DailyUsage, KeySource, LedgerRow, PurchaseKind, Rollup, RowKind
from tui.core.settings import provider_name
from tui.services import tables
from tui.services.audit_rows import Problem

Key: TypeAlias = tuple[str, ...]
Sums: TypeAlias = dict[Key, list[int]]

_ROLLUP = ("turns", "input", "output", "cached_input", "reasoning", "tokens", "estimated", "cost", "unpriced")
_DAY = _POOL = ("used", "estimated", "held")
_OWN = ("used", "estimated")
_TOKENS, _ESTIMATED = _ROLLUP.index("tokens"), _ROLLUP.index("estimated")


class TotalsAudit:
    """Adds the rows up month by month, then compares. Memory is that of the totals that are kept.

    Args:
        state: The tables at the moment that is audited.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._rollup_periods = _Periods(record for _, record in state.usage_rollup)
        self._day_periods = _Periods(record for _, record in state.daily_usage)
        self._rollups: Sums = {}
        self._days: Sums = {}
        self._own: Sums = {}
        self._pools: Sums = {}

    def add(self, rows: Iterable[tuple[LedgerRow, int]]) -> None:
        """Take a month's rows in, each with its part of the tokens that are not exact."""
        sums: dict[tuple[date, str, str, str, KeySource], list[int]] = {}
        for row, estimated in rows:
            key = (row.date, row.user, row.provider, row.model, row.key_source)
            values = (
                row.kind is RowKind.TURN,
                row.input,
                row.output,
                row.cached_input,
                row.reasoning,
                row.tokens,
                estimated,
                row.cost or 0,
                row.tokens if row.cost is None else 0,
            )
            sums[key] = list(map(add, sums[key], values)) if key in sums else list(values)
        for (day, user, provider, model, source), values_ in sums.items():
            used = (values_[_TOKENS], values_[_ESTIMATED])
            _add(self._rollups, (self._rollup_periods.of(day), user, provider, model, source), values_)
            if source is KeySource.DEFAULT:
                _add(self._days, (self._day_periods.of(day), user, provider), (*used, 0))
                _add(self._pools, (provider,), (*used, 0))
            else:
                _add(self._own, (user, provider, source), used)

    def problem(self) -> Problem | None:
        """The first total that does not hold, the most particular first; to be called once, at the end."""
        return (
            self._hold()
            or self._compare_rollups()
            or self._compare_days()
            or self._compare_own()
            or self._compare_pools()
            or _purchases(self._state)
        )

    def _hold(self) -> Problem | None:
        """Add what open attempts hold, each once, to what the days and pools should say."""
        known: set[str] = set()
        for _, attempt in self._state.attempts:
            named, place = f"attempt {attempt.id} ({place_of('attempts')})", place_of("attempts")
            if attempt.id in known:
                return Problem(f"{named} stands there twice", place, attempt_id=attempt.id)
            known.add(attempt.id)
            pooled = attempt.key_source is KeySource.DEFAULT
            if attempt.held < 0 or (attempt.held and not pooled):
                text = f"{named} holds {attempt.held:,} tokens with key source {attempt.key_source}"
                return Problem(text, place, attempt_id=attempt.id)
            if pooled:
                held = (0, 0, attempt.held)
                day = self._day_periods.of(attempt.date)
                _add(self._days, (day, attempt.user, attempt.provider), held)
                _add(self._pools, (attempt.provider,), held)
        return None

    def _compare_rollups(self) -> Problem | None:
        said: Sums = {}
        values = attrgetter(*_ROLLUP)
        for _, total in self._state.usage_rollup:
            when = self._rollup_periods.of(total.date)
            _add(said, (when, total.user, total.provider, total.model, total.key_source), values(total))
        return _compare("usage_rollup", _ROLLUP, said, self._rollups)

    def _compare_days(self) -> Problem | None:
        said: Sums = {}
        values = attrgetter(*_DAY)
        for _, day in self._state.daily_usage:
            _add(said, (self._day_periods.of(day.date), day.user, day.provider), values(day))
        return _compare("daily_usage", _DAY, said, self._days)

    def _compare_own(self) -> Problem | None:
        said: Sums = {}
        for _, own in self._state.own_usage:
            _add(said, (own.user, own.provider, own.key_source), (own.used, own.estimated))
        return _compare("own_usage", _OWN, said, self._own)

    def _compare_pools(self) -> Problem | None:
        said: Sums = {}
        values = attrgetter(*_POOL)
        for _, pool in self._state.quotas:
            _add(said, (pool.provider,), values(pool))
        return _compare("quotas", _POOL, said, self._pools)


class _Periods:
    """By which period the totals of a day are compared: the coarsest that any of them is kept by.

    A late settle may leave a day's own total in a month that was folded; it counts to the month.
    """

    def __init__(self, records: Iterable[DailyUsage | Rollup]) -> None:
        self._folded = {
            (record.period, record.period.first_day(record.date))
            for record in records
            if record.period is not Period.DAY
        }
        self._known: dict[date, str] = {}

    def of(self, day: date) -> str:
        """The period of a day: `2026`, `2026-11` or `2026-11-23`."""
        if day not in self._known:
            self._known[day] = self._find(day)
        return self._known[day]

    def _find(self, day: date) -> str:
        if (Period.YEAR, Period.YEAR.first_day(day)) in self._folded:
            return f"{day:%Y}"
        if (Period.MONTH, Period.MONTH.first_day(day)) in self._folded:
            return f"{day:%Y-%m}"
        return day.isoformat()


def place_of(table: str) -> str:
    """A table of the state, as a problem's place."""
    return f"ctroom.json, table {table}"


def _add(sums: Sums, key: Key, values: Sequence[int]) -> None:
    sums[key] = list(map(add, sums[key], values)) if key in sums else list(values)


def _compare(
    table: str, fields: Sequence[str], said: Mapping[Key, list[int]], should: Sums
) -> Problem | None:
    """The first total that differs from the sum of its rows and holds; one that is not there says 0."""
    nothing = [0] * len(fields)
    for key in sorted(said.keys() | should.keys()):
        ours, theirs = said.get(key, nothing), should.get(key, nothing)
        if ours == theirs:
            continue
        name, is_, ought = next(each for each in zip(fields, ours, theirs, strict=True) if each[1] != each[2])
        source = "open attempts hold" if name == "held" else "ledger rows make"
        text = f"{' '.join(key)} ({place_of(table)}) says {name} {is_:,}, but its {source} {ought:,}"
        return Problem(text, place_of(table))
    return None


def _purchases(state: State) -> Problem | None:
    """Replay the purchases, up to what each pool says."""
    purchased: dict[str, int] = {}
    epochs: dict[str, int] = {}
    for number, entry in state.purchases:
        before = purchased.get(entry.provider)
        should = entry.amount if entry.kind is PurchaseKind.SET else (before or 0) + entry.amount
        if entry.purchased != should:
            named = f"purchase {number:,} of {provider_name(entry.provider)} ({place_of('purchases')})"
            text = f"{named} says {entry.purchased:,} purchased after it, but it should say {should:,}"
            return Problem(text, place_of("purchases"))
        purchased[entry.provider] = should
        epochs[entry.provider] = epochs.get(entry.provider, 0) + (should != before)
    for provider in sorted({pool.provider for _, pool in state.quotas} | purchased.keys()):
        pool = tables.pool(state, provider)
        ends: list[tuple[str, int | None, int | None]] = [
            ("purchased", pool.purchased, purchased.get(provider)),
            ("epoch", pool.epoch, epochs.get(provider, 0)),
        ]
        for name, is_, ought in ends:
            if is_ != ought:
                said = f"{provider} ({place_of('quotas')}) says {name} {_shown(is_)}"
                return Problem(f"{said}, but its purchases make {_shown(ought)}", place_of("quotas"))
    return None


def _shown(amount: int | None) -> str:
    return "nothing" if amount is None else f"{amount:,}"
