"""Totals fold into months and years: no sum changes, in whatever order and however often it is done."""

import random
from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.storage.support import ledger_row
from tui.core.periods import Period
from tui.core.ports import State, Table
from tui.core.quota import DailyUsage, KeySource, Rollup
from tui.core.records import Meta
from tui.services import tables
from tui.storage.folding import fold
from tui.storage.tables import Draft

LATEST = date(2026, 11, 23)

days = st.integers(0, 5 * 365).map(lambda ago: LATEST - timedelta(days=ago))
counts = st.integers(0, 10**6)
usages = st.builds(
    DailyUsage,
    st.sampled_from(["local", "sam"]),
    st.sampled_from(["openai", "google"]),
    days,
    counts,
    st.sampled_from([0, 0, 0, 7]),
    counts,
)
rollups = st.builds(
    Rollup,
    days,
    st.sampled_from(["local", "sam"]),
    st.sampled_from(["openai", "google"]),
    st.sampled_from(["a", "b"]),
    st.sampled_from(KeySource),
    *[counts] * 9,
)


def state_of(usage: Iterable[DailyUsage], totals: Iterable[Rollup]) -> State:
    """A state with these records, oldest first."""
    state = Draft({}).state
    state.meta.insert(Meta(latest_day=LATEST))
    for record in sorted(usage, key=lambda record: record.date):
        state.daily_usage.insert(record)
    for total in sorted(totals, key=lambda record: record.date):
        state.usage_rollup.insert(total)
    return state


def records(state: State) -> Counter[Any]:
    return Counter([*(usage for _, usage in state.daily_usage), *(total for _, total in state.usage_rollup)])


def sums(state: State) -> Counter[Any]:
    """Every count by everything but the day, and by the year."""
    found: Counter[Any] = Counter()
    for _, usage in state.daily_usage:
        for year in (0, usage.date.year):
            for name in ("used", "held", "estimated"):
                found[year, usage.user, usage.provider, name] += getattr(usage, name)
    for _, total in state.usage_rollup:
        for year in (0, total.date.year):
            key = (year, total.user, total.provider, total.model, total.key_source)
            for name in (
                *("turns", "input", "output", "cached_input", "reasoning"),
                *("tokens", "estimated", "cost", "unpriced"),
            ):
                found[(*key, name)] += getattr(total, name)
    return found


def fold_from(state: State, first: date, seed: int) -> None:
    """Fold at several days on the way to the last."""
    chance = random.Random(seed)
    between = sorted(chance.randrange((LATEST - first).days + 1) for _ in range(chance.randrange(4)))
    for number in between:
        fold(state, first + timedelta(days=number))
    fold(state, LATEST)


@given(usage=st.lists(usages), totals=st.lists(rollups), seed=st.integers(0, 99))
def test_no_sum_changes_in_whatever_order_it_is_done(
    usage: list[DailyUsage], totals: list[Rollup], seed: int
) -> None:
    state, other = state_of(usage, totals), state_of(usage, totals)
    before = sums(state)
    fold(state, LATEST)
    fold_from(other, LATEST - timedelta(days=5 * 365), seed)

    assert sums(state) == before
    assert records(state) == records(other)


@given(usage=st.lists(usages), totals=st.lists(rollups))
def test_folding_again_changes_nothing(usage: list[DailyUsage], totals: list[Rollup]) -> None:
    state = state_of(usage, totals)
    fold(state, LATEST)
    once = list(state.daily_usage), list(state.usage_rollup)
    fold(state, LATEST)

    assert once == (list(state.daily_usage), list(state.usage_rollup))


@given(usage=st.lists(usages), totals=st.lists(rollups))
def test_what_is_recent_or_held_stays_by_day(usage: list[DailyUsage], totals: list[Rollup]) -> None:
    state = state_of(usage, totals)
    fold(state, LATEST)

    for _, record in state.daily_usage:
        if record.period is Period.DAY:
            assert record.held or (LATEST - record.date).days < 62
        else:
            assert record.held == 0
            assert record.period.first_day(record.date) == record.date
    keys = [
        (total.period, total.date, total.user, total.provider, total.model, total.key_source)
        for _, total in state.usage_rollup
    ]
    assert len(keys) == len(set(keys))


def test_five_years_are_few_records() -> None:
    every_day = [LATEST - timedelta(days=ago) for ago in range(5 * 365)]
    state = state_of(
        [DailyUsage("local", "openai", day, 10) for day in every_day],
        [Rollup(day, "local", "openai", "a", KeySource.DEFAULT, 1) for day in every_day],
    )
    fold(state, LATEST)

    both: tuple[Table[Any], ...] = (state.daily_usage, state.usage_rollup)
    for table in both:
        periods = Counter(record.period for _, record in table)
        assert periods == {Period.DAY: 62, Period.MONTH: 23, Period.YEAR: 4}
    assert [total.turns for _, total in state.usage_rollup][:2] == [37, 365]


@pytest.mark.parametrize("ago", [0, 61, 62, 200, 1500])
def test_what_is_charged_late_goes_where_its_day_is_counted(ago: int) -> None:
    """And today's figures are found behind it."""
    day = LATEST - timedelta(days=ago)
    known = sorted({day, LATEST})
    state = state_of(
        [DailyUsage("local", "openai", each, 10) for each in known],
        [Rollup(each, "local", "openai", "gpt-5.1", KeySource.DEFAULT, tokens=10) for each in known],
    )
    fold(state, LATEST)
    tables.add_to_day(state, "local", "openai", day, used=-4, estimated=3)
    tables.add_to_rollup(state, ledger_row(1, day), 5)

    assert len(state.daily_usage) == len(state.usage_rollup) == len(known)
    late = next(record for _, record in state.daily_usage)
    assert (late.date, late.used, late.estimated) == (late.period.first_day(day), 6, 3)
    rolled = next(record for _, record in state.usage_rollup)
    assert (rolled.date, rolled.tokens, rolled.estimated) == (late.date, 130, 5)
    [today] = tables.days_of_user(state, "local", LATEST)
    assert today.used == (6 if ago == 0 else 10)


def test_a_charge_for_an_old_day_without_a_total_does_not_hide_today() -> None:
    state = state_of([DailyUsage("local", "openai", LATEST, 10)], [])
    tables.add_to_day(state, "local", "openai", LATEST - timedelta(days=400), used=4)

    assert [day.used for day in tables.days_of_user(state, "local", LATEST)] == [10]
    assert sorted(record.period for _, record in state.daily_usage) == [Period.DAY, Period.MONTH]
