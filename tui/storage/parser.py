"""Reads TinyDB's JSON row by row, over an earlier state from which it takes what did not change.

One `loads` of a large file would hold the interpreter's lock throughout (70 ms for 10,000 messages).
"""

import codecs
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import NoReturn

from tui.storage.rows import Row, Rows, Run, Tables, encode_document


def parse_tables(blocks: Iterable[bytes], previous: Mapping[str, Rows] | None = None) -> Tables:
    """The tables of a file.

    Args:
        blocks: The whole file, in pieces of any size.
        previous: An earlier state; rows that did not change are taken from it, decoded records included.

    Raises:
        ValueError: It is not a TinyDB file; the text says what is wrong.
    """
    try:
        return _Parser(blocks, previous or {}).tables()
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8 text") from None
    except (IndexError, json.JSONDecodeError, RecursionError):
        raise ValueError("it is not complete JSON") from None


class _Parser:
    """Reads a file from its beginning to its end, through a window that moves along.

    What fails inside the window is tried again with more of the file in it, until there is no more.
    """

    def __init__(self, blocks: Iterable[bytes], previous: Mapping[str, Rows]) -> None:
        self._blocks = chain(blocks, [b""])
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._previous = previous
        self._text = ""
        self._at = 0

    def tables(self) -> Tables:
        self._skip()
        if not self._text:
            raise ValueError("it is empty")
        tables: Tables = {}
        for name in self._members():
            known = self._previous.get(name, _NOTHING)
            tables[name] = _reuse(known, self._documents(known))
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
            yield self._string()
            if self._next() == "}":
                self._at += 1
                return
            self._expect(",")

    def _string(self) -> str:
        """The key that begins here, with the position after its colon."""
        while True:
            try:
                key, end = _DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError:
                if not self._more():
                    raise
            else:
                self._at = end
                self._expect(":")
                return str(key)

    def _documents(self, known: Rows) -> dict[int, Row]:
        """The documents of the table that begins here."""
        by_id: dict[int, Row] = {}
        self._expect("{")
        if self._next() == "}":
            self._at += 1
            return by_id
        runs = {run.keys[0]: run for run in known.encoded_runs}
        while True:
            try:
                self._read_rows(by_id, known.by_id, runs)
            except (ValueError, IndexError):
                if not self._more():
                    raise
            else:
                return by_id

    def _read_rows(self, by_id: dict[int, Row], known: Mapping[int, Row], runs: Mapping[int, Run]) -> None:
        """Add the rows up to the table's end; the start of a program waits for this loop."""
        while True:
            text = self._text
            match = _KEY.match(text, self._at)
            if not match:
                raise ValueError("it is not a table of numbered documents")
            doc_id, start = int(match[1]), match.end()
            old = known.get(doc_id)
            run = runs.get(doc_id)
            if run and (end := _end_of_run(run, text, match.start(1) - 1)):
                by_id.update(zip(run.keys, run.rows, strict=True))
            elif old and text.startswith(old.encoded, start):
                by_id[doc_id] = old
                end = start + len(old.encoded)
            else:
                by_id[doc_id], end = _parse_row(text, start)
            match = _SEPARATOR.match(text, end)
            if not match:
                raise ValueError("it is not complete JSON")
            self._at = match.end()
            if match[1] == "}":
                return

    def _next(self) -> str:
        self._skip()
        return self._text[self._at]

    def _expect(self, character: str) -> None:
        if self._next() != character:
            raise ValueError("it is not a TinyDB file")
        self._at += 1

    def _skip(self) -> None:
        """Go on to what is no space."""
        while True:
            if match := _SPACE.match(self._text, self._at):
                self._at = match.end()
            if self._at < len(self._text) or not self._more():
                return

    def _more(self) -> bool:
        """Move the window on, and make it twice as large as what is unread; False at the file's end."""
        unread = self._text[self._at :]
        fresh, size = [], 0
        for block in self._blocks:
            fresh.append(self._decoder.decode(block, final=not block))
            size += len(fresh[-1])
            if size > len(unread):
                break
        self._text, self._at = "".join([unread, *fresh]), 0
        return size > 0


def _reuse(known: Rows, by_id: dict[int, Row]) -> Rows:
    """The table as it was known, where it is the same; its runs where they are."""
    rows = Rows(by_id)
    if known.same_as(rows):
        return known
    if known.by_id:
        rows.runs(known)  # the next change is then found run by run
    return rows


def _end_of_run(run: Run, text: str, start: int) -> int:
    """Where a run that stands there unchanged ends; 0 where it does not."""
    members = run.text.decode("ascii")
    return start + len(members) if text.startswith(members, start) else 0


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
_DECODER = json.JSONDecoder(parse_constant=_refuse)
_NOTHING = Rows()
