"""What a client types, as the app's events, whatever bytes come."""

from codecs import getincrementaldecoder
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from textual import events
from textual._xterm_parser import XTermParser
from textual.message import Message

MOST_PASTED = 100_000
"""Characters of one paste; what is beyond is dropped, and never taken for keys. In one line of so many each
key costs all sessions some 20 ms."""

_BEGINS, _ENDS = "\x1b[200~", "\x1b[201~"
_MOST_SILENT = 65_536
"""Characters that the parser may take without an event."""


class _Parser(XTermParser):
    """Textual's parser, of which nothing outlives the session.

    The method is cached by Textual for the whole process, and the cache kept up to 1,024 dead parsers, with
    the apps that their events name.
    """

    _parse_extended_key: Any = XTermParser._parse_extended_key.__wrapped__


class Keyboard:
    """Turns bytes into events.

    Pastes are taken out before the parser, which looks at each character of them.

    Args:
        cut: Called when a paste was too long to be taken whole.
    """

    def __init__(self, cut: Callable[[], None]) -> None:
        self._cut = cut
        self._decode = getincrementaldecoder("utf-8")("replace").decode
        self._parser = _Parser()
        self._silent = 0
        self._pasted: list[str] | None = None
        self._length = 0
        self._tail = ""
        """What may be the beginning of a paste's mark, or of its end's."""

    @property
    def pasting(self) -> bool:
        """Whether a paste has begun and not ended."""
        return self._pasted is not None

    def feed(self, data: bytes) -> Iterator[Message]:
        """The events of some bytes, which may end anywhere in a character or in a sequence."""
        text = self._tail + self._decode(data)
        while True:
            before, found, text = _split(text, _BEGINS if self._pasted is None else _ENDS)
            if self._pasted is None:
                yield from self._keys(before)
            else:
                self._take(before)
            if not found:
                self._tail = text
                return
            if self._pasted is None:
                self._pasted, self._length = [], 0
            else:
                yield self._paste()

    def tick(self) -> Iterator[Message]:
        """The events that no byte brings: Esc, when nothing followed it in time."""
        if self._tail and self._pasted is None:
            tail, self._tail = self._tail, ""
            if tail == "\x1b":
                yield events.Key("escape", tail)
            else:
                yield from self._keys(tail)
        yield from self._guarded(self._parser.tick())

    def _keys(self, text: str) -> Iterator[Message]:
        if text:  # nothing would be the end of all input
            self._silent += len(text)
            yield from self._guarded(self._parser.feed(text))
            if self._silent > _MOST_SILENT:
                self._start_anew()

    def _guarded(self, found: Iterable[Message]) -> Iterator[Message]:
        """A sequence that can't be, such as one for a character that does not exist, ends the parser."""
        try:
            for event in found:
                self._silent = 0
                yield event
        except Exception:  # noqa: BLE001  # whatever a client can make it raise
            self._start_anew()

    def _start_anew(self) -> None:
        self._parser = _Parser()
        self._silent = 0

    def _take(self, text: str) -> None:
        assert self._pasted is not None
        room = MOST_PASTED - self._length
        self._length += len(text)
        if room > 0:
            self._pasted.append(text[:room])

    def _paste(self) -> events.Paste:
        text, self._pasted = "".join(self._pasted or ()), None
        if self._length > MOST_PASTED:
            self._cut()
        return events.Paste(text.replace("\x00", ""))


def _split(text: str, mark: str) -> tuple[str, bool, str]:
    """A text before and after a mark; where there is none, after is what may be the mark's beginning."""
    before, found, after = text.partition(mark)
    if found:
        return before, True, after
    for length in range(min(len(mark) - 1, len(text)), 0, -1):
        if text.endswith(mark[:length]):
            return text[:-length], False, text[-length:]
    return text, False, ""
