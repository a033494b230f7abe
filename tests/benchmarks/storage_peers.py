"""What storage is measured against: the same figures and messages in stock TinyDB and in SQLite."""

import io
import json
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tinydb import TinyDB
from tinydb.storages import JSONStorage

from tests.unit.storage.support import message
from tui.core.chat import Message
from tui.core.ports import State
from tui.core.quota import Pool
from tui.storage.records import codec
from tui.storage.store import JsonStore

WORDS = "word " * 40
"""The text of a message: with its other fields some 500 bytes of JSON."""
PER_CONVERSATION = 1_000


class Contender(ABC):
    """Keeps a pool and messages."""

    name: str

    @abstractmethod
    async def fill(self, messages: int) -> None:
        """Go on until there are that many messages in all."""

    @abstractmethod
    async def change(self, number: int) -> None:
        """Change a figure of the pool."""

    @abstractmethod
    async def save(self, number: int) -> None:
        """Replace one message."""


class Ours(Contender):
    """The store, with a conversation for each thousand messages."""

    name = "Ctroom"

    def __init__(self, store: JsonStore) -> None:
        self._store = store
        self._filled = 0

    async def fill(self, messages: int) -> None:
        if not self._filled:
            await self._store.transaction(lambda state: state.quotas.insert(Pool("openai")))
        for first in range(self._filled, messages, PER_CONVERSATION):
            batch = [message(number, WORDS) for number in range(first, first + PER_CONVERSATION)]
            await self._store.save_messages(f"c{first}", batch)
        self._filled = messages

    async def change(self, number: int) -> None:
        def charge(state: State) -> None:
            state.quotas.replace(1, Pool("openai", used=number))

        await self._store.transaction(charge)

    async def save(self, number: int) -> None:
        await self._store.save_messages("c0", [message(7, f"{WORDS} {number}")])


class StockTinyDB(Contender):
    """TinyDB as it comes: one file, rewritten in place and synced at every write."""

    name = "stock TinyDB"

    def __init__(self, path: Path, storage: type[JSONStorage] = JSONStorage) -> None:
        self._database = TinyDB(path, storage=storage)
        self._filled = 0

    async def fill(self, messages: int) -> None:
        if not self._filled:
            self._database.table("quotas").insert(asdict(Pool("openai")))
        self._database.table("messages").insert_multiple(documents(self._filled, messages))
        self._filled = messages

    async def change(self, number: int) -> None:
        self._database.table("quotas").update({"used": number}, doc_ids=[1])

    async def save(self, number: int) -> None:
        self._database.table("messages").update({"text": f"{WORDS} {number}"}, doc_ids=[7])


class UnsyncedStorage(JSONStorage):
    """TinyDB's own storage without its `fsync`."""

    def write(self, data: dict[str, dict[str, Any]]) -> None:
        file = self._handle
        file.seek(0, io.SEEK_SET)
        file.write(json.dumps(data, **self.kwargs))
        file.flush()
        file.truncate()


class UnsyncedTinyDB(StockTinyDB):
    """Stock TinyDB that a power cut may cost everything."""

    name = "stock TinyDB, no fsync"

    def __init__(self, path: Path) -> None:
        super().__init__(path, UnsyncedStorage)


class SQLite(Contender):
    """One database, WAL, `synchronous=FULL`: as durable as the store."""

    name = "SQLite (WAL, FULL)"

    def __init__(self, path: Path) -> None:
        self.connection = sqlite3.connect(path, isolation_level=None)
        self.connection.executescript(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
            "CREATE TABLE pools (id INTEGER PRIMARY KEY, used INTEGER); INSERT INTO pools VALUES (1, 0);"
            "CREATE TABLE messages (id INTEGER PRIMARY KEY, document TEXT)"
        )
        self._filled = 0

    async def fill(self, messages: int) -> None:
        rows = [(json.dumps(document),) for document in documents(self._filled, messages)]
        self.connection.execute("BEGIN")
        self.connection.executemany("INSERT INTO messages (document) VALUES (?)", rows)
        self.connection.execute("COMMIT")
        self._filled = messages

    async def change(self, number: int) -> None:
        self.connection.execute("UPDATE pools SET used = ? WHERE id = 1", (number,))

    async def save(self, number: int) -> None:
        document = json.dumps({**_document(7), "text": f"{WORDS} {number}"})
        self.connection.execute("UPDATE messages SET document = ? WHERE id = 7", (document,))


def documents(first: int, end: int) -> Sequence[dict[str, Any]]:
    """The documents of messages."""
    return [_document(number) for number in range(first, end)]


def _document(number: int) -> dict[str, Any]:
    return codec(Message).encode(message(number, WORDS))
