"""Transactions: atomic, isolated, durable before they are acknowledged, seen by whoever subscribed."""

import asyncio
import json
import os
import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tinydb import TinyDB

from tests.unit.storage.support import (
    FULL,
    NOW,
    FaultyFiles,
    GatedFiles,
    add_pool,
    clock,
    mode,
    names,
    opened,
    pool_names,
    put,
)
from tui.core.errors import StorageError, StorageErrorKind
from tui.core.ports import State
from tui.core.quota import Pool
from tui.core.records import Meta
from tui.storage.lock import ProcessLock
from tui.storage.store import JsonStore


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "ctroom"


@pytest.fixture
def linked(home: Path, tmp_path: Path) -> Path:
    (tmp_path / "real").mkdir()
    home.symlink_to(tmp_path / "real")
    return home


def _is_link(path: Path) -> bool:
    return path.is_symlink()


def _problem(store: JsonStore) -> StorageErrorKind | None:
    return store.problem.kind if store.problem else None


def _modes(home: Path) -> dict[str, set[int]]:
    everything = [home, *home.rglob("*")]
    return {
        "directory": {mode(path) for path in everything if path.is_dir()},
        "file": {mode(path) for path in everything if path.is_file()},
    }


def _loosen(home: Path) -> None:
    home.chmod(0o755)
    (home / "backups").chmod(0o755)
    (home / "ctroom.json").chmod(0o644)


def _plain(home: Path) -> dict[str, list[dict[str, Any]]]:
    """The state as plain TinyDB reads it."""
    with TinyDB(home / "ctroom.json", access_mode="r") as database:
        return {name: [dict(document) for document in database.table(name)] for name in database.tables()}


async def test_a_new_store_is_empty_and_writes_nothing_until_it_is_changed(home: Path) -> None:
    async with opened(home) as store:
        assert store.view.meta.get(1) == Meta(created_at=NOW)
        assert len(store.view.user_settings) == 0
        assert names(home) == []


async def test_what_a_transaction_did_is_on_disk_and_in_the_view(home: Path) -> None:
    async with opened(home) as store:
        assert await store.transaction(add_pool("openai")) == 1
        assert await store.transaction(add_pool("google")) == 2
        await store.transaction(lambda state: state.quotas.replace(1, Pool("openai", used=5)))
        await store.transaction(lambda state: state.quotas.remove(2))

        assert list(store.view.quotas) == [(1, Pool("openai", used=5))]
        assert [pool["used"] for pool in _plain(home)["quotas"]] == [5]
        assert store.view.meta.get(1) == Meta(sequence=4, created_at=NOW)

    async with opened(home) as again:
        assert list(again.view.quotas) == [(1, Pool("openai", used=5))]


async def test_plain_tinydb_reads_the_file_after_each_transaction_and_it_is_one_dump(home: Path) -> None:
    async with opened(home) as store:
        for number in range(10):
            await store.transaction(add_pool(f"p{number}"))
            assert [pool["provider"] for pool in _plain(home)["quotas"]] == pool_names(store.view)
            content = (home / "ctroom.json").read_bytes()
            assert content == json.dumps(json.loads(content)).encode("ascii")


async def test_a_transaction_that_raises_changes_nothing(home: Path) -> None:
    def fail(state: State) -> None:
        state.quotas.insert(Pool("google"))
        state.quotas.replace(1, Pool("openai", used=99))
        raise LookupError("no")

    async with opened(home) as store:
        await store.transaction(add_pool("openai"))
        before = (home / "ctroom.json").read_bytes()

        with pytest.raises(LookupError, match="no"):
            await store.transaction(fail)

        assert (home / "ctroom.json").read_bytes() == before
        assert list(store.view.quotas) == [(1, Pool("openai"))]


async def test_a_transaction_that_changes_nothing_writes_nothing(home: Path) -> None:
    files = GatedFiles()
    async with opened(home, files) as store:
        await store.transaction(add_pool("openai"))
        written = files.replaced

        assert await store.transaction(pool_names) == ["openai"]
        assert files.replaced == written


