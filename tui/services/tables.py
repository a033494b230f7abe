"""Finding and making records in the tables of a state, for every service alike."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from itertools import takewhile

from tui.core.days import day_of
from tui.core.ports import State
from tui.core.quota import DailyUsage, KeySource, OwnUsage, Pool
from tui.core.records import AuditEntry, Meta
from tui.core.settings import LOCAL_USER, HostSettings, TokenQuotas, UserRole, UserSettings


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


def today(state: State, now: datetime) -> date:
    """The day that `now` counts on: in the host's zone, and never before a day that was already used."""
    return day_of(now, host_settings(state).time_zone, meta(state).latest_day)


def enter_day(state: State, day: date) -> None:
    """Remember that a day was used: later ones are never before it."""
    for doc_id, record in state.meta:
        if record.latest_day is None or record.latest_day < day:
            state.meta.replace(doc_id, replace(record, latest_day=day))
        return
    state.meta.insert(Meta(latest_day=day))


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
    """A user's records of one day, one for each provider used on it."""
    return (record for _, record in _on_day(state, day) if record.user == user)


def _on_day(state: State, day: date) -> Iterator[tuple[int, DailyUsage]]:
    """The records of a day. Days never go backwards, so those before it need not be looked at."""
    newer = takewhile(lambda entry: entry[1].date >= day, state.daily_usage.newest())
    return ((doc_id, record) for doc_id, record in newer if record.date == day)


def add_to_day(
    state: State, user: str, provider: str, day: date, *, used: int = 0, held: int = 0, estimated: int = 0
) -> None:
    """Add tokens to a user's day with a provider; the record is made where it is missing."""
    of_day = _on_day(state, day)
    mine = (entry for entry in of_day if (entry[1].user, entry[1].provider) == (user, provider))
    found = next(mine, None)
    record = found[1] if found else DailyUsage(user, provider, day)
    record = replace(
        record,
        used=record.used + used,
        held=record.held + held,
        estimated=record.estimated + estimated,
    )
    if found:
        state.daily_usage.replace(found[0], record)
    else:
        state.daily_usage.insert(record)


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
