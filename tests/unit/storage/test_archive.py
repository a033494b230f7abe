"""Old ledger rows move whole to their months, and a move that is broken off loses and doubles nothing."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from tinydb import TinyDB

from tests.unit.storage.support import DAY, FULL, FaultyFiles, ledger_row, mode, names, opened
from tui.core.errors import StorageError
from tui.core.ports import State
from tui.core.quota import LedgerRow, RowKind
from tui.storage.archive import KEPT_LIVE, MOST_LIVE
from tui.storage.store import JsonStore

FIRST = date(2026, 9, 1)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "ctroom"


def _rows(count: int) -> list[LedgerRow]:
    """Rows of consecutive days, four a day, from the first of September."""
    return [ledger_row(number, FIRST + timedelta(days=number // 4)) for number in range(count)]


async def _append(store: JsonStore, rows: list[LedgerRow]) -> None:
    def add(state: State) -> None:
        for row in rows:
            state.ledger.insert(row)

    await store.transaction(add)


async def _everything(store: JsonStore) -> list[LedgerRow]:
    return [row for month in await store.ledger_months() for row in await store.load_ledger(month)]


async def test_rows_move_by_themselves_when_there_are_many(home: Path) -> None:
    rows = _rows(MOST_LIVE + 1)
    async with opened(home) as store:
        await _append(store, rows[:MOST_LIVE])
        assert len(store.view.ledger) == MOST_LIVE
        await _append(store, rows[MOST_LIVE:])
        await store.refresh()

        assert [row for _, row in store.view.ledger] == rows[-KEPT_LIVE:]
        assert await _everything(store) == rows
        assert await store.load_ledger("2026-09") == tuple(rows[:120])
        assert names(home / "ledger") == ["2026-09.json"]
        assert mode(home / "ledger" / "2026-09.json") == 0o600

    with TinyDB(home / "ledger" / "2026-09.json", access_mode="r") as plain:
        assert len(plain.table("ledger")) == MOST_LIVE + 1 - KEPT_LIVE
    async with opened(home) as again:
        assert await _everything(again) == rows


async def test_moves_go_on_into_the_same_file(home: Path) -> None:
    rows = _rows(450)
    async with opened(home) as store:
        for start in range(0, 450, 90):
            await _append(store, rows[start : start + 90])
            await store.archive_ledger()
        await store.archive_ledger()

        assert len(store.view.ledger) == KEPT_LIVE
        assert await _everything(store) == rows
        assert names(home / "ledger") == ["2026-09.json", "2026-10.json", "2026-11.json"]


@pytest.mark.parametrize("survivors", [1, 2])
async def test_a_move_that_is_broken_off_is_finished_the_next_time(home: Path, survivors: int) -> None:
    class BreakingFiles(FaultyFiles):
        """Fails the replace after the first `survivors` of a move."""

        left = 10**9

        def replace(self, source: Path, target: Path) -> None:
            self.left -= 1
            if self.left < 0:
                raise OSError(FULL, "No space left on device")
            super().replace(source, target)

    files = BreakingFiles()
    rows = _rows(280)
    async with opened(home, files) as store:
        await _append(store, rows)
        files.left = survivors
        with pytest.raises(StorageError, match="disk is full"):
            await store.archive_ledger()
        assert len(store.view.ledger) == 280
        assert await _everything(store) == rows

        files.left = 10**9
        await store.archive_ledger()
        assert len(store.view.ledger) == KEPT_LIVE
        assert await _everything(store) == rows


async def test_a_failed_move_does_not_fail_the_transaction(home: Path) -> None:
    async with opened(home) as store:
        (home / "ledger").write_text("in the way")
        await _append(store, _rows(MOST_LIVE + 1))
        await store.refresh()
        assert len(store.view.ledger) == MOST_LIVE + 1


async def test_an_attempts_adjustments_are_all_kept(home: Path) -> None:
    turn = ledger_row(1, DAY)
    late = [ledger_row(1, DAY, RowKind.ADJUSTMENT), ledger_row(1, DAY, RowKind.ADJUSTMENT)]
    late[1] = replace(late[1], at=turn.at + timedelta(seconds=9))
    async with opened(home) as store:
        await _append(store, [turn, *late, *_rows(KEPT_LIVE)])
        await store.archive_ledger()

        assert (await store.load_ledger("2026-11"))[:3] == (turn, *late)


@pytest.mark.parametrize("month", ["", "2026-13", "../2026-11", "2026-1", "x"])
async def test_only_months_are_taken(home: Path, month: str) -> None:
    async with opened(home) as store:
        with pytest.raises(StorageError, match="is not a month"):
            await store.load_ledger(month)
        assert await store.ledger_months() == ()
        assert await store.load_ledger("2026-11") == ()
