"""What storage costs, and what the event loop feels of it; stock TinyDB and SQLite beside it.

Run `python -m tests.benchmarks.bench_storage`, or by name with pytest and `-s -n0`. All contenders take turns
within a run, so that the ratios hold on a busy machine; figures are medians in milliseconds.
"""

import asyncio
import gc
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from tinydb import TinyDB

from tests.benchmarks.figures import ROUNDS, Work, longest_stall, show, take_turns
from tests.benchmarks.storage_peers import Contender, Ours, SQLite, StockTinyDB, UnsyncedTinyDB, documents
from tests.benchmarks.storage_stalls import Felt, Unsynced, fill_conversation, fill_days
from tests.unit.storage.support import ledger_row, message, opened
from tui.storage.files import FileLayer

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(600)]

TOTALS = (1_000, 10_000, 100_000)
LENGTHS = (100, 1_000, 10_000)


class CountingFiles(FileLayer):
    """Counts what is waited for."""

    def __init__(self) -> None:
        self.syncs = 0

    def fsync(self, descriptor: int) -> None:
        self.syncs += 1
        super().fsync(descriptor)


async def test_cost_by_messages_in_all(tmp_path: Path) -> None:
    changes: dict[str, list[float]] = {}
    saves: dict[str, list[float]] = {}
    async with opened(tmp_path / "ctroom") as store:
        contenders: list[Contender] = [
            Ours(store),
            StockTinyDB(tmp_path / "stock.json"),
            UnsyncedTinyDB(tmp_path / "unsynced.json"),
            SQLite(tmp_path / "beside.sqlite"),
        ]
        for total in TOTALS:
            for contender in contenders:
                await contender.fill(total)
            _keep(changes, await take_turns({each.name: each.change for each in contenders}))
            _keep(saves, await take_turns({each.name: each.save for each in contenders}))
    heads = [f"{total:,}" for total in TOTALS]
    show("A transaction, by messages in all", heads, _cells(changes))
    show("Saving a message, 1,000 in its conversation", heads, _cells(saves))

    assert changes["Ctroom"][-1] < 2 * changes["Ctroom"][0]
    assert saves["Ctroom"][-1] < 2 * saves["Ctroom"][0]


async def test_cost_by_length_of_a_conversation(tmp_path: Path) -> None:
    rows: dict[str, list[float]] = {}
    cpu: list[float] = []
    async with opened(tmp_path / "ctroom") as store:
        for length in LENGTHS:
            await store.save_messages(
                f"c{length}", [message(number, "word " * 100) for number in range(length)]
            )

            async def save(number: int, length: int = length) -> None:
                await store.save_messages(f"c{length}", [message(length - 1, f"part {number}")])

            began = time.process_time()
            rows.setdefault("save one message", []).append((await take_turns({"": save}))[""])
            cpu.append((time.process_time() - began) * 1000 / ROUNDS)
            stock = TinyDB(tmp_path / f"{length}.json")
            stock.table("messages").insert_multiple(documents(0, length))
            lite = SQLite(tmp_path / f"{length}.sqlite")
            await lite.fill(length)
            _keep(rows, await take_turns(_readings(tmp_path, length), 7))
    table = {**_cells(rows), "CPU of saving one message": [f"{one:.2f}" for one in cpu]}
    show("In a conversation of", [f"{length:,}" for length in LENGTHS], table)


def _readings(home: Path, length: int) -> dict[str, Work]:
    async def ours(_: int) -> None:
        async with opened(home / "ctroom") as store:
            await store.load_messages(f"c{length}")

    async def stock(_: int) -> None:
        with TinyDB(home / f"{length}.json", access_mode="r") as database:
            database.table("messages").all()

    async def lite(_: int) -> None:
        with sqlite3.connect(home / f"{length}.sqlite") as connection:
            connection.execute("SELECT document FROM messages").fetchall()

    return {
        "open the store and read it, records checked": ours,
        "stock TinyDB, documents only": stock,
        "SQLite, text only": lite,
    }


async def test_what_the_loop_feels(tmp_path: Path) -> None:
    home = tmp_path / "ctroom"
    async with opened(home, Unsynced()) as store:
        await fill_days(store, 365)
        await fill_conversation(store)
    gc.collect()
    gc.freeze()  # as the app does after its first frame
    async with AsyncExitStack() as stack:
        ours, other = [await stack.enter_async_context(opened(home)) for _ in range(2)]
        felt = Felt(home, ours, other)
        stack.push_async_callback(felt.aclose)
        stalls: dict[str, list[float]] = {name: [] for name in felt.works}
        for number in range(9):
            for name, (prepare, work) in felt.works.items():
                await prepare(number)
                stalls[name].append(await longest_stall(lambda work=work, n=number: work(n)))  # type: ignore[misc]
    gc.unfreeze()
    table = {name: [f"{statistics.median(all_):.1f}", f"{max(all_):.1f}"] for name, all_ in stalls.items()}
    show("Longest stall of the event loop, ms", ("median", "worst of 9"), table)


