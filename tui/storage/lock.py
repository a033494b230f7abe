"""The lock between processes that write to one data directory."""

import contextlib
import importlib.util
import os
import threading
from collections.abc import Iterator
from pathlib import Path

from tui.storage.failures import busy, cannot_write

_HAS_FLOCK = importlib.util.find_spec("fcntl") is not None
if _HAS_FLOCK:
    import fcntl

PATIENCE = 10.0
"""Seconds to wait for another process: a transaction takes milliseconds, so that a longer hold is a hang."""


class ProcessLock:
    """An exclusive lock on a file that is never deleted; the system releases it when its holder dies.

    It excludes other processes and other instances in this process. One thread at a time may use an instance.

    Args:
        path: The lock file. It is made where it is missing.
        patience: Seconds to wait.
    """

    def __init__(self, path: Path, patience: float = PATIENCE) -> None:
        self.path = path
        self.patience = patience

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lock.

        Raises:
            StorageError: Another process held it for all of `patience`, or the file can't be made.
        """
        if not _HAS_FLOCK:
            with self._held_portably():
                yield
            return
        descriptor = self._acquire()
        try:
            yield
        finally:
            os.close(descriptor)

    def _acquire(self) -> int:
        while True:
            descriptor = self._open()
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                descriptor = _Waiter(descriptor).wait(self.patience, self.path)
            except OSError as error:
                os.close(descriptor)
                raise cannot_write(self.path, error) from error
            if self._is_current(descriptor):
                return descriptor
            os.close(descriptor)

    def _open(self) -> int:
        try:
            return os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise cannot_write(self.path, error) from error

    def _is_current(self, descriptor: int) -> bool:
        # Someone may have deleted the file: a lock on a nameless one would exclude nobody.
        try:
            there, ours = self.path.stat(), os.fstat(descriptor)
        except FileNotFoundError:
            return False
        return (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)

    @contextlib.contextmanager
    def _held_portably(self) -> Iterator[None]:
        from filelock import FileLock, Timeout

        lock = FileLock(self.path, timeout=self.patience)
        try:
            lock.acquire()
        except Timeout:
            raise busy(self.path, self.patience) from None
        except OSError as error:
            raise cannot_write(self.path, error) from error
        try:
            yield
        finally:
            lock.release()


class _Waiter:
    """A thread that blocks on the lock: waiting costs nothing, and giving up is possible."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._mutex = threading.Lock()
        self._ready = threading.Event()
        self._abandoned = False
        self._error: OSError | None = None

    def wait(self, seconds: float, path: Path) -> int:
        threading.Thread(target=self._block, name="ctroom-lock", daemon=True).start()
        self._ready.wait(seconds)
        with self._mutex:
            if not self._ready.is_set():
                self._abandoned = True
                raise busy(path, seconds)
        if self._error:
            os.close(self._descriptor)
            raise cannot_write(path, self._error)
        return self._descriptor

    def _block(self) -> None:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        except OSError as error:
            self._error = error
        with self._mutex:
            if self._abandoned:
                os.close(self._descriptor)
            else:
                self._ready.set()
