"""Which period a day's usage is kept by."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.core.periods import Period, period_of

LATEST = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("day", "period"),
    [
        (date(2026, 11, 23), Period.DAY),
        (date(2026, 9, 23), Period.DAY),
        (date(2026, 9, 22), Period.MONTH),
        (date(2024, 11, 1), Period.MONTH),
        (date(2024, 10, 31), Period.YEAR),
        (date(1999, 1, 1), Period.YEAR),
        (date(2027, 1, 1), Period.DAY),
    ],
)
def test_the_older_a_day_is_the_longer_is_its_period(day: date, period: Period) -> None:
    assert period_of(day, LATEST) is period


@given(day=st.dates(), days=st.tuples(st.dates(), st.dates()))
def test_a_period_never_becomes_shorter(day: date, days: tuple[date, date]) -> None:
    order = list(Period)
    earlier, later = sorted(days)
    assert order.index(period_of(day, earlier)) <= order.index(period_of(day, later))


@pytest.mark.parametrize(
    ("period", "first"),
    [
        (Period.DAY, date(2024, 2, 29)),
        (Period.MONTH, date(2024, 2, 1)),
        (Period.YEAR, date(2024, 1, 1)),
    ],
)
def test_the_first_day_of_a_period(period: Period, first: date) -> None:
    assert period.first_day(date(2024, 2, 29)) == first
    assert period.first_day(first) == first
