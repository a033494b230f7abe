"""Saves what has come of a reply about once a second, so that a killed process loses little of it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from tui.core.errors import InvalidValueError, StorageError
from tui.core.turns import UsageProgress
from tui.services.accounting import Accounting
from tui.services.meter import Meter

LEASE_SECONDS = 20.0
"""How often the lease of an attempt without news is renewed; the accounting asks for 30 at most."""


class Checkpoints:
    """The checkpoints of one attempt.

    Args:
        accounting: Records the usage so far, and renews the lease.
        save: Saves the partial reply.
        emit: Takes the progress, for the screen.
        every: Seconds between checkpoints while something comes.
    """

    def __init__(
        self,
        accounting: Accounting,
        save: Callable[[], Awaitable[None]],
        emit: Callable[[UsageProgress], None],
        every: float,
    ) -> None:
        self._accounting = accounting
        self._save = save
        self._emit = emit
        self._every = every
        self._news = asyncio.Event()

    def note(self) -> None:
        """Something came."""
        self._news.set()

    @asynccontextmanager
    async def of(self, attempt_id: str, meter: Meter) -> AsyncIterator[None]:
        """Make checkpoints while the block runs. One that is being made is finished before it ends."""
        ending = asyncio.Event()
        task = asyncio.create_task(self._run(attempt_id, meter, ending))
        try:
            yield
        finally:
            ending.set()
            await asyncio.wait({task})

    async def _run(self, attempt_id: str, meter: Meter, ending: asyncio.Event) -> None:
        while not await _happens(ending, within=0):
            fresh = await self._wait_for_news(ending)
            if ending.is_set():
                return
            if fresh and await _happens(ending, within=self._every):
                return
            self._news.clear()
            with suppress(StorageError):  # the next one may succeed, and the end of the turn tells
                await self._make(attempt_id, meter)

    async def _make(self, attempt_id: str, meter: Meter) -> None:
        if not meter.started:
            await self._accounting.checkpoint(attempt_id, None)
            return
        measured = await meter.progress()
        self._emit(UsageProgress(measured))
        with suppress(InvalidValueError):  # the conversation was removed: the reply is charged all the same
            await self._save()
        await self._accounting.checkpoint(attempt_id, measured.usage)

    async def _wait_for_news(self, ending: asyncio.Event) -> bool:
        waits = {asyncio.create_task(self._news.wait()), asyncio.create_task(ending.wait())}
        try:
            done, _ = await asyncio.wait(waits, timeout=LEASE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        return bool(done)


async def _happens(event: asyncio.Event, within: float) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(within):
            await event.wait()
    return event.is_set()