async def test_transactions_that_wait_together_are_committed_together_and_fail_alone(home: Path) -> None:
    def fail(state: State) -> None:
        state.quotas.insert(Pool("never"))
        raise LookupError("mine alone")

    files = GatedFiles()
    async with opened(home, files) as store:
        await store.transaction(add_pool("warm"))
        files.gate.clear()
        files.arrived.clear()
        first = asyncio.ensure_future(store.transaction(add_pool("first")))
        await asyncio.to_thread(files.arrived.wait, 30)
        waiting = [asyncio.ensure_future(store.transaction(add_pool(f"p{n}"))) for n in range(20)]
        waiting.insert(7, asyncio.ensure_future(store.transaction(fail)))  # type: ignore[arg-type]
        await asyncio.sleep(0)
        before = files.replaced
        files.gate.set()
        results = await asyncio.gather(first, *waiting, return_exceptions=True)

        assert files.replaced - before == 2
        assert isinstance(results.pop(8), LookupError)
        assert results == list(range(2, 23))
        assert "never" not in pool_names(store.view)
        meta = store.view.meta.get(1)
        assert meta
        assert meta.sequence == 22


async def test_nobody_is_acknowledged_before_the_disk_has_it(home: Path) -> None:
    files = GatedFiles()
    async with opened(home, files) as store:
        files.gate.clear()
        pending = asyncio.ensure_future(store.transaction(add_pool("openai")))
        await asyncio.to_thread(files.arrived.wait, 30)

        assert not pending.done()
        assert pool_names(store.view) == []
        files.gate.set()
        assert await pending == 1


async def test_if_the_commit_fails_everybody_in_it_fails_and_nothing_stays(home: Path) -> None:
    files = GatedFiles()
    async with opened(home, files) as store:
        await store.transaction(add_pool("kept"))
        files.gate.clear()
        files.arrived.clear()
        first = asyncio.ensure_future(store.transaction(add_pool("first")))
        await asyncio.to_thread(files.arrived.wait, 30)
        waiting = [asyncio.ensure_future(store.transaction(add_pool(f"p{n}"))) for n in range(5)]
        await asyncio.sleep(0)
        files.error = FULL
        files.gate.set()
        results = await asyncio.gather(first, *waiting, return_exceptions=True)

        assert [type(result) for result in results] == [StorageError] * 6
        assert pool_names(store.view) == ["kept"]
        files.error = 0
        assert await store.transaction(add_pool("later")) == 2


async def test_a_full_disk_is_told_and_saving_resumes(home: Path) -> None:
    files = FaultyFiles()
    async with opened(home, files) as store:
        await store.transaction(add_pool("openai"))
        files.fail("write", FULL)
        with pytest.raises(StorageError, match="disk is full") as caught:
            await store.transaction(add_pool("google"))
        assert caught.value.kind is StorageErrorKind.FULL
        assert pool_names(store.view) == ["openai"]

        files.heal()
        await store.transaction(add_pool("google"))
        assert pool_names(store.view) == ["openai", "google"]


async def test_a_record_that_could_not_be_read_again_fails_its_own_transaction(home: Path) -> None:
    async with opened(home) as store:
        with pytest.raises(ValueError, match="'used'"):
            await store.transaction(lambda state: state.quotas.insert(Pool("openai", used=1.5)))  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="Meta is not a Pool"):
            await store.transaction(lambda state: state.quotas.insert(Meta()))  # type: ignore[arg-type]
        assert pool_names(store.view) == []


async def test_a_view_never_changes_and_can_not_be_changed(home: Path) -> None:
    async with opened(home) as store:
        await store.transaction(add_pool("openai"))
        view = store.view
        await store.transaction(lambda state: state.quotas.replace(1, Pool("openai", used=5)))

        assert view.quotas.get(1) == Pool("openai")
        for change in (
            lambda: view.quotas.insert(Pool("x")),
            lambda: view.quotas.replace(1, Pool("x")),
            lambda: view.quotas.remove(1),
        ):
            with pytest.raises(TypeError, match="use a transaction"):
                change()


async def test_the_state_of_a_transaction_is_of_no_use_after_it(home: Path) -> None:
    async with opened(home) as store:
        state = await store.transaction(lambda state: state)
        with pytest.raises(TypeError, match="is over"):
            state.quotas.insert(Pool("late"))


async def test_subscribers_hear_of_commits_on_their_own_loop(home: Path) -> None:
    async with opened(home) as store:
        heard = asyncio.Event()
        threads: list[threading.Thread] = []

        def changed() -> None:
            threads.append(threading.current_thread())
            heard.set()

        end = store.subscribe(changed)
        await store.transaction(add_pool("openai"))
        await asyncio.wait_for(heard.wait(), 10)
        assert threads == [threading.current_thread()]

        end()
        await store.transaction(add_pool("google"))
        await store.refresh()
        assert len(threads) == 1


