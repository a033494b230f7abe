"""Totals of old days become those of their months, and these of their years, so that they stay few.

It is done within one transaction. Every sum stays as it was, and doing it again changes nothing.
"""

from collections.abc import Callable
from dataclasses import fields, replace
from datetime import date
from typing import Any, TypeVar

from tui.core.periods import Period, period_of
from tui.core.ports import State, Table
from tui.core.quota import DailyUsage, Rollup

Total = TypeVar("Total", DailyUsage, Rollup)


def fold(state: State, latest: date) -> None:
    """Fold the totals of what is old, seen from the latest day.

    A day that tokens are held on is left as it is, until they are charged or released.
    """
    _fold(state.daily_usage, latest, lambda usage: usage.held == 0)
    _fold(state.usage_rollup, latest, lambda _: True)


def _fold(table: Table[Total], latest: date, may: Callable[[Total], bool]) -> None:
    groups: dict[Total, list[tuple[int, Total]]] = {}
    for doc_id, record in table:
        if may(record):
            groups.setdefault(_folded(record, latest), []).append((doc_id, record))
    for empty, members in groups.items():
        # In the place of the oldest: the table stays in the order of days.
        (doc_id, oldest), *others = members
        total = replace(empty, **_sums([record for _, record in members]))
        if total != oldest:
            table.replace(doc_id, total)
        for other_id, _ in others:
            table.remove(other_id)


def _folded(record: Total, latest: date) -> Total:
    """The empty record of the period that a record belongs to."""
    periods = list(Period)
    period = max(record.period, period_of(record.date, latest), key=periods.index)
    empty: dict[str, Any] = dict.fromkeys(_counts(record), 0)
    return replace(record, period=period, date=period.first_day(record.date), **empty)


def _sums(records: list[Total]) -> dict[str, Any]:
    return {name: sum(getattr(record, name) for record in records) for name in _counts(records[0])}


def _counts(record: DailyUsage | Rollup) -> list[str]:
    """The fields that count something: those that begin at 0."""
    return [field.name for field in fields(record) if field.default == 0]
