"""A user's session over any store: real settings, keys and accounting, a clock that a test moves by hand."""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from tui.core.chat import ChatRequest, KeyCheck, ModelInfo, StreamEvent, new_id
from tui.core.errors import ProviderError
from tui.core.ports import Provider, State, Store
from tui.core.quota import KeySource
from tui.core.settings import LOCAL_USER, UserRole
from tui.core.usage import Measured, Provenance, Usage
from tui.services import tables
from tui.services.accounting import Accounting, AdmissionRequest, Hold
from tui.services.alerts import Alerts
from tui.services.keys import KeyEnvironment, Keys
from tui.services.prices import Prices
from tui.services.settings import SettingsService

START = datetime(2026, 11, 23, 22, 0, tzinfo=UTC)


HOST_KEYS = {
    "openai": ("sk-env-openai-0123456789", "OPENAI_API_KEY"),
    "google": ("AIza-env-google-0123456789", "GEMINI_API_KEY"),
}
"""Default keys as the environment gives them, with their variables."""


class ManualClock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        self.now += timedelta(**by)


class DictSecrets:
    """Keys in a dict, as durable as a test wants them to be."""

    def __init__(self, place: str = "the test keyring", *, durable: bool = True) -> None:
        self.kept: dict[str, str] = {}
        self._place = place
        self._durable = durable

    @property
    def place(self) -> str:
        return self._place

    @property
    def durable(self) -> bool:
        return self._durable

    async def get(self, name: str) -> str | None:
        return self.kept.get(name)

    async def set(self, name: str, key: str) -> None:
        self.kept[name] = key

    async def remove(self, name: str) -> None:
        self.kept.pop(name, None)


@dataclass
class ScriptedProvider:
    """A provider that answers about its key and its models, and notes that it was closed."""

    check: KeyCheck = field(default_factory=lambda: KeyCheck(ok=True, message="works: 1 model"))
    offered: tuple[ModelInfo, ...] = ()
    error: ProviderError | None = None
    closed: int = 0
    asked: int = 0

    async def stream(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        events: tuple[StreamEvent, ...] = ()
        for event in events:
            yield event

    async def models(self) -> tuple[ModelInfo, ...]:
        self.asked += 1
        if self.error:
            raise self.error
        return self.offered

    async def check_key(self) -> KeyCheck:
        return self.check

    async def aclose(self) -> None:
        self.closed += 1


@dataclass
class Connections:
    """Stands for `tui.providers.connect`; notes what was asked of it."""

    provider: ScriptedProvider = field(default_factory=ScriptedProvider)
    made: list[tuple[str, str | None, str | None, str]] = field(default_factory=list)

    def __call__(self, kind: str, *, api_key: str | None, base_url: str | None, name: str) -> Provider:
        self.made.append((kind, api_key, base_url, name))
        return self.provider


@dataclass
class Session:
    """The services under test, for one user."""

    store: Store
    user: str
    clock: ManualClock
    settings: SettingsService
    keys: Keys
    accounting: Accounting
    alerts: Alerts
    secrets: DictSecrets
    connections: Connections

    async def hold(
        self,
        provider: str = "openai",
        estimate: int = 100,
        wanted: int = 400,
        source: KeySource = KeySource.DEFAULT,
        model: str = "a-model-without-a-price",
    ) -> Hold:
        """Admit a turn."""
        request = AdmissionRequest(new_id(), provider, model, source, estimate, wanted)
        return await self.accounting.admit(request)

    async def spend(self, tokens: int, provider: str = "openai") -> None:
        """A whole turn that used this many tokens, as reported."""
        hold = await self.hold(provider, 1, max(1, tokens))
        await self.accounting.settle(hold.attempt_id, reported(1, tokens - 1))


def session(
    store: Store,
    user: str = LOCAL_USER,
    clock: ManualClock | None = None,
    environment: Mapping[str, tuple[str, str]] | None = None,
    secrets: DictSecrets | None = None,
) -> Session:
    """A session; by default with a default key for both pooled providers in its environment."""
    clock = clock or ManualClock()
    found = HOST_KEYS if environment is None else environment
    settings = SettingsService(store, user, clock)
    secrets = secrets or DictSecrets()
    connections = Connections()
    keys = Keys(
        store,
        settings,
        secrets,
        DictSecrets("this session only", durable=False),
        KeyEnvironment(found.get),
        connections,
        clock,
        user,
    )
    accounting = Accounting(store, settings, keys, Prices(), clock, user)
    alerts = Alerts(store, keys, clock, user)
    return Session(store, user, clock, settings, keys, accounting, alerts, secrets, connections)


def reported(spent_in: int, spent_out: int) -> Measured:
    """A measure as a provider reports it."""
    return Measured(Usage(spent_in, spent_out), Provenance.REPORTED)


async def add_user(store: Store, user: str, tier: str = "free", role: UserRole = UserRole.MEMBER) -> None:
    """Make a user's record, as `ctroom users add` will."""

    def work(state: State) -> None:
        record = tables.user_settings(state, user, START)
        tables.change_user(state, replace(record, tier=tier, role=role))

    await store.transaction(work)