async def test_two_loops_use_one_store(home: Path) -> None:
    async with opened(home) as store:

        async def elsewhere() -> int:
            heard = asyncio.Event()
            store.subscribe(heard.set)
            doc_id = await store.transaction(add_pool("elsewhere"))
            await asyncio.wait_for(heard.wait(), 10)
            return doc_id

        result = await asyncio.to_thread(asyncio.run, elsewhere())
        await store.transaction(add_pool("here"))  # the other loop's subscription is of no concern

        assert store.view.quotas.get(result) == Pool("elsewhere")
        assert pool_names(store.view) == ["elsewhere", "here"]


async def test_other_stores_changes_are_taken_over(home: Path) -> None:
    async with opened(home) as ours, opened(home) as theirs:
        await ours.transaction(add_pool("ours"))
        await theirs.transaction(add_pool("theirs"))
        assert pool_names(theirs.view) == ["ours", "theirs"]

        assert await ours.refresh()
        assert pool_names(ours.view) == ["ours", "theirs"]
        assert not await ours.refresh()


async def test_polling_tells_subscribers_of_other_stores_changes(home: Path) -> None:
    async with opened(home) as ours, opened(home) as theirs:
        heard = asyncio.Event()
        ours.subscribe(heard.set)
        polling = asyncio.ensure_future(ours.poll(0.01))
        await theirs.transaction(add_pool("theirs"))
        await asyncio.wait_for(heard.wait(), 10)
        assert pool_names(ours.view) == ["theirs"]

        await ours.aclose()
        await asyncio.wait_for(polling, 10)


async def test_a_failed_refresh_keeps_the_view_and_says_so(home: Path) -> None:
    async with opened(home) as store:
        await store.transaction(add_pool("openai"))
        good = (home / "ctroom.json").read_bytes()
        (home / "ctroom.json").write_bytes(b"{")
        with pytest.raises(StorageError):
            await store.refresh()
        assert _problem(store) is StorageErrorKind.CORRUPT
        assert pool_names(store.view) == ["openai"]
        with pytest.raises(StorageError):
            await store.transaction(add_pool("google"))
        assert (home / "ctroom.json").read_bytes() == b"{"

        (home / "ctroom.json").write_bytes(good)
        await store.refresh()
        assert _problem(store) is None
        await store.transaction(add_pool("google"))


async def test_a_cancelled_transaction_that_has_not_begun_is_not_done(home: Path) -> None:
    files = GatedFiles()
    async with opened(home, files) as store:
        files.gate.clear()
        first = asyncio.ensure_future(store.transaction(add_pool("first")))
        await asyncio.to_thread(files.arrived.wait, 30)
        second = asyncio.ensure_future(store.transaction(add_pool("second")))
        await asyncio.sleep(0)
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)
        files.gate.set()
        await first

        await store.transaction(add_pool("third"))
        assert pool_names(store.view) == ["first", "third"]


async def test_closing_finishes_what_is_queued(home: Path) -> None:
    store = await JsonStore.open(home, clock)
    pending = [asyncio.ensure_future(store.transaction(add_pool(f"p{n}"))) for n in range(30)]
    await asyncio.sleep(0)
    await store.aclose()

    assert await asyncio.gather(*pending) == list(range(1, 31))
    with pytest.raises(StorageError, match="closing"):
        await store.transaction(add_pool("late"))
    await store.aclose()


