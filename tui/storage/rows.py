"""TinyDB's JSON, read and written record by record, so that what nobody touched is never encoded again.

The text is what `json.dumps` makes of `{table: {id: document}}`. One `dumps` or `loads` of a large file would
hold the interpreter's lock throughout (70 ms for 10,000 messages); record by record, other threads get turns.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn, TypeAlias

Document: TypeAlias = dict[str, Any]


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


class Rows:
    """The documents of one table by id. Never changed once others can see it."""

    __slots__ = ("_text", "by_id", "last_id")

    def __init__(self, by_id: dict[int, Row] | None = None, last_id: int | None = None) -> None:
        self.by_id = by_id if by_id is not None else {}
        self.last_id = max(self.by_id, default=0) if last_id is None else last_id
        self._text: str | None = None

    @property
    def text(self) -> str:
        """The table's JSON; made once."""
        if self._text is None:
            members = [f'"{key}": {row.encoded}' for key, row in self.by_id.items()]
            self._text = "{" + ", ".join(members) + "}"
        return self._text


Tables: TypeAlias = dict[str, Rows]


def encode_document(document: Mapping[str, Any]) -> str:
    """The JSON of one document.

    Raises:
        ValueError: It holds NaN or infinity.
        TypeError: It holds something that JSON has no form for.
    """
    return _ENCODER.encode(document)


def encode_tables(tables: Mapping[str, Rows]) -> bytes:
    """The file's content, byte for byte what `json.dumps` would make of it."""
    parts = [f"{json.dumps(name)}: {rows.text}" for name, rows in tables.items()]
    return ("{" + ", ".join(parts) + "}").encode("ascii")


def rows_of(documents: Mapping[str, Mapping[str, Any]]) -> Rows:
    """The rows of a table as TinyDB hands it over: documents by the text of their ids."""
    return Rows({int(key): Row(encode_document(document)) for key, document in documents.items()})


def parse_tables(content: bytes, previous: Mapping[str, Rows] | None = None) -> Tables:
    """The tables of a file.

    Args:
        content: The whole file.
        previous: An earlier state; rows that did not change are taken from it, decoded records included.

    Raises:
        ValueError: It is not a TinyDB file; the text says what is wrong.
    """
    if not content.strip():
        raise ValueError("it is empty")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8 text") from None
    try:
        return _Parser(text, previous or {}).tables()
    except (IndexError, json.JSONDecodeError, RecursionError):
        raise ValueError("it is not complete JSON") from None


class _Parser:
    """Reads one file's text from its beginning to its end."""

    def __init__(self, text: str, previous: Mapping[str, Rows]) -> None:
        self._text = text
        self._at = 0
        self._previous = previous

    def tables(self) -> Tables:
        tables: Tables = {}
        for name in self._members():
            known = self._previous.get(name)
            tables[name] = _reuse(known, self._documents(known.by_id if known else {}))
        self._skip()
        if self._at != len(self._text):
            raise ValueError("it goes on after its end")
        return tables

    def _members(self) -> Iterator[str]:
        """Each key of the object that begins here, with the position at its value."""
        self._expect("{")
        if self._next() == "}":
            self._at += 1
            return
        while True:
            if self._next() != '"':
                raise ValueError("it is not a TinyDB file")
            key, self._at = _DECODER.raw_decode(self._text, self._at)
            self._expect(":")
            yield str(key)
            if self._next() == "}":
                self._at += 1
                return
            self._expect(",")

    def _documents(self, known: Mapping[int, Row]) -> dict[int, Row]:
        """The documents of the table that begins here; the start of a program waits for this loop."""
        by_id: dict[int, Row] = {}
        text = self._text
        self._expect("{")
        if self._next() == "}":
            self._at += 1
            return by_id
        while True:
            match = _KEY.match(text, self._at)
            if not match:
                raise ValueError("it is not a table of numbered documents")
            doc_id, start = int(match[1]), match.end()
            old = known.get(doc_id)
            if old and text.startswith(old.encoded, start):
                by_id[doc_id] = old
                end = start + len(old.encoded)
            else:
                by_id[doc_id], end = _parse_row(text, start)
            match = _SEPARATOR.match(text, end)
            if not match:
                raise ValueError("it is not complete JSON")
            self._at = match.end()
            if match[1] == "}":
                return by_id

    def _next(self) -> str:
        self._skip()
        return self._text[self._at]

    def _expect(self, character: str) -> None:
        if self._next() != character:
            raise ValueError("it is not a TinyDB file")
        self._at += 1

    def _skip(self) -> None:
        if self._at < len(self._text) and self._text[self._at] <= " ":
            match = _SPACE.match(self._text, self._at)
            if match:
                self._at = match.end()


def _reuse(known: Rows | None, by_id: dict[int, Row]) -> Rows:
    """The table as it was known, where it is the same, so that its text is not made again."""
    if known and len(known.by_id) == len(by_id):
        pairs = zip(known.by_id.items(), by_id.items(), strict=True)
        if all(old_id == new_id and old is new for (old_id, old), (new_id, new) in pairs):
            return known
    return Rows(by_id)


def _parse_row(text: str, start: int) -> tuple[Row, int]:
    """The row of the document that begins at `start`, and where it ends."""
    document, end = _DECODER.raw_decode(text, start)
    if type(document) is not dict:
        raise ValueError("it is not a table of numbered documents")
    encoded = text[start:end]
    return Row(encoded if encoded.isascii() else encode_document(document), parsed=document), end


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"it holds {constant}, which is not JSON")


_KEY = re.compile(r'[ \t\n\r]*"([0-9]{1,18})"[ \t\n\r]*:[ \t\n\r]*')
_SEPARATOR = re.compile(r"[ \t\n\r]*([,}])")
_SPACE = re.compile(r"[ \t\n\r]*")
_ENCODER = json.JSONEncoder(allow_nan=False)
_DECODER = json.JSONDecoder(parse_constant=_refuse)
