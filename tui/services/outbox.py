"""What the store refused to save: kept in memory, and tried again."""

import asyncio
from collections.abc import Awaitable, Callable

from tui.core.chat import Message
from tui.core.errors import CtroomError, StorageError, StorageErrorKind
from tui.core.frozen import frozen
from tui.core.usage import Measured
from tui.services.accounting import Accounting
from tui.services.library import Library

Pause = Callable[[float], Awaitable[object]]
"""Waits for so many seconds: `asyncio.sleep`, or a stand-in for it."""

_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 60.0


@frozen
class Unsaved:
    """What is kept in memory because it could not be saved."""

    messages: int = 0
    charges: int = 0
    why: StorageErrorKind | None = None
    """Of the latest failure."""

    def __bool__(self) -> bool:
        return bool(self.messages or self.charges)


class Outbox:
    """Saves messages and charges; keeps those that could not be saved, in their order.

    Args:
        library: Saves messages.
        accounting: Settles attempts.
        pause: Waits between tries.
    """

    def __init__(self, library: Library, accounting: Accounting, pause: Pause) -> None:
        self._library = library
        self._accounting = accounting
        self._pause = pause
        self._messages: list[tuple[str, Message]] = []
        self._charges: list[tuple[str, Measured | None]] = []
        self._flushing = asyncio.Lock()
        self._why: StorageErrorKind | None = None
        self._listeners: list[Callable[[], None]] = []

    def __len__(self) -> int:
        return len(self._messages) + len(self._charges)

    def unsaved(self) -> Unsaved:
        """What waits, and why."""
        return Unsaved(len(self._messages), len(self._charges), self._why)

    def subscribe(self, changed: Callable[[], None]) -> Callable[[], None]:
        """Call `changed` when something could not be saved, and when it was saved after all.

        Returns:
            A function that ends the subscription.
        """
        self._listeners.append(changed)
        return lambda: self._listeners.remove(changed)

    def messages(self, conversation_id: str) -> tuple[Message, ...]:
        """The messages of a conversation that are not on disk, oldest first."""
        return tuple(message for owner, message in self._messages if owner == conversation_id)

    async def save(self, conversation_id: str, message: Message) -> bool:
        """Save a message, after those of its conversation that wait; False where it has to wait too."""
        if self.messages(conversation_id):
            self._messages.append((conversation_id, message))
            return await self.flush()
        try:
            await self._library.save(conversation_id, message)
        except StorageError as error:
            self._messages.append((conversation_id, message))
            self._failed(error)
            return False
        except CtroomError:  # the conversation was removed meanwhile: there is nowhere to save to
            return False
        return True

    async def settle(self, attempt_id: str, measured: Measured) -> int:
        """Settle an attempt, at once or later; the tokens charged."""
        try:
            return await self._accounting.settle(attempt_id, measured)
        except StorageError as error:
            self._charges.append((attempt_id, measured))
            self._failed(error)
            return measured.usage.total

    async def release(self, attempt_id: str) -> None:
        """End an attempt that cost nothing, at once or later."""
        try:
            await self._accounting.release(attempt_id)
        except StorageError as error:
            self._charges.append((attempt_id, None))
            self._failed(error)

    async def flush(self) -> bool:
        """Try everything once more, messages first; True if nothing is left."""
        async with self._flushing:
            waited = bool(self)
            try:
                while self._messages:
                    await self._flush_message(*self._messages[0])
                    del self._messages[0]
                while self._charges:
                    await self._flush_charge(*self._charges[0])
                    del self._charges[0]
            except StorageError as error:
                self._failed(error)
                return False
            if waited:
                self._tell()
        return True

    async def keep_trying(self) -> None:
        """Try until nothing is left, ever more slowly, at last once a minute."""
        wait = _FIRST_PAUSE
        while self:
            await self._pause(wait)
            wait = min(2 * wait, _LONGEST_PAUSE)
            await self.flush()

    def _failed(self, error: StorageError) -> None:
        self._why = error.kind
        self._tell()

    def _tell(self) -> None:
        for listener in tuple(self._listeners):
            listener()

    async def _flush_message(self, conversation_id: str, message: Message) -> None:
        try:
            await self._library.save(conversation_id, message)
        except StorageError:
            raise
        except CtroomError:
            return

    async def _flush_charge(self, attempt_id: str, measured: Measured | None) -> None:
        if measured is None:
            await self._accounting.release(attempt_id)
        else:
            await self._accounting.settle(attempt_id, measured)
