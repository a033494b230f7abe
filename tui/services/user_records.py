"""The records of users within one transaction: found, made and removed."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from tui.core.errors import InvalidValueError
from tui.core.ports import State
from tui.core.public_keys import KeyLine
from tui.core.settings import LOCAL_USER, POOLED, UserRole, UserSettings
from tui.core.users import PublicKey
from tui.services import tables

MOST_KEYS_OF_USER = 20


def find(state: State, user: str) -> tuple[int, UserSettings] | None:
    """A user's record with its id; None where there is none."""
    return state.user_settings.find(lambda record: record.user == user)


def get(state: State, user: str) -> tuple[int, UserSettings]:
    """The same, of a user who must be there.

    Raises:
        InvalidValueError: There is no such user.
    """
    found = find(state, user)
    if found is None:
        raise unknown(user)
    return found


def not_local(name: str) -> str:
    """The name, unless it is the local user's.

    Raises:
        InvalidValueError: It is.
    """
    if name == LOCAL_USER:
        raise InvalidValueError("The local user is the host: it needs no key, and is always an admin.")
    return name


def check_tier(state: State, tier: str) -> None:
    """Refuse a tier that there is not.

    Raises:
        InvalidValueError: There is none of that name.
    """
    tiers = tables.host_settings(state).tiers
    if tier not in tiers:
        raise InvalidValueError(f"There is no tier {tier[:40]!r}: choose from {', '.join(tiers)}.")


def is_known(state: State, name: str) -> bool:
    """Whether there is such a user, or was: a new one must not come into what another left."""
    return (
        find(state, name) is not None
        or any(total.user == name for _, total in state.usage_rollup)
        or any(entry.user == name for _, entry in state.conversations)
        or any(draft.user == name for _, draft in state.drafts)
        or any(persona.user == name for _, persona in state.personas)
        or any(attempt.user == name for _, attempt in state.attempts)
    )


def providers_of_keys(record: UserSettings) -> tuple[str, ...]:
    """What a user has keys of their own for."""
    keys = record.api_keys
    return tuple(name for name in (*POOLED, *keys.endpoints) if keys.state(name).set)


def drop_conversation(state: State, name: str, conversation_id: str) -> None:
    """Take the entry of a user's conversation away."""
    found = state.conversations.find(lambda entry: (entry.id, entry.user) == (conversation_id, name))
    if found is not None:
        state.conversations.remove(found[0])


def drop_written(state: State, name: str) -> None:
    """Take away what a user wrote besides conversations."""
    for draft_id, draft in list(state.drafts):
        if draft.user == name:
            state.drafts.remove(draft_id)
    for persona_id, persona in list(state.personas):
        if persona.user == name:
            state.personas.remove(persona_id)


def unknown(name: str) -> InvalidValueError:
    """There is no user of that name."""
    return InvalidValueError(f"There is no user {name[:40]!r}: `ctroom users list` shows them all.")


def taken(name: str) -> InvalidValueError:
    """There is, or was, a user of that name."""
    return InvalidValueError(f"The name {name!r} is taken: choose another.")


def enter(state: State, record: UserSettings, lines: Iterable[KeyLine], by: str) -> tuple[PublicKey, ...]:
    """Make a user, with the keys that they sign in with.

    Raises:
        InvalidValueError: There is such a user, or a key is another's.
    """
    if find(state, record.user) is not None:
        raise taken(record.user)
    if record.role is UserRole.ADMIN:
        record = replace(record, token_quotas=tables.token_quotas(state))
    state.user_settings.insert(record)
    return insert_keys(state, record.user, lines, record.created_at, by)


def insert_keys(
    state: State, name: str, lines: Iterable[KeyLine], now: datetime, by: str
) -> tuple[PublicKey, ...]:
    """Give a user the keys that they don't have yet; those.

    Raises:
        InvalidValueError: One is another user's, or there are too many.
    """
    owners = {key.fingerprint: key.user for _, key in state.public_keys}
    new = [line.of(name, now, by) for line in lines if owners.get(line.fingerprint) != name]
    if any(key.fingerprint in owners for key in new):
        raise InvalidValueError("That key is another user's already: each key belongs to one user.")
    if len(new) + sum(owner == name for owner in owners.values()) > MOST_KEYS_OF_USER:
        raise InvalidValueError(f"A user can have at most {MOST_KEYS_OF_USER} keys.")
    for key in new:
        state.public_keys.insert(key)
    return tuple(new)
