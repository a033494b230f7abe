"""Textual's driver for a terminal at the other end of an SSH channel, many of them on one event loop."""

import asyncio
import contextvars
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO, Literal, TextIO

from textual import constants, events
from textual.app import App
from textual.driver import Driver
from textual.geometry import Size
from textual.message import Message
from textual.message_pump import MessagePump
from textual.messages import InBandWindowResize
from textual.widget import Widget

from tui.ssh.keyboard import MOST_PASTED, Keyboard
from tui.ssh.terminal import Terminal, clamped

KEYS_AT_ONCE, PASTED_AT_ONCE = 64, 16_384
"""Bytes that are looked at before others have their turn: a key costs milliseconds, a paste next to none."""
PAUSE_SECONDS = 0.01
"""Between two slices of what one client sent: 6,400 keys a second are beyond any typist."""
MOST_WAITING = 32_768
"""Bytes typed ahead, beyond which the client waits."""
MOST_TURNS = 32
"""Turns of the loop that an app is given to deal with an event before it is looked at more rarely."""

_KITTY_KEYS = "\x1b[>25u"
"""Disambiguate, report all keys, with their text."""
_MOUSE = "\x1b[?1000{0}\x1b[?1003{0}\x1b[?1015{0}\x1b[?1006{0}"
_SYNCHRONIZED = "\x1b[?2026$p"


