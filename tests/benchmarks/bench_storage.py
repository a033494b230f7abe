"""What storage costs: transactions, saves, the start after years, stalls; stock TinyDB and SQLite beside it.

Run by name: `python -m pytest tests/benchmarks/bench_storage.py -s`. Trust the ratios more than the times.
"""

import asyncio
import sqlite3
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from tinydb import TinyDB

from tests.unit.storage.support import ledger_row, message, opened
from tui.core.ports import State
from tui.core.quota import DailyUsage, KeySource, Pool, Rollup
from tui.storage.files import FileLayer
from tui.storage.store import JsonStore

pytestmark = pytest.mark.benchmark

MODELS = ("gpt-5.1", "gemini-2.5-flash")


def _say(what: str, milliseconds: float, note: str = "") -> None:
    sys.stdout.write(f"  {what:<58}{milliseconds:9.2f} ms  {note}\n")


async def _median(work: Callable[[int], Awaitable[object]], times: int = 40) -> float:
    """Median milliseconds of one call."""
    taken = []
    for number in range(times):
        began = time.perf_counter()
        await work(number)
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken)


class _Stalls:
    """Measures how long the event loop was not free, at most."""

    def __init__(self) -> None:
        self.longest = 0.0

    async def watch(self) -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0.001)
            self.longest = max(self.longest, (time.perf_counter() - began) * 1000 - 1)


async def _stall_during(work: Callable[[], Awaitable[object]]) -> float:
    stalls = _Stalls()
    watching = asyncio.ensure_future(stalls.watch())
    await asyncio.sleep(0.05)
    stalls.longest = 0.0
    await work()
    watching.cancel()
    return stalls.longest


async def fill_days(store: JsonStore, days: int) -> None:
    """The rows that accounting leaves behind in that many days of 100 turns."""
    first = date(2025, 11, 23)

    def totals(state: State) -> None:
        for provider in ("openai", "google"):
            state.quotas.insert(Pool(provider, purchased=10**9, used=10**7))
        for number in range(days):
            day = first + timedelta(days=number)
            for model in MODELS:
                state.usage_rollup.insert(Rollup(day, "local", "openai", model, KeySource.DEFAULT, 50, 5000))
                state.daily_usage.insert(DailyUsage("local", "openai", day, 6000))

    await store.transaction(totals)
    per_batch = 250
    for start in range(0, min(days, 365) * 100, per_batch):

        def rows(state: State, start: int = start) -> None:
            for number in range(start, start + per_batch):
                state.ledger.insert(ledger_row(number, first + timedelta(days=number // 100)))

        await store.transaction(rows)


@pytest.mark.parametrize("documents", [100, 1_000, 10_000])
async def test_a_transaction_beside_stock_tinydb_and_sqlite(tmp_path: Path, documents: int) -> None:
    def fill(state: State) -> None:
        for number in range(documents):
            state.quotas.insert(Pool(f"p{number}"))

    async with opened(tmp_path / "ctroom") as store:
        await store.transaction(fill)

        async def ours(number: int) -> None:
            await store.transaction(lambda state: state.quotas.replace(1, Pool("p0", used=number)))

        _say(f"{documents} documents: our transaction", await _median(ours))

    stock = TinyDB(tmp_path / "stock.json")
    stock.table("quotas").insert_multiple(asdict(Pool(f"p{n}")) for n in range(documents))

    async def tinydb(number: int) -> None:
        stock.table("quotas").update({"used": number}, doc_ids=[1])

    _say(f"{documents} documents: stock TinyDB, without any sync", await _median(tinydb, 10))

    with sqlite3.connect(tmp_path / "beside.sqlite", isolation_level=None) as lite:
        lite.executescript(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE pools (name, used)"
        )
        lite.executemany("INSERT INTO pools VALUES (?, 0)", [(f"p{n}",) for n in range(documents)])

        async def sqlite(number: int) -> None:
            lite.execute("UPDATE pools SET used = ? WHERE name = 'p0'", (number,))

        _say(f"{documents} documents: SQLite (WAL, FULL)", await _median(sqlite))


async def test_a_save_does_not_grow_with_the_other_conversations(tmp_path: Path) -> None:
    medians = {}
    async with opened(tmp_path / "ctroom") as store:
        for total in (1_000, 10_000, 100_000):
            for number in range(total // 1_000):
                if not (tmp_path / "ctroom" / "conversations" / f"c{number}.json").exists():
                    await store.save_messages(f"c{number}", [message(n, "word " * 40) for n in range(1_000)])
            medians[total] = await _median(lambda n: store.save_messages("c0", [message(n, "changed")]))
            _say(f"save one message, {total} in all, 1,000 in its own", medians[total])

    assert medians[100_000] < 2 * medians[1_000]


async def test_no_stall_with_a_long_conversation(tmp_path: Path) -> None:
    many = [message(number, "word " * 100) for number in range(10_000)]
    async with opened(tmp_path / "ctroom") as store:
        await store.save_messages("long", many)
        save = await _median(lambda n: store.save_messages("long", [message(n, "changed")]), 20)
        stall = await _stall_during(lambda: store.save_messages("long", [message(5, "again")]))
        _say("save one message of 10,000", save, f"longest stall {stall:.1f} ms")
    async with opened(tmp_path / "ctroom") as store:
        began = time.perf_counter()
        stall = await _stall_during(lambda: store.load_messages("long"))
        _say(
            "open a conversation of 10,000",
            (time.perf_counter() - began) * 1000,
            f"longest stall {stall:.1f} ms",
        )


class _Unsynced(FileLayer):
    """Fills a store quickly."""

    def fsync(self, descriptor: int) -> None:
        pass


@pytest.mark.parametrize("years", [1, 5])
async def test_opening_after_years(tmp_path: Path, years: int) -> None:
    home = tmp_path / "ctroom"
    async with opened(home, _Unsynced()) as store:
        await fill_days(store, 365 * years)
    size = (home / "ctroom.json").stat().st_size

    async def open_once(_: int) -> None:
        async with opened(home):
            pass

    _say(f"open after {years} years", await _median(open_once, 10), f"ctroom.json is {size / 1024:.0f} KiB")
    async with opened(home) as store:
        now = datetime.now(UTC)

        async def settle(number: int) -> None:
            row = replace(ledger_row(10**6 + number), at=now)
            await store.transaction(lambda state: state.ledger.insert(row))

        _say(f"settle after {years} years", await _median(settle))
        stall = await _stall_during(lambda: asyncio.gather(*(settle(n) for n in range(20))))
        _say(f"longest stall of 20 settles after {years} years", stall)
