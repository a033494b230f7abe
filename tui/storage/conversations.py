"""The messages of conversations: one TinyDB file each, so that saving one never costs the others.

A reply that is still streamed is saved there too, about once a second. With 10,000 messages that is 10 ms of
processor time (`bench_storage`); a file of its own would cost less, and plain TinyDB would not see the reply.
"""

import re
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import cast

from tui.core.chat import Message
from tui.core.errors import StorageError, StorageErrorKind
from tui.core.ports import Clock
from tui.core.records import Meta
from tui.storage.failures import cannot_write, missing
from tui.storage.files import SYSTEM_FILES, FileLayer, make_directory
from tui.storage.migrations import FileKind
from tui.storage.rows import Row, Rows, Tables
from tui.storage.tables import make_row
from tui.storage.typed_file import TypedFile, new_tables

MESSAGES = "messages"
KEPT_OPEN = 8
"""Files kept in memory: the ones that are being talked in."""

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


class ConversationFiles:
    """The directory of conversations. Used on the writer thread only.

    Args:
        directory: Where the files are; made at the first save.
        clock: The present moment.
        files: The calls on disk.
    """

    def __init__(self, directory: Path, clock: Clock, files: FileLayer = SYSTEM_FILES) -> None:
        self._directory = directory
        self._clock = clock
        self._files = files
        self._open: OrderedDict[str, _OpenFile] = OrderedDict()

    def load(self, conversation_id: str, *, expected: bool = False) -> tuple[Message, ...]:
        """Every message, oldest first; empty where there is no file.

        Args:
            conversation_id: The conversation.
            expected: Whether the file must be there.

        Raises:
            StorageError: It is damaged, can't be read, or is missing though expected.
        """
        tables = self._load(conversation_id, expected)
        rows = tables.get(MESSAGES) if tables else None
        return tuple([_message(row) for row in rows.by_id.values()]) if rows else ()

    def save(self, conversation_id: str, messages: Iterable[Row], *, expected: bool = False) -> None:
        """Add messages, or replace those with the same id, in one write. The store's lock must be held.

        Args:
            conversation_id: The conversation.
            messages: Rows that `message_rows` made.
            expected: Whether the file must be there.

        Raises:
            StorageError: Nothing was saved.
        """
        tables = self._load(conversation_id, expected)
        if tables is None:
            tables = new_tables(Meta(created_at=self._now()))
            self._make_directory()
        self._file(conversation_id).save(tables, messages)

    def remove(self, conversation_id: str) -> None:
        """Remove a conversation's file, where there is one. The store's lock must be held.

        Raises:
            StorageError: It could not be removed.
        """
        file = self._file(conversation_id).file
        try:
            self._files.unlink(file.path)
            self._files.fsync_directory(file.path.parent)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise cannot_write(file.path, error) from error
        finally:
            file.close()
            self._open.pop(conversation_id, None)

    def close(self) -> None:
        """Let go of all files."""
        while self._open:
            self._open.popitem()[1].file.close()

    def _load(self, conversation_id: str, expected: bool) -> Tables | None:
        file = self._file(conversation_id).file
        tables = file.load()
        if tables is None and expected:
            raise missing(file.path)
        return tables

    def _file(self, conversation_id: str) -> "_OpenFile":
        if known := self._open.get(conversation_id):
            self._open.move_to_end(conversation_id)
            return known
        path = self._directory / f"{check_conversation_id(conversation_id)}.json"
        opened = _OpenFile(TypedFile(path, FileKind.CONVERSATION, {MESSAGES: Message}, self._files))
        self._open[conversation_id] = opened
        if len(self._open) > KEPT_OPEN:
            self._open.popitem(last=False)[1].file.close()
        return opened

    def _make_directory(self) -> None:
        try:
            make_directory(self._directory, self._files)
        except OSError as error:
            raise cannot_write(self._directory, error) from error

    def _now(self) -> datetime:
        return self._clock()


class _OpenFile:
    """A conversation's file, and where each message stands in it, so that no save looks at them all."""

    def __init__(self, file: TypedFile) -> None:
        self.file = file
        self._rows: Rows | None = None
        self._places: dict[str, int] = {}

    def save(self, tables: Tables, messages: Iterable[Row]) -> None:
        """Write the tables with these messages added, or put in the place of those with the same id."""
        rows = tables.get(MESSAGES, Rows())
        places = self._places_in(rows)
        by_id = dict(rows.by_id)
        added: dict[str, int] = {}
        for row in messages:
            message_id = _message(row).id
            place = places.get(message_id, added.get(message_id))
            if place is None:
                place = added[message_id] = rows.last_id + len(added) + 1
            extra = by_id[place].extra if place in by_id else None
            by_id[place] = make_row(Message, _message(row), extra) if extra else row
        merged = Rows(by_id, rows.last_id + len(added))
        self.file.save({**tables, MESSAGES: merged})
        self._rows = merged
        places.update(added)

    def _places_in(self, rows: Rows) -> dict[str, int]:
        if rows is not self._rows:
            self._places = {_message(row).id: doc_id for doc_id, row in rows.by_id.items()}
            self._rows = rows
        return self._places


def check_conversation_id(conversation_id: str) -> str:
    """The id, if it can name a file in the directory of conversations and nothing else.

    Raises:
        StorageError: It can't.
    """
    if not _ID.fullmatch(conversation_id):
        raise StorageError(
            StorageErrorKind.UNREADABLE,
            f"{conversation_id[:80]!r} can't be the id of a conversation: choose one from the list.",
        )
    return conversation_id


def message_rows(messages: Sequence[Message]) -> list[Row]:
    """The rows of messages.

    Raises:
        ValueError: A field of one is not what the class says.
        TypeError: One is not a message.
    """
    return [make_row(Message, message) for message in messages]


def _message(row: Row) -> Message:
    return cast(Message, row.record)
