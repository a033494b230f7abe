"""The files beside `ctroom.json` of a backup and of the present, brought together without a loss.

Nothing is written until it is asked for; then the files in use gain records and lose none.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, cast

from tui.core.chat import Conversation, Message
from tui.core.quota import LedgerRow, RowKind
from tui.core.records import AuditEntry, Meta
from tui.storage.archive import LEDGER, RowKey, month_of, row_key
from tui.storage.conversations import MESSAGES
from tui.storage.failures import cannot_read, cannot_write
from tui.storage.files import FileLayer, make_directory
from tui.storage.migrations import FileKind
from tui.storage.older import CONVERSATIONS, TRAIL
from tui.storage.rows import Row, Rows, Tables
from tui.storage.salvage import Salvage, read_file
from tui.storage.typed_file import TypedFile, new_tables

_NAMES = {
    FileKind.LEDGER: re.compile(r"\d{4}-(0[1-9]|1[0-2])"),
    FileKind.TRAIL: re.compile(r"trail-\d{4}"),
    FileKind.INDEX: re.compile(r"\d{4}"),
    FileKind.CONVERSATION: re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}"),
}


class DirectoryMerge:
    """One kind of TinyDB files, in a directory of a backup and in the one in use.

    Args:
        backup: The backup's directory.
        present: The one in use.
        kind: What the files hold.
        table: The one table of theirs that is merged.
        record_type: The class of its records.
        key: What makes two records the same.
        files: The calls on disk.
        gains: Whether the files in use are to gain what only the backup has; else damaged ones are mended.
    """

    def __init__(
        self,
        backup: Path,
        present: Path,
        kind: FileKind,
        table: str,
        record_type: type,
        key: Callable[[Any], object],
        files: FileLayer,
        *,
        gains: bool = True,
    ) -> None:
        self.problems: list[str] = []
        """The names of files that are damaged."""
        self.unreadable = 0
        """Records that were found in them and can't be read."""
        self.gained = 0
        """Records that the present files are to gain from the backup."""
        self._backup, self._present = backup, present
        self._kind, self._table, self._type, self._key = kind, table, record_type, key
        self._files = files
        self._gains = gains
        self._read: dict[Path, Salvage | None] = {}
        self._writes: dict[str, Tables] = {}

    @property
    def changed(self) -> set[str]:
        """The files that are to be written."""
        return set(self._writes)

    def names(self) -> list[str]:
        """The files of both, without their suffix.

        Raises:
            StorageError: A directory can't be read.
        """
        names = {*_stems(self._backup), *_stems(self._present)}
        return sorted(name for name in names if _NAMES[self._kind].fullmatch(name))

    def then(self, name: str) -> list[Any]:
        """The records in a file of the backup."""
        return _records(self._load(self._backup / f"{name}.json"), self._table)

    def now(self, name: str) -> list[Any]:
        """The records that a file in use has, or is to have."""
        if tables := self._writes.get(name):
            return _records(Salvage(tables), self._table)
        return _records(self._load(self._present / f"{name}.json"), self._table)

    def all_then(self) -> list[Any]:
        """Every record in the backup's files."""
        return [record for name in self.names() for record in self.then(name)]

    def all_now(self) -> list[Any]:
        """Every record that the files in use have, or are to have."""
        return [record for name in self.names() for record in self.now(name)]

    def merge(self) -> None:
        """Work out what the files in use lack.

        Raises:
            StorageError: A file can't be read.
        """
        for name in self.names():
            then, now = (directory / f"{name}.json" for directory in (self._backup, self._present))
            if not _same(then, now):
                self._merge(name, self._load(then), self._load(now))

    def write(self) -> None:
        """Write what was worked out. The store's lock must be held.

        Raises:
            StorageError: Some files may not be written.
        """
        for name, tables in self._writes.items():
            self._save(name, tables)

    def remove(self, name: str, keys: set[Any]) -> None:
        """Remove records from a file in use. The store's lock must be held.

        Raises:
            StorageError: They are still there.
        """
        tables = self._writes.get(name)
        if tables is None:
            salvage = self._load(self._present / f"{name}.json")
            tables = salvage.tables if salvage else {}
        rows = tables.get(self._table, Rows())
        kept = {doc_id: row for doc_id, row in rows.by_id.items() if self._key(row.record) not in keys}
        self._save(name, {**tables, self._table: Rows(kept, rows.last_id)})

    def _merge(self, name: str, then: Salvage | None, now: Salvage | None) -> None:
        present = now.tables.get(self._table, Rows()) if now else Rows()
        known = {self._key(row.record) for row in present.by_id.values()}
        old = then.tables.get(self._table, Rows()).by_id.values() if then else ()
        gained = [row for row in old if self._key(row.record) not in known] if self._gains else []
        self.gained += len(gained)
        if not gained and (now is None or now.whole or not known):
            return
        base = next((one.tables for one in (now, then) if one and "_meta" in one.tables), None)
        self._writes[name] = {**(base or new_tables(Meta())), self._table: _joined(present, gained)}

    def _load(self, path: Path) -> Salvage | None:
        if path not in self._read:
            salvage = self._read[path] = read_file(path, self._kind, {self._table: self._type}, self._files)
            if salvage and not salvage.whole:
                self.problems.append(f"{path.parent.name}/{path.name}")
                self.unreadable += salvage.unreadable
        return self._read[path]

    def _save(self, name: str, tables: Tables) -> None:
        try:
            make_directory(self._present, self._files)
        except OSError as error:
            raise cannot_write(self._present, error) from error
        file = TypedFile(self._present / f"{name}.json", self._kind, {self._table: self._type}, self._files)
        try:
            file.save(tables)
        finally:
            file.close()


