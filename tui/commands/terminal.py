"""The terminal of this process under the app, and how the app ends when the system ends it."""

import asyncio
import os
import select
import signal
import threading
from contextlib import suppress
from types import FrameType
from typing import ClassVar

from textual.app import App
from textual.drivers.linux_driver import LinuxDriver

from tui.skeleton import FirstSight

END_SECONDS = 10.0
"""The longest that an ending takes; what is not settled by then, recovery charges."""

_ALTERNATE_SCREEN = "\x1b[?1049h"
_ENDING = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


class TerminalDriver(LinuxDriver):
    """Textual's driver, but for a terminal that is gone: it writes no more to it, and stops reading it.

    Textual's own spins on the end of input, and blocks the event loop once thirty writes are queued that its
    dead writer thread will never take.
    """

    sight: ClassVar[FirstSight | None] = None
    """The skeleton that stands on the terminal before the first start."""
    _gone = False
    _on_skeleton = False

    def start_application_mode(self) -> None:
        """Begin; on a terminal that shows the skeleton, without clearing it."""
        before = self.sight.hand_over() if self.sight is not None else None
        self._on_skeleton = before is not None
        super().start_application_mode()  # type: ignore[no-untyped-call]
        if before is not None:
            self._on_skeleton = False
            self.attrs_before = before

    def let_go(self) -> None:
        """Give the terminal up. May be called on any thread."""
        self._gone = True
        self.exit_event.set()
        if self._writer_thread is not None:
            threading.Thread(target=self._drop_writes, name="ctroom-drop", daemon=True).start()

    def write(self, data: str) -> None:
        """Write, where there is somebody to read it."""
        if self._on_skeleton and data == _ALTERNATE_SCREEN:
            return  # it is there: to ask for it again would clear it
        if not self._gone:
            super().write(data)

    def close(self) -> None:
        """End the writer thread; one that has no terminal ends with the process."""
        if not self._gone:
            super().close()

    def run_input_thread(self) -> None:
        """Read until the exit; whoever watches the terminal sees that it is gone, where it can't be read."""
        with suppress(OSError):
            super().run_input_thread()

    def _drop_writes(self) -> None:
        """Take what is queued, so that nobody waits for room in the queue."""
        while self._writer_thread is not None:
            self._writer_thread._queue.get()


def driver_over(sight: FirstSight | None) -> type[TerminalDriver]:
    """The driver of a terminal that may show the skeleton.

    Args:
        sight: What the driver takes the terminal over from.
    """
    return type("TerminalDriver", (TerminalDriver,), {"sight": sight})


def end_with_system(app: App[None]) -> None:
    """End the app in order on SIGTERM, SIGHUP and SIGINT, and when its terminal is gone.

    Its exit status is then 128 and the signal's number. From the first signal on, others change nothing: what
    runs is being settled. A process that has not ended after `END_SECONDS` is ended hard. A signal that is
    ignored, as nohup has it, stays ignored. All of it holds to the end of the process.

    Args:
        app: The app, before it runs on this loop.
    """
    ending = _Ending(app, asyncio.get_running_loop())
    for number in _ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            # Not the loop's own handlers: they would wait for a loop that a stalled terminal blocks.
            signal.signal(number, ending.received)
    threading.Thread(target=ending.watch_terminal, name="ctroom-hang-up", daemon=True).start()


class _Ending:
    """The end of the app, which comes once.

    Args:
        app: What ends.
        loop: The loop that it runs on.
    """

    def __init__(self, app: App[None], loop: asyncio.AbstractEventLoop) -> None:
        self._app = app
        self._loop = loop
        self._begun = False

    def received(self, number: int, _frame: FrameType | None) -> None:
        """Take a signal."""
        self._begin(128 + number)

    def watch_terminal(self) -> None:
        """Wait, at no cost, until the terminal is gone; then do without it, and end."""
        terminal = 0
        poll = select.poll()
        poll.register(terminal, 0)
        if not any(state & (select.POLLHUP | select.POLLERR) for _, state in poll.poll()):
            return
        # What the interpreter still flushes at its exit must not fail: that would be the exit status.
        nowhere = os.open(os.devnull, os.O_RDWR)
        for descriptor in range(3):
            os.dup2(nowhere, descriptor)
        if isinstance(self._app._driver, TerminalDriver):
            self._app._driver.let_go()
        self._begin(128 + signal.SIGHUP)

    def _begin(self, status: int) -> None:
        if self._begun:
            return
        self._begun = True
        limit = threading.Timer(END_SECONDS, os._exit, (status,))
        limit.daemon = True
        limit.start()
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._app.exit, None, status)