class ChannelDriver(Driver):
    """Draws on a client's terminal and reads its keys, all on the event loop.

    Args:
        app: The app.
        debug: Nothing: it would write what is typed to a file.
        mouse: Whether to ask for the mouse.
        size: The terminal's, at first.
        terminal: Where the app is.
        acted: Called when the user did something.
    """

    def __init__(
        self,
        app: App[Any],
        *,
        terminal: Terminal,
        acted: Callable[[], None] = lambda: None,
        debug: bool = False,  # noqa: ARG002
        mouse: bool = True,
        size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(app, debug=False, mouse=mouse, size=size or terminal.size)
        self._terminal = terminal
        self._acted = acted
        self._keyboard = Keyboard(self._paste_cut)
        self._typed = bytearray()
        self._events: deque[Message] = deque()
        """What was typed, as events that the app was not given yet."""
        self._turns = 0
        self._holding = False
        self._context: contextvars.Context | None = None
        self._pump: asyncio.TimerHandle | None = None
        self._tick: asyncio.TimerHandle | None = None
        self._paused: ExitStack | None = None

    # Output

    def write(self, data: str) -> None:
        """Send to the client."""
        self._terminal.write(data)

    def pause_output(self) -> None:
        """The client does not keep up: draw nothing until it does."""
        if self._paused is None and self._context is not None:
            self._paused = ExitStack()
            self._paused.enter_context(self._app.batch_update())

    def resume_output(self) -> None:
        """Draw all of it anew."""
        paused, self._paused = self._paused, None
        if paused is None or self._context is None:
            return

        def redraw() -> None:
            paused.close()
            self._app.refresh(layout=True)

        self._context.copy().run(redraw)

    # Input

    def feed(self, data: bytes) -> None:
        """Take what was typed; what can't be looked at now waits, and then the client does."""
        if self._context is None:
            return
        self._typed += data
        if len(self._typed) > MOST_WAITING and not self._holding:
            self._holding = True
            self._terminal.hold_input(True)
        if self._pump is None:
            self._read()

    def _read(self) -> None:
        """Look at one slice, hand its events on one by one, and come again for the next.

        An app deals with all that it was given in one piece: others have their turn between two events only.
        """
        self._pump = None
        if self._context is None:
            return
        if self._typed and not self._events:
            most = PASTED_AT_ONCE if self._keyboard.pasting else KEYS_AT_ONCE
            piece = bytes(self._typed[:most])
            del self._typed[:most]
            self._context.copy().run(self._process, piece)
        self._hand_on()
        if self._events:
            self._pump = self._loop.call_later(0 if self._turns < MOST_TURNS else PAUSE_SECONDS, self._read)
        elif self._typed:
            self._pump = self._loop.call_later(PAUSE_SECONDS, self._read)
        elif self._holding:
            self._holding = False
            self._terminal.hold_input(False)

    def _hand_on(self) -> None:
        """Give the app the next event, unless it still has one to deal with."""
        self._turns += 1
        if self._events and self._context is not None and not self._backlog():
            self._turns = 0
            self._context.copy().run(self.process_message, self._events.popleft())

    def _process(self, piece: bytes) -> None:
        self._events += self._keyboard.feed(piece)
        if self._tick is None:
            self._tick = self._loop.call_later(constants.ESCAPE_DELAY + 0.01, self._ticked)

    def _ticked(self) -> None:
        self._tick = None
        if self._context is None:
            return
        if self._typed or self._events:  # the rest of a sequence may be in it
            self._tick = self._loop.call_later(constants.ESCAPE_DELAY, self._ticked)
            return
        self._context.copy().run(self._process_tick)

    def _process_tick(self) -> None:
        for event in self._keyboard.tick():
            self.process_message(event)

    def _backlog(self) -> int:
        focused: Widget | None = self._app.focused
        pumps: list[MessagePump] = [self._app] if focused is None else [self._app, focused]
        return sum(pump._message_queue.qsize() for pump in pumps)

    def process_message(self, message: Message) -> None:
        """Hand an event on; a size that came as text is as little to be trusted as any."""
        if isinstance(message, events.Resize):
            self.resized(*clamped(message.size.width, message.size.height))
            return
        if isinstance(message, InBandWindowResize):
            return  # never asked for: SSH itself tells of sizes
        if not isinstance(message, events.MouseMove):
            self._acted()
        super().process_message(message)

    def send_message(self, message: Message) -> None:
        """Post an event; this is the app's own loop."""
        self._app.post_message(message)

    def resized(self, width: int, height: int) -> None:
        """Take a new size."""
        self._size = (width, height)
        if self._context is not None:
            size = Size(width, height)
            self._context.copy().run(self._app.post_message, events.Resize(size, size))

    def _paste_cut(self) -> None:
        self._app.notify(
            f"Only the first {MOST_PASTED:,} characters of what was pasted were taken.",
            severity="warning",
            timeout=8,
            markup=False,
        )

    # Beginning and end

    def start_application_mode(self) -> None:
        """Take the terminal over."""
        self._context = contextvars.copy_context()
        begin = ["\x1b[?1049h"]
        if self._mouse:
            begin.append(_MOUSE.format("h"))
        begin += ["\x1b[?25l\x1b[?1004h", _KITTY_KEYS]
        environ = self._terminal.kind.environ
        if environ.get("TERM_PROGRAM") != "Apple_Terminal":  # it prints the query
            begin.append(_SYNCHRONIZED)
        begin.append("\x1b[?2004h\x1b[?7l")
        self.write("".join(begin))
        early = self._terminal.attach(self)
        self.resized(*self._terminal.size)
        if early:
            self._loop.call_soon(self.feed, early)

    def disable_input(self) -> None:
        """Take no more keys."""
        self._context = None
        for timer in (self._tick, self._pump):
            if timer is not None:
                timer.cancel()
        self._tick = self._pump = None
        self._typed.clear()
        self._events.clear()

    def stop_application_mode(self) -> None:
        """Give the terminal back as it was."""
        self.disable_input()
        end = ["\x1b[?2004l\x1b[?7h"]
        if self._mouse:
            end.append(_MOUSE.format("l"))
        end.append("\x1b[<u\x1b[?1049l\x1b[?25h\x1b[?1004l")
        self.write("".join(end))

    def close(self) -> None:
        """Let the terminal go."""
        self._paused = None
        self._terminal.detach()
        if self._holding:
            self._holding = False
            self._terminal.hold_input(False)

    # What would happen on the server, where the user is not

    def open_url(self, url: str, new_tab: bool = True) -> None:
        """Nothing: the browser would be the server's."""

    def deliver_binary(
        self,
        binary: BinaryIO | TextIO,
        *,
        delivery_key: str,
        save_path: Path,  # noqa: ARG002
        open_method: Literal["browser", "download"] = "download",  # noqa: ARG002
        encoding: str | None = None,  # noqa: ARG002
        mime_type: str | None = None,  # noqa: ARG002
        name: str | None = None,
    ) -> None:
        """Refuse: the file would be the server's."""
        binary.close()
        refused = PermissionError("Nothing is saved on the server's disk.")
        self._app.post_message(events.DeliveryFailed(key=delivery_key, exception=refused, name=name))
