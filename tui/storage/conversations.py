"""The messages of conversations: one TinyDB file each, so that saving one never costs the others."""

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
        self._open: OrderedDict[str, TypedFile] = OrderedDict()

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
        rows = _merged(tables.get(MESSAGES, Rows()), messages)
        self._file(conversation_id).save({**tables, MESSAGES: rows})

    def remove(self, conversation_id: str) -> None:
        """Remove a conversation's file, where there is one. The store's lock must be held.

        Raises:
            StorageError: It could not be removed.
        """
        file = self._file(conversation_id)
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
            self._open.popitem()[1].close()

    def _load(self, conversation_id: str, expected: bool) -> Tables | None:
        file = self._file(conversation_id)
        tables = file.load()
        if tables is None and expected:
            raise missing(file.path)
        return tables

    def _file(self, conversation_id: str) -> TypedFile:
        if file := self._open.get(conversation_id):
            self._open.move_to_end(conversation_id)
            return file
        path = self._directory / f"{check_conversation_id(conversation_id)}.json"
        file = TypedFile(path, FileKind.CONVERSATION, {MESSAGES: Message}, self._files)
        self._open[conversation_id] = file
        if len(self._open) > KEPT_OPEN:
            self._open.popitem(last=False)[1].close()
        return file

    def _make_directory(self) -> None:
        try:
            make_directory(self._directory)
        except OSError as error:
            raise cannot_write(self._directory, error) from error

    def _now(self) -> datetime:
        return self._clock()


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


def _merged(rows: Rows, messages: Iterable[Row]) -> Rows:
    by_id = dict(rows.by_id)
    places = {_message(row).id: doc_id for doc_id, row in by_id.items()}
    last_id = rows.last_id
    for row in messages:
        place = places.get(_message(row).id)
        if place is None:
            last_id += 1
            place = places[_message(row).id] = last_id
            by_id[place] = row
        else:
            extra = by_id[place].extra
            by_id[place] = make_row(Message, _message(row), extra) if extra else row
    return Rows(by_id, last_id)


def _message(row: Row) -> Message:
    return cast(Message, row.record)
