"""Records that moved out of `ctroom.json`, so that it stays small: whole, in one TinyDB file for each year.

A move writes the new place first and removes from the old after: a crash between leaves a record in both,
never in neither.
"""

import re
from collections.abc import Callable, Hashable, Iterable
from pathlib import Path
from typing import Generic, TypeAlias, TypeVar, cast

from tui.core.ports import Clock
from tui.core.records import Meta
from tui.storage.failures import cannot_read, cannot_write
from tui.storage.files import SYSTEM_FILES, FileLayer, make_directory
from tui.storage.migrations import FileKind
from tui.storage.rows import Row, Rows, Tables
from tui.storage.typed_file import TypedFile, new_tables

R = TypeVar("R")

_Signature: TypeAlias = tuple[int, int, int]


class YearFiles(Generic[R]):
    """The files of one kind of record. Used on the writer thread only.

    Args:
        directory: Where the files are; made at the first move.
        kind: What the files hold.
        table: Their table.
        record_type: The class of its records.
        year: The year whose file a record belongs to, always the same for a record.
        key: What makes a record the same in two places.
        clock: The present moment.
        prefix: What the files' names begin with.
        files: The calls on disk.
    """

    def __init__(
        self,
        directory: Path,
        kind: FileKind,
        table: str,
        record_type: type[R],
        *,
        year: Callable[[R], int],
        key: Callable[[R], Hashable],
        clock: Clock,
        prefix: str = "",
        files: FileLayer = SYSTEM_FILES,
    ) -> None:
        self._directory = directory
        self._kind = kind
        self._table = table
        self._type = record_type
        self._year = year
        self._key = key
        self._clock = clock
        self._prefix = prefix
        self._name = re.compile(rf"{re.escape(prefix)}\d{{4}}\.json")
        self._files = files
        self._read: dict[Path, tuple[_Signature, tuple[R, ...]]] = {}
        self._all: tuple[R, ...] = ()

    def put(self, rows: Iterable[Row]) -> None:
        """Write records to their years' files, each in the place of the one with the same key.

        The store's lock must be held.

        Raises:
            StorageError: A file could not be read or written; the records may be in some of the files.
        """
        years: dict[int, list[Row]] = {}
        for row in rows:
            years.setdefault(self._year(self._record(row)), []).append(row)
        for year, its_rows in years.items():
            self._put(self._directory / f"{self._prefix}{year:04}.json", its_rows)

    def load(self) -> tuple[R, ...]:
        """Every record, year by year; the same tuple again where no file changed since.

        Raises:
            StorageError: A file is damaged or can't be read.
        """
        known, self._read = self._read, {path: self._load(path) for path in self.paths()}
        if known != self._read:
            self._all = tuple(record for _, records in self._read.values() for record in records)
        return self._all

    def find(self, key: str) -> Row | None:
        """The row with that key, a text that its document holds: files without it are not parsed.

        Raises:
            StorageError: A file is damaged or can't be read.
        """
        for path in reversed(self.paths()):
            if self._holds(path, key):
                for row in self._tables(path).get(self._table, Rows()).by_id.values():
                    if self._key(self._record(row)) == key:
                        return row
        return None

    def remove(self, key: str) -> None:
        """Remove the record with that key, where there is one; as `find`. The store's lock must be held.

        Raises:
            StorageError: It could not be removed.
        """
        for path in self.paths():
            if self._holds(path, key):
                tables = self._tables(path)
                by_id = tables.get(self._table, Rows()).by_id
                kept = {doc_id: row for doc_id, row in by_id.items() if self._key(self._record(row)) != key}
                if len(kept) < len(by_id):
                    self._save(path, {**tables, self._table: Rows(kept, max(by_id))})

    def paths(self) -> list[Path]:
        """The files, the earliest year first.

        Raises:
            StorageError: The directory can't be read.
        """
        try:
            return sorted(path for path in self._directory.iterdir() if self._name.fullmatch(path.name))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise cannot_read(self._directory, error) from error

    def _load(self, path: Path) -> tuple[_Signature, tuple[R, ...]]:
        try:
            status = path.stat()
        except OSError as error:
            raise cannot_read(path, error) from error
        signature = (status.st_ino, status.st_size, status.st_mtime_ns)
        if (known := self._read.get(path)) and known[0] == signature:
            return known
        rows = self._tables(path).get(self._table, Rows())
        return signature, tuple([self._record(row) for row in rows.by_id.values()])

    def _holds(self, path: Path, text: str) -> bool:
        try:
            return text.encode() in path.read_bytes()
        except OSError as error:
            raise cannot_read(path, error) from error

    def _put(self, path: Path, rows: list[Row]) -> None:
        tables = self._tables(path)
        there = tables.get(self._table, Rows())
        by_id, last_id = dict(there.by_id), there.last_id
        places = {self._key(self._record(row)): doc_id for doc_id, row in by_id.items()}
        for row in rows:
            key = self._key(self._record(row))
            if key not in places:
                last_id += 1
            by_id[places.setdefault(key, last_id)] = row
        self._save(path, {**tables, self._table: Rows(by_id, last_id)})

    def _tables(self, path: Path) -> Tables:
        """What a file holds; where there is none, what a new one begins with."""
        file = self._file(path)
        try:
            return file.load() or new_tables(Meta(created_at=self._clock()))
        finally:
            file.close()

    def _save(self, path: Path, tables: Tables) -> None:
        try:
            make_directory(self._directory.parent, self._files)
            make_directory(self._directory, self._files)
        except OSError as error:
            raise cannot_write(self._directory, error) from error
        file = self._file(path)
        try:
            file.save(tables)
        finally:
            file.close()

    def _file(self, path: Path) -> TypedFile:
        return TypedFile(path, self._kind, {self._table: self._type}, self._files)

    def _record(self, row: Row) -> R:
        return cast(R, row.record)
