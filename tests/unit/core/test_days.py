from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.core.days import day_ends, day_of, zone
from tui.core.errors import InvalidValueError

ZONES = ["UTC", "Europe/Lisbon", "America/New_York", "Asia/Kolkata", "Pacific/Kiritimati", "America/Santiago"]
moments = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))


@pytest.mark.parametrize("name", ["", "Mars/Base", "../etc/passwd", "/UTC", "utc\x00", "Europe", "x" * 500])
def test_no_such_zone_is_said_in_words(name: str) -> None:
    with pytest.raises(InvalidValueError, match="IANA"):
        zone(name)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("UTC", date(2026, 11, 23)),
        ("Asia/Tokyo", date(2026, 11, 24)),
        ("America/New_York", date(2026, 11, 23)),
    ],
)
def test_the_day_is_the_zones(name: str, expected: date) -> None:
    assert day_of(datetime(2026, 11, 23, 22, tzinfo=UTC), name) == expected


def test_a_clock_set_back_stays_on_the_latest_day() -> None:
    latest = date(2026, 11, 24)
    assert day_of(datetime(2026, 11, 20, tzinfo=UTC), "UTC", latest) == latest
    assert day_of(datetime(2026, 11, 25, tzinfo=UTC), "UTC", latest) == date(2026, 11, 25)


@pytest.mark.parametrize(
    ("day", "hours"),
    [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 7, 1), 24)],
)
def test_a_day_of_a_time_change_has_its_own_length(day: date, hours: int) -> None:
    length = day_ends(day, "Europe/Lisbon") - day_ends(day - timedelta(days=1), "Europe/Lisbon")
    assert length == timedelta(hours=hours)


def test_a_midnight_that_is_skipped_still_ends_the_day() -> None:
    # In Santiago the clock goes from 23:59:59 on 2026-09-05 to 01:00 on the 6th.
    end = day_ends(date(2026, 9, 5), "America/Santiago")
    assert end == datetime(2026, 9, 6, 4, tzinfo=UTC)
    assert day_of(end, "America/Santiago") == date(2026, 9, 6)


@given(now=moments, name=st.sampled_from(ZONES))
def test_every_moment_is_before_the_end_of_its_day_and_after_that_of_the_last(
    now: datetime, name: str
) -> None:
    day = day_of(now, name)
    assert day_ends(day - timedelta(days=1), name) <= now < day_ends(day, name)


@given(first=moments, second=moments, names=st.lists(st.sampled_from(ZONES), min_size=2, max_size=2))
def test_days_never_go_backwards_whatever_the_clock_and_the_zone_do(
    first: datetime, second: datetime, names: list[str]
) -> None:
    earlier = day_of(first, names[0])
    assert day_of(second, names[1], earlier) >= earlier
