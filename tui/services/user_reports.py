"""Users as `ctroom users` prints them: a table for people, and JSON for programs."""

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Any

from tui.core.text import sanitize_line
from tui.core.users import PublicKey
from tui.services.refusals import resets
from tui.services.user_figures import UserEntry


def users_table(entries: Sequence[UserEntry], used_by_removed: int = 0) -> list[str]:
    """Everyone in a line each, under a line that names the columns.

    Args:
        entries: The users.
        used_by_removed: Tokens of users who are gone; they are told where there are any.
    """
    rows = [("USER", "ROLE", "TIER", "TODAY", "IN TOTAL", "KEYS")]
    rows += [
        (
            entry.name,
            entry.role.value,
            entry.tier,
            today_words(entry),
            total_words(entry),
            str(len(entry.keys) or "-"),
        )
        for entry in entries
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    figures = (3, 4, 5)
    lines = [
        "  ".join(
            f"{cell:>{width}}" if at in figures else f"{cell:<{width}}"
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    if used_by_removed:
        lines.append(f"Users who were removed used {used_by_removed:,} tokens in total.")
    return lines


def user_lines(entry: UserEntry, zone: tzinfo) -> list[str]:
    """All that is known of one user.

    Args:
        entry: The user.
        zone: The reader's.
    """
    day, own = entry.day, f", {entry.own:,} with own keys" if entry.own else ""
    lines = [
        f"{entry.name}: {entry.role}, tier {entry.tier}, since {_day(entry.created_at, zone)}",
        f"  today {today_words(entry)} tokens" + (f", {day.held:,} held" if day.held else ""),
        f"  in total {total_words(entry)} tokens{own}",
    ]
    if day.limit is not None:
        lines[1] += f", resets {resets(day.resets_at, str(zone))}"
    return [*lines, *(f"  {key_line(key, zone)}" for key in entry.keys)]


def key_line(key: PublicKey, zone: tzinfo) -> str:
    """A public key in a line: its type, fingerprint and comment, and when it was added by whom."""
    kind = key.key.partition(" ")[0]
    words = f"{kind} {key.fingerprint} {sanitize_line(key.comment, 60)}".rstrip()
    return f"{words} (added {_day(key.added_at, zone)} by {key.added_by})"


def today_words(entry: UserEntry) -> str:
    """Today's use: "~1,204 / 10,000", or "1,204" where it is unlimited."""
    day = entry.day
    used = f"{'~' if day.estimated else ''}{day.used:,}"
    return used if day.limit is None else f"{used} / {day.limit:,}"


def total_words(entry: UserEntry) -> str:
    """What was ever used with default keys: "~45,230"."""
    return f"{'~' if entry.estimated else ''}{entry.used:,}"


def users_json(entries: Sequence[UserEntry], used_by_removed: int, as_of: datetime) -> dict[str, Any]:
    """Everyone in the shape that `ctroom users list --json` prints."""
    return {
        "as_of": _instant(as_of),
        "users": [user_json(entry) for entry in entries],
        "used_by_removed": used_by_removed,
    }


def user_json(entry: UserEntry) -> dict[str, Any]:
    """One user in the shape that `ctroom users show --json` prints; `used` counts default keys alone."""
    day = entry.day
    return {
        "user": entry.name,
        "role": entry.role.value,
        "tier": entry.tier,
        "created_at": _instant(entry.created_at),
        "keys": [
            {
                "fingerprint": key.fingerprint,
                "key": key.key,
                "comment": key.comment,
                "added_at": _instant(key.added_at),
                "added_by": key.added_by,
            }
            for key in entry.keys
        ],
        "day": {
            "date": day.date.isoformat(),
            "limit": day.limit,
            "used": day.used,
            "held": day.held,
            "remaining": day.remaining,
            "resets_at": _instant(day.resets_at),
        },
        "used": entry.used,
        "estimated": entry.estimated,
        "own_used": entry.own,
    }


def _day(moment: datetime, zone: tzinfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d}"


def _instant(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
