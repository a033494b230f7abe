"""The screen of a session: drawn at once after a key, and else as the load of all sessions lets it."""

import asyncio
import time

from textual.screen import Screen

from tui.core.pace import Pace
from tui.ssh.paint_queue import PaintQueue

HASTE_SECONDS = 1.5
"""How long after a key everything is drawn at once: with 100 busy sessions it takes up to a second to act."""
OPENING_SECONDS = 2.0
"""The same after the session's beginning."""


class PacedScreen(Screen[None]):
    """A screen that is not drawn more often than the pace says; what changes meanwhile is drawn together.

    Args:
        pace: That of all sessions.
        queue: That of all sessions.
    """

    def __init__(self, pace: Pace, queue: PaintQueue) -> None:
        super().__init__(id="_default")
        self._pace = pace
        self._paint_queue = queue
        self._queued = False
        self._drawn_at = 0.0
        self._hasty_until = time.monotonic() + OPENING_SECONDS
        self._waking: asyncio.TimerHandle | None = None

    def hasten(self) -> None:
        """The user did something: draw what comes of it at once."""
        self._hasty_until = time.monotonic() + HASTE_SECONDS
        if self._waking is not None:
            self._waking.cancel()
            self._wake()
        elif self._queued:
            self._update_timer.resume()

    def _on_timer_update(self) -> None:
        now = time.monotonic()
        if now < self._hasty_until:
            self._draw()
            return
        self._update_timer.pause()
        if self._queued or self._waking is not None:
            return
        wait = self._drawn_at + self._pace.paint_seconds - now
        if wait > 0:
            self._waking = asyncio.get_running_loop().call_later(wait, self._wake)
        else:
            self._queued = True
            self._paint_queue.join(self._called)

    def _called(self) -> None:
        """Draw as the screen's own work: what fails there is the session's, not the server's."""
        if self._running:
            self.call_next(self._draw)

    def _draw(self) -> None:
        self._queued = False
        super()._on_timer_update()
        self._drawn_at = time.monotonic()

    def _wake(self) -> None:
        self._waking = None
        if self._running:
            self._update_timer.resume()
