"""Reading a damaged file for what can still be read of it, document by document."""

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from tui.core.errors import StorageError, StorageErrorKind
from tui.core.frozen import frozen
from tui.core.records import SCHEMA, Meta
from tui.storage.failures import cannot_read
from tui.storage.files import SYSTEM_FILES, FileLayer
from tui.storage.migrations import Documents, FileKind, migrate
from tui.storage.records import Codec, codec
from tui.storage.rows import Row, Rows, Tables, encode_document
from tui.storage.typed_file import TypedFile

_PLACE = re.compile(r'"([a-z_]{1,40})"\s*:\s*\{(?=\s*["}])|"([0-9]{1,18})"\s*:\s*(?=\{)')
"""Where a table begins, or a numbered document."""


@frozen
class Salvage:
    """What could be read of a file."""

    tables: Tables
    """Every record decoded."""
    problem: StorageError | None = None
    """What is wrong with the file; None where it could be read whole."""
    unreadable: int = 0
    """Documents that were found and can't be read; others may be gone without a trace."""

    @property
    def whole(self) -> bool:
        """Whether nothing is missing."""
        return self.problem is None


def read_file(
    path: Path, kind: FileKind, record_types: Mapping[str, type], files: FileLayer = SYSTEM_FILES
) -> Salvage | None:
    """What a file holds, as far as it can be read; None where there is no file. Evidence is kept of damage.

    Raises:
        StorageError: It is of a newer version, or the system does not let it be read.
    """
    file = TypedFile(path, kind, record_types, files)
    try:
        tables = file.load()
    except StorageError as error:
        if error.kind is not StorageErrorKind.CORRUPT:
            raise
        return _salvaged(file.path, kind, record_types, error)
    finally:
        file.close()
    return None if tables is None else Salvage(tables)


def _salvaged(path: Path, kind: FileKind, record_types: Mapping[str, type], problem: StorageError) -> Salvage:
    try:
        text = path.read_bytes().decode("utf-8", "replace")
    except OSError as error:
        raise cannot_read(path, error) from error
    types = {"_meta": Meta, **record_types}
    documents, unreadable = _documents(text, types)
    tables: Tables = {}
    for name, table in _present(kind, documents).items():
        rows = {int(key): _row(codec(types[name]), document) for key, document in table.items()}
        tables[name] = Rows({doc_id: row for doc_id, row in rows.items() if row})
        unreadable += len(rows) - len(tables[name].by_id)
    return Salvage(tables, problem, unreadable)


def _documents(text: str, names: Mapping[str, type]) -> tuple[Documents, int]:
    """The documents of known tables that are whole, and how many are not."""
    documents: Documents = {}
    unreadable, at, table = 0, 0, ""
    while match := _PLACE.search(text, at):
        name, number = match.groups()
        at = match.end()
        if name:
            table = name if name in names else table
            continue
        try:
            document, at = _DECODER.raw_decode(text, at)
        except (json.JSONDecodeError, RecursionError):
            unreadable += 1
            continue
        documents.setdefault(table, {})[number] = document
    documents.pop("", None)
    return documents, unreadable


def _present(kind: FileKind, documents: Documents) -> Documents:
    """The documents in the form of this version; as they are where they can't be brought to it."""
    schema = next(iter(documents.get("_meta", {}).values()), {}).get("schema")
    if type(schema) is int and 0 <= schema < SCHEMA:
        with suppress(Exception):  # a migration may rely on what the damage took
            return migrate(kind, documents, schema)
    return documents


def _row(form: Codec[Any], document: dict[str, Any]) -> Row | None:
    try:
        encoded = encode_document(document)
        return Row(encoded, record=form.decode(document), extra=form.unknown(document))
    except ValueError:
        return None


_DECODER = json.JSONDecoder()
