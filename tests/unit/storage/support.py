"""What the tests of storage share: a clock, sample records, and file layers that fail on purpose."""

import errno
import os
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from tui.core.chat import Message, Role
from tui.core.ports import State
from tui.core.quota import KeySource, LedgerRow, Pool, RowKind
from tui.core.usage import Provenance
from tui.storage.files import SYSTEM_FILES, FileLayer
from tui.storage.store import JsonStore

NOW = datetime(2026, 11, 23, 22, 0, tzinfo=UTC)
DAY = date(2026, 11, 23)


def clock() -> datetime:
    return NOW


@asynccontextmanager
async def opened(home: Path, files: FileLayer = SYSTEM_FILES) -> AsyncIterator[JsonStore]:
    """A store that is closed at the end."""
    store = await JsonStore.open(home, clock, files)
    try:
        yield store
    finally:
        await store.aclose()


def message(number: int, text: str = "Hello") -> Message:
    return Message(f"m{number}", Role.USER, text, NOW + timedelta(seconds=number))


def ledger_row(number: int, day: date = DAY, kind: RowKind = RowKind.TURN) -> LedgerRow:
    return LedgerRow(
        attempt_id=f"a{number}",
        turn_id=f"t{number}",
        kind=kind,
        at=NOW + timedelta(seconds=number),
        date=day,
        user="local",
        provider="openai",
        model="gpt-5.1",
        key_source=KeySource.DEFAULT,
        input=100,
        output=20,
        cached_input=0,
        reasoning=0,
        tokens=120,
        provenance=Provenance.REPORTED,
    )


def add_pool(name: str) -> "AddPool":
    return AddPool(name)


@dataclass(frozen=True)
class AddPool:
    """A transaction that adds a pool."""

    name: str

    def __call__(self, state: State) -> int:
        return state.quotas.insert(Pool(self.name))


def pool_names(state: State) -> list[str]:
    return [pool.provider for _, pool in state.quotas]


@dataclass
class FaultyFiles(FileLayer):
    """The system's files, but for the calls that are told to fail."""

    failing: dict[str, int] = field(default_factory=dict)
    """The errno that each named call fails with."""

    def fail(self, call: str, number: int) -> None:
        self.failing[call] = number

    def heal(self) -> None:
        self.failing.clear()

    def _check(self, call: str) -> None:
        if number := self.failing.get(call):
            raise OSError(number, os.strerror(number))

    def open(self, path: Path, flags: int, mode: int = 0o600) -> int:
        self._check("create" if flags & os.O_CREAT else "open")
        return super().open(path, flags, mode)

    def write(self, descriptor: int, data: bytes) -> None:
        if self.failing.get("write"):
            super().write(descriptor, data[: len(data) // 2])
        self._check("write")
        super().write(descriptor, data)

    def fsync(self, descriptor: int) -> None:
        self._check("fsync")
        super().fsync(descriptor)

    def replace(self, source: Path, target: Path) -> None:
        self._check("replace")
        super().replace(source, target)

    def unlink(self, path: Path) -> None:
        self._check("unlink")
        super().unlink(path)

    def fsync_directory(self, directory: Path) -> None:
        self._check("fsync_directory")
        super().fsync_directory(directory)


class GatedFiles(FileLayer):
    """The system's files, with a gate before each commit: closed, it holds the writer thread there."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.arrived = threading.Event()
        self.replaced = 0
        self.error = 0

    def replace(self, source: Path, target: Path) -> None:
        if target.name != "ctroom.json" or "backups" in target.parts:
            super().replace(source, target)
            return
        self.arrived.set()
        assert self.gate.wait(30)
        if self.error:
            raise OSError(self.error, os.strerror(self.error))
        self.replaced += 1
        super().replace(source, target)


FULL = errno.ENOSPC


def mode(path: Path) -> int:
    """The permissions of a file or directory."""
    return path.stat().st_mode & 0o777


def put(path: Path, content: bytes) -> None:
    """Write a file, its directory included."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def names(directory: Path) -> list[str]:
    """The names in a directory."""
    return sorted(path.name for path in directory.iterdir())
