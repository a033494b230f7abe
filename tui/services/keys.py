"""API keys: whose key each provider is used with, and where keys are kept; never shown, never recorded."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from tui.core.chat import KeyCheck
from tui.core.errors import CtroomError, InvalidValueError, NoUsableKeyError, SecretsError
from tui.core.ports import Clock, Secrets, State, Store
from tui.core.quota import KeySource
from tui.core.settings import POOLED, KeyState, provider_name
from tui.core.text import last_four
from tui.services import tables
from tui.services.credentials import Connect, Credential, KeyEnvironment, KeyStatus, checked_key, target
from tui.services.settings import SettingsService

__all__ = ["Connect", "Credential", "KeyEnvironment", "KeyStatus", "Keys"]

USE_CUSTOM = "keys.use_custom"
"""The setting that chooses own keys."""


class Keys:
    """The keys of one user and the host's default keys.

    Args:
        store: Keeps what may be known of a key: whether it is set, its last four characters, its place.
        settings: The user's choice of keys.
        secrets: Keeps keys beyond the session, where the machine can.
        session: Keeps keys for this session only.
        environment: The default keys and addresses of the environment.
        connect: Makes providers, to test keys with.
        clock: Dates changes.
        user: Whose own keys they are.
    """

    def __init__(
        self,
        store: Store,
        settings: SettingsService,
        secrets: Secrets,
        session: Secrets,
        environment: KeyEnvironment,
        connect: Connect,
        clock: Clock,
        user: str,
    ) -> None:
        self._store = store
        self._settings = settings
        self._secrets = secrets
        self._session = session
        self._environment = environment
        self._connect = connect
        self._clock = clock
        self._user = user
        self._session_states: dict[str, KeyState] = {}
        self._variables = {name: found for name in POOLED if (found := self._variable(name))}
        self._stored_defaults: dict[str, str] = {}
        self._listeners: list[Callable[[], None]] = []
        settings.subscribe(self._tell)

    async def load(self) -> None:
        """Learn which default keys are stored, so that `status` is right; a silent keyring counts as none."""
        found = {}
        for provider in POOLED:
            try:
                if key := await self._secrets.get(_default(provider)):
                    found[provider] = last_four(key)
            except SecretsError:
                continue
        self._stored_defaults = found
        self._tell()

    def source(self, provider: str) -> KeySource:
        """Whose key a provider is used with, by the user's choice alone."""
        if provider not in POOLED:
            return KeySource.NONE
        keys = self._settings.user().api_keys
        own = keys.use_custom and keys.state(provider).use_own
        return KeySource.OWN if own else KeySource.DEFAULT

    def status(self, provider: str) -> KeyStatus:
        """What is known of a provider's keys; cheap."""
        state = self._state(provider)
        source = self.source(provider)
        stored = provider in self._stored_defaults
        place, ending = self._variables.get(provider, ("", ""))
        if stored:
            place, ending = self._secrets.place, self._stored_defaults[provider]
        available = bool(place)
        missing = (source is KeySource.OWN and not state.set) or (
            source is KeySource.DEFAULT and not available
        )
        status = KeyStatus(
            provider,
            source,
            state.use_own,
            state.set,
            state.last_four,
            state.place,
            available,
            missing,
        )
        if not self._settings.is_admin():
            return status
        return replace(status, default_place=place, default_stored=stored, default_last_four=ending)

    async def credential(self, provider: str) -> Credential:
        """What a turn is to be sent with. Never another key than the one that was chosen.

        Raises:
            NoUsableKeyError: That key is not there, or the endpoint is gone; the message names the way out.
            SecretsError: The keyring can't be read.
        """
        found = target(provider, tables.host_settings(self._store.view), self._environment)
        if found is None:
            raise NoUsableKeyError(
                provider, f"There is no provider {provider!r} any more: choose another for this conversation."
            )
        kind, address = found
        source = self.source(provider)
        if source is KeySource.DEFAULT:
            key = await self._default_key(provider)
        else:
            key = await self._own(provider)
        if key is None and source is not KeySource.NONE:
            raise NoUsableKeyError(provider, self._way_out(provider, source))
        return Credential(key, source, kind, address, provider_name(provider))

    async def test(self, provider: str, key: str | None = None, *, default: bool = False) -> KeyCheck:
        """Ask a provider about a key, without spending tokens. Never raises.

        Args:
            provider: Whom to ask.
            key: The key as typed; None for the one that is kept and in use.
            default: Ask about the host's default key, whichever is in use.
        """
        try:
            if default:
                self._settings.check_admin("test the default keys")
            if default and key is None:
                key = await self._default_key(provider)
                if key is None:
                    raise NoUsableKeyError(provider, self._way_out(provider, KeySource.DEFAULT))
            credential = await self._candidate(provider, key)
            connection = self._connect(
                credential.kind,
                api_key=credential.key,
                base_url=credential.base_url,
                name=credential.name,
            )
        except CtroomError as error:
            return KeyCheck(ok=False, message=str(error))
        try:
            return await connection.check_key()
        finally:
            await connection.aclose()

    async def save_own(self, provider: str, key: str, session_only: bool = False) -> str:
        """Keep the user's own key, and turn the provider's toggle on.

        Args:
            provider: `openai`, `google` or a named endpoint.
            key: The key; spaces around it are dropped.
            session_only: Not to keep it beyond this session.

        Returns:
            Where it is kept, in words.

        Raises:
            InvalidValueError: It can't be a key, or the provider takes none.
            SecretsError: It was not kept.
            StorageError: It was kept but could not be noted; saving it again is safe.
        """
        key = checked_key(key)
        self._takes_key(provider)
        name = f"{self._user}/{provider}"
        durable = self._secrets.durable and not session_only
        if durable:
            await self._secrets.set(name, key)
            durable = self._secrets.durable  # a missing keyring is found out by using it
        state = KeyState(True, True, last_four(key), (self._secrets if durable else self._session).place)
        if durable:
            await self._session.remove(name)
            self._session_states.pop(provider, None)
            await self._note(provider, state)
            self._settings.release(_toggle(provider))
        else:
            await self._session.set(name, key)
            self._session_states[provider] = state
            await self._switch_for_session(provider)
        self._tell()
        return state.place

    async def choose_own(self, provider: str) -> bool:
        """Use own keys now that a provider has one: for this session only, where that key ends with it.

        Returns:
            Whether the default keys were in use before.

        Raises:
            StorageError: It could not be saved.
        """
        before = self._settings.user().api_keys.use_custom
        if provider in self._session_states:
            if not before:
                self._settings.hold(USE_CUSTOM, "true")
        else:
            self._settings.release(USE_CUSTOM)
            if not self._settings.user().api_keys.use_custom:
                await self._settings.set(USE_CUSTOM, "true")
        return not before

    async def remove_own(self, provider: str) -> None:
        """Forget the user's own key, and turn the provider's toggle off.

        Raises:
            SecretsError: It could not be removed; it is still in use.
            StorageError: It was removed but could not be noted.
        """
        name = f"{self._user}/{provider}"
        if self._settings.user().api_keys.state(provider).set:
            await self._secrets.remove(name)
        await self._session.remove(name)
        self._session_states.pop(provider, None)
        await self._note(provider, KeyState())
        self._settings.release(_toggle(provider))
        if not self._session_states:
            self._settings.release(USE_CUSTOM)
        self._tell()

    async def save_default(self, provider: str, key: str) -> str:
        """Keep the host's default key for a provider; it takes precedence over the environment's.

        Returns:
            Where it is kept, in words.

        Raises:
            InvalidValueError: It can't be a key, the provider has no default key, or the user is no admin.
            SecretsError: It was not kept.
        """
        key = checked_key(key)
        self._allow_default(provider)
        await self._secrets.set(_default(provider), key)
        self._stored_defaults[provider] = last_four(key)
        await self._audit("default key set", provider)
        self._tell()
        return self._secrets.place

    async def remove_default(self, provider: str) -> None:
        """Forget the host's stored default key; the environment's, where there is one, is used again.

        Raises:
            InvalidValueError: The provider has no default key, or the user is no admin.
            SecretsError: It could not be removed.
        """
        self._allow_default(provider)
        await self._secrets.remove(_default(provider))
        self._stored_defaults.pop(provider, None)
        await self._audit("default key removed", provider)
        self._tell()

    async def forget_user(self, user: str, providers: Iterable[str]) -> None:
        """Remove the own keys of a user who was removed; an admin's.

        Args:
            user: Whose they were.
            providers: What they were for.

        Raises:
            InvalidValueError: This user is no admin.
            SecretsError: One could not be removed. Nobody can reach it any more.
        """
        self._settings.check_admin("remove another user's keys")
        for provider in providers:
            await self._secrets.remove(f"{user}/{provider}")

    @property
    def durable(self) -> bool:
        """Whether a new key outlives this process."""
        return self._secrets.durable

    def where_new_keys_go(self) -> str:
        """Where a key would be kept, in words: "the system keyring"."""
        return self._secrets.place if self._secrets.durable else self._session.place

    def subscribe(self, changed: Callable[[], None]) -> Callable[[], None]:
        """Call `changed` after changes of keys that the store does not see.

        Returns:
            A function that ends the subscription.
        """
        self._listeners.append(changed)

        def end() -> None:
            if changed in self._listeners:
                self._listeners.remove(changed)

        return end

    def _state(self, provider: str) -> KeyState:
        """What is known of the own key; a session's key hides the one in the keyring."""
        kept = self._settings.user().api_keys.state(provider)
        here = self._session_states.get(provider)
        return replace(here, use_own=kept.use_own) if here else kept

    async def _own(self, provider: str) -> str | None:
        name = f"{self._user}/{provider}"
        if provider in self._session_states:
            return await self._session.get(name)
        return await self._secrets.get(name) if self._state(provider).set else None

    async def _default_key(self, provider: str) -> str | None:
        stored = await self._secrets.get(_default(provider))
        if stored:
            return stored
        found = self._environment.key(provider)
        return found[0] if found else None

    async def _candidate(self, provider: str, key: str | None) -> Credential:
        """The credential that a test is made with: the typed key in the place of the one in use."""
        if key is None:
            return await self.credential(provider)
        key = checked_key(key)
        self._takes_key(provider)
        found = target(provider, tables.host_settings(self._store.view), self._environment)
        assert found is not None, "Whatever takes a key can be connected to."
        source = KeySource.OWN if provider in POOLED else KeySource.NONE
        return Credential(key, source, *found, provider_name(provider))

    def _way_out(self, provider: str, source: KeySource) -> str:
        name = provider_name(provider)
        if source is KeySource.OWN:
            gone = "is no longer there" if self._state(provider).set else "is not set"
            return f"Your own {name} key {gone}: add it in Settings, or turn off “use my key” for {name}."
        if self._settings.is_admin():
            return (
                f"There is no default key for {name}: add your own API key in Settings, "
                f"or set one with `ctroom keys set {provider} --default`."
            )
        return f"The host has no default key for {name}: add your own API key in Settings."

    def _variable(self, provider: str) -> tuple[str, str] | None:
        """The variable that holds a provider's default key, and the key's last four; None where none does."""
        try:
            found = self._environment.key(provider)
        except SecretsError:
            return None
        return (found[1], last_four(found[0])) if found else None

    def _takes_key(self, provider: str) -> None:
        if provider not in POOLED and self._settings.host().endpoint(provider) is None:
            raise InvalidValueError(f"{provider!r} takes no key: choose openai, google or an endpoint.")

    def _allow_default(self, provider: str) -> None:
        if provider not in POOLED:
            raise InvalidValueError(f"{provider!r} has no default key: choose openai or google.")
        self._settings.check_admin("change the default keys")

    async def _switch_for_session(self, provider: str) -> None:
        """Turn the toggle on for as long as the session's key is there: the next session has none to use."""
        kept = self._settings.user().api_keys.state(provider)
        if provider not in POOLED or (kept.set and kept.use_own):
            return
        self._settings.hold(_toggle(provider), "true")
        if not kept.set:
            await self._note(provider, KeyState())

    async def _note(self, provider: str, key: KeyState) -> None:
        def work(state: State) -> None:
            user = tables.present_user(state, self._user, self._clock())
            tables.change_user(state, replace(user, api_keys=user.api_keys.with_state(provider, key)))

        await self._store.transaction(work)

    async def _audit(self, action: str, provider: str) -> None:
        await self._store.transaction(
            lambda state: tables.note(state, self._clock(), self._user, action, provider)
        )

    def _tell(self) -> None:
        for listener in tuple(self._listeners):
            listener()


def _default(provider: str) -> str:
    return f"default/{provider}"


def _toggle(provider: str) -> str:
    """The setting "use my key"."""
    return f"{provider}.use_own_key"
