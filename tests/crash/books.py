"""A data directory as plain TinyDB reads it: nothing of Ctroom's own reading is trusted here."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from tinydb import TinyDB

Document: TypeAlias = dict[str, Any]
RowKey: TypeAlias = tuple[str, str, str]

DIRECTORIES = ("ledger", "conversations")


@dataclass
class Books:
    """What is on the disk."""

    tables: dict[str, list[Document]] = field(default_factory=dict)
    """Those of `ctroom.json`."""
    archived: list[Document] = field(default_factory=list)
    """Ledger rows of the month files."""
    messages: dict[str, list[Document]] = field(default_factory=dict)
    """By conversation."""
    unreadable: list[str] = field(default_factory=list)
    files: int = 0

    def table(self, name: str) -> list[Document]:
        """The documents of a table of `ctroom.json`."""
        return self.tables.get(name, [])

    def rows(self) -> dict[RowKey, Document]:
        """The ledger: every row once, though a broken move may have left it in two places."""
        return {row_key(row): row for row in self.all_rows()}

    def all_rows(self) -> Iterator[Document]:
        """The ledger with the rows that are in two places."""
        yield from self.table("ledger")
        yield from self.archived


@dataclass
class Reader:
    """Reads a data directory again and again, each file only where it is another than before."""

    home: Path
    _known: dict[Path, tuple[tuple[int, int], dict[str, list[Document]]]] = field(default_factory=dict)

    def read(self) -> Books:
        """What is on the disk: the state before the ledger, as rows only ever move from it to there."""
        books = Books()
        books.tables = self._file(self.home / "ctroom.json", books)
        for directory in DIRECTORIES:
            for path in sorted((self.home / directory).glob("*.json")):
                tables = self._file(path, books)
                if directory == "ledger":
                    books.archived += tables.get("ledger", [])
                else:
                    books.messages[path.stem] = tables.get("messages", [])
        for path in sorted((self.home / "backups").glob("[!.]*/**/*.json")):
            self._file(path, books)
        return books

    def _file(self, path: Path, books: Books) -> dict[str, list[Document]]:
        books.files += 1
        try:
            status = path.stat()
            signature = status.st_ino, status.st_mtime_ns
            if path not in self._known or self._known[path][0] != signature:
                self._known[path] = signature, _plain(path)
            return self._known[path][1]
        except FileNotFoundError:
            return {}
        except (ValueError, TypeError, AttributeError, OSError) as error:
            books.unreadable.append(f"{path.relative_to(self.home)} can't be read: {error!r}")
            return {}


def row_key(row: Document) -> RowKey:
    """What makes a row the same row in two places."""
    return row["attempt_id"], row["kind"], row["at"]


def _plain(path: Path) -> dict[str, list[Document]]:
    if not path.stat().st_size:
        raise ValueError("it is empty, which TinyDB takes for a new database")
    with TinyDB(path, access_mode="r") as database:
        return {name: [dict(document) for document in database.table(name)] for name in database.tables()}
