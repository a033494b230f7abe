"""Finding and making records in the tables of a state, for every service alike."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime
from typing import TypeVar

from tui.core.days import day_of
from tui.core.errors import InvalidValueError
from tui.core.periods import Period, period_of
from tui.core.ports import State, Table
from tui.core.quota import DailyUsage, KeySource, LedgerRow, OwnUsage, Pool, Rollup, RowKind
from tui.core.records import AuditEntry, Meta
from tui.core.settings import LOCAL_USER, HostSettings, TokenQuotas, UserRole, UserSettings

Total = TypeVar("Total", DailyUsage, Rollup)


def host_settings(state: State) -> HostSettings:
    """The host's settings; the defaults, where nothing was changed yet."""
    return next((record for _, record in state.host_settings), HostSettings())


def change_host(state: State, record: HostSettings) -> None:
    """Put the host's settings in place."""
    for doc_id, _ in state.host_settings:
        state.host_settings.replace(doc_id, record)
        return
    state.host_settings.insert(record)


def user_settings(state: State, user: str, now: datetime) -> UserSettings:
    """A user's record; where there is none, what a new one would be.

    The local user is an admin of tier `basic`; others start as members of tier `free` (design, section 3).
    """
    if found := state.user_settings.find(lambda record: record.user == user):
        return found[1]
    if user == LOCAL_USER:
        return UserSettings(user, UserRole.ADMIN, "basic", now, token_quotas=token_quotas(state))
    return UserSettings(user, UserRole.MEMBER, "free", now)


def present_user(state: State, user: str, now: datetime) -> UserSettings:
    """A user's record, to be charged or changed; the local user's may be yet to be made.

    Raises:
        InvalidValueError: The user was removed.
    """
    record = user_settings(state, user, now)
    if user != LOCAL_USER and state.user_settings.find(lambda other: other.user == user) is None:
        raise InvalidValueError("You are no longer a user of this host: ask its admin to add you again.")
    return record


def check_admin(state: State, user: str, what: str) -> None:
    """Let only an admin go on.

    Args:
        state: The tables.
        user: Who asks.
        what: What it is about: "change the default keys".

    Raises:
        InvalidValueError: They are no admin.
    """
    if role_of(state, user) is not UserRole.ADMIN:
        raise InvalidValueError(f"Only an admin can {what}.")


def role_of(state: State, user: str) -> UserRole:
    """What a user may do; the local one is always an admin, and one that is gone is a member."""
    if user == LOCAL_USER:
        return UserRole.ADMIN
    found = state.user_settings.find(lambda record: record.user == user)
    return found[1].role if found else UserRole.MEMBER


def change_user(state: State, record: UserSettings) -> None:
    """Put a user's record in place, or make it."""
    if found := state.user_settings.find(lambda other: other.user == record.user):
        if found[1] != record:
            state.user_settings.replace(found[0], record)
    else:
        state.user_settings.insert(record)


def meta(state: State) -> Meta:
    """The record of `_meta`."""
    return next((record for _, record in state.meta), Meta())


def change_meta(state: State, record: Meta) -> None:
    """Put the record of `_meta` in place."""
    for doc_id, _ in state.meta:
        state.meta.replace(doc_id, record)
        return
    state.meta.insert(record)


def today(state: State, now: datetime) -> date:
    """The day that `now` counts on: in the host's zone, and never before a day that was already used."""
    return day_of(now, host_settings(state).time_zone, meta(state).latest_day)


def enter_day(state: State, day: date) -> None:
    """Remember that a day was used: later ones are never before it."""
    record = meta(state)
    if record.latest_day is None or record.latest_day < day:
        change_meta(state, replace(record, latest_day=day))


def pool(state: State, provider: str) -> Pool:
    """A provider's pool; an untouched one, where there is no record."""
    found = state.quotas.find(lambda record: record.provider == provider)
    return found[1] if found else Pool(provider)


def change_pool(state: State, record: Pool) -> None:
    """Put a pool in place, and the readable view of it into every admin's settings."""
    if found := state.quotas.find(lambda other: other.provider == record.provider):
        state.quotas.replace(found[0], record)
    else:
        state.quotas.insert(record)
    view = token_quotas(state)
    for doc_id, user in list(state.user_settings):
        if user.role is UserRole.ADMIN and user.token_quotas != view:
            state.user_settings.replace(doc_id, replace(user, token_quotas=view))