class LedgerMerge(DirectoryMerge):
    """The month files.

    Args:
        backup: The backup's directory of them.
        present: The one in use.
        files: The calls on disk.
    """

    def __init__(self, backup: Path, present: Path, files: FileLayer) -> None:
        super().__init__(backup, present, FileKind.LEDGER, LEDGER, LedgerRow, row_key, files)

    def since(self, then: Iterable[LedgerRow], now: Iterable[LedgerRow]) -> tuple[LedgerRow, ...]:
        """The rows that the backup lacks, each once, oldest first.

        Args:
            then: The backup's live rows.
            now: The present live rows.
        """
        known = {row_key(row) for row in then}
        archived = [row for name in self.names() if self._differs(name) for row in self.now(name)]
        found: dict[RowKey, LedgerRow] = {}
        for row in (*archived, *now):
            if row_key(row) not in known and row_key(row) not in self._keys(month_of(row)):
                found[row_key(row)] = row
        return tuple(sorted(found.values(), key=lambda row: row.number))

    def earlier(self, rows: Iterable[LedgerRow]) -> tuple[LedgerRow, ...]:
        """Rows in the backup's month files of attempts that some of these rows adjust."""
        adjusted = {row.attempt_id: month_of(row) for row in rows if row.kind is RowKind.ADJUSTMENT}
        months = sorted(set(adjusted.values()))
        return tuple(row for month in months for row in self.then(month) if row.attempt_id in adjusted)

    def archived(self, month: str) -> dict[RowKey, LedgerRow]:
        """The rows that a month's file has, or is to have."""
        return {row_key(row): row for row in self.now(month)}

    def _keys(self, month: str) -> set[RowKey]:
        return {row_key(row) for row in self.then(month)}

    def _differs(self, name: str) -> bool:
        return not _same(self._backup / f"{name}.json", self._present / f"{name}.json")


class ConversationMerge(DirectoryMerge):
    """The files of messages: the present version of a message stays.

    Args:
        backup: The backup's directory of them.
        present: The one in use.
        files: The calls on disk.
    """

    def __init__(self, backup: Path, present: Path, files: FileLayer) -> None:
        super().__init__(backup, present, FileKind.CONVERSATION, MESSAGES, Message, _message_id, files)

    def messages(self, names: Iterable[str]) -> dict[str, Sequence[Message]]:
        """All messages of these conversations, as they are to be."""
        return {name: tuple(self.now(name)) for name in names}


class IndexMerge(DirectoryMerge):
    """The files of older conversations' entries: those that only the backup has are to be live ones.

    Args:
        backup: The backup's directory of them.
        present: The one in use.
        files: The calls on disk.
    """

    def __init__(self, backup: Path, present: Path, files: FileLayer) -> None:
        kind, table = FileKind.INDEX, CONVERSATIONS
        super().__init__(backup, present, kind, table, Conversation, _entry_id, files, gains=False)


class TrailMerge(DirectoryMerge):
    """The files of earlier entries of the trail of changes.

    Args:
        backup: The backup's directory of them.
        present: The one in use.
        files: The calls on disk.
    """

    def __init__(self, backup: Path, present: Path, files: FileLayer) -> None:
        super().__init__(backup, present, FileKind.TRAIL, TRAIL, AuditEntry, _itself, files)


def _entry_id(entry: Conversation) -> str:
    return entry.id


def _itself(entry: AuditEntry) -> AuditEntry:
    return entry


def _message_id(message: Message) -> str:
    return message.id


def _records(salvage: Salvage | None, table: str) -> list[Any]:
    return [row.record for row in salvage.tables.get(table, Rows()).by_id.values()] if salvage else []


def _joined(rows: Rows, gained: Sequence[Row]) -> Rows:
    """The rows with the gained ones, in the order of time: a tree of messages and a ledger are read by it."""
    joined = [*rows.by_id.values(), *gained]
    if gained and all(isinstance(row.record, Message) for row in joined):
        joined.sort(key=lambda row: cast(Message, row.record).created_at)
        return Rows(dict(enumerate(joined, start=1)))
    numbered = {**rows.by_id, **dict(enumerate(gained, start=rows.last_id + 1))}
    if all(isinstance(row.record, LedgerRow) for row in joined):
        return Rows(dict(sorted(numbered.items(), key=lambda entry: cast(LedgerRow, entry[1].record).number)))
    return Rows(numbered)


def _stems(directory: Path) -> list[str]:
    try:
        return [path.stem for path in directory.iterdir() if path.suffix == ".json" and path.name[0] != "."]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise cannot_read(directory, error) from error


def _same(one: Path, other: Path) -> bool:
    try:
        if one.stat().st_size != other.stat().st_size:
            return False
        return one.read_bytes() == other.read_bytes()
    except OSError:  # whoever reads it says what is wrong
        return False
