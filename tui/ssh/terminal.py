"""A client's terminal: what stands between an SSH channel and the driver that draws on it."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import field
from typing import Protocol

from tui.core.frozen import frozen

SMALLEST, LARGEST = (1, 1), (400, 150)
"""Columns and rows. An app that is larger would cost everyone else their time."""
USUAL = (80, 24)
"""Where a client does not know: `ssh -tt` without a terminal says 0 by 0."""
MOST_UNSENT = 4 * 1024 * 1024
"""Bytes that wait for a client; one for which more is written is gone, or wants to be a burden."""
_MOST_EARLY = 65_536
"""Bytes typed before the app is there."""


def clamped(width: int, height: int) -> tuple[int, int]:
    """A size that an app can have, whatever a client says."""
    if width < SMALLEST[0]:
        width = USUAL[0]
    if height < SMALLEST[1]:
        height = USUAL[1]
    return min(width, LARGEST[0]), min(height, LARGEST[1])


class Channel(Protocol):
    """The part of an SSH channel that a terminal needs."""

    def write(self, data: bytes) -> None:
        """Send, or keep what the client has no room for; raises `OSError` once it is closed."""
        ...

    def get_write_buffer_size(self) -> int:
        """Bytes that are kept."""
        ...

    def pause_reading(self) -> None:
        """Let the client wait."""
        ...

    def resume_reading(self) -> None:
        """Let it go on."""
        ...

    def abort(self) -> None:
        """Close at once."""
        ...


class Screen(Protocol):
    """The part of a driver that a terminal needs."""

    def feed(self, data: bytes) -> None:
        """Take what was typed."""
        ...

    def resized(self, width: int, height: int) -> None:
        """Take a new size, clamped."""
        ...

    def pause_output(self) -> None:
        """Draw nothing until `resume_output`."""
        ...

    def resume_output(self) -> None:
        """Draw again, all of it."""
        ...


@frozen
class TerminalKind:
    """What a client says of its terminal."""

    term: str = "xterm"
    size: tuple[int, int] = USUAL
    environ: Mapping[str, str] = field(default_factory=dict)
    """The few variables of its environment that are heeded."""

    @property
    def no_color(self) -> bool:
        """Whether the user wants no colours."""
        return "NO_COLOR" in self.environ


class Terminal:
    """One client's terminal.

    Args:
        channel: Where it is.
        kind: What it is.
    """

    def __init__(self, channel: Channel, kind: TerminalKind) -> None:
        self.kind = kind
        self.size = clamped(*kind.size)
        self._channel = channel
        self._screen: Screen | None = None
        self._early = bytearray()
        self._gone = False
        self._paused = False

    @property
    def paused(self) -> bool:
        """Whether the client takes in less than it is sent."""
        return self._paused

    def attach(self, screen: Screen) -> bytes:
        """Let a driver draw; what was typed before, for it to take."""
        self._screen = screen
        early, self._early = bytes(self._early), bytearray()
        if self._paused:
            screen.pause_output()
        return early

    def detach(self) -> None:
        """The driver has ended."""
        self._screen = None

    def lose(self) -> None:
        """The client is gone: nothing more is written."""
        self._gone = True

    def write(self, text: str) -> None:
        """Write, where somebody is there to read it."""
        if self._gone:
            return
        try:
            self._channel.write(text.encode("utf-8", "replace"))
        except OSError:
            self._gone = True
            return
        if self._channel.get_write_buffer_size() > MOST_UNSENT:
            self._gone = True
            self._channel.abort()

    def feed(self, data: bytes) -> None:
        """Take what was typed."""
        if self._screen is not None:
            self._screen.feed(data)
        else:
            self._early += data[: _MOST_EARLY - len(self._early)]

    def hold_input(self, hold: bool) -> None:
        """Let the client wait with what it sends, or go on."""
        with suppress(OSError):
            (self._channel.pause_reading if hold else self._channel.resume_reading)()

    def resize(self, width: int, height: int) -> None:
        """Take the client's new size."""
        self.size = clamped(width, height)
        self._tell(lambda screen: screen.resized(*self.size))

    def pause(self) -> None:
        """The client does not keep up."""
        if not self._paused:
            self._paused = True
            self._tell(lambda screen: screen.pause_output())

    def resume(self) -> None:
        """The client has caught up."""
        if self._paused:
            self._paused = False
            self._tell(lambda screen: screen.resume_output())

    def _tell(self, what: Callable[[Screen], None]) -> None:
        if self._screen is not None:
            what(self._screen)
