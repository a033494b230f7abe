"""Years of use, day by day through the real services: turns, conversations, purchases, settings, alerts."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from tests.support.session import ManualClock, Session, reported, session
from tui.core.chat import Conversation, new_id
from tui.core.quota import KeySource
from tui.services.accounting import AdmissionRequest
from tui.services.library import Library
from tui.storage.files import FileLayer
from tui.storage.store import JsonStore

MODELS = (("openai", "gpt-5.1"), ("openai", "gpt-5.1-mini"), ("google", "gemini-2.5-flash"))
TURN = 800
"""Tokens of a turn."""


class UnsyncedFiles(FileLayer):
    """No power is cut: years pass quickly."""

    def fsync(self, descriptor: int) -> None:
        pass

    def fsync_directory(self, directory: Path) -> None:
        pass


@dataclass
class Years:
    """A data directory that someone uses every day.

    Args:
        store: Its store, with `clock`.
        clock: Moved on by a day at the end of each.
        turns: How many a day.
        turns_each: How many of them are in one conversation.
    """

    store: JsonStore
    clock: ManualClock
    turns: int = 100
    turns_each: int = 10
    days: int = 0
    tokens: int = 0
    """Charged so far."""
    alerts: int = 0
    """Raised so far."""
    session: Session = field(init=False)
    library: Library = field(init=False)

    def __post_init__(self) -> None:
        self.session = session(self.store, clock=self.clock)
        self.library = Library(self.store, self.session.user, self.clock)

    async def begin(self) -> None:
        """Choose a tier that lets this many turns through, and buy what a day of them holds at once."""
        await self.session.settings.set("tier", "unlimited")
        await self._buy(days=2)

    async def _buy(self, days: int) -> None:
        providers = [MODELS[number % len(MODELS)][0] for number in range(self.turns)]
        for provider in set(providers):
            tokens = days * TURN * providers.count(provider)
            await self.session.accounting.add_purchased(provider, tokens, "by card")

    async def pass_days(self, days: int) -> None:
        """Use it for some days."""
        for _ in range(days):
            await self._pass_day()

    async def _pass_day(self) -> None:
        if self.days % 30 == 0:
            await self._buy(days=30)
        if self.days % 7 == 0:
            await self.session.settings.set("max_output", str(1_000 + self.days))
        count = -(-self.turns // self.turns_each)
        conversations = await asyncio.gather(*(self._converse(number) for number in range(count)))
        await asyncio.gather(*(self._turn(number, conversations) for number in range(self.turns)))
        self.alerts += len(await self.session.alerts.raise_due())
        self.days += 1
        self.clock.move(days=1)

    async def _converse(self, number: int) -> Conversation:
        provider, model = MODELS[number % len(MODELS)]
        made = await self.library.create(provider, model)
        return await self.library.rename(made.id, f"What to say on day {self.days}, number {number}")

    async def _turn(self, number: int, conversations: list[Conversation]) -> None:
        conversation = conversations[number // self.turns_each]
        provider, model = MODELS[number % len(MODELS)]
        accounting = self.session.accounting
        request = AdmissionRequest(
            new_id(), provider, model, KeySource.DEFAULT, 300, 1_000, conversation.id, new_id()
        )
        hold = await accounting.admit(request)
        charged = await accounting.settle(hold.attempt_id, reported(300, TURN - 300))
        self.tokens += charged


def clock_before(end: datetime, days: int) -> ManualClock:
    """A clock that many days before `end`."""
    return ManualClock(end - timedelta(days=days))
