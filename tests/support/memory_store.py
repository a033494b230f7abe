"""A store in this process's memory: the same contract as the one on disk, for tests of what stands on it."""

import asyncio
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields
from typing import Any, Generic, TypeVar, cast

from tui.core.chat import Conversation, Message
from tui.core.errors import StorageError
from tui.core.ports import MessageText, State, Table
from tui.core.quota import LedgerRow
from tui.core.records import Meta

T = TypeVar("T")
R = TypeVar("R")


class MemoryTable(Generic[R]):
    """Numbered records; a copy shares nothing that a change could reach, since records are frozen."""

    def __init__(self, records: dict[int, R] | None = None, *, writable: bool = False) -> None:
        self.records = {} if records is None else records
        self._writable = writable

    def __iter__(self) -> Iterator[tuple[int, R]]:
        return iter(list(self.records.items()))

    def newest(self) -> Iterator[tuple[int, R]]:
        return reversed(self.records.items())

    def __len__(self) -> int:
        return len(self.records)

    def get(self, doc_id: int) -> R | None:
        return self.records.get(doc_id)

    def find(self, match: Callable[[R], bool]) -> tuple[int, R] | None:
        return next(((doc_id, record) for doc_id, record in self.records.items() if match(record)), None)

    def insert(self, record: R) -> int:
        self._allow()
        doc_id = max(self.records, default=0) + 1
        self.records[doc_id] = record
        return doc_id

    def replace(self, doc_id: int, record: R) -> None:
        self._allow()
        assert doc_id in self.records, f"There is no record {doc_id} to replace."
        self.records[doc_id] = record

    def remove(self, doc_id: int) -> None:
        self._allow()
        del self.records[doc_id]

    def _allow(self) -> None:
        if not self._writable:
            raise TypeError("A view is read-only.")


class MemoryStore:
    """Implements `tui.core.ports.Store`; sessions that share one share a data directory."""

    def __init__(self) -> None:
        tables: dict[str, Any] = {field.name: MemoryTable[Any]() for field in fields(State)}
        tables["meta"] = MemoryTable[Meta]({1: Meta()})
        self._view = State(**tables)
        self._messages: dict[str, dict[str, Message]] = {}
        self.attachments: dict[str, bytes] = {}
        """By their digest; the files of removed conversations stay."""
        self._listeners: list[Callable[[], None]] = []
        self._lock = asyncio.Lock()
        self._closing = asyncio.Event()

    async def transaction(self, work: Callable[[State], T]) -> T:
        async with self._lock:
            state = _copy(self._view, writable=True)
            result = await self._do(work, state)
            changed = not _same(state, self._view)
            if changed:
                self._commit(_copy(state, writable=False))
        if changed:
            self._tell()
        return result

    @property
    def view(self) -> State:
        return self._view

    @property
    def problem(self) -> StorageError | None:
        return None

    async def refresh(self) -> bool:
        return False

    async def poll(self, interval: float = 0.5) -> None:
        await self._closing.wait()

    def subscribe(self, changed: Callable[[], None]) -> Callable[[], None]:
        self._listeners.append(changed)
        return lambda: self._listeners.remove(changed)

    async def load_messages(self, conversation_id: str) -> tuple[Message, ...]:
        return tuple(self._messages.get(conversation_id, {}).values())

    def read_texts(self, conversation_id: str, may_hold: Callable[[bytes], bool]) -> tuple[MessageText, ...]:
        kept = self._messages.get(conversation_id, {}).values()
        found = may_hold(json.dumps([message.text for message in kept]).encode("ascii"))
        return tuple(MessageText(one.id, one.role, one.text) for one in kept) if found else ()

    async def save_messages(self, conversation_id: str, messages: Sequence[Message]) -> None:
        kept = self._messages.setdefault(conversation_id, {})
        kept.update({message.id: message for message in messages})

    async def remove_messages(self, conversation_id: str) -> None:
        self._messages.pop(conversation_id, None)

    async def keep_attachment(self, data: bytes) -> str:
        digest = hashlib.sha256(data).hexdigest()
        self.attachments[digest] = data
        return digest

    def load_attachment(self, digest: str) -> bytes | None:
        return self.attachments.get(digest)

    async def missing_attachments(self, digests: Iterable[str]) -> frozenset[str]:
        return frozenset(digests) - self.attachments.keys()

    async def load_older_conversations(self) -> tuple[Conversation, ...]:
        return ()

    async def recall_conversation(self, conversation_id: str) -> None:
        """Every entry is live."""

    async def load_ledger(self, month: str) -> tuple[LedgerRow, ...]:
        return tuple(row for _, row in self._view.ledger if f"{row.date:%Y-%m}" == month)

    async def load_archived(self, month: str) -> tuple[LedgerRow, ...]:
        return ()

    async def ledger_months(self) -> tuple[str, ...]:
        return tuple(sorted({f"{row.date:%Y-%m}" for _, row in self._view.ledger}))

    async def aclose(self) -> None:
        self._closing.set()

    async def _do(self, work: Callable[[State], T], state: State) -> T:
        """Run a transaction's work on a thread, as every store does."""
        return await asyncio.to_thread(work, state)

    def _commit(self, state: State) -> None:
        """Take over what a transaction changed; tests make it fail."""
        self._view = state

    def _tell(self) -> None:
        for listener in list(self._listeners):
            listener()


def _copy(state: State, *, writable: bool) -> State:
    tables: dict[str, Any] = {
        field.name: MemoryTable(dict(_table(state, field.name)), writable=writable) for field in fields(State)
    }
    return State(**tables)


def _same(left: State, right: State) -> bool:
    return all(list(_table(left, field.name)) == list(_table(right, field.name)) for field in fields(State))


def _table(state: State, name: str) -> Table[object]:
    return cast("Table[object]", getattr(state, name))
