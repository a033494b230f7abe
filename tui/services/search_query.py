r"""What a search looks for, and where it stands in a text: in any case, in any Unicode form.

Files are asked first, as they stand: JSON in ASCII, where "é" is `\u00e9`. That question is quick and may be
answered with yes too often, never with no where the text has what is sought.
"""

import json
import re
import unicodedata
from collections.abc import Iterator
from functools import cache

from tui.core.frozen import frozen

_TERMS = re.compile(r'"([^"]*)"?|(\S+)')
_RUNS = re.compile(r"[\x20-\x7e]+|[^\x20-\x7e]")
_CASED = (*range(0x80, 0x2E00), *range(0xA640, 0xABC0), *range(0xF900, 0x10000))
"""Code points that may fold to another; of those beyond, nothing is asked of a file."""


@frozen
class Query:
    """Terms that a message must have, each somewhere: words, and phrases in double quotes."""

    terms: tuple[str, ...]
    """Folded."""

    @classmethod
    def parse(cls, text: str) -> "Query | None":
        """The query that was typed; None where there is nothing to look for."""
        found = (" ".join(fold(match[1] or match[2] or "").split()) for match in _TERMS.finditer(text))
        terms = tuple(dict.fromkeys(filter(None, found)))
        return cls(terms) if terms else None

    def may_be_in(self, raw: bytes) -> bool:
        """Whether a piece of a conversation's file may have every term."""
        if not raw.isascii():  # written by someone else
            return True
        raw = raw.lower()
        return all(piece.may_be_in(raw) for piece in _pieces_of(self))

    def is_in(self, text: str) -> bool:
        """Whether a text has every term."""
        folded = fold(text)
        return all(pattern.search(folded) for pattern in _patterns_of(self))

    def marks(self, text: str) -> Iterator[tuple[int, int]]:
        """Where any of the terms stand in a text, in order, without overlaps."""
        folded = fold(text)
        places: list[tuple[int, int]] = []
        if len(folded) != len(text) or folded.isascii() != text.isascii():
            folded, places = _folded_with_places(text)
        found = sorted(match.span() for pattern in _patterns_of(self) for match in pattern.finditer(folded))
        end = 0
        for first, last in found:
            start, stop = (places[first][0], places[last - 1][1]) if places else (first, last)
            if start >= end:
                yield start, stop
                end = stop


def fold(text: str) -> str:
    """A text for comparison: without case, in composed form."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


@frozen
class _Piece:
    """Part of a term, and how it may stand in a file."""

    text: str
    plain: bytes
    """In the only way that it is written; empty where there are several."""
    pattern: re.Pattern[bytes] | None
    """In any of several ways."""
    expanding: re.Pattern[bytes] | None
    """Characters that may fold to some of it, as "\u00df" does to "ss"; what has them is read further."""

    def may_be_in(self, raw: bytes) -> bool:
        """Whether a piece of a file, in small letters, may have it."""
        if self.pattern.search(raw) if self.pattern else self.plain in raw:
            return True
        return self.expanding is not None and self.expanding.search(raw) is not None


@cache
def _patterns_of(query: Query) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(r"\s+".join(map(re.escape, term.split()))) for term in query.terms)


@cache
def _pieces_of(query: Query) -> tuple[_Piece, ...]:
    """The pieces of all terms; the longest, which few files have, come first."""
    words = (word for term in query.terms for word in term.split())
    pieces = [piece for word in words for piece in _pieces(word)]
    return tuple(sorted(pieces, key=lambda piece: -len(piece.text)))


def _pieces(word: str) -> Iterator[_Piece]:
    text, ways = "", list[tuple[bytes, ...]]()
    for run in (*_RUNS.findall(word), ""):
        if run and not run.isascii() and (written := _ways_to_write(run)):
            text += run
            ways.append(written)
            continue
        if ways:
            pattern = b"".join(b"(?:%s)" % b"|".join(map(re.escape, way)) for way in ways)
            yield _Piece(text, b"", re.compile(pattern), _expanding_to(text))
            text, ways = "", []
        if run and run.isascii():
            yield _Piece(run, _escaped(run), None, _expanding_to(run))


def _ways_to_write(char: str) -> tuple[bytes, ...]:
    """How a character of a folded text may stand in a file; empty where that can't be told."""
    if unicodedata.combining(char) or len(unicodedata.normalize("NFD", char)) > 1:
        return ()
    if ord(char) > 0xFFFF:
        return () if unicodedata.category(char).startswith("L") else (_escaped(char),)
    return tuple(map(_escaped, (char, *_unfolded().get(char, ()))))


def _escaped(text: str) -> bytes:
    return json.dumps(text)[1:-1].lower().encode("ascii")


@cache
def _unfolded() -> dict[str, tuple[str, ...]]:
    """The characters that fold to each other one."""
    found: dict[str, tuple[str, ...]] = {}
    for char in map(chr, _CASED):
        folded = fold(char)
        if folded != char and len(folded) == 1:
            found[folded] = (*found.get(folded, ()), char)
    return found


@cache
def _expanding() -> tuple[tuple[str, str], ...]:
    """Characters that fold to ASCII or to several, with what they fold to."""
    folded = ((char, fold(char)) for char in map(chr, _CASED))
    return tuple((char, to) for char, to in folded if char != to and (len(to) > 1 or to.isascii()))


def _expanding_to(text: str) -> re.Pattern[bytes] | None:
    """The characters that may fold to some of a text; None where there are none."""
    codes = [_escaped(char)[2:] for char, to in _expanding() if _overlap(to, text)]
    return re.compile(rb"\\u(?:%s)" % b"|".join(codes)) if codes else None


def _overlap(part: str, text: str) -> bool:
    """Whether a text can have `part`, or end within it, or begin within it."""
    if part in text or text in part:
        return True
    cuts = range(1, len(part))
    return any(text.startswith(part[cut:]) or text.endswith(part[:cut]) for cut in cuts)


def _folded_with_places(text: str) -> tuple[str, list[tuple[int, int]]]:
    """A text folded cluster by cluster, and for each character of that, where its cluster stands."""
    folded: list[str] = []
    places: list[tuple[int, int]] = []
    start = 0
    while start < len(text):
        end = start + 1
        while end < len(text) and unicodedata.combining(text[end]):
            end += 1
        piece = fold(text[start:end])
        folded.append(piece)
        places += [(start, end)] * len(piece)
        start = end
    return "".join(folded), places
