"""A data directory that is backed up, damaged and restored, and what must hold of it whatever happens."""

import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any

from tests.support.session import ManualClock, Session, session
from tui.core.periods import Period, period_of
from tui.core.ports import State, Store, Table
from tui.core.quota import KeySource, LedgerRow
from tui.core.settings import LOCAL_USER
from tui.services import tables
from tui.services.restoring import bring_forward
from tui.storage.archive import row_key
from tui.storage.backup import make_backup
from tui.storage.files import SYSTEM_FILES, FileLayer
from tui.storage.restore import Restoration, Restored
from tui.storage.store import JsonStore

BACKUP = "2026-11-20"


class Place:
    """A data directory with a session, opened anew after whatever was done to its files.

    Args:
        home: The directory.
        files: The calls on disk.
    """

    def __init__(self, home: Path, files: FileLayer = SYSTEM_FILES) -> None:
        self.home = home
        self.files = files
        self.clock = ManualClock()
        self.store: JsonStore
        """The one that is open."""

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Session]:
        store = self.store = await JsonStore.open(self.home, self.clock, self.files)
        try:
            yield session(store, LOCAL_USER, self.clock)
        finally:
            await store.aclose()

    def back_up(self) -> None:
        assert make_backup(self.home, BACKUP, self.files)

    def restore(self, name: str = BACKUP) -> Restored:
        self.clock.move(seconds=1)
        return Restoration(self.home, name, bring_forward, self.clock).run()

    def spoil_the_pool(self) -> None:
        """Set a pool's USED to 0 with an editor."""
        path = self.home / "ctroom.json"
        document = json.loads(path.read_bytes())
        document["quotas"]["1"]["used"] = 0
        path.write_text(json.dumps(document))

    def damage(self, cut: int) -> bytes:
        """Cut the state's file short."""
        path = self.home / "ctroom.json"
        content = path.read_bytes()
        path.write_bytes(content[:cut])
        return content[:cut]


def facts(state: State) -> dict[str, list[str]]:
    """Everything that is counted, however the records are numbered."""
    counted: dict[str, Table[Any]] = {
        "quotas": state.quotas,
        "purchases": state.purchases,
        "own_usage": state.own_usage,
        "attempts": state.attempts,
        "usage_rollup": state.usage_rollup,
        "conversations": state.conversations,
        "alerts": state.alerts,
        "audit": state.audit,
    }
    records = {name: sorted(repr(record) for _, record in table) for name, table in counted.items()}
    return {**records, "daily_usage": _days(state)}


def _days(state: State) -> list[str]:
    """What days count, by the period that each belongs to: a day that is held on waits to be folded."""
    latest = tables.meta(state).latest_day
    totals: dict[tuple[str, str, date], tuple[int, int, int]] = {}
    for _, usage in state.daily_usage:
        period = period_of(usage.date, latest) if latest else usage.period
        period = max(period, usage.period, key=list(Period).index)
        key = (usage.user, usage.provider, period.first_day(usage.date))
        used, held, estimated = totals.get(key, (0, 0, 0))
        totals[key] = (used + usage.used, held + usage.held, estimated + usage.estimated)
    return sorted(f"{key} {total}" for key, total in totals.items() if any(total))


async def rows_of(store: Store) -> list[LedgerRow]:
    """Every ledger row, in the order of their numbers."""
    found = [row for month in await store.ledger_months() for row in await store.load_ledger(month)]
    return sorted(found, key=lambda row: row.number)


def assert_sums_hold(state: State, rows: Iterable[LedgerRow]) -> None:
    """Sums of rows are what pools, days and rollups count; open holds are what is held; days are in order."""
    rows = list(rows)
    pooled = [row for row in rows if row.key_source is KeySource.DEFAULT]
    holds = [attempt for _, attempt in state.attempts if attempt.key_source is KeySource.DEFAULT]
    for _, pool in state.quotas:
        assert pool.used == sum(row.tokens for row in pooled if row.provider == pool.provider)
        assert pool.held == sum(hold.held for hold in holds if hold.provider == pool.provider)
    assert sum(day.used for _, day in state.daily_usage) == sum(row.tokens for row in pooled)
    assert sum(day.held for _, day in state.daily_usage) == sum(hold.held for hold in holds)
    assert sum(total.tokens for _, total in state.usage_rollup) == sum(row.tokens for row in rows)
    assert sum(own.used for _, own in state.own_usage) == sum(row.tokens for row in rows) - sum(
        row.tokens for row in pooled
    )
    assert [row.number for row in rows] == list(range(1, len(rows) + 1))
    assert len({row_key(row) for row in rows}) == len(rows)
    days = [day.date for _, day in state.daily_usage]
    assert days == sorted(days)
