"""Days of an IANA time zone: which day it is, and when it ends."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo

from tui.core.errors import InvalidValueError


def zone(name: str) -> tzinfo:
    """The time zone of that IANA name.

    Raises:
        InvalidValueError: There is no such zone.
    """
    if name == "UTC":
        return UTC  # needs no zone data, whose modules take 5 ms to import
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise InvalidValueError(
            f"{name!r} is not a time zone: use an IANA name such as Europe/Lisbon or UTC."
        ) from None


def day_of(now: datetime, zone_name: str, latest: date | None = None) -> date:
    """The day that `now` falls on in a zone, never earlier than `latest`: a clock set back refills nothing.

    Args:
        now: An aware time.
        zone_name: An IANA name.
        latest: The latest day ever used in this data directory.
    """
    today = now.astimezone(zone(zone_name)).date()
    return max(today, latest) if latest else today


def day_ends(day: date, zone_name: str) -> datetime:
    """The first instant after a day in a zone, in UTC; a midnight that comes twice counts the first time."""
    midnight = datetime.combine(day + timedelta(days=1), time(), zone(zone_name))
    return midnight.astimezone(UTC)