@pytest.mark.parametrize("years", [0, 1, 5])
async def test_opening_after_years(tmp_path: Path, years: int) -> None:
    home = tmp_path / "ctroom"
    async with opened(home, Unsynced()) as store:
        await fill_days(store, 365 * years)
    size = f"{(home / 'ctroom.json').stat().st_size / 1024:.0f} KiB"
    async with opened(home) as store:

        async def settle(number: int) -> None:
            await store.transaction(lambda state: state.ledger.insert(ledger_row(10**6 + number)))

        async def open_and_close(_: int) -> None:
            async with opened(home):
                pass

        works: dict[str, Work] = {"open": open_and_close, "settle": settle}
        medians = await take_turns(works)
    cells = [f"{medians['open']:.2f}", f"{medians['settle']:.2f}", size]
    show(f"After {years} years of 100 turns a day", ("open", "settle", "ctroom.json"), {"Ctroom": cells})


async def test_sessions_commit_together(tmp_path: Path) -> None:
    files = CountingFiles()
    lite = SQLite(tmp_path / "beside.sqlite")
    syncs: dict[str, int] = {}
    async with opened(tmp_path / "ctroom", files) as store:
        ours = Ours(store)
        await ours.fill(1_000)
        await store.refresh()  # the day's backup is made

        async def counted(name: str, work: Awaitable[object]) -> None:
            before = files.syncs
            await work
            syncs[name] = files.syncs - before

        async def one_by_one() -> None:
            for number in range(50):
                await ours.change(number)

        async def together() -> None:
            await asyncio.gather(*(ours.change(number) for number in range(50)))

        async def sqlite_one_by_one(_: int) -> None:
            for number in range(50):
                await lite.change(number)

        works: dict[str, Work] = {
            "at once": lambda _: counted("at once", together()),
            "one after the other": lambda _: counted("one after the other", one_by_one()),
            "SQLite, one after the other": sqlite_one_by_one,
        }
        medians = await take_turns(works, 7)
    table = {name: [f"{median:.1f}", str(syncs.get(name, "-"))] for name, median in medians.items()}
    show("50 sessions' transactions", ("ms", "fsyncs"), table)

    assert syncs["at once"] <= 4
    assert syncs["one after the other"] == 100


async def test_memory(tmp_path: Path) -> None:
    async with opened(tmp_path / "ctroom", Unsynced()) as store:
        await fill_conversation(store)
    shutil.copy(tmp_path / "ctroom" / "conversations" / "long.json", tmp_path / "stock.json")
    used = {kind: _peak(kind, tmp_path) for kind in ("nothing", "ctroom", "stock")}
    table = {
        "Ctroom": [f"{used['ctroom'] - used['nothing']:.1f}"],
        "stock TinyDB": [f"{used['stock'] - used['nothing']:.1f}"],
    }
    size = (tmp_path / "stock.json").stat().st_size / (1 << 20)
    show(f"Peak memory of 10,000 messages ({size:.1f} MiB), one saved", ("MiB",), table)


def _peak(kind: str, home: Path) -> float:
    command = [sys.executable, "-m", "tests.benchmarks.storage_memory", kind, str(home)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _keep(rows: dict[str, list[float]], medians: Mapping[str, float]) -> None:
    for name, median in medians.items():
        rows.setdefault(name, []).append(median)


def _cells(rows: Mapping[str, list[float]]) -> dict[str, list[str]]:
    return {name: [f"{value:.2f}" for value in values] for name, values in rows.items()}


def main() -> None:
    """Print every table."""
    for number, measure in enumerate(
        (
            test_cost_by_messages_in_all,
            test_cost_by_length_of_a_conversation,
            test_what_the_loop_feels,
            *(lambda path, years=years: test_opening_after_years(path, years) for years in (0, 1, 5)),
            test_sessions_commit_together,
            test_memory,
        )
    ):
        with tempfile.TemporaryDirectory(prefix=f"bench-storage-{number}-") as directory:
            asyncio.run(measure(Path(directory)))


if __name__ == "__main__":
    main()
