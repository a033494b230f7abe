"""A process that does what sessions do, through real services, and says what was acknowledged to it.

Turns run side by side as under `ctroom serve`: admitted, checkpointed, their reply saved, then settled, some
twice at once, some released, some left open. Meanwhile purchases are made and expired attempts swept.
"""

import asyncio
import random
import resource
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partialmethod
from multiprocessing.connection import Connection
from pathlib import Path
from unittest.mock import patch

# What is imported here is there at once in every writing process (see `tests.crash.fleet`), prices too.
import genai_prices.data
import genai_prices.data_units  # noqa: F401

from tests.crash.checker import CHECKPOINT, INPUT, message_text
from tests.crash.journal import Act, Entry
from tests.crash.sabotage import Sabotage, sabotage
from tui import providers
from tui.core.chat import Message, Role, new_id
from tui.core.errors import StorageError
from tui.core.quota import KeySource
from tui.core.settings import POOLED
from tui.core.usage import Measured, Provenance, Usage
from tui.services.accounting import AdmissionRequest, Hold
from tui.services.build import build
from tui.services.ledger import LEASE
from tui.services.services import Services
from tui.storage import upkeep
from tui.storage.secrets import MemorySecrets
from tui.storage.store import JsonStore

MODEL = "a-model-without-a-price"
KEPT_LIVE, MOST_LIVE = 6, 9
"""Ledger rows: few, so that kills come while some of them move."""
AT_ONCE = 3
"""Turns that run side by side in a process."""
AHEAD = 2 * LEASE
"""How far ahead the clock is by which others' attempts are taken for lost."""


@dataclass(frozen=True)
class Order:
    """What a process is to do."""

    home: Path
    user: str
    seed: int
    conversations: tuple[str, ...]
    turns: int | None = None
    """How many; None: until it is killed."""
    stops: bool = False
    """Whether a client stops where the store refuses something."""
    sabotage: Sabotage = Sabotage.NONE


class Session:
    """One user's session in a writing process.

    Args:
        store: An open one.
        say: Tells the parent.
        order: What is to be done.
    """

    def __init__(self, store: JsonStore, say: Callable[[Entry], None], order: Order) -> None:
        self.store = store
        self._accounting = services_of(store, order.user).accounting
        self._late = services_of(store, order.user, ahead=AHEAD).accounting
        self._say = say
        self._order = order
        self._chance = random.Random(order.seed)

    async def turn(self) -> None:
        """One turn, whatever becomes of it."""
        source = KeySource.OWN if self._chance.random() < 0.1 else KeySource.DEFAULT
        hold = await self.admit(source, self._chance.choice(POOLED))
        conversation, reply_id = self._chance.choice(self._order.conversations), new_id()
        await self.save(conversation, new_id(), 1)
        steps = self._chance.randrange(3)
        for step in range(1, steps + 1):
            await self.checkpoint(hold, step)
            await self.save(conversation, reply_id, step)
        if self._chance.random() < 0.1:
            return
        await self.save(conversation, reply_id, steps + 1)  # the message first, then the charge
        await (self.release(hold) if self._chance.random() < 0.15 else self.settle(hold, steps))

    async def admit(self, source: KeySource, provider: str) -> Hold:
        """Begin a turn."""
        turn_id = new_id()
        self._say(Entry(Act.ADMITTING, turn_id))
        hold = await self._accounting.admit(AdmissionRequest(turn_id, provider, MODEL, source, INPUT, 500))
        self._say(Entry(Act.HELD, hold.attempt_id, hold.attempt.held, turn_id))
        return hold

    async def checkpoint(self, hold: Hold, step: int) -> None:
        """Note what a turn has used so far."""
        usage = Usage(INPUT, step * CHECKPOINT)
        if await self._accounting.checkpoint(hold.attempt_id, usage):
            self._say(Entry(Act.CHECKPOINTED, hold.attempt_id, usage.total))

    async def settle(self, hold: Hold, steps: int) -> None:
        """Charge a turn, now and then from two places at once."""
        usage = Usage(INPUT, steps * CHECKPOINT + self._chance.randrange(1, CHECKPOINT))
        self._say(Entry(Act.SETTLING, hold.attempt_id, usage.total))
        measured = Measured(usage, Provenance.REPORTED)
        times = self._chance.choice((1, 1, 2, 3))
        for charged in await asyncio.gather(
            *[self._accounting.settle(hold.attempt_id, measured) for _ in range(times)]
        ):
            self._say(Entry(Act.SETTLED, hold.attempt_id, charged))

    async def release(self, hold: Hold) -> None:
        """End a turn that was never accepted."""
        self._say(Entry(Act.RELEASING, hold.attempt_id))
        await self._accounting.release(hold.attempt_id)
        self._say(Entry(Act.RELEASED, hold.attempt_id))

    async def save(self, conversation: str, message_id: str, version: int) -> None:
        """Save a message; another version of it takes its place."""
        text = message_text(version, self._chance.randrange(600))
        self._say(Entry(Act.SAVING, message_id, version, conversation))
        message = Message(message_id, Role.ASSISTANT, text, datetime.now(UTC))
        await self.store.save_messages(conversation, [message])
        self._say(Entry(Act.SAVED, message_id, version, conversation))

    async def buy(self) -> None:
        """Top a pool up."""
        note, provider, tokens = new_id(), self._chance.choice(POOLED), 1_000
        self._say(Entry(Act.BUYING, note, tokens, provider))
        await self._accounting.add_purchased(provider, tokens, note)
        self._say(Entry(Act.BOUGHT, note, tokens, provider))

    async def sweep(self) -> None:
        """Take everyone's open attempts for lost."""
        await self._late.sweep()

    async def work(self) -> None:
        """What one client does after the other."""
        done = 0
        while self._order.turns is None or done < self._order.turns:
            try:
                await self.turn()
                if self._chance.random() < 0.15:
                    await self.buy()
                if self._chance.random() < 0.05:
                    await self.sweep()
            except StorageError as error:
                self._say(Entry(Act.REFUSED, str(error)))
                if self._order.stops:
                    return
            done += 1


