"""Periods that usage is added up over: recent days each for itself, older ones by month, the oldest by year.

So the totals of years stay few. Nothing is lost by it: the ledger keeps every row with its day.
"""

from datetime import date
from enum import StrEnum

DAYS_KEPT = 62
"""Days whose totals are kept each for itself: two months, so that the last whole month can be read by day."""
MONTHS_KEPT = 24
"""Months before the present one whose totals are kept each for itself."""


class Period(StrEnum):
    """How long a time a total counts."""

    DAY = "day"
    MONTH = "month"
    YEAR = "year"

    def first_day(self, day: date) -> date:
        """The first day of the period that `day` is in."""
        match self:
            case Period.DAY:
                return day
            case Period.MONTH:
                return day.replace(day=1)
            case Period.YEAR:
                return day.replace(month=1, day=1)


def period_of(day: date, latest: date) -> Period:
    """The period that a day's usage is kept by.

    Args:
        day: When it was used.
        latest: The latest day that was ever used, `Meta.latest_day`: the wall clock has no say.
    """
    if (latest - day).days < DAYS_KEPT:
        return Period.DAY
    months = (latest.year - day.year) * 12 + latest.month - day.month
    return Period.MONTH if months <= MONTHS_KEPT else Period.YEAR
