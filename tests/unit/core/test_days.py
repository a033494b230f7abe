from datetime import UTC, date, datetime, timedelta
from zoneinfo import available_timezones

import pytest
from hypothesis import given, settings
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


@pytest.mark.parametrize(
    ("name", "day", "end"),
    [
        # Samoa went from the evening of the 29th to the 31st: the 30th is over as soon as it begins.
        ("Pacific/Apia", date(2011, 12, 29), datetime(2011, 12, 30, 10, tzinfo=UTC)),
        ("Pacific/Apia", date(2011, 12, 30), datetime(2011, 12, 30, 10, tzinfo=UTC)),
        # Clocks that skip midnight: the day ends as they jump.
        ("America/Sao_Paulo", date(2018, 11, 3), datetime(2018, 11, 4, 3, tzinfo=UTC)),
        ("Asia/Beirut", date(2027, 3, 27), datetime(2027, 3, 27, 22, tzinfo=UTC)),
        # Clocks that go back at midnight: the last hour comes twice, the day ends once.
        ("America/Sao_Paulo", date(2018, 2, 17), datetime(2018, 2, 18, 3, tzinfo=UTC)),
        ("Asia/Beirut", date(2026, 10, 24), datetime(2026, 10, 24, 22, tzinfo=UTC)),
        ("Asia/Kolkata", date(2026, 11, 23), datetime(2026, 11, 23, 18, 30, tzinfo=UTC)),
        ("Asia/Kathmandu", date(2026, 11, 23), datetime(2026, 11, 23, 18, 15, tzinfo=UTC)),
        ("Australia/Lord_Howe", date(2027, 4, 3), datetime(2027, 4, 3, 13, tzinfo=UTC)),
    ],
)
def test_days_end_where_their_zone_says(name: str, day: date, end: datetime) -> None:
    assert day_ends(day, name) == end
    assert day_of(end, name) > day
    assert day_of(end - timedelta(seconds=1), name) <= day


@settings(max_examples=400)
@given(now=moments, name=st.sampled_from(sorted(available_timezones())))
def test_in_every_zone_a_moment_is_within_its_day(now: datetime, name: str) -> None:
    day = day_of(now, name)
    assert day_ends(day - timedelta(days=1), name) <= now < day_ends(day, name)


@settings(max_examples=200)
@given(
    name=st.sampled_from(sorted(available_timezones())),
    start=st.datetimes(datetime(1970, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)),
    steps=st.lists(st.integers(1, 60 * 26), min_size=1, max_size=20),
)
def test_in_every_zone_and_every_year_a_day_that_is_over_stays_over(
    name: str, start: datetime, steps: list[int]
) -> None:
    latest, now = day_of(start, name), start
    for minutes in steps:
        now += timedelta(minutes=minutes)
        latest, before = day_of(now, name, latest), latest
        assert latest >= before
        assert abs(latest - now.date()) <= timedelta(days=1)


@settings(max_examples=200)
@given(
    start=moments,
    moves=st.lists(
        st.tuples(st.integers(-60 * 50, 60 * 26), st.sampled_from(sorted(available_timezones()))), max_size=20
    ),
)
def test_no_day_comes_back_whatever_the_clock_and_the_host_s_zone_do(
    start: datetime, moves: list[tuple[int, str]]
) -> None:
    seen, now, latest = [day_of(start, "UTC")], start, day_of(start, "UTC")
    for minutes, name in moves:
        now += timedelta(minutes=minutes)
        latest = day_of(now, name, latest)
        seen.append(latest)
    assert seen == sorted(seen)


@given(first=moments, second=moments, names=st.lists(st.sampled_from(ZONES), min_size=2, max_size=2))
def test_days_never_go_backwards_whatever_the_clock_and_the_zone_do(
    first: datetime, second: datetime, names: list[str]
) -> None:
    earlier = day_of(first, names[0])
    assert day_of(second, names[1], earlier) >= earlier
