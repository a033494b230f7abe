"""What a client types: whatever bytes come, events come of them, and nothing is kept of a session."""

import gc
import time
import weakref

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual import constants, events
from textual.message import Message

from tui.ssh.keyboard import MOST_PASTED, Keyboard


class Typed:
    """A keyboard, and what came of it."""

    def __init__(self) -> None:
        self.cut = 0
        self.keyboard = Keyboard(self._cut)
        self.events: list[Message] = []

    def _cut(self) -> None:
        self.cut += 1

    def feed(self, data: bytes) -> "Typed":
        self.events += self.keyboard.feed(data)
        return self

    def wait(self) -> "Typed":
        """Let the time of an escape sequence pass."""
        time.sleep(constants.ESCAPE_DELAY + 0.01)
        self.events += self.keyboard.tick()
        return self

    @property
    def keys(self) -> list[str]:
        return [event.key for event in self.events if isinstance(event, events.Key)]

    @property
    def pastes(self) -> list[str]:
        return [event.text for event in self.events if isinstance(event, events.Paste)]


def test_a_lone_escape_is_a_key_once_nothing_follows() -> None:
    typed = Typed().feed(b"a\x1b")
    assert typed.keys == ["a"]
    assert typed.wait().keys == ["a", "escape"]


def test_a_sequence_may_come_in_pieces() -> None:
    assert Typed().feed(b"\x1b").feed(b"[").feed(b"A").keys == ["up"]


def test_a_beginning_that_nothing_follows_is_keys_at_last() -> None:
    typed = Typed().feed(b"\x1b[20").wait().wait()
    assert typed.keys
    assert typed.feed(b"z").keys[-1] == "z"


@pytest.mark.parametrize(
    "bad",
    [
        b"\x1b[99999999u",  # a character that does not exist
        b"\x1b[1114112;5u",
        b"\x1b[" + b"9" * 300 + b"u",
        b"\x1b[<99999999999;-1;0M",
        b"\x1b[48;1;1;0;0t\x1b[<0;5;5M",  # a window of no pixels
        b"\xff\xfe\xc3(\xed\xa0\x80",
        b"\x1b" * 500,
        b"\x00\x9b31m\x9d52;c;\x07",
    ],
)
def test_nothing_that_comes_ends_the_reading(bad: bytes) -> None:
    typed = Typed().feed(bad).wait().wait()
    before = len(typed.keys)
    assert typed.feed(b"q").keys[before:] == ["q"]


@given(st.binary(max_size=400), st.integers(1, 7))
def test_any_bytes_in_any_pieces_are_taken(data: bytes, size: int) -> None:
    typed = Typed()
    for at in range(0, len(data), size):
        typed.feed(data[at : at + size])
    list(typed.keyboard.tick())


@given(st.text(st.characters(exclude_characters="\x00\x1b", exclude_categories=["Cs"])), st.integers(1, 9))
def test_a_paste_is_whole_however_it_is_cut(text: str, size: int) -> None:
    data = b"x\x1b[200~" + text.encode() + b"\x1b[201~y"
    typed = Typed()
    for at in range(0, len(data), size):
        typed.feed(data[at : at + size])
    assert typed.pastes == [text]
    assert typed.keys == ["x", "y"]


def test_what_is_too_much_of_a_paste_is_dropped_and_never_typed() -> None:
    typed = Typed().feed(b"\x1b[200~" + b"a\r" * MOST_PASTED + b"\x1b[201~z")
    assert typed.keys == ["z"]
    assert [len(paste) for paste in typed.pastes] == [MOST_PASTED]
    assert typed.cut == 1


def test_a_paste_without_an_end_costs_no_memory_and_no_keys() -> None:
    typed = Typed().feed(b"\x1b[200~")
    for _ in range(100):
        typed.feed(b"\r" * 100_000)
    assert typed.keyboard.pasting
    assert typed.events == []
    assert typed.feed(b"\x1b[201~k").keys == ["k"]


def test_three_megabytes_are_pasted_in_no_time() -> None:
    data = b"\x1b[200~" + b"word " * 600_000 + b"\x1b[201~"
    typed, began = Typed(), time.process_time()
    for at in range(0, len(data), 16_384):
        typed.feed(data[at : at + 16_384])
    assert time.process_time() - began < 0.3  # Textual's own parser: 4 s
    assert len(typed.pastes) == 1


def test_no_parser_is_kept_when_its_session_is_gone() -> None:
    typed = Typed().feed(b"\x1b[97;5u\x1b[57441;2u\x1b[1;2A")
    assert typed.keys
    parser = weakref.ref(typed.keyboard._parser)
    del typed
    gc.collect()
    assert parser() is None
