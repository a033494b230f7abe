"""What goes wrong around a commit: a lock that is held, a disk that does not sync, work given up."""

import asyncio
import errno
import os
import stat
import threading
from pathlib import Path

import pytest

from tests.unit.storage.support import FaultyFiles, add_pool, opened, pool_names
from tui.core.errors import StorageError, StorageErrorKind
from tui.storage import lock
from tui.storage.files import FileLayer
from tui.storage.lock import ProcessLock


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "ctroom"


class SyncedFiles(FileLayer):
    """The system's files, with the books of those that were synced and those that could not be."""

    def __init__(self) -> None:
        self.failing = False
        self.failed: set[int] = set()
        self.synced: set[int] = set()
        self._kept_open: list[int] = []

    def fsync(self, descriptor: int) -> None:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            super().fsync(descriptor)
            return
        if self.failing:
            self.failed.add(status.st_ino)
            self._kept_open.append(os.dup(descriptor))  # so that its number is not given to another
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        super().fsync(descriptor)
        self.synced.add(status.st_ino)

    def release(self) -> None:
        for descriptor in self._kept_open:
            os.close(descriptor)


async def test_a_transaction_given_up_while_others_hold_the_lock_is_not_done(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = threading.Event()
    wait = lock._Waiter.wait

    def noticed(waiter: lock._Waiter, seconds: float, path: Path) -> int:
        waits.set()
        return wait(waiter, seconds, path)

    async with opened(home) as store:
        await store.transaction(add_pool("first"))
        with ProcessLock(home / "ctroom.lock").held():
            monkeypatch.setattr(lock._Waiter, "wait", noticed)
            second = asyncio.ensure_future(store.transaction(add_pool("second")))
            await asyncio.to_thread(waits.wait, 30)
            second.cancel()
            await asyncio.gather(second, return_exceptions=True)

        await store.transaction(add_pool("third"))
        assert pool_names(store.view) == ["first", "third"]


async def test_a_save_that_the_disk_does_not_confirm_is_told_and_seen(home: Path) -> None:
    files = FaultyFiles()
    async with opened(home, files) as store:
        await store.transaction(add_pool("first"))
        files.fail("fsync_directory", errno.EIO)
        with pytest.raises(StorageError, match="did not confirm it") as caught:
            await store.transaction(add_pool("second"))
        assert caught.value.kind is StorageErrorKind.UNWRITABLE
        files.heal()
        await store.refresh()
        assert pool_names(store.view) == ["first", "second"]
        await store.transaction(add_pool("third"))

        assert pool_names(store.view) == ["first", "second", "third"]


async def test_after_a_failed_sync_another_file_is_written_and_synced(home: Path) -> None:
    files = SyncedFiles()
    async with opened(home, files) as store:
        await store.transaction(add_pool("first"))
        files.failing = True
        with pytest.raises(StorageError, match="could not be saved"):
            await store.transaction(add_pool("second"))
        files.failing = False
        await store.transaction(add_pool("third"))

        assert pool_names(store.view) == ["first", "third"]
        assert files.failed
        assert not files.failed & files.synced
    files.release()


async def test_what_goes_wrong_after_a_commit_costs_nobody_the_acknowledgement(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*_: object) -> None:
        raise RuntimeError("not the transaction's fault")

    async with opened(home) as store:
        monkeypatch.setattr(store._engine._upkeep, "after_commit", break_down)
        assert await store.transaction(add_pool("first")) == 1
        assert await store.transaction(add_pool("second")) == 2
        monkeypatch.undo()
        await store.transaction(add_pool("third"))

        assert pool_names(store.view) == ["first", "second", "third"]
