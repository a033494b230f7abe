"""Backups hold everything, share nothing with the files in use, and the newest are kept."""

import asyncio
from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.unit.storage.support import (
    DAY,
    FULL,
    FaultyFiles,
    add_pool,
    clock,
    ledger_row,
    message,
    mode,
    names,
    opened,
    pool_names,
    put,
)
from tui.core.errors import StorageError
from tui.core.quota import Pool
from tui.storage import upkeep
from tui.storage.backup import (
    inspect_backup,
    list_backups,
    make_backup,
    make_daily_backup,
    prune,
)
from tui.storage.restore import Restoration
from tui.storage.store import JsonStore


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "ctroom"


def _contents(directory: Path) -> dict[str, bytes]:
    """Every file of the data, by its name."""
    paths = [*directory.glob("*.json"), *directory.glob("conversations/*"), *directory.glob("ledger/*")]
    return {str(path.relative_to(directory)): path.read_bytes() for path in paths}


async def _fill(store: JsonStore) -> None:
    await store.transaction(add_pool("openai"))
    for number in range(3):
        await store.save_messages(f"c{number}", [message(1)])
    await store.transaction(lambda state: [state.ledger.insert(ledger_row(n)) for n in range(250)])
    await store.archive_ledger()


async def test_the_first_commit_of_a_day_makes_a_backup(home: Path) -> None:
    async with opened(home) as store:
        await store.transaction(add_pool("openai"))
        await store.refresh()
        assert [backup.name for backup in list_backups(home)] == ["2026-11-23"]
        await store.transaction(add_pool("google"))
        await store.refresh()

        contents = inspect_backup(home, "2026-11-23")
        assert contents.pools == (Pool("openai"),)
        assert contents.sequence == 1


async def test_a_failed_backup_does_not_fail_the_transaction(home: Path) -> None:
    async with opened(home) as store:
        (home / "backups").write_text("in the way")
        await store.transaction(add_pool("openai"))
        assert pool_names(store.view) == ["openai"]


async def test_a_backup_shares_nothing_with_the_files_in_use(home: Path) -> None:
    async with opened(home) as store:
        await _fill(store)
        make_backup(home, "2026-11-30")
    backup = home / "backups" / "2026-11-30"
    before = _contents(backup)
    for name in before:
        assert (home / name).stat().st_ino != (backup / name).stat().st_ino
        assert mode(backup / name) == 0o600
        with (home / name).open("r+b") as file:  # as an editor would, in place
            file.write(b"scribble")

    assert _contents(backup) == before
    assert mode(backup) == 0o700


async def test_a_day_costs_only_what_changed_in_it(home: Path) -> None:
    async with opened(home) as store:
        await _fill(store)
        make_backup(home, "2026-11-29")
        await store.save_messages("c0", [message(2)])
        make_backup(home, "2026-11-30")

    first, second = (home / "backups" / name / "conversations" for name in ("2026-11-29", "2026-11-30"))
    shared = {name: (first / name).stat().st_ino == (second / name).stat().st_ino for name in names(second)}
    assert shared == {"c0.json": False, "c1.json": True, "c2.json": True}


async def test_the_last_seven_days_are_kept(home: Path) -> None:
    async with opened(home) as store:
        await store.transaction(add_pool("openai"))
    make_backup(home, "before-migration-20260101T000000000000Z")
    for day in range(1, 11):
        assert make_daily_backup(home, DAY + timedelta(days=day))
        assert not make_daily_backup(home, DAY + timedelta(days=day))

    assert {backup.name for backup in list_backups(home)} == {
        "before-migration-20260101T000000000000Z",
        *((date(2026, 11, 27) + timedelta(days=n)).isoformat() for n in range(7)),
    }
    assert not [name for name in names(home / "backups") if name.startswith(".")]


@pytest.mark.parametrize("kind", ["migration", "restore"])
async def test_the_newest_five_before_migrations_and_before_restores_are_kept(home: Path, kind: str) -> None:
    async with opened(home) as store:
        await store.transaction(add_pool("openai"))
    made = [f"before-{kind}-2026010{number}T000000000000Z" for number in range(1, 9)]
    for name in made:
        assert make_backup(home, name)

    prune(home, keep=made[0])

    assert {backup.name for backup in list_backups(home)} == {"2026-11-23", made[0], *made[-5:]}


async def test_a_backup_while_another_process_archives_holds_every_row(home: Path) -> None:
    async with opened(home) as store:
        await _fill(store)
        rows = [row for month in await store.ledger_months() for row in await store.load_ledger(month)]
        await store.transaction(lambda state: [state.ledger.insert(ledger_row(n)) for n in range(250, 300)])

        class ArchivingFiles(FaultyFiles):
            """Archives between the copy of the state and that of the ledger."""

            archived = False

            def replace(self, source: Path, target: Path) -> None:
                super().replace(source, target)
                if target.name == "ctroom.json" and not self.archived:
                    self.archived = True
                    asyncio.run_coroutine_threadsafe(store.archive_ledger(), loop).result(30)

        loop = asyncio.get_running_loop()
        assert await asyncio.to_thread(make_backup, home, "2026-11-30", ArchivingFiles())
        assert len(store.view.ledger) == 200

    async with opened(home / "backups" / "2026-11-30") as copy:
        copied = [row for month in await copy.ledger_months() for row in await copy.load_ledger(month)]
        assert {row.attempt_id for row in copied} == {f"a{number}" for number in range(300)}
    assert len(rows) == 250


async def test_a_backup_that_fails_leaves_nothing(home: Path) -> None:
    async with opened(home) as store:
        await store.transaction(add_pool("openai"))
    files = FaultyFiles()
    files.fail("write", FULL)

    with pytest.raises(StorageError, match="disk is full"):
        make_backup(home, "2026-11-30", files)
    assert names(home / "backups") == ["2026-11-23"]


@pytest.mark.parametrize("name", ["", "..", "../..", "2026-11-31x", "/etc", "before-x"])
def test_only_names_of_backups_are_taken(home: Path, name: str) -> None:
    for attempt in (
        lambda: inspect_backup(home, name),
        lambda: make_backup(home, name),
        lambda: Restoration(home, name, lambda _state, _remains: None, clock),
    ):
        with pytest.raises(StorageError, match="There is no backup"):
            attempt()


def test_where_there_are_none_the_list_is_empty(home: Path) -> None:
    assert list_backups(home) == ()
    with pytest.raises(StorageError, match="There is no backup '2026-11-30'"):
        inspect_backup(home, "2026-11-30")


def test_upkeep_says_in_the_log_what_it_could_not_do(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    files = FaultyFiles()
    files.fail("create", FULL)
    put(home / "ctroom.json", b"{}")

    upkeep.Upkeep(home, clock, files).back_up_daily()

    assert "The disk is full" in caplog.text
