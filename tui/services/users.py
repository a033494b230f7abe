"""Users of a host: who may sign in, with which keys, and what each may spend."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from functools import partial

from tui.core.errors import InvalidValueError, SecretsError
from tui.core.frozen import frozen
from tui.core.ports import Clock, State, Store
from tui.core.public_keys import parse_public_keys
from tui.core.settings import LOCAL_USER, UserRole, UserSettings
from tui.core.users import PublicKey, check_user_name
from tui.services import tables, user_records
from tui.services.user_figures import UserEntry, entries, used_by_others

__all__ = ["RemovedUser", "UserEntry", "Users"]

MOST_SIGNED_UP = 1_000
"""Users from which on nobody can sign up by themselves; an admin still adds more."""


@frozen
class RemovedUser:
    """What became of what a user had."""

    name: str
    conversations: int
    """How many they had."""
    deleted: bool
    """Whether those were removed for good, with drafts and personas; else they are kept."""


class Users:
    """The users of a data directory, as one of them may see and change them.

    What is asked of one user is for whoever runs the host to know; lists and changes are an admin's. Each
    change is one transaction, checked against the role that its author has in it.

    Args:
        store: Where they are kept.
        clock: Dates changes.
        by: Who asks.
        forget_keys: Removes the own keys of a user, for these providers, from where they are kept.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        by: str,
        forget_keys: Callable[[str, Iterable[str]], Awaitable[None]] | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._by = by
        self._forget_keys = forget_keys

    def user_of_key(self, fingerprint: str) -> str | None:
        """Whose key it is; None where it is nobody's, or its user is gone."""
        found = self._store.view.public_keys.find(lambda key: key.fingerprint == fingerprint)
        return found[1].user if found and self.exists(found[1].user) else None

    def exists(self, user: str) -> bool:
        """Whether there is such a user; `local` there always is."""
        return user == LOCAL_USER or user_records.find(self._store.view, user) is not None

    def role(self, user: str) -> UserRole:
        """What a user may do; one that is gone counts as a member."""
        return tables.role_of(self._store.view, user)

    def list(self) -> tuple[UserEntry, ...]:
        """Everyone with their keys and figures: the local user first, then by name.

        Raises:
            InvalidValueError: Whoever asks is no admin.
        """
        self._allow(self._store.view)
        return entries(self._store.view, self._clock())

    def get(self, name: str) -> UserEntry:
        """One user with their keys and figures.

        Raises:
            InvalidValueError: There is no such user, or whoever asks is no admin.
        """
        for entry in self.list():
            if entry.name == name:
                return entry
        raise user_records.unknown(name)

    async def conversations_of(self, name: str) -> int:
        """How many conversations there are under a name: those of a user, or of one who was removed.

        Raises:
            InvalidValueError: Whoever asks is no admin.
            StorageError: They can't be read.
        """
        self._allow(self._store.view)
        return len(await self._conversations_of(name))

    def used_by_removed(self) -> int:
        """Tokens that users who were removed since ever used with default keys.

        Raises:
            InvalidValueError: Whoever asks is no admin.
        """
        return used_by_others(self._store.view, [entry.name for entry in self.list()])

    async def add(
        self, name: str, keys: str, tier: str = "free", *, admin: bool = False
    ) -> tuple[PublicKey, ...]:
        """Let someone sign in.

        Args:
            name: Their name.
            keys: Their public keys, one a line.
            tier: Theirs.
            admin: Whether they may change what the host decides.

        Returns:
            Their keys.

        Raises:
            InvalidValueError: A value can't be taken, the name or a key is another's, or whoever asks is no
                admin.
            StorageError: It could not be saved.
        """
        name, lines = check_user_name(name), parse_public_keys(keys)

        def work(state: State) -> tuple[PublicKey, ...]:
            self._allow(state)
            user_records.check_tier(state, tier)
            role = UserRole.ADMIN if admin else UserRole.MEMBER
            added = user_records.enter(state, UserSettings(name, role, tier, self._clock()), lines, self._by)
            tables.note(state, self._clock(), self._by, "user added", f"{name} ({role}, {tier})")
            return added

        return await self._store.transaction(work)

    async def sign_up(self, name: str, key: str) -> PublicKey:
        """Register whoever holds an unknown key, as a member of tier `free`.

        Whether that is open, and how often, is for the server to say.

        Args:
            name: The name that they want; one that anything is known of is taken.
            key: Their public key.

        Returns:
            Their key.

        Raises:
            InvalidValueError: The name or the key can't be taken.
            StorageError: It could not be saved.
        """
        name, lines = check_user_name(name), parse_public_keys(key)
        older = await self._store.load_older_conversations()
        left = any(entry.user == name for entry in older)

        def work(state: State) -> PublicKey:
            if left or user_records.is_known(state, name):
                raise user_records.taken(name)
            if len(state.user_settings) >= MOST_SIGNED_UP:
                raise InvalidValueError("This host takes no more users by itself: ask its admin.")
            added = user_records.enter(
                state, UserSettings(name, UserRole.MEMBER, "free", self._clock()), lines[:1], name
            )
            tables.note(state, self._clock(), name, "user signed up", f"{name} {added[0].fingerprint}")
            return added[0]

        return await self._store.transaction(work)

    async def add_key(self, name: str, keys: str) -> tuple[PublicKey, ...]:
        """Let a user sign in with more keys; those that they have already are left alone.

        Returns:
            The keys that are new.

        Raises:
            InvalidValueError: A key can't be taken or is another's, there is no such user, or whoever asks is
                no admin.
            StorageError: It could not be saved.
        """
        lines = parse_public_keys(keys)

        def work(state: State) -> tuple[PublicKey, ...]:
            self._allow(state)
            user_records.get(state, user_records.not_local(name))
            added = user_records.insert_keys(state, name, lines, self._clock(), self._by)
            for key in added:
                tables.note(state, self._clock(), self._by, "key added", f"{name} {key.fingerprint}")
            return added

        return await self._store.transaction(work)

    async def remove_key(self, name: str, fingerprint: str) -> None:
        """Let a user no longer sign in with a key; sessions that began with it end.

        Raises:
            InvalidValueError: They have no such key, or whoever asks is no admin.
            StorageError: It could not be saved.
        """

        def work(state: State) -> None:
            self._allow(state)
            user_records.get(state, name)
            found = state.public_keys.find(lambda key: (key.user, key.fingerprint) == (name, fingerprint))
            if found is None:
                raise InvalidValueError(f"{name} has no key with that fingerprint.")
            state.public_keys.remove(found[0])
            tables.note(state, self._clock(), self._by, "key removed", f"{name} {fingerprint}")

        await self._store.transaction(work)

    async def remove(self, name: str, *, conversations: bool = False) -> RemovedUser:
        """Let a user in no longer, and forget their settings and keys. What they used stays counted.

        Args:
            name: The user.
            conversations: Remove their conversations, drafts and personas too; else those are kept for the
                name, which nobody can sign up with.

        Raises:
            InvalidValueError: There is no such user, it is the local one or one's own, or one is no admin.
            SecretsError: They are out, but a key of theirs is still in the keyring.
            StorageError: They are not removed; or they are, and some of their conversations are not.
        """

        def work(state: State) -> UserSettings:
            self._allow(state)
            doc_id, record = user_records.get(state, user_records.not_local(name))
            if name == self._by:
                raise InvalidValueError("You can't remove yourself: ask another admin to.")
            state.user_settings.remove(doc_id)
            for key_id, key in list(state.public_keys):
                if key.user == name:
                    state.public_keys.remove(key_id)
            tables.note(state, self._clock(), self._by, "user removed", name)
            return record

        record = await self._store.transaction(work)
        count = await (self._remove_conversations if conversations else self.conversations_of)(name)
        if self._forget_keys is not None and (kept := user_records.providers_of_keys(record)):
            try:
                await self._forget_keys(name, kept)
            except SecretsError as error:
                raise SecretsError(
                    f"{name} was removed, but an API key of theirs was not: {error}"
                ) from error
        return RemovedUser(name, count, conversations)

    async def set_tier(self, name: str, tier: str) -> None:
        """Move a user to another tier; it holds for their next turn.

        Raises:
            InvalidValueError: There is no such user or tier, or whoever asks is no admin.
            StorageError: It could not be saved.
        """

        def work(state: State) -> None:
            self._allow(state)
            user_records.check_tier(state, tier)
            record = tables.user_settings(state, self._known(state, name), self._clock())
            tables.change_user(state, replace(record, tier=tier))
            tables.note(state, self._clock(), self._by, "tier", f"{name} = {tier}")

        await self._store.transaction(work)

    async def set_role(self, name: str, role: UserRole) -> None:
        """Make a user an admin, or a member again; the local user is always an admin, so there always is one.

        Raises:
            InvalidValueError: There is no such user, it is the local one or one's own, or one is no admin.
            StorageError: It could not be saved.
        """

        def work(state: State) -> None:
            self._allow(state)
            doc_id, record = user_records.get(state, user_records.not_local(name))
            if name == self._by and role is not UserRole.ADMIN:
                raise InvalidValueError("You can't take the role from yourself: ask another admin to.")
            quotas = tables.token_quotas(state) if role is UserRole.ADMIN else None
            state.user_settings.replace(doc_id, replace(record, role=role, token_quotas=quotas))
            tables.note(state, self._clock(), self._by, "role", f"{name} = {role}")

        await self._store.transaction(work)

    async def reset(self, name: str) -> int:
        """Give a user's allowance of today back: what was used stays counted, and as much is granted anew.

        Returns:
            Tokens given back.

        Raises:
            InvalidValueError: There is no such user, or whoever asks is no admin.
            StorageError: It could not be saved.
        """

        def work(state: State) -> int:
            self._allow(state)
            now = self._clock()
            record = tables.user_settings(state, self._known(state, name), now)
            day = tables.today(state, now)
            used = max(0, sum(each.used for each in tables.days_of_user(state, name, day)))
            before = record.granted if record.granted_on == day else 0
            if used > before:
                tables.change_user(state, replace(record, granted=used, granted_on=day))
                tables.note(state, now, self._by, "day reset", f"{name} {day} {used - before:,}")
            return max(0, used - before)

        return await self._store.transaction(work)

    def _allow(self, state: State) -> None:
        tables.check_admin(state, self._by, "see and change the host's users")

    def _known(self, state: State, name: str) -> str:
        if name != LOCAL_USER:
            user_records.get(state, name)
        return name

    async def _conversations_of(self, name: str) -> set[str]:
        live = {entry.id for _, entry in self._store.view.conversations if entry.user == name}
        older = {entry.id for entry in await self._store.load_older_conversations() if entry.user == name}
        return live | older

    async def _remove_conversations(self, name: str) -> int:
        found = await self._conversations_of(name)
        for conversation_id in sorted(found):
            await self._store.recall_conversation(conversation_id)
            await self._store.transaction(
                partial(user_records.drop_conversation, name=name, conversation_id=conversation_id)
            )
            await self._store.remove_messages(conversation_id)
        await self._store.transaction(lambda state: user_records.drop_written(state, name))
        return len(found)
