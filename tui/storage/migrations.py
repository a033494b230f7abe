"""Stored forms of earlier versions, brought to the present one by pure functions."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, TypeAlias

from tui.core.records import SCHEMA

Documents: TypeAlias = dict[str, dict[str, dict[str, Any]]]
"""A whole file as plain TinyDB reads it: documents by table and by the text of their ids."""

Migration: TypeAlias = Callable[[Documents], Documents]
"""Makes the documents of the next version; `_meta` is brought along by `migrate`."""


class FileKind(StrEnum):
    """The kinds of files that have a schema."""

    STATE = "state"
    CONVERSATION = "conversation"
    LEDGER = "ledger"
    INDEX = "index"
    """Entries of older conversations."""
    TRAIL = "trail"
    """Earlier entries of the trail of changes."""


def _number_rows(documents: Documents) -> Documents:
    """Version 2 numbers ledger rows and notes the balance after each; those from before have neither."""
    if "ledger" not in documents:
        return documents
    rows = {key: {**row, "number": 0, "balance": None} for key, row in documents["ledger"].items()}
    return {**documents, "ledger": rows}


MIGRATIONS: Mapping[FileKind, Mapping[int, Migration]] = MappingProxyType(
    {
        FileKind.STATE: {1: _number_rows},
        FileKind.CONVERSATION: {},
        FileKind.LEDGER: {1: _number_rows},
        FileKind.INDEX: {},
        FileKind.TRAIL: {},
    }
)
"""For each kind, the step from a version to the next; a version without an entry needs no change."""


def is_alike(kind: FileKind, schema: int) -> bool:
    """Whether a file of that version has the present form, but for the version that it says."""
    return not any(version in MIGRATIONS[kind] for version in range(schema, SCHEMA))


def migrate(
    kind: FileKind,
    documents: Documents,
    schema: int,
    target: int = SCHEMA,
    migrations: Mapping[FileKind, Mapping[int, Migration]] = MIGRATIONS,
) -> Documents:
    """The documents in the form of version `target`.

    Args:
        kind: What the file holds.
        documents: The whole file.
        schema: The version that it is in.
        target: The version to reach.
        migrations: The steps.
    """
    for version in range(schema, target):
        step = migrations[kind].get(version)
        documents = step(documents) if step else documents
    meta = {**next(iter(documents.get("_meta", {}).values()), {}), "schema": target}
    return {"_meta": {"1": meta}, **{name: table for name, table in documents.items() if name != "_meta"}}
