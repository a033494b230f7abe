"""Starts writing processes, listens to them, and kills them.

They are forked from one process that has everything imported, so that a kill costs milliseconds of work and
not a second of imports.
"""

import multiprocessing
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from typing import Any

from tests.crash.journal import Entry

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.crash.worker", "tests.crash.steps"])

KILLED = -9
"""The exit code of a process that was killed."""
PATIENCE = 60.0
"""Seconds to wait for a process that says nothing."""


class Child:
    """A process and what it says.

    Args:
        target: What it runs; its last argument is the pipe to say things by.
        arguments: The others.
    """

    def __init__(self, target: Callable[..., None], *arguments: Any) -> None:
        self._reader, writer = _CONTEXT.Pipe(duplex=False)
        self._process = _CONTEXT.Process(target=target, args=(*arguments, writer), daemon=True)
        self._process.start()
        writer.close()

    @property
    def reader(self) -> "Connection[Any, Any]":
        """Where its entries come from."""
        return self._reader

    @property
    def exit_code(self) -> int | None:
        """Negative: the signal that killed it. None while it runs."""
        return self._process.exitcode

    def kill(self) -> None:
        """`kill -9`."""
        self._process.kill()

    def heard(self) -> list[Entry]:
        """What it has said since the last look."""
        entries = []
        with suppress(EOFError):
            while self._reader.poll():
                entries.append(Entry.decode(self._reader.recv_bytes()))
        return entries

    def last_words(self) -> list[Entry]:
        """What it said until its end, which must come soon."""
        entries = []
        with suppress(EOFError):
            while self._reader.poll(PATIENCE):
                entries.append(Entry.decode(self._reader.recv_bytes()))
        self._process.join(PATIENCE)
        assert self._process.exitcode is not None, "a process does not end"
        self._reader.close()
        return entries


def listen(children: Iterable[Child], seconds: float) -> list[Entry]:
    """What processes say within some seconds; their pipes never fill."""
    entries: list[Entry] = []
    by_reader = {child.reader: child for child in children}
    deadline = time.monotonic() + seconds
    while ready := wait(list(by_reader), max(0.0, deadline - time.monotonic())):
        for reader in ready:
            heard = by_reader[reader].heard()  # type: ignore[index]
            if not heard:  # it has ended
                del by_reader[reader]  # type: ignore[arg-type]
            entries += heard
    return entries