async def test_a_lock_that_is_never_given_up_is_told(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened(home) as store:
        await store.transaction(add_pool("openai"))
        monkeypatch.setattr(store._engine._state.lock, "patience", 0.05)
        with ProcessLock(home / "ctroom.lock").held():
            with pytest.raises(StorageError, match="Another Ctroom has held") as caught:
                await store.transaction(add_pool("google"))
            assert caught.value.kind is StorageErrorKind.BUSY
            assert not await store.refresh()
        await store.transaction(add_pool("google"))


async def test_an_unknown_field_or_table_outlives_a_change(home: Path) -> None:
    async with opened(home) as store:
        await store.transaction(add_pool("openai"))
    document = json.loads((home / "ctroom.json").read_bytes())
    document["quotas"]["1"]["colour"] = "blue"
    document["hobbies"] = {"1": {"name": "chess"}}
    (home / "ctroom.json").write_text(json.dumps(document))

    async with opened(home) as store:
        await store.transaction(lambda state: state.quotas.replace(1, Pool("openai", used=7)))

    after = json.loads((home / "ctroom.json").read_bytes())
    assert after["quotas"]["1"] == {**document["quotas"]["1"], "used": 7}
    assert after["hobbies"] == {"1": {"name": "chess"}}


async def test_a_wrong_field_is_told_with_file_table_and_field(home: Path) -> None:
    async with opened(home) as store:
        await store.transaction(add_pool("openai"))
    document = json.loads((home / "ctroom.json").read_bytes())
    document["quotas"]["1"]["used"] = "many"
    (home / "ctroom.json").write_text(json.dumps(document))

    with pytest.raises(StorageError) as caught:
        await JsonStore.open(home, clock)
    assert caught.value.kind is StorageErrorKind.CORRUPT
    for word in ("ctroom.json", "'quotas'", "'used'", "'many'"):
        assert word in str(caught.value)


async def test_a_newer_file_is_refused_untouched(home: Path) -> None:
    async with opened(home) as store:
        await store.transaction(add_pool("openai"))
    document = json.loads((home / "ctroom.json").read_bytes())
    document["_meta"]["1"]["schema"] = 999
    document["quotas"]["1"]["used"] = {"shape": "of the future"}
    content = json.dumps(document).encode()
    (home / "ctroom.json").write_bytes(content)

    with pytest.raises(StorageError, match="newer version") as caught:
        await JsonStore.open(home, clock)
    assert caught.value.kind is StorageErrorKind.NEWER
    assert (home / "ctroom.json").read_bytes() == content
    assert not [name for name in names(home) if "corrupt" in name]


@pytest.mark.parametrize("content", [b"{}", b'{"_default": {"1": {"a": 1}}}'])
async def test_a_tinydb_file_that_is_not_ours_is_refused(home: Path, content: bytes) -> None:
    put(home / "ctroom.json", content)

    with pytest.raises(StorageError, match="may not be Ctroom's"):
        await JsonStore.open(home, clock)
    assert (home / "ctroom.json").read_bytes() == content


async def test_a_state_that_is_gone_is_a_loss_and_not_a_new_beginning(home: Path) -> None:
    async with opened(home) as store:
        await store.transaction(add_pool("openai"))
        (home / "ctroom.json").unlink()
        with pytest.raises(StorageError) as caught:
            await store.transaction(add_pool("google"))
        assert caught.value.kind is StorageErrorKind.MISSING

    with pytest.raises(StorageError, match="missing though it was there before"):
        await JsonStore.open(home, clock)
    assert not (home / "ctroom.json").exists()


async def test_directories_and_files_are_private_under_any_umask_and_mended(home: Path) -> None:
    before = os.umask(0)
    try:
        async with opened(home) as store:
            await store.transaction(add_pool("openai"))
    finally:
        os.umask(before)
    assert _modes(home) == {"directory": {0o700}, "file": {0o600}}

    _loosen(home)
    async with opened(home):
        pass
    assert [mode(path) for path in (home, home / "backups", home / "ctroom.json")] == [0o700, 0o700, 0o600]


async def test_a_linked_data_directory_works(linked: Path, tmp_path: Path) -> None:
    async with opened(linked) as store:
        await store.transaction(add_pool("openai"))

    assert _is_link(linked)
    assert "ctroom.json" in names(tmp_path / "real")


async def test_a_file_in_the_directorys_place_is_told(home: Path) -> None:
    put(home, b"not a directory")
    with pytest.raises(StorageError, match="is not a directory"):
        await JsonStore.open(home, clock)


async def test_an_id_is_not_given_twice_and_the_sequence_is_the_stores(home: Path) -> None:
    async with opened(home) as store:
        await store.transaction(add_pool("a"))
        await store.transaction(lambda state: state.quotas.remove(1))
        assert await store.transaction(add_pool("b")) == 2
        moved = datetime(2026, 11, 24, tzinfo=UTC).date()
        await store.transaction(lambda state: _set_latest_day(state, moved))
        meta = store.view.meta.get(1)
        assert meta
        assert (meta.latest_day, meta.sequence) == (moved, 4)


def _set_latest_day(state: State, day: Any) -> None:
    meta = state.meta.get(1)
    assert meta
    state.meta.replace(1, replace(meta, latest_day=day))
