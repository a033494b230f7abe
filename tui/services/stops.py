"""Stopping: a wish that cancels whatever a turn awaits, without cancelling the turn."""

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

T = TypeVar("T")

CLOSE_SECONDS = 5.0
"""How long a provider may take to let go of a reply that was stopped, before it is settled all the same."""


class StoppedError(Exception):
    """The user stopped the turn while something was awaited."""


class Stop:
    """The wish to stop one turn. To be made on the loop that the turn runs on."""

    def __init__(self) -> None:
        self._wished: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def wished(self) -> bool:
        """Whether the turn is to stop."""
        return self._wished.done()

    def wish(self) -> None:
        """Stop the turn; once is as good as often."""
        if not self._wished.done():
            self._wished.set_result(None)

    async def unless(self, work: Awaitable[T]) -> T:
        """Await work that the wish cancels.

        Raises:
            StoppedError: It was stopped, before it began or before it ended.
        """
        task: asyncio.Future[T] = asyncio.ensure_future(work)
        ends: set[asyncio.Future[Any]] = {task, self._wished}
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait({task}, timeout=CLOSE_SECONDS)
        if not task.done() or task.cancelled() or (self.wished and task.exception()):
            raise StoppedError
        return task.result()
