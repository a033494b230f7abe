"""What is left of five years of use: the size of ctroom.json, and what it costs to open and to use.

Run by name: `python -m pytest tests/benchmarks/bench_years.py -s -n0`. The years pass without syncs; what is
measured is measured with them. Each day has ten conversations, as 100 turns make; only every fifth turn is
taken, because the others would leave nothing more in ctroom.json: five times the rows are in month files.
"""

import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import fields
from pathlib import Path

import pytest

from tests.support.session import START
from tests.support.years import UnsyncedFiles, Years, clock_before
from tui.core.ports import Clock, State
from tui.services import tables
from tui.services.audit import audit
from tui.services.library import Library
from tui.storage.store import JsonStore

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(1200)]

YEARS = 5
TURNS = 20
"""A day; all 100 take a quarter of an hour."""


def _say(text: str) -> None:
    sys.stdout.write(f"  {text}\n")
    sys.stdout.flush()


async def _median(work: Callable[[], Awaitable[object]], times: int = 15) -> str:
    """Median milliseconds of one call: as they pass, and of CPU on all threads."""
    walls, cpus = [], []
    for _ in range(times):
        wall, cpu = time.perf_counter(), time.process_time()
        await work()
        walls.append((time.perf_counter() - wall) * 1000)
        cpus.append((time.process_time() - cpu) * 1000)
    return f"{statistics.median(walls):5.1f} ms (CPU {statistics.median(cpus):4.1f})"


async def _open_and_close(home: Path, clock: Clock) -> None:
    store = await JsonStore.open(home, clock)
    await store.aclose()


async def _measure(home: Path, clock: Clock, year: int) -> None:
    size = (home / "ctroom.json").stat().st_size / 1024
    opening = await _median(lambda: _open_and_close(home, clock))
    store = await JsonStore.open(home, clock)

    def note(state: State) -> None:
        tables.add_to_day(state, "local", "openai", clock().date(), estimated=0)
        tables.enter_day(state, clock().date())
        state.meta.replace(1, tables.meta(state))

    transaction = await _median(lambda: store.transaction(note))
    library = Library(store, "local", clock)

    async def list_recent() -> None:
        library.conversations()

    listing = await _median(list_recent)
    reading = await _median(library.older, 1)
    _say(
        f"year {year}: ctroom.json {size:4.0f} KiB · open and close {opening} · transaction {transaction} · "
        f"recent conversations {listing} · the {len(await library.older()):,} older ones {reading}"
    )
    counts = {field.name: len(getattr(store.view, field.name)) for field in fields(State)}
    _say(f"        {', '.join(f'{name} {count}' for name, count in counts.items() if count)}")
    await store.aclose()


async def test_five_years(tmp_path: Path) -> None:
    home = tmp_path / "ctroom"
    clock = clock_before(START, YEARS * 365)
    began = time.perf_counter()
    for year in range(1, YEARS + 1):
        store = await JsonStore.open(home, clock, UnsyncedFiles())
        years = Years(store, clock, TURNS, TURNS // 10, days=(year - 1) * 365)
        await years.begin()
        await years.pass_days(365)
        await store.aclose()
        await _measure(home, clock, year)
    _say(f"five years passed in {time.perf_counter() - began:.0f} s")
    store = await JsonStore.open(home, clock)
    began = time.perf_counter()
    report = await audit(store)
    _say(f"audit in {time.perf_counter() - began:.1f} s: {report.sentence}")
    await store.aclose()
    assert report.holds
    assert (home / "ctroom.json").stat().st_size < 512 * 1024
