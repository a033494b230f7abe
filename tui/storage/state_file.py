"""`ctroom.json`: the tables of everything but messages and old ledger rows."""

import contextlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import cast

from tui.core.errors import StorageError, StorageErrorKind
from tui.core.ports import Clock
from tui.core.records import Meta
from tui.storage.failures import cannot_read, cannot_write, missing, without_backup
from tui.storage.files import SYSTEM_FILES, FileLayer, make_directory, real_path
from tui.storage.lock import ProcessLock
from tui.storage.migrations import FileKind
from tui.storage.rows import Rows, Tables
from tui.storage.tables import STATE_TABLES, make_row
from tui.storage.typed_file import TypedFile, new_tables

STATE_NAME = "ctroom.json"
LOCK_NAME = "ctroom.lock"
INDEX = "conversations/index"
"""Entries of older conversations; a directory, so that no conversation's file can have the name."""
BACKUPS = "backups"
SUBDIRECTORIES = ("conversations", INDEX, "ledger", BACKUPS)
_MENDED_BY_BACKUPS = frozenset({StorageErrorKind.CORRUPT, StorageErrorKind.MISSING})
_IN_USE = b"This directory holds Ctroom's data.\n"


class StateFile:
    """The state on disk. Used on the writer thread only.

    The lock file says whether the directory was ever used: where it does and the state is gone, that is a
    loss to be told of, not a new beginning.

    Args:
        home: The data directory.
        clock: The present moment.
        files: The calls on disk.
        before_migration: Called before a file of an earlier version is replaced.
    """

    def __init__(
        self,
        home: Path,
        clock: Clock,
        files: FileLayer = SYSTEM_FILES,
        before_migration: Callable[[], object] = lambda: None,
    ) -> None:
        self.home = real_path(home)
        self.lock = ProcessLock(self.home / LOCK_NAME)
        self._clock = clock
        self._files = files
        self._before_migration = before_migration
        self._file = TypedFile(self.home / STATE_NAME, FileKind.STATE, STATE_TABLES, files)
        self._in_use = False
        self._new: Tables | None = None

    def prepare(self) -> None:
        """Make the data directory, or mend one that others can enter.

        Raises:
            StorageError: It can't be made.
        """
        try:
            make_directory(self.home, self._files)
            for directory in SUBDIRECTORIES:
                if (self.home / directory).is_dir():
                    make_directory(self.home / directory, self._files)
        except PermissionError as error:
            if self.home.is_dir():
                raise cannot_read(self.home, error) from error
            raise cannot_write(self.home, error) from error
        except OSError as error:
            raise cannot_write(self.home, error) from error

    def load(self) -> Tables:
        """The tables as they are on disk; those of a new store where there never was a file.

        Raises:
            StorageError: The file is damaged, newer, missing though it was there before, or can't be read.
        """
        try:
            tables = self._file.load()
            if tables is None and self._was_used():
                raise missing(self._file.path)
        except StorageError as error:
            if error.kind in _MENDED_BY_BACKUPS and not self._has_backups():
                raise without_backup(error) from error
            raise
        if tables is not None:
            return tables
        if self._new is None:
            self._new = new_tables(Meta(created_at=self._clock()))
        return self._new

    def save(self, tables: Tables, changes: int) -> Tables:
        """Commit; the tables as saved. The lock must be held.

        Args:
            tables: What is to be on disk.
            changes: How many transactions are in it.

        Raises:
            StorageError: Nothing was committed.
        """
        if self._file.older:
            self._before_migration()
        saved = {**tables, "_meta": _counted(tables.get("_meta", Rows()), changes)}
        self._file.save(saved)
        self._mark_used()
        return saved

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _has_backups(self) -> bool:
        try:
            return any(not path.name.startswith(".") for path in (self.home / BACKUPS).iterdir())
        except FileNotFoundError:
            return False
        except OSError:
            return True  # there may be some: their list says why it can't be read

    def _was_used(self) -> bool:
        if self._in_use:
            return True
        try:
            return self.lock.path.stat().st_size > 0
        except OSError:
            return False

    def _mark_used(self) -> None:
        if self._in_use:
            return
        self._in_use = True
        with contextlib.suppress(OSError):  # the commit stands; the next process marks it
            if not self.lock.path.stat().st_size:
                self.lock.path.write_bytes(_IN_USE)


def _counted(meta: Rows, changes: int) -> Rows:
    """`_meta` with its sequence moved on."""
    for doc_id, row in meta.by_id.items():
        record = cast(Meta, row.record)
        counted = replace(record, sequence=record.sequence + changes)
        return Rows({doc_id: make_row(Meta, counted, row.extra)})
    return Rows({1: make_row(Meta, Meta(sequence=changes))})
