"""What of storage's work the event loop might feel, each with what comes before it unmeasured."""

import asyncio
import gc
import shutil
import time
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

from tests.benchmarks.figures import Work
from tests.unit.storage.support import clock, ledger_row, message, opened
from tui.core.ports import State
from tui.core.quota import DailyUsage, KeySource, Pool, Rollup
from tui.storage.files import FileLayer
from tui.storage.store import JsonStore

MODELS = ("gpt-5.1", "gemini-2.5-flash")
FIRST_DAY = date(2025, 11, 23)
LONG = 10_000
"""Messages in the long conversation."""


class Unsynced(FileLayer):
    """Fills a store quickly."""

    def fsync(self, descriptor: int) -> None:
        pass


async def fill_days(store: JsonStore, days: int) -> None:
    """The rows that accounting leaves behind in that many days of 100 turns."""

    def totals(state: State) -> None:
        for provider in ("openai", "google"):
            state.quotas.insert(Pool(provider, purchased=10**9, used=10**7))
        for day in (FIRST_DAY + timedelta(days=number) for number in range(days)):
            for model in MODELS:
                state.usage_rollup.insert(Rollup(day, "local", "openai", model, KeySource.DEFAULT, 50, 5000))
                state.daily_usage.insert(DailyUsage("local", "openai", day, 6000))

    await store.transaction(totals)
    for start in range(0, days * 100, 250):

        def rows(state: State, start: int = start) -> None:
            for number in range(start, start + 250):
                latest = FIRST_DAY + timedelta(days=number // 100)
                state.ledger.insert(ledger_row(number, latest))
            meta = next(iter(state.meta))
            state.meta.replace(meta[0], replace(meta[1], latest_day=latest))

        await store.transaction(rows)


async def fill_conversation(store: JsonStore) -> None:
    """A long conversation."""
    await store.save_messages("long", [message(number, "word " * 100) for number in range(LONG)])


class Felt:
    """A data directory of a year with two processes' stores on it, and what is done with them.

    Args:
        home: The directory.
        ours: The store whose loop is watched.
        other: Stands for another process.
    """

    def __init__(self, home: Path, ours: JsonStore, other: JsonStore) -> None:
        self._home = home
        self._ours = ours
        self._other = other
        self._fresh: JsonStore | None = None
        self.works: dict[str, tuple[Work, Work]] = {
            "a thread of pure Python, for comparison": (self.nothing, self.spin),
            "save into 10,000 messages": (self.nothing, self.save),
            "open 10,000 messages": (self.open_another, self.read_first),
            "read 10,000 again after another's save": (self.save_elsewhere, self.read),
            "open the store after a year": (self.nothing, self.open_and_close),
            "settle after a year": (self.nothing, self.settle),
            "50 settles at once": (self.nothing, self.settle_many),
            "refresh after another's commit": (self.commit_elsewhere, self.refresh),
            "move old ledger rows": (self.settle_many, self.archive),
            "the day's first commit, with its backup": (self.forget_backups, self.back_up),
        }

    async def nothing(self, number: int) -> None:
        pass

    async def spin(self, number: int) -> None:
        await asyncio.to_thread(_count_for, 0.2)

    async def save(self, number: int) -> None:
        await self._ours.save_messages("long", [message(5, f"part {number}")])

    async def save_elsewhere(self, number: int) -> None:
        await self._other.save_messages("long", [message(6, f"theirs {number}")])

    async def read(self, number: int) -> None:
        await self._ours.load_messages("long")

    async def open_another(self, number: int) -> None:
        await self.aclose()
        self._fresh = await JsonStore.open(self._home, clock)
        gc.collect()  # of the one before, which an app would keep

    async def read_first(self, number: int) -> None:
        assert self._fresh
        await self._fresh.load_messages("long")

    async def aclose(self) -> None:
        if self._fresh:
            await self._fresh.aclose()
            self._fresh = None

    async def open_and_close(self, number: int) -> None:
        async with opened(self._home):
            pass

    async def settle(self, number: int) -> None:
        await _settle(self._ours, 1_000_000 + number)

    async def settle_many(self, number: int) -> None:
        first = 2_000_000 + 50 * number
        await asyncio.gather(*(_settle(self._ours, first + each) for each in range(50)))

    async def commit_elsewhere(self, number: int) -> None:
        await _settle(self._other, 3_000_000 + number)

    async def refresh(self, number: int) -> None:
        await self._ours.refresh()

    async def archive(self, number: int) -> None:
        await self._ours.archive_ledger()

    async def forget_backups(self, number: int) -> None:
        shutil.rmtree(self._home / "backups", ignore_errors=True)

    async def back_up(self, number: int) -> None:
        async with opened(self._home) as fresh:
            await fresh.transaction(lambda state: state.quotas.insert(Pool(f"extra {number}")))
            await fresh.refresh()  # comes after the backup


async def _settle(store: JsonStore, number: int) -> None:
    await store.transaction(lambda state: state.ledger.insert(ledger_row(number)))


def _count_for(seconds: float) -> int:
    end, count = time.perf_counter() + seconds, 0
    while time.perf_counter() < end:
        count += 1
    return count
