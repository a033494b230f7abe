"""Looks at the accounts of a data directory from outside: while others change them, and when all is over."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from tui.commands.runtime import utc_now
from tui.core.ports import Clock, State
from tui.core.quota import KeySource, LedgerRow
from tui.core.settings import LOCAL_USER
from tui.services import tables
from tui.services.settings import limit_of
from tui.storage.store import JsonStore

LOOK_SECONDS = 0.005


@dataclass
class Watch:
    """What was seen of the accounts while they changed."""

    looks: int = 0
    """Different states that were seen."""
    most_held: int = 0
    """Attempts that were open at once, at most."""
    wrong: list[str] = field(default_factory=list)

    def look(self, state: State, excess: int, now: datetime) -> None:
        """Check one state: nothing promised beyond what there is, and every hold accounted for."""
        self.looks += 1
        self.most_held = max(self.most_held, len(state.attempts))
        held = sum(attempt.held for _, attempt in state.attempts)
        pools = [pool for _, pool in state.quotas]
        days = [day for _, day in state.daily_usage]
        if not held == sum(pool.held for pool in pools) == sum(day.held for day in days):
            self.wrong.append(f"holds differ: {held}, {pools}, {days}")
        for pool in pools:
            if pool.purchased is not None and pool.used + pool.held > pool.purchased + excess:
                self.wrong.append(f"beyond the pool: {pool}")
        limit = limit_of(tables.host_settings(state), tables.user_settings(state, LOCAL_USER, now))
        spent = sum(day.used + day.held for day in days)
        if limit is not None and spent > limit + excess:
            self.wrong.append(f"beyond the day: {spent} of {limit}")


@contextmanager
def watched(home: Path, excess: Callable[[], int] = lambda: 0) -> Iterator[Watch]:
    """Look at the accounts all the time while the block runs; it fails if any state was wrong.

    Args:
        home: The data directory.
        excess: Tokens that the provider charged beyond its caps so far.
    """
    watch, ended = Watch(), threading.Event()

    async def look() -> None:
        store = await JsonStore.open(home, utc_now)
        while not ended.is_set():
            if await store.refresh() or watch.looks == 0:
                watch.look(store.view, excess(), utc_now())
            await asyncio.sleep(LOOK_SECONDS)
        await store.aclose()

    with ThreadPoolExecutor(1) as thread:
        looking = thread.submit(asyncio.run, look())
        try:
            yield watch
        finally:
            ended.set()
        looking.result()
    assert not watch.wrong, watch.wrong[:3]


@dataclass(frozen=True, slots=True)
class Accounts:
    """The accounts at one moment, every ledger row that there ever was included."""

    state: State
    rows: tuple[LedgerRow, ...]

    @property
    def used(self) -> int:
        """Tokens charged to the pools."""
        return sum(pool.used for _, pool in self.state.quotas)

    def assert_settled(self) -> None:
        """Nothing is held, no attempt was charged twice, and every sum is that of the ledger."""
        state = self.state
        assert [attempt for _, attempt in state.attempts] == []
        assert sum(pool.held for _, pool in state.quotas) == 0
        assert sum(day.held for _, day in state.daily_usage) == 0
        pooled = [row for row in self.rows if row.key_source is KeySource.DEFAULT]
        others = [row for row in self.rows if row.key_source is not KeySource.DEFAULT]
        assert self.used == sum(row.tokens for row in pooled)
        assert self.used == sum(day.used for _, day in state.daily_usage)
        assert sum(own.used for _, own in state.own_usage) == sum(row.tokens for row in others)
        assert sum(total.tokens for _, total in state.usage_rollup) == sum(row.tokens for row in self.rows)
        charges = [(row.attempt_id, row.kind) for row in self.rows]
        assert len(charges) == len(set(charges))


def read_accounts(home: Path, clock: Clock = utc_now) -> Accounts:
    """The accounts as a process that starts reads them."""

    async def read() -> Accounts:
        store = await JsonStore.open(home, clock)
        try:
            rows = [row for month in await store.ledger_months() for row in await store.load_ledger(month)]
            return Accounts(store.view, tuple(rows))
        finally:
            await store.aclose()

    return asyncio.run(read())
