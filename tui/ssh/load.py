"""Slows redraws down while the server is busy, so that keys are answered whatever streams."""

import asyncio
import time

from tui.core.pace import Pace

LOOK_SECONDS = 0.5
BUSY, CALM = 0.65, 0.5
"""Shares of a core from which on redraws become rarer, and below which they become more frequent again."""
IDLE = 0.1
LATE_SECONDS = 0.05
"""How late the event loop may be before it counts as busy, whatever its share."""
FAR_TOO_LATE_SECONDS = 0.25
"""The same, where looks themselves have become too rare for small steps."""
FLUSH_SECONDS, USAGE_SECONDS = 0.1, 1.0
"""Between redraws while there is little to do; the figures are told to all by every turn of anyone."""
MOST_FACTOR = 40.0
_SLOWER, _MUCH_SLOWER, _FASTER = 1.5, 3.0, 1.2


class LoadMeter:
    """Sets the pace that all sessions share.

    Args:
        pace: What is set.
    """

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._factor = 1.0
        self._share = 0.0
        self._set()

    @property
    def calm(self) -> bool:
        """Whether there was next to nothing to do lately."""
        return self._share < IDLE

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            began, used = time.monotonic(), time.process_time()
            await asyncio.sleep(LOOK_SECONDS)
            passed = time.monotonic() - began
            self.take((time.process_time() - used) / passed, passed - LOOK_SECONDS)

    def take(self, share: float, late: float) -> None:
        """Take a look's result.

        Args:
            share: Of a core that the process used.
            late: Seconds that the event loop was late.
        """
        self._share = share
        if late > FAR_TOO_LATE_SECONDS:
            self._factor = min(MOST_FACTOR, self._factor * _MUCH_SLOWER)
        elif share > BUSY or late > LATE_SECONDS:
            self._factor = min(MOST_FACTOR, self._factor * _SLOWER)
        elif share < CALM:
            self._factor = max(1.0, self._factor / _FASTER)
        self._set()

    def _set(self) -> None:
        self._pace.flush_seconds = FLUSH_SECONDS * self._factor
        self._pace.paint_seconds = 0.0 if self._factor <= 1.0 else self._pace.flush_seconds
        self._pace.spread = 1.0
        self._pace.usage_base = USAGE_SECONDS * max(1.0, self._factor / 4)
