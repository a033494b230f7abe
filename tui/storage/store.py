"""The store: state in TinyDB files, changed by transactions that no crash and no other process can break."""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from tui.core.chat import Conversation, Message
from tui.core.errors import StorageError
from tui.core.ports import Clock, MessageText, State
from tui.core.quota import LedgerRow
from tui.storage.conversations import check_conversation_id
from tui.storage.engine import Engine
from tui.storage.files import SYSTEM_FILES, FileLayer
from tui.storage.lock import PATIENCE
from tui.storage.subscribers import Subscribers
from tui.storage.writer import Job, JobKind, Writer

T = TypeVar("T")

POLL_SECONDS = 0.5
"""How often other processes' changes are looked for (design, section 4)."""

CLOSE_PATIENCE = PATIENCE + 5
"""Seconds to finish what is queued: the longest wait for the lock, and a slow disk."""


class JsonStore:
    """Implements `core.ports.Store`. All disk work is done on one thread; the caller's loop only waits.

    `view` may be read from any thread. Everything else is called on an event loop, each loop on its own.

    Args:
        home: The data directory.
        clock: The present moment.
        files: The calls on disk; tests replace them to make them fail.
    """

    def __init__(self, home: Path, clock: Clock, files: FileLayer = SYSTEM_FILES) -> None:
        self._subscribers = Subscribers()
        self._engine = Engine(home, clock, files, self._subscribers.notify)
        self._writer = Writer(self._engine.handle)
        self._closing: asyncio.Event | None = None

    @classmethod
    async def open(cls, home: Path, clock: Clock, files: FileLayer = SYSTEM_FILES) -> "JsonStore":
        """A store with its state loaded. Nothing is written but a missing data directory.

        Raises:
            StorageError: The state is damaged, of a newer version, gone, or can't be read.
        """
        store = cls(home, clock, files)
        try:
            await store._do(JobKind.READ, store._engine.prepare)
        except BaseException:
            await store.aclose()
            raise
        return store

    @property
    def home(self) -> Path:
        """The data directory, links resolved."""
        return self._engine.home

    @property
    def view(self) -> State:
        """The state as of the last commit or refresh, read-only, without touching the disk."""
        return self._engine.view

    @property
    def problem(self) -> StorageError | None:
        """Why the last refresh failed, so that `view` may be out of date; None where it did not."""
        return self._engine.problem

    async def transaction(self, work: Callable[[State], T]) -> T:
        """Run `work` under the inter-process lock on the freshest state, and commit what it changed.

        Transactions that wait together are committed together; each is rolled back on its own.

        Raises:
            StorageError: It could not be read or committed; nothing was changed.
        """
        return await self._do(JobKind.CHANGE, work)

    async def refresh(self) -> bool:
        """Take over what other processes committed; True if anything had changed.

        Raises:
            StorageError: The state is damaged or can't be read; the view stays as it was.
        """
        return await self._do(JobKind.READ, self._engine.refresh)

    async def poll(self, interval: float = POLL_SECONDS) -> None:
        """Take over what other processes commit, until the store is closed.

        Args:
            interval: Seconds between two looks.
        """
        closing = self._closing = self._closing or asyncio.Event()
        while not closing.is_set():
            with contextlib.suppress(StorageError):  # `problem` tells, and the next look may succeed
                await self.refresh()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(closing.wait(), interval)

    def subscribe(self, changed: Callable[[], None]) -> Callable[[], None]:
        """Call `changed` on the running event loop after each commit or refresh that changed the view.

        Returns:
            A function that ends the subscription.
        """
        return self._subscribers.add(changed)

    async def load_messages(self, conversation_id: str) -> tuple[Message, ...]:
        """Every message of a conversation, all branches, oldest first; empty where there is no file.

        Raises:
            StorageError: The file can't be read, or is gone though the index counts messages in it.
        """
        check_conversation_id(conversation_id)
        return await self._do(JobKind.READ, lambda: self._engine.load_messages(conversation_id))

    def read_texts(self, conversation_id: str, may_hold: Callable[[bytes], bool]) -> tuple[MessageText, ...]:
        """The texts of a conversation's messages, oldest first; blocks, so it is called on a thread.

        Raises:
            StorageError: The file is damaged or can't be read.
        """
        from tui.storage.texts import read_texts

        return read_texts(self.home / "conversations", conversation_id, may_hold)

    async def save_messages(self, conversation_id: str, messages: Sequence[Message]) -> None:
        """Add messages, or replace those with the same id; on disk when the await returns.

        Raises:
            StorageError: Nothing was saved.
        """
        check_conversation_id(conversation_id)
        kept = tuple(messages)
        await self._do(JobKind.SAVE, lambda: kept, subject=conversation_id)

    async def remove_messages(self, conversation_id: str) -> None:
        """Remove a conversation's file, where there is one, and attached files that nothing else names.

        Raises:
            StorageError: It could not be removed.
        """
        check_conversation_id(conversation_id)
        await self._do(JobKind.EXCLUSIVE, lambda: self._engine.remove_messages(conversation_id))

    async def keep_attachment(self, data: bytes) -> str:
        """Keep the bytes of an attached file, once for all messages; their digest.

        Raises:
            StorageError: They are not kept.
        """
        return await self._do(JobKind.EXCLUSIVE, lambda: self._engine.attachments.keep(data))

    def load_attachment(self, digest: str) -> bytes | None:
        """The bytes of an attached file; None where they are gone. Slow as the disk: call it in a thread.

        Raises:
            StorageError: The system does not let them be read.
        """
        return self._engine.attachments.load(digest)

    async def missing_attachments(self, digests: Iterable[str]) -> frozenset[str]:
        """Which attached files are gone.

        Raises:
            StorageError: A digest is none.
        """
        wanted = tuple(digests)
        return await self._do(JobKind.READ, lambda: self._engine.attachments.missing(wanted))

    async def load_older_conversations(self) -> tuple[Conversation, ...]:
        """The index entries that are not live any more; the same tuple again where nothing changed.

        Raises:
            StorageError: A file of them is damaged or can't be read.
        """
        return await self._do(JobKind.READ, self._engine.load_older_conversations)

    async def recall_conversation(self, conversation_id: str) -> None:
        """Bring a conversation's entry back among the live ones, if it is an older one.

        Raises:
            StorageError: It is where it was, or in both places, where the live one counts.
        """
        check_conversation_id(conversation_id)
        await self._do(JobKind.EXCLUSIVE, lambda: self._engine.recall_conversation(conversation_id))

    async def archive_ledger(self) -> None:
        """Move all but the newest ledger rows to their months' files; done by itself when there are many.

        Raises:
            StorageError: Some rows may be in both places, which readers see once; none is in neither.
        """
        await self._do(JobKind.EXCLUSIVE, self._engine.archive_ledger)

    async def load_ledger(self, month: str) -> tuple[LedgerRow, ...]:
        """The ledger rows of a month such as `2026-11`, archived and live, oldest first, each once.

        Raises:
            StorageError: The month's file is damaged or can't be read.
        """
        return await self._do(JobKind.READ, lambda: self._engine.load_ledger(month))

    async def load_archived(self, month: str) -> tuple[LedgerRow, ...]:
        """The rows in a month's file just as they stand there; empty where there is no file.

        Raises:
            StorageError: The month's file is damaged or can't be read.
        """
        return await self._do(JobKind.READ, lambda: self._engine.load_archived(month))

    async def ledger_months(self) -> tuple[str, ...]:
        """The months that have ledger rows, oldest first.

        Raises:
            StorageError: They can't be read.
        """
        return await self._do(JobKind.READ, self._engine.ledger_months)

    async def aclose(self) -> None:
        """Finish what is queued, and end the writer thread."""
        if self._closing:
            self._closing.set()
        finished = await asyncio.to_thread(self._writer.close, CLOSE_PATIENCE)
        self._subscribers.clear()
        if finished:
            self._engine.close()

    async def _do(self, kind: JobKind, work: Callable[..., T], subject: str = "") -> T:
        job = Job(kind, work, subject)
        self._writer.submit(job)
        return await job.wait()
