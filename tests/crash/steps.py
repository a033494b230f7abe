"""A file layer that kills its process at a chosen step, and the operations that are killed so."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from multiprocessing.connection import Connection
from pathlib import Path

from tests.crash.journal import Act, Entry
from tests.crash.sabotage import Sabotage, sabotage
from tests.crash.worker import Order, Session, archiving_often
from tui.core.quota import KeySource
from tui.services.restoring import bring_forward
from tui.storage.backup import make_backup
from tui.storage.files import FileLayer
from tui.storage.restore import Restoration
from tui.storage.store import JsonStore

BACKUP = date(2026, 1, 31).isoformat()
"""The name of the backup that is restored."""
NEW_BACKUP = date(2026, 2, 1).isoformat()
"""The name of the one that is made."""
CONVERSATION = "talked-in"


class UnsyncedFiles(FileLayer):
    """The system's files without waiting for the medium, which a killed process's writes reach anyway."""

    def fsync(self, descriptor: int) -> None:
        pass


FILES = UnsyncedFiles()


class DyingFiles(UnsyncedFiles):
    """Says each step that is done, and dies at one.

    Args:
        home: The data directory.
        fatal: The number of the step to die at, from 1.
        reached: Told the name of each step.
    """

    def __init__(self, home: Path, fatal: int, reached: Callable[[str], None]) -> None:
        self._home = home
        self._left = fatal
        self._reached = reached
        self._armed = False
        self._open: dict[int, Path] = {}

    def arm(self) -> None:
        """Begin to count."""
        self._armed = True
        self._did("nothing", self._home)

    def open(self, path: Path, flags: int, mode: int = 0o600) -> int:
        descriptor = super().open(path, flags, mode)
        if flags & os.O_CREAT:
            self._open[descriptor] = path
            self._did("created", path)
        return descriptor

    def write(self, descriptor: int, data: bytes) -> None:
        path = self._open[descriptor]
        half = len(data) // 2
        super().write(descriptor, data[:half])
        self._did("half written", path)
        super().write(descriptor, data[half:])
        self._did("written", path)

    def fsync(self, descriptor: int) -> None:
        super().fsync(descriptor)
        if path := self._open.get(descriptor):
            self._did("synced", path)

    def replace(self, source: Path, target: Path) -> None:
        super().replace(source, target)
        self._did("replaced", target)

    def unlink(self, path: Path) -> None:
        super().unlink(path)
        self._did("removed", path)

    def fsync_directory(self, directory: Path) -> None:
        super().fsync_directory(directory)
        self._did("directory synced", directory)

    def _did(self, what: str, path: Path) -> None:
        if not self._armed:
            return
        name = (
            path.relative_to(self._home).as_posix().replace("/.", "/").removeprefix(".").removesuffix(".tmp")
        )
        self._reached(f"{name or 'home'} {what}")
        self._left -= 1
        if not self._left:
            os.kill(os.getpid(), signal.SIGKILL)


Begin = Callable[[], Awaitable[object]]
"""Called where the operation itself begins; what was before it is not died in."""


async def admit(session: Session, begin: Begin) -> None:
    """A hold."""
    await begin()
    await session.admit(KeySource.DEFAULT, "openai")


async def settle(session: Session, begin: Begin) -> None:
    """The reply, then its charge."""
    hold = await session.admit(KeySource.DEFAULT, "openai")
    await session.checkpoint(hold, 1)
    await begin()
    await session.save(CONVERSATION, hold.attempt.turn_id, 1)
    await session.settle(hold, 1)


async def sweep(session: Session, begin: Begin) -> None:
    """Recovery's charge."""
    await session.admit(KeySource.DEFAULT, "google")
    await begin()
    await session.sweep()


async def settle_late(session: Session, begin: Begin) -> None:
    """A charge after recovery's."""
    hold = await session.admit(KeySource.DEFAULT, "google")
    await session.sweep()
    await begin()
    await session.settle(hold, 2)


async def release(session: Session, begin: Begin) -> None:
    """The end of a hold without a charge."""
    hold = await session.admit(KeySource.DEFAULT, "openai")
    await begin()
    await session.release(hold)


async def buy(session: Session, begin: Begin) -> None:
    """A top-up."""
    await begin()
    await session.buy()


async def begin_conversation(session: Session, begin: Begin) -> None:
    """The first message of a conversation, and a second version of it."""
    await begin()
    await session.save("begun", "first-message", 1)
    await session.save("begun", "first-message", 2)


async def archive(session: Session, begin: Begin) -> None:
    """Ledger rows move to their month's file."""
    await begin()
    await session.store.archive_ledger()


Operation = Callable[[Session, Begin], Awaitable[None]]
OPERATIONS: dict[str, Operation] = {
    work.__name__: work
    for work in (admit, settle, sweep, settle_late, release, buy, begin_conversation, archive)
}


def run_operation(home: Path, operation: str, sabotaged: Sabotage, fatal: int, pipe: Connection) -> None:
    """The life of a process that dies at a step of an operation."""
    sabotage(sabotaged)

    def say(entry: Entry) -> None:
        pipe.send_bytes(entry.encode())

    async def work() -> None:
        files = DyingFiles(home, fatal, lambda name: say(Entry(Act.REACHED, name)))
        store = await JsonStore.open(home, lambda: datetime.now(UTC), files)
        session = Session(store, say, Order(home, "ann", fatal, (CONVERSATION,)))

        async def begin() -> None:
            await store.refresh()  # what follows a commit, unasked for, is done by then
            files.arm()

        await OPERATIONS[operation](session, begin)
        await store.aclose()

    with archiving_often():
        asyncio.run(work())


def run_backup(home: Path, fatal: int, pipe: Connection) -> None:
    """The life of a process that dies while it makes a backup."""
    _with_dying_files(home, fatal, pipe, lambda files: make_backup(home, NEW_BACKUP, files))


def run_restore(home: Path, fatal: int, pipe: Connection) -> None:
    """The life of a process that dies while it goes back to one."""
    _with_dying_files(home, fatal, pipe, lambda files: restore(home, files))


def restore(home: Path, files: FileLayer) -> None:
    """Go back to `BACKUP`."""
    Restoration(home, BACKUP, bring_forward, lambda: datetime.now(UTC), files).run()


def _with_dying_files(home: Path, fatal: int, pipe: Connection, work: Callable[[FileLayer], object]) -> None:
    files = DyingFiles(home, fatal, lambda name: pipe.send_bytes(Entry(Act.REACHED, name).encode()))
    files.arm()
    work(files)