def token_quotas(state: State) -> TokenQuotas:
    """The readable view of both pools."""
    return TokenQuotas.of(pool(state, "openai"), pool(state, "google"))


def days_of_user(state: State, user: str, day: date) -> Iterator[DailyUsage]:
    """A user's records of one day, one for each provider used on it; none once the day is folded."""
    return (record for _, record in _on_day(state.daily_usage, day) if record.user == user)


def days_of_all(state: State, day: date) -> Iterator[DailyUsage]:
    """Every user's records of one day."""
    return (record for _, record in _on_day(state.daily_usage, day))


def add_to_day(
    state: State, user: str, provider: str, day: date, *, used: int = 0, held: int = 0, estimated: int = 0
) -> None:
    """Add tokens to a user's day with a provider; the record is made where it is missing."""
    doc_id, record = _total(
        state,
        state.daily_usage,
        DailyUsage(user, provider, day),
        lambda other: (other.user, other.provider) == (user, provider),
    )
    record = replace(
        record,
        used=record.used + used,
        held=record.held + held,
        estimated=record.estimated + estimated,
    )
    _put(state.daily_usage, doc_id, record)


def add_to_rollup(state: State, row: LedgerRow, estimated: int) -> None:
    """Add a row to the totals that are kept for ever.

    Args:
        state: The state.
        row: The row.
        estimated: By how much the tokens that are not exact change.
    """
    key = (row.user, row.provider, row.model, row.key_source)
    doc_id, total = _total(
        state,
        state.usage_rollup,
        Rollup(row.date, *key),
        lambda other: (other.user, other.provider, other.model, other.key_source) == key,
    )
    total = replace(
        total,
        turns=total.turns + (row.kind is RowKind.TURN),
        input=total.input + row.input,
        output=total.output + row.output,
        cached_input=total.cached_input + row.cached_input,
        reasoning=total.reasoning + row.reasoning,
        tokens=total.tokens + row.tokens,
        estimated=total.estimated + estimated,
        cost=total.cost + (row.cost or 0),
        unpriced=total.unpriced + (row.tokens if row.cost is None else 0),
    )
    _put(state.usage_rollup, doc_id, total)


def _total(
    state: State, table: Table[Total], empty: Total, alike: Callable[[Total], bool]
) -> tuple[int | None, Total]:
    """The record that counts a day: the day's own, or the one that it was folded into.

    Args:
        state: The state.
        table: The one of its tables to look in.
        empty: The record of the day, as it is where there is none.
        alike: Whether a record counts the same, but for the time.

    Returns:
        The record with its id; None and an empty record where there is none.
    """
    if found := next((entry for entry in _on_day(table, empty.date) if alike(entry[1])), None):
        return found
    period = period_of(empty.date, meta(state).latest_day or empty.date)
    if period is Period.DAY:
        return None, empty
    empty = replace(empty, date=period.first_day(empty.date), period=period)
    at = (empty.date, period)
    return table.find(lambda other: (other.date, other.period) == at and alike(other)) or (None, empty)


def _on_day(table: Table[Total], day: date) -> Iterator[tuple[int, Total]]:
    """A day's own records, wherever they stand: a charge may come after those of later days."""
    at = (day, Period.DAY)
    return (entry for entry in table.newest() if (entry[1].date, entry[1].period) == at)


def _put(table: Table[Total], doc_id: int | None, record: Total) -> None:
    if doc_id is None:
        table.insert(record)
    else:
        table.replace(doc_id, record)


def own_usage(state: State, user: str, provider: str, source: KeySource) -> OwnUsage:
    """What a user ever used at a provider without a default key."""
    found = state.own_usage.find(
        lambda record: (record.user, record.provider, record.key_source) == (user, provider, source)
    )
    return found[1] if found else OwnUsage(user, provider, source)


def add_to_own_usage(
    state: State, user: str, provider: str, source: KeySource, used: int, estimated: int
) -> None:
    """Add tokens to what a user used at a provider without a default key."""
    found = state.own_usage.find(
        lambda record: (record.user, record.provider, record.key_source) == (user, provider, source)
    )
    if found:
        record = found[1]
        record = replace(record, used=record.used + used, estimated=record.estimated + estimated)
        state.own_usage.replace(found[0], record)
    else:
        state.own_usage.insert(OwnUsage(user, provider, source, used, estimated))


def note(state: State, now: datetime, by: str, action: str, detail: str = "") -> None:
    """Leave a line in the trail of changes; never a key or a message's text."""
    state.audit.insert(AuditEntry(now, by, action, detail))
