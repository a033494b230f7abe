"""When garbage is looked for: a look at everything stalls all sessions, by 40 ms for each of them.

An app that ends frees most of itself at once; some 6,000 objects of its 30,000 hold each other, and wait.
"""

import asyncio
import gc
from collections.abc import Callable

LOOK_SECONDS = 5.0
WORTH = 50
"""Ended sessions whose remains, some 40 MB, are worth a stall in a calm moment."""
TOO_MANY = 4
"""So many times that are looked for in any moment."""


class Collector:
    """Keeps what lives out of the collector's sight, and has it look at everything only now and then.

    Args:
        live: How many sessions there are.
        calm: Whether there is little to do at present.
    """

    def __init__(self, live: Callable[[], int], calm: Callable[[], bool]) -> None:
        self._live = live
        self._calm = calm
        self._ended = 0

    def drawn(self) -> None:
        """An app is there: what it is made of stays for as long as its session."""
        gc.freeze()

    def ended(self) -> None:
        """A session is gone."""
        self._ended += 1

    async def run(self) -> None:
        """Look when it is worth it, until cancelled."""
        gc.collect()
        gc.freeze()
        try:
            while True:
                await asyncio.sleep(LOOK_SECONDS)
                if not self.look():
                    gc.freeze()  # what sessions came to hold meanwhile: their conversations
        finally:
            gc.unfreeze()

    def look(self) -> bool:
        """Look for garbage in everything, if it is worth it; whether it was."""
        worth = max(WORTH, self._live())
        stalls_nobody = not self._live() and self._ended
        if not (stalls_nobody or self._ended >= worth * (1 if self._calm() else TOO_MANY)):
            return False
        self._ended = 0
        gc.unfreeze()
        gc.collect()
        gc.freeze()
        return True
