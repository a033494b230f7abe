"""The settings of one user and of the host: by dotted name as text, or as typed records."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from tui.core.errors import InvalidValueError
from tui.core.ports import Clock, State, Store
from tui.core.settings import Endpoint, HostSettings, UserRole, UserSettings, check_endpoint_name
from tui.services import tables

if TYPE_CHECKING:
    from tui.services.setting_specs import HostSpec, UserSpec

SEEN_BY_ALL = frozenset({"time_zone", "host_name"})
"""Settings of the host that its screens show to everyone."""


class SettingsService:
    """Reads settings from the store's view, and changes them in transactions.

    What each dotted name means is imported when one is asked for: the first frame knows the records alone.

    Args:
        store: Where they are kept.
        user: Whose they are; the record is made at the first change.
        clock: Dates new records.
    """

    def __init__(self, store: Store, user: str, clock: Clock) -> None:
        self._store = store
        self._user = user
        self._clock = clock
        self._held: dict[str, str] = {}
        self._listeners: list[Callable[[], None]] = []

    def user(self) -> UserSettings:
        """This user's record, as it holds for this session."""
        user = tables.user_settings(self._store.view, self._user, self._clock())
        if not self._held:
            return user
        from tui.services.setting_specs import user_spec

        host = tables.host_settings(self._store.view)
        for name, text in self._held.items():
            if spec := user_spec(name):
                user = spec.write(user, text, host)
        return user

    def hold(self, name: str, text: str) -> None:
        """Let a setting of the user have a value for this session only; `set` then changes that alone.

        Raises:
            InvalidValueError: The value can't be taken, it is an admin's, or the user has no such setting.
        """
        from tui.services.setting_specs import user_spec

        if user_spec(name) is None:
            raise _unknown(name)
        self.check(name, text)
        self._held[name] = text
        self._tell()

    def release(self, name: str) -> None:
        """Let a setting have the value again that it has beyond this session."""
        if self._held.pop(name, None) is not None:
            self._tell()

    def subscribe(self, changed: Callable[[], None]) -> None:
        """Call `changed` after each change that holds for this session only: the store does not see it."""
        self._listeners.append(changed)

    def host(self) -> HostSettings:
        """The host's record: to a member, without other tiers than theirs and without addresses."""
        host = tables.host_settings(self._store.view)
        if self.is_admin():
            return host
        return replace(
            host,
            tiers={self.user().tier: self.tier_limit()},
            endpoints=tuple(replace(endpoint, base_url="") for endpoint in host.endpoints),
            openai_base_url="",
            google_base_url="",
        )

    def is_admin(self) -> bool:
        """Whether this user may see and change what the host decides."""
        return tables.role_of(self._store.view, self._user) is UserRole.ADMIN

    def check_admin(self, what: str) -> None:
        """Let only an admin go on: who may "see what was purchased", for one.

        Raises:
            InvalidValueError: This user is none.
        """
        tables.check_admin(self._store.view, self._user, what)

    def tier_limit(self) -> int | None:
        """Tokens per day on default keys, all providers together; None is unlimited."""
        return limit_of(tables.host_settings(self._store.view), self.user())

    def display_zone(self) -> str:
        """The IANA zone in which times are shown to this user."""
        return self.user().display_time_zone or self.host().time_zone

    def providers(self) -> tuple[str, ...]:
        """Every provider that can be chosen, the demo last."""
        return self.host().providers

    def names(self) -> tuple[str, ...]:
        """The dotted names of every setting that this user can see: chosen keys, tiers and endpoints too."""
        from tui.core.keymap import PREFIX
        from tui.services.setting_specs import specs

        chosen = (f"{PREFIX}{binding}" for binding in self.user().keymap)
        found = (spec.name for spec in specs(self.host()) if self._may_see(spec.name))
        return (*found, *chosen)

    def get(self, name: str) -> str:
        """A setting's value as text.

        Raises:
            InvalidValueError: There is no such setting, or it is an admin's to see.
        """
        from tui.services.setting_specs import host_spec, user_spec

        if spec := user_spec(name):
            return spec.read(self.user())
        if not self._may_see(name):
            raise InvalidValueError(f"Only an admin can see {name[:60]}.")
        if name in self.names() and (host := host_spec(name)):
            return host.read(self.host())
        raise _unknown(name)

    def describe(self, name: str) -> str:
        """What a setting is, in one sentence.

        Raises:
            InvalidValueError: There is no such setting.
        """
        return _spec(name).description

    def choices(self, name: str) -> tuple[str, ...] | None:
        """The only values that a setting can have; None where it is free.

        Raises:
            InvalidValueError: There is no such setting.
        """
        offered = _spec(name).choices
        return None if offered is None else offered(self.host())

    def check(self, name: str, text: str) -> None:
        """Check a value as it is typed, without saving it.

        Raises:
            InvalidValueError: It can't be taken, there is no such setting, or it is an admin's.
        """
        self._allow(self._store.view, _spec(name))
        self._write(self._store.view, name, text)

    async def set(self, name: str, text: str) -> None:
        """Change a setting.

        Raises:
            InvalidValueError: The value can't be taken, there is no such setting, or it is not this user's to
                change.
            StorageError: It could not be saved.
        """
        spec = _spec(name)
        if name in self._held:
            self.hold(name, text)
            return

        def work(state: State) -> None:
            self._allow(state, spec)
            user, host = self._write(state, name, text)
            if host != tables.host_settings(state):
                tables.change_host(state, host)
            tables.change_user(state, user)
            if spec.admin:
                tables.note(state, self._clock(), self._user, "settings", f"{name} = {text.strip()[:80]}")

        await self._store.transaction(work)

    async def put_endpoint(self, endpoint: Endpoint) -> None:
        """Add an OpenAI-compatible server, or change it.

        Raises:
            InvalidValueError: Its name, address, model or context can't be taken, or the user is no admin.
            StorageError: It could not be saved.
        """
        from tui.services import parsing
        from tui.services.setting_specs import with_endpoint

        what = f"change endpoints.{endpoint.name[:60]}"
        self.check_admin(what)
        checked = Endpoint(
            check_endpoint_name(endpoint.name),
            parsing.url(endpoint.base_url),
            parsing.model(endpoint.model),
            None if endpoint.context is None else parsing.optional_tokens(str(endpoint.context)),
        )
        if not checked.base_url:
            raise InvalidValueError("Enter the address of the server, such as http://127.0.0.1:11434/v1.")

        def work(state: State) -> None:
            tables.check_admin(state, self._user, what)
            tables.change_host(state, with_endpoint(tables.host_settings(state), checked))
            tables.note(state, self._clock(), self._user, "endpoint set", checked.name)

        await self._store.transaction(work)

    async def remove_endpoint(self, name: str) -> None:
        """Take a server away; conversations that used it stay readable.

        Raises:
            InvalidValueError: There is no such endpoint, or the user is no admin.
            StorageError: It could not be saved.
        """

        def work(state: State) -> None:
            tables.check_admin(state, self._user, f"change endpoints.{name[:60]}")
            host = tables.host_settings(state)
            if host.endpoint(name) is None:
                raise InvalidValueError(f"There is no endpoint {name!r}.")
            kept = tuple(endpoint for endpoint in host.endpoints if endpoint.name != name)
            tables.change_host(state, replace(host, endpoints=kept))
            tables.note(state, self._clock(), self._user, "endpoint removed", name)

        await self._store.transaction(work)

    def _write(self, state: State, name: str, text: str) -> tuple[UserSettings, HostSettings]:
        """Both records as they would be with the new value."""
        user = tables.present_user(state, self._user, self._clock())
        host = tables.host_settings(state)
        from tui.services.setting_specs import host_spec, user_spec

        if spec := user_spec(name):
            return spec.write(user, text, host), host
        if shared := host_spec(name):
            changed = shared.write(host, text, host)
            _keep_tiers_in_use(state, changed)
            return user, changed
        raise _unknown(name)

    def _tell(self) -> None:
        for listener in tuple(self._listeners):
            listener()

    def _may_see(self, name: str) -> bool:
        from tui.services.setting_specs import user_spec

        return name in SEEN_BY_ALL or user_spec(name) is not None or self.is_admin()

    def _allow(self, state: State, spec: "UserSpec | HostSpec") -> None:
        if spec.admin:
            tables.check_admin(state, self._user, f"change {spec.name}")


def limit_of(host: HostSettings, user: UserSettings) -> int | None:
    """A user's tokens per day; a tier that is gone counts as `free`."""
    return host.tiers[user.tier] if user.tier in host.tiers else host.tiers.get("free", 0)


def allowance_of(host: HostSettings, user: UserSettings, day: date) -> int | None:
    """A user's tokens on one day: the tier's limit and what an admin gave for that day; None is unlimited."""
    limit = limit_of(host, user)
    return limit if limit is None or user.granted_on != day else limit + user.granted


def _keep_tiers_in_use(state: State, host: HostSettings) -> None:
    for _, user in state.user_settings:
        if user.tier not in host.tiers and user.tier in tables.host_settings(state).tiers:
            raise InvalidValueError(f"The tier {user.tier!r} is in use: move its users to another first.")


def _spec(name: str) -> "UserSpec | HostSpec":
    from tui.services.setting_specs import host_spec, user_spec

    spec = user_spec(name) or host_spec(name)
    if spec is None:
        raise _unknown(name)
    return spec


def _unknown(name: str) -> InvalidValueError:
    return InvalidValueError(f"There is no setting {name[:60]!r}: `ctroom settings get` lists them all.")
