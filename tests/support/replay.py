"""A provider that replays scripted events, and a session whose turns are sent to it."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.support.memory_store import MemoryStore
from tests.support.session import START
from tui.core.chat import ChatRequest, Conversation, KeyCheck, Message, ModelInfo, StreamEvent
from tui.core.errors import ProviderError
from tui.core.ports import Clock, Provider, Store
from tui.core.quota import Attempt, KeySource, LedgerRow
from tui.core.turns import PromptSaved, ReplyEnded, ReplyStarted, TurnEvent
from tui.services.accounting import Accounting
from tui.services.build import build
from tui.services.conversation import Turns
from tui.services.services import Services
from tui.storage.secrets import MemorySecrets

KEY = "sk-test-0123456789abcdef"


@dataclass
class Hold:
    """Comes to nothing until `Replay.release` is set, or the reply is stopped."""

    reached: asyncio.Event = field(default_factory=asyncio.Event)
    release: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass
class Stubborn:
    """Does not let itself be cancelled before `release` is set."""

    reached: asyncio.Event = field(default_factory=asyncio.Event)
    release: asyncio.Event = field(default_factory=asyncio.Event)


Step = StreamEvent | Hold | Stubborn | Exception


class Replay:
    """Implements `core.ports.Provider`: each request gets the next script, the last one for ever."""

    def __init__(self, *scripts: Iterable[Step], offered: tuple[ModelInfo, ...] = ()) -> None:
        self._offered = offered
        self._scripts = [tuple(script) for script in scripts]
        self.requests: list[ChatRequest] = []
        self.closed_streams = 0
        self.closed_stream = asyncio.Event()
        self.closed = False

    async def stream(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        script = self._scripts[min(len(self.requests), len(self._scripts) - 1)]
        self.requests.append(request)
        try:
            for step in script:
                await asyncio.sleep(0)
                match step:
                    case Exception():
                        raise step
                    case Hold():
                        step.reached.set()
                        await step.release.wait()
                    case Stubborn():
                        step.reached.set()
                        while not step.release.is_set():
                            try:
                                await step.release.wait()
                            except asyncio.CancelledError:
                                continue
                    case _:
                        yield step
        finally:
            self.closed_streams += 1
            self.closed_stream.set()

    async def models(self) -> tuple[ModelInfo, ...]:
        return self._offered

    async def check_key(self) -> KeyCheck:
        raise NotImplementedError

    async def aclose(self) -> None:
        self.closed = True


class Pauses:
    """Stands for `asyncio.sleep`: notes the seconds and goes on at once, unless it is told to hold."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.held: asyncio.Event | None = None
        self.reached = asyncio.Event()

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        self.reached.set()
        if self.held is not None:
            await self.held.wait()


class RealPauses(Pauses):
    """Waits, and notes the seconds."""

    async def __call__(self, seconds: float) -> None:
        await super().__call__(seconds)
        await asyncio.sleep(seconds)


class StepClock:
    """A clock that moves a millisecond with each reading, so that no two things happen at once."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now.astimezone(UTC)

    def __call__(self) -> datetime:
        self.now = self.now.fromtimestamp(self.now.timestamp() + 0.001, UTC)
        return self.now


@dataclass
class Talk:
    """A session's services, its turns going to one provider, and one conversation."""

    services: Services
    turns: Turns
    pauses: Pauses
    store: Store
    conversation: Conversation

    @property
    def accounting(self) -> Accounting:
        return self.services.accounting

    def send(self, text: str = "Hello", **options: Any) -> AsyncGenerator[TurnEvent, None]:
        return self.turns.send(self.conversation.id, text, **options)

    async def say(self, text: str = "Hello", **options: Any) -> list[TurnEvent]:
        """A whole turn."""
        return [event async for event in self.send(text, **options)]

    async def reply(self, text: str = "Hello", **options: Any) -> ReplyEnded:
        """The end of a whole turn."""
        return ended(await self.say(text, **options))

    async def messages(self) -> tuple[Message, ...]:
        return (await self.services.library.open(self.conversation.id)).messages

    @property
    def ledger(self) -> list[LedgerRow]:
        return [row for _, row in self.store.view.ledger]

    @property
    def attempts(self) -> list[Attempt]:
        return [attempt for _, attempt in self.store.view.attempts]

    @property
    def held(self) -> int:
        """Tokens held by pools, days and open attempts together."""
        view = self.store.view
        pools = sum(pool.held for _, pool in view.quotas)
        days = sum(day.held for _, day in view.daily_usage)
        return pools + days + len(self.attempts)

    def assert_settled(self) -> None:
        """Nothing is held, and the ledger is what the pools and days say."""
        assert self.held == 0
        used = sum(pool.used for _, pool in self.store.view.quotas)
        assert used == sum(day.used for _, day in self.store.view.daily_usage)
        pooled = [row for row in self.ledger if row.key_source is KeySource.DEFAULT]
        assert used == sum(row.tokens for row in pooled)


def ended(events: list[TurnEvent]) -> ReplyEnded:
    """The last event, which must be the only end; and the prompt's must be the first."""
    assert [type(event) for event in events].count(ReplyEnded) == 1
    assert isinstance(events[0], PromptSaved)
    last = events[-1]
    assert isinstance(last, ReplyEnded)
    return last


def started(events: list[TurnEvent]) -> ReplyStarted:
    return next(event for event in events if isinstance(event, ReplyStarted))


async def talk(
    provider: Provider | None = None,
    store: Store | None = None,
    *,
    name: str = "openai",
    model: str = "gpt-5.1",
    clock: Clock | None = None,
    connect: Callable[..., Provider] | None = None,
    checkpoint_seconds: float = 0.0,
    pauses: Pauses | None = None,
) -> Talk:
    """A session with default keys, and a conversation in it.

    Its turns go to `provider`, or to what `connect` makes.
    """
    store = store or MemoryStore()
    clock = clock or StepClock()
    connect = connect or _always(provider or Replay(()))
    services = build(store, MemorySecrets(), connect, clock, {"OPENAI_API_KEY": KEY, "GEMINI_API_KEY": KEY})
    pauses = pauses or Pauses()
    turns = Turns(
        store,
        services.settings,
        services.keys,
        services.accounting,
        services.models,
        services.library,
        connect,
        clock,
        pause=pauses,
        checkpoint_seconds=checkpoint_seconds,
    )
    conversation = await services.library.create(name, model)
    return Talk(services, turns, pauses, store, conversation)


def _always(provider: Provider) -> Callable[..., Provider]:
    def connect(kind: str, *, api_key: str | None, base_url: str | None, name: str) -> Provider:
        return provider

    return connect


def failure(kind: Any, **facts: Any) -> ProviderError:
    """A provider's error with a sentence that tests can look for."""
    return ProviderError(kind, f"OpenAI failed with {kind}.", **facts)
