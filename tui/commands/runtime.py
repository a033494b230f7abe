"""Builds the services for a process, runs work with them, and turns failures into exit statuses."""

import errno
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tui.core.errors import CtroomError, InvalidValueError, NoUsableKeyError, QuotaRefusedError
from tui.core.text import redact

if TYPE_CHECKING:
    from tui.services.services import Services

DONE, FAILED, USAGE, REFUSED, NO_KEY, INTERRUPTED = 0, 1, 2, 3, 4, 130
"""The exit statuses (design, section 8)."""

_OUTPUT_ERRORS = frozenset({errno.EPIPE, errno.ENOSPC, errno.EIO, errno.EBADF})
"""How writing to standard output fails: its reader is gone, its disk full or broken, or it is closed."""


async def open_services(environ: Mapping[str, str]) -> "Services":
    """The services of the local user on the data directory that the environment names.

    Raises:
        StorageError: The data directory can't be used.
    """
    from tui.core.settings import LOCAL_USER
    from tui.paths import data_directory
    from tui.providers import connect
    from tui.services.build import build
    from tui.storage.secrets import open_secrets
    from tui.storage.store import JsonStore

    store = await JsonStore.open(data_directory(environ), utc_now)
    return build(
        store=store,
        secrets=open_secrets(environ),
        connect=connect,
        clock=utc_now,
        environ=environ,
        user=LOCAL_USER,
    )


def utc_now() -> datetime:
    """The present moment, in UTC."""
    return datetime.now(UTC)


def run(work: "Callable[[Services], Awaitable[int]]") -> int:
    """Run one command's work with services that are closed after it, whatever happens.

    A signal that ends the process (SIGTERM, SIGHUP) ends the work as Ctrl+C does: what runs is stopped and
    charged. What processes that died left open is charged first.

    Returns:
        The exit status; every failure is one sentence on standard error.
    """
    import asyncio

    async def session() -> int:
        task, loop = asyncio.current_task(), asyncio.get_running_loop()
        received: list[signal.Signals] = []

        def stop(number: signal.Signals) -> None:
            if task is not None and not received:
                received.append(number)
                task.cancel()

        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup has it
                loop.add_signal_handler(number, stop, number)
        try:
            return await _with_services(work)
        except asyncio.CancelledError:
            if received:
                return 128 + received[0]
            raise

    return guarded(lambda: asyncio.run(session()))


async def _with_services(work: "Callable[[Services], Awaitable[int]]") -> int:
    services = await open_services(os.environ)
    try:
        await services.keys.load()
        with suppress(CtroomError):  # whatever the work needs of the accounts says so itself
            await services.turns.recover()
        return await work(services)
    finally:
        with _deaf_to_interrupts():
            await services.aclose()


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Let a stopped turn be saved and charged, however often Ctrl+C is pressed."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def guarded(call: Callable[[], int]) -> int:
    """The exit status of a call, with every expected failure said in one sentence."""
    try:
        return call()
    except KeyboardInterrupt:
        say("Interrupted.")
        return INTERRUPTED
    except CtroomError as error:
        say(str(error))
        return status_of(error)
    except Exception as error:  # noqa: BLE001  # a traceback may show a key or a prompt
        if isinstance(error, OSError) and error.filename is None and error.errno in _OUTPUT_ERRORS:
            _drop_output()
            if not isinstance(error, BrokenPipeError):
                say(f"The output could not be written ({os.strerror(error.errno or 0)}).")
            return FAILED
        from tui.crash import record_crash
        from tui.paths import data_directory

        reference = record_crash(error, data_directory(os.environ))
        say(f"Ctroom met an error of its own (reference {reference}): ctroom.log says where.")
        return FAILED


def _drop_output() -> None:
    """Forget what is still buffered for a reader that is gone: it must not be flushed at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def status_of(error: CtroomError) -> int:
    """The exit status that an error stands for."""
    if isinstance(error, QuotaRefusedError):
        return REFUSED
    if isinstance(error, NoUsableKeyError):
        return NO_KEY
    return USAGE if isinstance(error, InvalidValueError) else FAILED


def say(sentence: str) -> None:
    """Write one sentence to standard error, cleared of anything that looks like a key."""
    sys.stderr.write(redact(sentence).rstrip() + "\n")
    sys.stderr.flush()
