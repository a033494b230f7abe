"""A TinyDB file whose records are typed: decoded and checked when read, of a known version."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from tui.core.errors import RecordProblem, StorageError, StorageErrorKind
from tui.core.records import SCHEMA, Meta
from tui.storage.failures import newer
from tui.storage.files import SYSTEM_FILES, FileLayer
from tui.storage.json_storage import AtomicJSONStorage
from tui.storage.migrations import Documents, FileKind, is_alike, migrate
from tui.storage.records import Codec, FieldProblemError, codec
from tui.storage.rows import Row, Rows, Tables, rows_of
from tui.storage.tables import make_row


class DamagedRecordError(StorageError):
    """A stored record is not what its schema says.

    Args:
        message: The sentence.
        problem: Where, and what.
    """

    def __init__(self, message: str, problem: RecordProblem) -> None:
        super().__init__(StorageErrorKind.CORRUPT, message)
        self.problem = problem


class TypedFile:
    """One file, its storage and the classes of its records. Tables that it does not know are kept.

    Args:
        path: The file.
        kind: What it holds.
        record_types: The class of each table's records.
        files: The calls on disk.
    """

    def __init__(
        self, path: Path, kind: FileKind, record_types: Mapping[str, type], files: FileLayer = SYSTEM_FILES
    ) -> None:
        self.storage = AtomicJSONStorage(path, files)
        self._kind = kind
        self._types = {"_meta": Meta, **record_types}
        self._raw: Tables | None = None
        self._typed: Tables | None = None
        self._older = False

    @property
    def path(self) -> Path:
        """The file, links resolved."""
        return self.storage.path

    @property
    def older(self) -> bool:
        """Whether the file on disk is in the form of an earlier version."""
        return self._older

    def load(self) -> Tables | None:
        """The tables, every record decoded; None where there is no file.

        Raises:
            StorageError: The file is damaged, of a newer version, or can't be read.
        """
        raw = self.storage.load()
        if raw is None:
            self._raw = self._typed = None
            return None
        if raw is not self._raw:
            typed = self._present(raw)
            self._decode(typed)
            self._raw, self._typed = raw, typed
        return self._typed

    def save(self, tables: Tables) -> None:
        """Replace the file.

        Raises:
            StorageError: Nothing was replaced; except where only the sync of the directory failed.
        """
        self.storage.save(tables)
        self._raw = self._typed = tables
        self._older = False

    def close(self) -> None:
        """Let go of the file."""
        self.storage.close()

    def _present(self, raw: Tables) -> Tables:
        """The tables in the form of this version."""
        schema = self._schema(raw)
        if schema > SCHEMA:
            raise newer(self.path, schema, SCHEMA)
        self._older = schema < SCHEMA
        if not self._older:
            return raw
        if is_alike(self._kind, schema):  # as long conversations are: their records need not be made again
            meta = {str(doc_id): row.document() for doc_id, row in raw["_meta"].by_id.items()}
            return {**raw, "_meta": rows_of(migrate(self._kind, {"_meta": meta}, schema)["_meta"])}
        documents = migrate(self._kind, cast(Documents, self.storage.read()), schema)
        tables = {name: rows_of(table) for name, table in documents.items()}
        for row in (row for rows in tables.values() for row in rows.by_id.values()):
            row.parsed = row.document()
        return tables

    def _schema(self, raw: Tables) -> int:
        meta = next(iter(raw.get("_meta", Rows()).by_id.values()), None)
        schema = _document(meta).get("schema") if meta else None
        if type(schema) is not int or schema < 0:
            raise self.storage.damaged("it does not say its format, so it may not be Ctroom's")
        return schema

    def _decode(self, tables: Tables) -> None:
        known = self._typed or {}
        for name, record_type in self._types.items():
            rows = tables.get(name)
            if rows is None or rows is known.get(name):
                continue
            form: Codec[Any] = codec(record_type)
            for doc_id, row in rows.by_id.items():
                if row.record is not None:
                    continue
                document = _document(row)
                try:
                    row.record = form.decode(document)
                except FieldProblemError as error:
                    raise self._damaged(name, doc_id, error) from None
                row.extra = form.unknown(document)
                row.parsed = None

    def _damaged(self, table: str, doc_id: int, error: FieldProblemError) -> DamagedRecordError:
        problem = RecordProblem(self.path.name, f"{table}/{doc_id}", error.field, error.problem)
        sentence = self.storage.damaged(f"table {table!r}, document {doc_id}, {error}")
        return DamagedRecordError(str(sentence), problem)


def new_tables(meta: Meta) -> Tables:
    """The tables of a file that is not there yet."""
    return {"_meta": Rows({1: make_row(Meta, meta)})}


def _document(row: Row) -> dict[str, Any]:
    return row.parsed if row.parsed is not None else row.document()
