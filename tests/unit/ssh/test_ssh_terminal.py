"""A client's terminal: any size it says, any time it takes."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.ssh.terminal import LARGEST, MOST_UNSENT, Terminal, TerminalKind, clamped


@dataclass
class Channel:
    sent: list[bytes] = field(default_factory=list)
    unsent: int = 0
    closed: bool = False
    reading: bool = True

    def write(self, data: bytes) -> None:
        if self.closed:
            raise BrokenPipeError
        self.sent.append(data)

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def abort(self) -> None:
        self.closed = True


@dataclass
class Screen:
    calls: list[object] = field(default_factory=list)

    def feed(self, data: bytes) -> None:
        self.calls.append(data)

    def resized(self, width: int, height: int) -> None:
        self.calls.append((width, height))

    def pause_output(self) -> None:
        self.calls.append("pause")

    def resume_output(self) -> None:
        self.calls.append("resume")


@pytest.mark.parametrize(
    ("said", "taken"),
    [
        ((0, 0), (80, 24)),
        ((0, 50), (80, 50)),
        ((120, 0), (120, 24)),
        ((-5, -5), (80, 24)),
        ((4_294_967_295, 4_294_967_295), LARGEST),
        ((100, 30), (100, 30)),
    ],
)
def test_a_size_is_one_that_an_app_can_have(said: tuple[int, int], taken: tuple[int, int]) -> None:
    assert clamped(*said) == taken
    terminal, screen = Terminal(Channel(), TerminalKind(size=said)), Screen()
    assert terminal.size == taken
    terminal.attach(screen)
    terminal.resize(*said)
    assert screen.calls == [taken]


@given(st.integers(), st.integers())
def test_no_size_is_beyond_the_limits(width: int, height: int) -> None:
    found = clamped(width, height)
    assert 1 <= found[0] <= LARGEST[0]
    assert 1 <= found[1] <= LARGEST[1]


def test_what_is_typed_before_the_app_is_there_is_kept_up_to_a_limit() -> None:
    terminal = Terminal(Channel(), TerminalKind())
    terminal.feed(b"early")
    terminal.feed(b"x" * 1_000_000)
    early = terminal.attach(Screen())
    assert early.startswith(b"earlyxxx")
    assert len(early) == 65_536
    assert terminal.attach(Screen()) == b""


def test_a_client_that_does_not_keep_up_is_waited_for_once() -> None:
    terminal, screen = Terminal(Channel(), TerminalKind()), Screen()
    terminal.pause()
    terminal.attach(screen)
    assert screen.calls == ["pause"]
    terminal.pause()
    terminal.resume()
    terminal.resume()
    assert screen.calls == ["pause", "resume"]


def test_a_client_that_takes_nothing_at_all_is_let_go() -> None:
    channel = Channel(unsent=MOST_UNSENT + 1)
    terminal = Terminal(channel, TerminalKind())
    terminal.write("more")
    assert channel.closed
    terminal.write("and more")
    assert channel.sent == [b"more"]


def test_nothing_is_written_to_a_client_that_is_gone() -> None:
    channel = Channel()
    terminal = Terminal(channel, TerminalKind())
    terminal.write("\ud800 survives")
    assert channel.sent == [b"? survives"]
    channel.closed = True
    terminal.write("lost")  # raises nothing
    channel.closed = False
    terminal.write("lost")
    assert channel.sent == [b"? survives"]
