"""The one thread on which a store works, and the queue in front of it."""

import asyncio
import atexit
import contextlib
import queue
import threading
import weakref
from collections.abc import Callable, Sequence
from enum import Enum, auto
from typing import Any, Generic, TypeVar

from tui.core.errors import StorageError, StorageErrorKind

T = TypeVar("T")

MOST_AT_ONCE = 512
"""Jobs in a batch: enough that 50 sessions commit together, few enough that a batch takes milliseconds."""
EXIT_PATIENCE = 5.0
"""Seconds that the interpreter's exit waits for what is queued."""


class JobKind(Enum):
    """What a job needs."""

    READ = auto()
    """Runs alone, without the lock between processes."""
    CHANGE = auto()
    """A transaction; those that wait together are committed together."""
    SAVE = auto()
    """Messages of a conversation; those that wait together are written together."""
    EXCLUSIVE = auto()
    """Runs alone, under the lock."""


class Job(Generic[T]):
    """A piece of work and whoever waits for it.

    Args:
        kind: What it needs.
        work: What is done, on the writer thread.
        subject: What it is about (a conversation's id), where jobs are merged by it.
    """

    def __init__(self, kind: JobKind, work: Callable[..., T], subject: str = "") -> None:
        self.kind = kind
        self.work = work
        self.subject = subject
        self._loop = asyncio.get_running_loop()
        self._answer: asyncio.Future[T] = self._loop.create_future()

    @property
    def abandoned(self) -> bool:
        """Whether whoever waited was cancelled: a job that has not begun need not be done."""
        return self._answer.cancelled()

    def succeed(self, result: T) -> None:
        """Hand over the result."""
        self._deliver(lambda: self._answer.set_result(result))

    def fail(self, error: BaseException) -> None:
        """Hand over the failure."""
        if isinstance(error, StopIteration):  # a future refuses it, and whoever waits would wait for ever
            error = RuntimeError(f"The work raised {error!r}")
        self._deliver(lambda: self._answer.set_exception(error))

    async def wait(self) -> T:
        """The result, once it is there."""
        return await self._answer

    def _deliver(self, settle: Callable[[], None]) -> None:
        def unless_cancelled() -> None:
            if not self._answer.done():
                settle()

        # The loop may be closed by now: then nobody waits.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(unless_cancelled)


class Writer:
    """Runs jobs in the order of their coming, in batches of those that wait together.

    The thread is a daemon, so that a hanging disk never holds up the exit; what is queued at the exit is
    finished within `EXIT_PATIENCE`.

    Args:
        handle: Does a batch; must deliver to every job.
    """

    def __init__(self, handle: Callable[[Sequence[Job[Any]]], None]) -> None:
        self._handle = handle
        self._queue: queue.SimpleQueue[Job[Any] | None] = queue.SimpleQueue()
        self._mutex = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._at_exit = _finish_at_exit(self)

    def submit(self, job: Job[Any]) -> None:
        """Queue a job.

        Raises:
            StorageError: The store was closed.
        """
        with self._mutex:
            if self._closed:
                raise StorageError(
                    StorageErrorKind.UNWRITABLE,
                    "Ctroom is closing, so nothing more can be saved: start it again.",
                )
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="ctroom-store", daemon=True)
                self._thread.start()
            self._queue.put(job)

    def close(self, patience: float) -> bool:
        """Finish what is queued, and end the thread; False if that took longer than `patience` seconds."""
        with self._mutex:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
                atexit.unregister(self._at_exit)
            thread = self._thread
        if thread is None:
            return True
        thread.join(patience)
        return not thread.is_alive()

    def _run(self) -> None:
        while batch := self._next_batch():
            jobs = [job for job in batch if job is not None]
            if wanted := [job for job in jobs if not job.abandoned]:
                self._handle_safely(wanted)
            if len(jobs) < len(batch):
                return
            del batch, jobs, wanted

    def _next_batch(self) -> list[Job[Any] | None]:
        batch = [self._queue.get()]
        with contextlib.suppress(queue.Empty):
            while len(batch) < MOST_AT_ONCE and batch[-1] is not None:
                batch.append(self._queue.get_nowait())
        return batch

    def _handle_safely(self, jobs: Sequence[Job[Any]]) -> None:
        try:
            self._handle(jobs)
        except BaseException as error:  # noqa: BLE001  # whoever waits must hear of it, and the thread must live
            for job in jobs:
                job.fail(error)


def _finish_at_exit(writer: Writer) -> Callable[[], None]:
    reference = weakref.ref(writer)

    def finish() -> None:
        if there := reference():
            there.close(EXIT_PATIENCE)

    atexit.register(finish)
    return finish
