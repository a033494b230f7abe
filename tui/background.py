"""What goes on beside the screen from its first frame on: keys, other processes' changes, the accounts."""

import asyncio
import gc
from collections.abc import Callable, Coroutine
from contextlib import suppress
from contextvars import Context
from typing import Any

from textual.worker import Worker
from textual.worker_manager import WorkerManager

from tui.core.errors import CtroomError
from tui.services.services import Services

SWEEP_SECONDS = 60.0
"""How often dead processes' holds are charged, unsaved replies saved, and midnight noticed."""


class Workers(WorkerManager):
    """An app's workers. One that is cancelled before it began leaves no coroutine behind.

    Python warns of a coroutine that nobody awaited, and keeps what its warning refers to.
    """

    def add_worker(self, worker: "Worker[Any]", start: bool = True, exclusive: bool = True) -> None:
        """Start a worker, and close its coroutine when it is over, however far that came."""
        super().add_worker(worker, start, exclusive)
        if isinstance(worker._work, Coroutine) and worker._task is not None:
            close = worker._work.close
            worker._task.add_done_callback(lambda _: close())


def resume_collector() -> None:
    """Collect garbage from here on, where the start put it off; what the start made is never looked at."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


async def load_keys(services: Services, changed: Callable[[], None]) -> None:
    """Learn which default keys are stored, and tell that the figures may be others."""
    with suppress(CtroomError):
        await services.keys.load()
    changed()


async def follow_store(services: Services, _changed: Callable[[], None]) -> None:
    """Take over what other processes commit; the store tells its subscribers."""
    if not services.remote:  # a server does it once for all its sessions
        await services.poll()


async def keep_accounts(services: Services, changed: Callable[[], None]) -> None:
    """Recover what dead processes left, save what could not be saved, and purge; at once and every minute."""
    from tui.services.purging import purge_expired

    while True:
        with suppress(CtroomError):
            if not services.remote:
                await services.turns.recover()
            await services.turns.save_pending()
        with suppress(CtroomError):
            await purge_expired(services.store, services.library, services.user)
        changed()
        await _pause(SWEEP_SECONDS)


async def _pause(seconds: float) -> None:
    """Sleep. The loop keeps a timer until its time, even a cancelled one: it must not keep the app, too."""
    loop = asyncio.get_running_loop()
    passed = loop.create_future()
    timer = loop.call_later(seconds, passed.set_result, None, context=Context())
    try:
        await passed
    finally:
        timer.cancel()


async def warm_up(services: Services, _changed: Callable[[], None]) -> None:
    """Load what the first turn needs, on a thread: the vocabulary, and the SDK of the chosen provider."""
    with suppress(CtroomError, ImportError):
        await services.turns.warm_up()
