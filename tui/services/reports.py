"""The figures as `ctroom usage` prints them: JSON for programs, and the footer's words as plain lines."""

from datetime import UTC, datetime
from typing import Any

from tui.core.figures import DayFigures, ProviderFigures, UsageSnapshot
from tui.core.quota import AlertLevel, KeySource
from tui.services.refusals import QUOTA_GONE, resets

_ALERT_WORDS = {AlertLevel.LOW: "LOW", AlertLevel.CRITICAL: "CRITICAL", AlertLevel.EXHAUSTED: QUOTA_GONE}


def usage_json(snapshot: UsageSnapshot) -> dict[str, Any]:
    """The figures in the shape of design, section 8: names and types are a contract.

    To a member, `used` and `held` are their own of today, and `remaining_percent` is the pool's.
    """
    return {
        "as_of": _instant(snapshot.as_of),
        "user": snapshot.user,
        "tier": snapshot.tier,
        "providers": [_provider(figures) for figures in snapshot.providers],
    }


def usage_lines(snapshot: UsageSnapshot, zone_name: str = "UTC") -> list[str]:
    """The figures for people, one provider after another.

    Args:
        snapshot: The figures.
        zone_name: The IANA zone in which reset times are shown.
    """
    lines: list[str] = []
    for figures in snapshot.providers:
        lines.append(f"{figures.name}{_alert(figures)}")
        lines += [f"  {line}" for line in _tokens(figures, admin=snapshot.admin)]
        if figures.day is not None:
            lines.append(f"  {_today(figures.day, zone_name)}")
        if figures.key_missing:
            lines.append("  no usable key: add your own API key in Settings")
    return lines


def _tokens(figures: ProviderFigures, *, admin: bool) -> list[str]:
    about = "~" if figures.approximate else ""
    used = f"{about}{figures.used:,}"
    if figures.key_source is KeySource.OWN:
        return [f"{used} tokens used", "(Using your API keys)"]
    if figures.key_source is KeySource.NONE:
        return [f"{used} tokens used"]
    if figures.purchased is not None:
        return [
            f"{used} / {figures.purchased:,} tokens",
            f"{about}{figures.remaining:,} remaining ({figures.remaining_percent}%)",
        ]
    if figures.pool_percent is not None:
        return [f"{used} tokens used today", f"{figures.pool_percent}% of the host's tokens remaining"]
    if not admin:
        return [f"{used} tokens used today"]
    invitation = f"enter what you purchased: ctroom quota set {figures.provider} AMOUNT"
    return [f"{used} tokens used", invitation]


def _today(day: DayFigures, zone_name: str) -> str:
    used = f"{'~' if day.estimated else ''}{day.used:,}"
    if day.limit is None:
        return f"today {used}, unlimited"
    return f"today {used} / {day.limit:,}, resets {resets(day.resets_at, zone_name)}"


def _alert(figures: ProviderFigures) -> str:
    return f": {_ALERT_WORDS[figures.alert]}" if figures.alert else ""


def _provider(figures: ProviderFigures) -> dict[str, Any]:
    day = figures.day
    percentage = figures.remaining_percent if figures.pool_percent is None else figures.pool_percent
    return {
        "provider": figures.provider,
        "key_source": figures.key_source.value,
        "purchased": figures.purchased,
        "used": figures.used,
        "remaining": figures.remaining,
        "remaining_percent": percentage,
        "held": figures.held,
        "estimated": figures.estimated,
        "alert": figures.alert.value if figures.alert else None,
        "day": None if day is None else _day(day),
    }


def _day(day: DayFigures) -> dict[str, Any]:
    return {
        "date": day.date.isoformat(),
        "limit": day.limit,
        "used": day.used,
        "remaining": day.remaining,
        "resets_at": _instant(day.resets_at),
    }


def _instant(moment: datetime) -> str:
    """An instant in UTC to the second: "2026-11-23T22:00:00Z"."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
