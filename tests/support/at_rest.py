"""Tells when an app under test has done what it has to do, where Textual's pilot looks at the clock.

The pilot sleeps twice 20 ms after each key, and on until the process used less than 1 ms of processor time in
20 ms: slow where nothing is left to do, and wrong while a thread waits for the disk. The event loop knows.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from textual import app, pilot, screen

from tui.storage.writer import Job, Writer

HORIZON_SECONDS = 0.04
"""A timer that is due this soon belongs to what was begun: a step of an animation, up to two frames away."""
MOST_SECONDS = 5.0
"""What goes on for longer, as a stream does, is not waited for."""
FRAME_SECONDS = 1 / 250
"""How soon a screen repaints what changed; Textual's own 1/60 would be most of the wait for a key."""

_work: set[asyncio.Future[Any]] = set()
"""What threads do for an event loop."""


async def at_rest(min_sleep: float = 0.0, max_sleep: float = MOST_SECONDS) -> None:
    """Wait until nothing is ready to run, no timer is due soon, and no thread works for the loop.

    Args:
        min_sleep: Seconds to wait at least.
        max_sleep: Seconds to wait at most.
    """
    loop: Any = asyncio.get_running_loop()
    began = loop.time()
    looks = 0
    while looks < 2 and (left := began + max_sleep - loop.time()) > 0:
        await asyncio.sleep(0)  # at the second look, the loop has asked its sockets
        soon = min((timer.when() for timer in loop._scheduled if not timer.cancelled()), default=began + 60)
        work = {future for future in _work if future.get_loop() is loop}
        looks += 1
        if loop._ready:
            looks = 0
        elif work:
            looks = 0
            await asyncio.wait(work, timeout=left, return_when=asyncio.FIRST_COMPLETED)
        elif (pause := soon - loop.time()) < HORIZON_SECONDS:
            looks = 0
            await asyncio.sleep(max(0.0, pause))
    await asyncio.sleep(max(0.0, began + min_sleep - loop.time()))


def install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pilots wait by `at_rest`."""
    run_in_executor = asyncio.BaseEventLoop.run_in_executor
    submit = Writer.submit

    def noted(self: asyncio.BaseEventLoop, executor: Any, call: Callable[..., Any], *args: Any) -> Any:
        future = run_in_executor(self, executor, call, *args)
        _note(future)
        return future

    def submitted(self: Writer, job: Job[Any]) -> None:
        submit(self, job)
        _note(job._answer)

    monkeypatch.setattr(asyncio.BaseEventLoop, "run_in_executor", noted)
    monkeypatch.setattr(Writer, "submit", submitted)
    monkeypatch.setattr(screen, "UPDATE_PERIOD", FRAME_SECONDS)
    for module in (app, pilot):
        monkeypatch.setattr(module, "wait_for_idle", at_rest)


def _note(future: asyncio.Future[Any]) -> None:
    _work.add(future)
    future.add_done_callback(_work.discard)
