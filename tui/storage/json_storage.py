"""A TinyDB storage that no crash, full disk or second process can damage.

Plain `TinyDB(path)` can read its files at any instant. Stock TinyDB rewrites a file in place without a lock
and takes an empty one for a new database; here it is replaced whole and synced, and left alone if damaged.
"""

import contextlib
import os
import stat
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

from tinydb.storages import Storage

from tui.core.errors import StorageError
from tui.storage.failures import cannot_read, cannot_write, corrupt, not_a_file
from tui.storage.files import (
    SYSTEM_FILES,
    FileLayer,
    mend_mode,
    read_all,
    read_blocks,
    real_path,
    replace_file,
)
from tui.storage.parser import parse_tables
from tui.storage.rows import Tables, encode_tables, rows_of

_Signature: TypeAlias = tuple[int, int, int, int]


class AtomicJSONStorage(Storage):
    """One JSON file. `read` and `write` serve TinyDB; `load` and `save` serve the store, without copies.

    The store's lock must be held over `write` and `save`: the storage itself excludes nobody.

    Args:
        path: The file; symbolic links are resolved, so that a link is never replaced by a file.
        files: The calls on disk.
    """

    def __init__(self, path: str | Path, files: FileLayer = SYSTEM_FILES) -> None:
        self.path = real_path(Path(path))
        self._files = files
        self._tables: Tables | None = None
        self._signature: _Signature | None = None
        # Held open so that its inode number can't be given to another file, which would look unchanged.
        self._descriptor: int | None = None

    def read(self) -> dict[str, dict[str, Any]] | None:
        """The documents as TinyDB wants them: fresh copies, because TinyDB changes them in place.

        Raises:
            StorageError: The file is damaged or can't be read.
        """
        tables = self.load()
        if tables is None:
            return None
        return {
            name: {str(key): row.document() for key, row in rows.by_id.items()}
            for name, rows in tables.items()
        }

    def write(self, data: Mapping[str, Mapping[str, Any]]) -> None:
        """Replace the file by these documents.

        Raises:
            StorageError: Nothing was replaced.
        """
        self.save({name: rows_of(documents) for name, documents in data.items()})

    def load(self) -> Tables | None:
        """The tables; parsed only where the file changed since. None where there is no file.

        Raises:
            StorageError: The file is damaged or can't be read. What was loaded before stays as it was.
        """
        if not self.changed():
            return self._tables
        try:
            descriptor = self._open()
        except FileNotFoundError:
            self._forget()
            self._tables = None
            return None
        except OSError as error:
            raise cannot_read(self.path, error) from error
        try:
            tables, signature = self._parse(descriptor)
        except BaseException:
            self._files.close(descriptor)
            raise
        self._remember(descriptor, signature, tables)
        return tables

    def save(self, tables: Tables) -> None:
        """Replace the file by these tables; they are on the medium when this returns.

        Raises:
            StorageError: Nothing was replaced; except where only the sync of the directory failed.
            ValueError: They hold something that JSON has no form for.
        """
        try:
            descriptor = replace_file(self._files, self.path, encode_tables(tables, self._tables))
        except OSError as error:
            self._forget()
            raise cannot_write(self.path, error) from error
        self._remember(descriptor, _signature(os.fstat(descriptor)), tables)

    def changed(self) -> bool:
        """Whether the file is another one than was loaded or saved last."""
        if self._signature is None:
            return True
        try:
            return _signature(self.path.stat()) != self._signature
        except OSError:
            return True

    def forget(self) -> None:
        """Read the file again the next time."""
        self._forget()

    def close(self) -> None:
        """Let go of the file."""
        self._forget()

    def _open(self) -> int:
        # A pipe in the file's place would block for ever.
        if not stat.S_ISREG(self.path.stat().st_mode):
            raise not_a_file(self.path)
        return self._files.open(self.path, os.O_RDONLY)

    def _parse(self, descriptor: int) -> tuple[Tables, _Signature]:
        try:
            # Taken first, so that whoever writes into the file meanwhile is noticed the next time.
            status = os.fstat(descriptor)
            mend_mode(descriptor, status.st_mode)
            tables = parse_tables(read_blocks(descriptor), self._tables)
        except OSError as error:
            raise cannot_read(self.path, error) from error
        except ValueError as error:
            os.lseek(descriptor, 0, os.SEEK_SET)
            raise self.damaged(str(error), read_all(descriptor)) from None
        return tables, _signature(status)

    def damaged(self, problem: str, content: bytes | None = None) -> StorageError:
        """The error for content that can't be right; the evidence is kept beside the file."""
        if content is None:
            with contextlib.suppress(OSError):
                content = self.path.read_bytes()
        evidence = None
        with contextlib.suppress(OSError):
            evidence = keep_evidence(self.path, content) if content is not None else None
        self._forget()
        return corrupt(self.path, problem, evidence)

    def _remember(self, descriptor: int, signature: _Signature, tables: Tables) -> None:
        self._forget()
        self._descriptor, self._signature, self._tables = descriptor, signature, tables

    def _forget(self) -> None:
        self._signature = None
        if self._descriptor is not None:
            with contextlib.suppress(OSError):
                self._files.close(self._descriptor)
            self._descriptor = None


def keep_evidence(path: Path, content: bytes) -> Path:
    """Copy damaged content to `<name>.corrupt-<time>`, once for the same content."""
    for copy in path.parent.glob(f"{path.name}.corrupt-*"):
        if copy.stat().st_size == len(content) and copy.read_bytes() == content:
            return copy
    copy = path.with_name(f"{path.name}.corrupt-{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}")
    descriptor = os.open(copy, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    return copy


def _signature(status: os.stat_result) -> _Signature:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
