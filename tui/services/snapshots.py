"""Every figure on the screen at one instant, from a state."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from tui.core.days import day_ends
from tui.core.figures import DayFigures, ProviderFigures, UsageSnapshot
from tui.core.frozen import frozen
from tui.core.ports import State
from tui.core.quota import AlertLevel, DailyUsage, KeySource, Pool, alert_level, percent
from tui.core.settings import POOLED, UserRole, provider_name
from tui.services import tables
from tui.services.keys import KeyStatus
from tui.services.settings import allowance_of

SEVERITY = (None, AlertLevel.LOW, AlertLevel.CRITICAL, AlertLevel.EXHAUSTED)


@frozen
class SessionFacts:
    """What a session knows beside the state."""

    user: str
    now: datetime
    statuses: Mapping[str, KeyStatus]
    """The state of the keys, by provider."""
    pending: Mapping[str, int]
    """Tokens that streaming turns seem to have used so far, by provider."""


def snapshot(state: State, facts: SessionFacts, include: Sequence[str] = ()) -> UsageSnapshot:
    """The figures of every provider in use, as this user may see them.

    A pooled provider is in use once it has a key or a purchase, or was used; endpoints and the demo only
    where they are named in `include`. Where nothing is in use, the demo is.
    """
    settings = tables.user_settings(state, facts.user, facts.now)
    admin = settings.role is UserRole.ADMIN
    day = _day(state, facts)
    named = [name for name in facts.statuses if name in include]
    shown = [name for name in POOLED if name in named or _in_use(state, facts, name)]
    shown += [name for name in named if name not in POOLED]
    figures = (_figures(state, facts, name, day, admin=admin) for name in shown or ("demo",))
    return UsageSnapshot(facts.now, facts.user, admin, settings.tier, tuple(figures))


def worst(*levels: AlertLevel | None) -> AlertLevel | None:
    """The gravest of some levels."""
    return max(levels, key=SEVERITY.index, default=None)


def day_level(day: DayFigures) -> AlertLevel | None:
    """How little is left of a day."""
    return None if day.limit is None else alert_level(day.limit - day.used, day.limit)


def pool_level(pool: Pool) -> AlertLevel | None:
    """How little is left of a pool."""
    return None if pool.purchased is None else alert_level(pool.purchased - pool.used, pool.purchased)


def day_figures(state: State, user: str, now: datetime) -> DayFigures:
    """A user's day, all providers together."""
    host = tables.host_settings(state)
    date = tables.today(state, now)
    records = list(tables.days_of_user(state, user, date))
    return DayFigures(
        date,
        allowance_of(host, tables.user_settings(state, user, now), date),
        sum(record.used for record in records),
        sum(record.held for record in records),
        day_ends(date, host.time_zone),
        sum(record.estimated for record in records),
    )


def _day(state: State, facts: SessionFacts) -> DayFigures:
    return day_figures(state, facts.user, facts.now)


def _in_use(state: State, facts: SessionFacts, provider: str) -> bool:
    status = facts.statuses[provider]
    pool = tables.pool(state, provider)
    own = tables.own_usage(state, facts.user, provider, KeySource.OWN)
    return bool(status.set or status.default_available or pool.purchased is not None or pool.used or own.used)


def _figures(
    state: State, facts: SessionFacts, provider: str, day: DayFigures, *, admin: bool
) -> ProviderFigures:
    status = facts.statuses[provider]
    pending = facts.pending.get(provider, 0)
    name = provider_name(provider)
    if status.source is not KeySource.DEFAULT:
        own = tables.own_usage(state, facts.user, provider, status.source)
        return ProviderFigures(
            provider,
            name,
            status.source,
            own.used,
            estimated=own.estimated,
            pending=pending,
            key_missing=status.missing,
        )
    pool = tables.pool(state, provider)
    level = pool_level(pool)
    if not admin:
        today = _today_with(state, facts, provider, day)
        gone = AlertLevel.EXHAUSTED if level is AlertLevel.EXHAUSTED else None
        return ProviderFigures(
            provider,
            name,
            KeySource.DEFAULT,
            today.used,
            held=today.held,
            estimated=today.estimated,
            pending=pending,
            alert=worst(gone, day_level(day)),
            day=day,
            pool_percent=None if pool.remaining is None else percent(pool.remaining, pool.purchased or 0),
            key_missing=status.missing,
        )
    return ProviderFigures(
        provider,
        name,
        KeySource.DEFAULT,
        pool.used,
        purchased=pool.purchased,
        held=pool.held,
        estimated=pool.estimated,
        pending=pending,
        alert=worst(level, day_level(day)),
        day=day,
        key_missing=status.missing,
    )


def _today_with(state: State, facts: SessionFacts, provider: str, day: DayFigures) -> DailyUsage:
    """A member's own day with one provider: what the pool was charged by others is not theirs to see."""
    records = tables.days_of_user(state, facts.user, day.date)
    mine = (record for record in records if record.provider == provider)
    return next(mine, DailyUsage(facts.user, provider, day.date))
