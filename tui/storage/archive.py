"""Ledger rows of earlier times: one TinyDB file for each month, to which rows move whole.

A move writes the new place first and removes the old after: a crash between leaves a row in both, never in
neither, and readers drop the second.
"""

import re
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TypeAlias, cast

from tui.core.errors import StorageError, StorageErrorKind
from tui.core.ports import Clock
from tui.core.quota import LedgerRow, RowKind
from tui.core.records import Meta
from tui.storage.failures import cannot_read, cannot_write
from tui.storage.files import SYSTEM_FILES, FileLayer, make_directory
from tui.storage.migrations import FileKind
from tui.storage.rows import Row, Rows
from tui.storage.typed_file import TypedFile, new_tables

LEDGER = "ledger"
KEPT_LIVE = 200
"""Rows that stay in `ctroom.json` (design, section 4)."""
MOST_LIVE = 300
"""Rows above which the older ones move: moving a hundred at a time writes a month's file seldom."""

RowKey: TypeAlias = tuple[str, RowKind, datetime]

_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")


def row_key(row: LedgerRow) -> RowKey:
    """What makes a row the same row in two places; the time tells an attempt's adjustments apart."""
    return row.attempt_id, row.kind, row.at


def month_of(row: LedgerRow) -> str:
    """The month whose file a row belongs to, such as `2026-11`: that of the day it was charged to."""
    return f"{row.date:%Y-%m}"


class LedgerArchive:
    """The month files. Used on the writer thread only.

    Args:
        directory: Where they are; made at the first move.
        clock: The present moment.
        files: The calls on disk.
    """

    def __init__(self, directory: Path, clock: Clock, files: FileLayer = SYSTEM_FILES) -> None:
        self._directory = directory
        self._clock = clock
        self._files = files

    def add(self, rows: Iterable[Row]) -> None:
        """Write rows to their months' files, but for those that are there. The store's lock must be held.

        Raises:
            StorageError: A file could not be read or written; the rows may be in some of the files.
        """
        months: dict[str, list[Row]] = {}
        for row in rows:
            months.setdefault(month_of(_record(row)), []).append(row)
        for month, its_rows in months.items():
            self._add_to(month, its_rows)

    def load(self, month: str) -> tuple[LedgerRow, ...]:
        """The rows in a month's file just as they stand there, oldest first.

        Raises:
            StorageError: It is no month, or the file is damaged or can't be read.
        """
        file = self._file(month)
        try:
            tables = file.load()
        finally:
            file.close()
        return tuple(_record(row) for row in tables.get(LEDGER, Rows()).by_id.values()) if tables else ()

    def months(self) -> tuple[str, ...]:
        """The months that have a file, oldest first.

        Raises:
            StorageError: The directory can't be read.
        """
        try:
            names = sorted(path.stem for path in self._directory.iterdir() if path.suffix == ".json")
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise cannot_read(self._directory, error) from error
        return tuple(name for name in names if _MONTH.fullmatch(name))

    def _add_to(self, month: str, rows: list[Row]) -> None:
        file = self._file(month)
        try:
            tables = file.load()
            if tables is None:
                tables = new_tables(Meta(created_at=self._clock()))
                self._make_directory()
            there = tables.get(LEDGER, Rows())
            known = {row_key(_record(row)) for row in there.by_id.values()}
            fresh = [row for row in rows if row_key(_record(row)) not in known]
            if fresh:
                added = {there.last_id + number: row for number, row in enumerate(fresh, start=1)}
                file.save({**tables, LEDGER: Rows(_in_order({**there.by_id, **added}))})
        finally:
            file.close()

    def _file(self, month: str) -> TypedFile:
        if not _MONTH.fullmatch(month):
            raise StorageError(StorageErrorKind.UNREADABLE, f"{month[:20]!r} is not a month such as 2026-11.")
        return TypedFile(self._directory / f"{month}.json", FileKind.LEDGER, {LEDGER: LedgerRow}, self._files)

    def _make_directory(self) -> None:
        try:
            make_directory(self._directory, self._files)
        except OSError as error:
            raise cannot_write(self._directory, error) from error


def unique_rows(rows: Iterable[LedgerRow]) -> tuple[LedgerRow, ...]:
    """The rows without those that a broken move left in two places."""
    return tuple({row_key(row): row for row in rows}.values())


def _in_order(rows: dict[int, Row]) -> dict[int, Row]:
    """The rows as they were made: a restored row may move to its month after later ones."""
    return dict(sorted(rows.items(), key=lambda entry: _record(entry[1]).number))


def _record(row: Row) -> LedgerRow:
    return cast(LedgerRow, row.record)
