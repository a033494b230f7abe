"""Takes a protection away, in a process that a test started: what the tests must then notice."""

import contextlib
import os
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Any
from unittest.mock import patch

from tui.core.ports import State
from tui.core.quota import Attempt
from tui.services import ledger
from tui.storage import json_storage, lock, upkeep
from tui.storage.files import FileLayer
from tui.storage.rows import Row


class Sabotage(StrEnum):
    """What is taken away."""

    NONE = "nothing"
    LOCK = "the lock between processes"
    EXACTLY_ONCE = "exactly-once settling"
    REPLACE = "the replace in one step"
    MOVE = "the new place first, when ledger rows move"


def sabotage(kind: Sabotage) -> None:
    """Take it away, for the rest of this process."""
    if kind is Sabotage.LOCK:
        patch.object(lock.ProcessLock, "held", lambda self: contextlib.nullcontext()).start()
    elif kind is Sabotage.EXACTLY_ONCE:
        _charge_at_every_call()
    elif kind is Sabotage.REPLACE:
        patch.object(json_storage, "replace_file", _write_in_place).start()
    elif kind is Sabotage.MOVE:
        _remove_before_writing()


def _charge_at_every_call() -> None:
    settle, ended = ledger.settle, dict[str, Attempt]()

    def settle_again(state: State, attempt_id: str, *arguments: Any) -> Any:
        found = state.attempts.find(lambda attempt: attempt.id == attempt_id)
        if found:
            ended[attempt_id] = found[1]
        elif attempt_id in ended:
            state.attempts.insert(ended[attempt_id])
        return settle(state, attempt_id, *arguments)

    patch.object(ledger, "settle", settle_again).start()


def _write_in_place(files: FileLayer, path: Path, pieces: bytes | Iterable[bytes]) -> int:
    """As stock TinyDB does; in small pieces, as an operating system may do it."""
    data = pieces if isinstance(pieces, bytes) else b"".join(pieces)
    descriptor = files.open(path, os.O_CREAT | os.O_RDWR | os.O_TRUNC)
    for start in range(0, len(data), 4096):
        files.write(descriptor, data[start : start + 4096])
    files.fsync(descriptor)
    return descriptor


def _remove_before_writing() -> None:
    archive = upkeep.Upkeep.archive

    def archive_late(self: upkeep.Upkeep, *arguments: Any) -> Any:
        moved: list[list[Row]] = []

        def later(rows: Iterable[Row]) -> None:
            moved.append(list(rows))

        with patch.object(self._archive, "add", later):
            tables = archive(self, *arguments)
        for rows in moved:
            self._archive.add(rows)
        return tables

    patch.object(upkeep.Upkeep, "archive", archive_late).start()
