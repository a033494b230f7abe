"""The rows of a TinyDB file, and their JSON in runs: what nobody touched is never encoded again.

The text is what `json.dumps` makes of `{table: {id: document}}`. One `dumps` or `join` of a large file would
hold the interpreter's lock throughout (70 ms for 10,000 messages); in pieces, other threads get turns.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

Document: TypeAlias = dict[str, Any]

RUN_ROWS = 64
"""Documents in a run, at most: a save encodes the runs that it changed."""
RUN_CHARACTERS = 1 << 16
"""A run that has this many takes no further document."""
BLOCK_BYTES = 1 << 20
"""Bytes joined for one call on disk: few enough for 0.2 ms, enough that the lock is given up seldom."""


class Row:
    """One document: its JSON, and what was decoded from it. Never changed once others can see it."""

    __slots__ = ("encoded", "extra", "parsed", "record")

    def __init__(
        self,
        encoded: str,
        *,
        parsed: Document | None = None,
        record: object = None,
        extra: Document | None = None,
    ) -> None:
        self.encoded = encoded
        """Its JSON, in ASCII."""
        self.parsed = parsed
        """What was parsed from the file, until a record is made of it."""
        self.record = record
        """The typed record; None until it is decoded."""
        self.extra = extra
        """Fields that the record's class does not know; kept when the record is replaced."""

    def document(self) -> Document:
        """A fresh copy of the document."""
        document: Document = json.loads(self.encoded)
        return document


class Run:
    """Neighbouring documents of one table with their JSON. Never changed."""

    __slots__ = ("keys", "rows", "text")

    def __init__(self, keys: list[int], rows: list[Row]) -> None:
        self.keys = keys
        self.rows = rows
        members = [f'"{key}": {row.encoded}' for key, row in zip(keys, rows, strict=True)]
        self.text = ", ".join(members).encode("ascii")
        """Its members, as they stand in the file."""


class Rows:
    """The documents of one table by id. Never changed once others can see it."""

    __slots__ = ("_runs", "by_id", "last_id")

    def __init__(self, by_id: dict[int, Row] | None = None, last_id: int | None = None) -> None:
        self.by_id = by_id if by_id is not None else {}
        self.last_id = max(self.by_id, default=0) if last_id is None else last_id
        self._runs: list[Run] | None = None

    @property
    def encoded_runs(self) -> list[Run]:
        """The runs that were encoded so far; empty where the table was never written."""
        return self._runs or []

    def runs(self, earlier: "Rows | None" = None) -> list[Run]:
        """The whole table in runs; made once.

        Args:
            earlier: What the table was before; runs that did not change are taken from it.
        """
        if self._runs is None:
            self._runs = _runs(self.by_id, earlier.encoded_runs if earlier else [])
        return self._runs

    def same_as(self, other: "Rows") -> bool:
        """Whether the very same rows stand in the same places."""
        return list(self.by_id) == list(other.by_id) and list(self.by_id.values()) == list(
            other.by_id.values()
        )


Tables: TypeAlias = dict[str, Rows]


def encode_document(document: Mapping[str, Any]) -> str:
    """The JSON of one document.

    Raises:
        ValueError: It holds NaN or infinity.
        TypeError: It holds something that JSON has no form for.
    """
    return _ENCODER.encode(document)


def encode_tables(tables: Mapping[str, Rows], previous: Mapping[str, Rows] | None = None) -> Iterator[bytes]:
    """The file's content in blocks; joined, they are byte for byte what `json.dumps` would make of it.

    Args:
        tables: The whole file.
        previous: An earlier state; the text of what did not change is taken from it.
    """
    earlier = previous or {}
    block: list[bytes] = []
    size = 0
    for piece in _pieces({name: rows.runs(earlier.get(name)) for name, rows in tables.items()}):
        block.append(piece)
        size += len(piece)
        if size >= BLOCK_BYTES:
            yield b"".join(block)
            block, size = [], 0
    yield b"".join(block)


def rows_of(documents: Mapping[str, Mapping[str, Any]]) -> Rows:
    """The rows of a table as TinyDB hands it over: documents by the text of their ids."""
    return Rows({int(key): Row(encode_document(document)) for key, document in documents.items()})


def _pieces(tables: Mapping[str, list[Run]]) -> Iterator[bytes]:
    before = "{"
    for name, runs in tables.items():
        yield f"{before}{json.dumps(name)}: {{".encode("ascii")
        for number, run in enumerate(runs):
            if number:
                yield b", "
            yield run.text
        yield b"}"
        before = ", "
    yield b"}" if tables else b"{}"


def _runs(by_id: Mapping[int, Row], earlier: Iterable[Run]) -> list[Run]:
    """The rows in runs; of the earlier ones, those whose very rows still stand together."""
    keys, rows = list(by_id), list(by_id.values())
    runs: list[Run] = []
    done = 0
    for run in earlier:
        try:
            start = keys.index(run.keys[0], done)
        except ValueError:
            continue
        end = start + len(run.keys)
        if keys[start:end] == run.keys and rows[start:end] == run.rows:
            _add_runs(runs, keys[done:start], rows[done:start])
            runs.append(run)
            done = end
    _add_runs(runs, keys[done:], rows[done:])
    return runs


def _add_runs(runs: list[Run], keys: list[int], rows: list[Row]) -> None:
    """Encode rows that follow the last run; one that has room is made again, so that few stay short."""
    if keys and runs and len(runs[-1].keys) + len(keys) <= RUN_ROWS and len(runs[-1].text) < RUN_CHARACTERS:
        last = runs.pop()
        keys, rows = last.keys + keys, last.rows + rows
    start = size = 0
    for end, row in enumerate(rows, start=1):
        size += len(row.encoded)
        if end - start == RUN_ROWS or size >= RUN_CHARACTERS or end == len(rows):
            runs.append(Run(keys[start:end], rows[start:end]))
            start, size = end, 0


_ENCODER = json.JSONEncoder(allow_nan=False)