def services_of(store: JsonStore, user: str, ahead: timedelta = timedelta()) -> Services:
    """A user's services, with a clock that may be ahead."""
    environ = {"OPENAI_API_KEY": "sk-test-0123456789", "GEMINI_API_KEY": "AIza-test-0123456789"}
    return build(store, MemorySecrets(), providers.connect, lambda: datetime.now(UTC) + ahead, environ, user)


def run(order: Order, pipe: Connection) -> None:
    """The whole life of a writing process."""
    sabotage(order.sabotage)
    try:
        with archiving_often():
            asyncio.run(write(order, lambda entry: pipe.send_bytes(entry.encode())))
    except StorageError as error:  # it could not even be opened
        pipe.send_bytes(Entry(Act.REFUSED, str(error)).encode())
        sys.exit(1)


@contextmanager
def archiving_often() -> Iterator[None]:
    """Let ledger rows move at every few, so that it happens many times in a test."""
    move = partialmethod(upkeep.Upkeep._move_rows, most=MOST_LIVE)
    with patch.object(upkeep, "KEPT_LIVE", KEPT_LIVE), patch.object(upkeep.Upkeep, "_move_rows", move):
        yield


async def write(order: Order, say: Callable[[Entry], None]) -> None:
    """Work until the end of what was ordered."""
    store = await JsonStore.open(order.home, lambda: datetime.now(UTC))
    session = Session(store, say, order)
    await asyncio.gather(*[session.work() for _ in range(AT_ONCE)])
    await store.aclose()


def run_until_full(order: Order, largest: int | None, ballast: Path, pipe: Connection) -> None:
    """The life of a process whose disk is full, then has room again.

    Args:
        order: How many turns are to be done once there is room.
        largest: Bytes that a file may have, where the disk itself is not small.
        ballast: Removed to make room.
        pipe: To the parent.
    """
    if largest:
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest, resource.RLIM_INFINITY))

    def make_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        ballast.unlink(missing_ok=True)

    with archiving_often():
        asyncio.run(_fill(order, lambda entry: pipe.send_bytes(entry.encode()), make_room))


async def _fill(order: Order, say: Callable[[Entry], None], make_room: Callable[[], None]) -> None:
    store = await JsonStore.open(order.home, lambda: datetime.now(UTC))
    until_full = Session(store, say, replace(order, turns=None, stops=True))
    await asyncio.gather(*[until_full.work() for _ in range(AT_ONCE)])
    make_room()
    await Session(store, say, order).work()
    await store.aclose()
