"""Drives a program in a real pseudo-terminal, behind a terminal emulator that answers its queries.

A thread reads what the program writes, answers as a terminal would, and draws it on a `pyte` screen; tests
wait for what the screen shows. It knows no kitty keyboard protocol and no in-band resize, as many terminals.
"""

import base64
import errno
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import pyte

WAIT_SECONDS = 30.0
"""How long the waiting methods wait, unless told otherwise: generous, since machines are shared."""

_CELL = (8, 16)
_CONTROL = re.compile(
    rb"\x1b\[[<>=?][0-9;:]*[ -/]*[@-~]"  # private sequences: modes, kitty keys
    rb"|\x1b\[[0-9;]*[ -/]+[@-~]"  # sequences with intermediates: cursor shape
    rb"|\x1b\[[0-9;]*:[0-9;:]*m"  # underline styles and colours with colons
    rb"|\x1b\[\d*;?\d*;?\d*t"  # window reports
    rb"|\x1b[P_^\]X][^\x07\x1b]*(?:\x07|\x1b\\)"  # strings: DCS, APC, PM, OSC, SOS
    rb"|\x1b[=>]"
)
_UNFINISHED = re.compile(
    rb"(?:\x1b(?:\[[0-9;:<>=?]*[ -/]*|[P_^\]X][^\x07\x1b]*\x1b?)?|[\xc0-\xff][\x80-\xbf]{0,2})\Z"
)
_FRAME_BEGINS, _FRAME_ENDS = b"\x1b[?2026h", b"\x1b[?2026l"
_QUERY = re.compile(rb"\x1b\[(?:\?(\d+)\$p|([>=]?0?c|[56]n|1[468]t))|\x1b\](1[01]);\?(?:\x07|\x1b\\)")
_CLIPBOARD = re.compile(rb"\x1b\]52;[a-z]*;([A-Za-z0-9+/=]*)(?:\x07|\x1b\\)")

KEYS = {
    "enter": "\r",
    "escape": "\x1b",
    "tab": "\t",
    "shift+tab": "\x1b[Z",
    "backspace": "\x7f",
    "delete": "\x1b[3~",
    "insert": "\x1b[2~",
    "up": "\x1b[A",
    "down": "\x1b[B",
    "right": "\x1b[C",
    "left": "\x1b[D",
    "home": "\x1b[H",
    "end": "\x1b[F",
    "pageup": "\x1b[5~",
    "pagedown": "\x1b[6~",
    "shift+up": "\x1b[1;2A",
    "shift+down": "\x1b[1;2B",
    "shift+right": "\x1b[1;2C",
    "shift+left": "\x1b[1;2D",
    "ctrl+home": "\x1b[1;5H",
    "ctrl+end": "\x1b[1;5F",
    "space": " ",
    **dict(zip(("f1", "f2", "f3", "f4"), ("\x1bOP", "\x1bOQ", "\x1bOR", "\x1bOS"), strict=True)),
    **{
        f"f{number}": f"\x1b[{code}~"
        for number, code in zip(range(5, 13), (15, 17, 18, 19, 20, 21, 23, 24), strict=True)
    },
    **{f"ctrl+{chr(code + 96)}": chr(code) for code in range(1, 27)},
}
"""What a terminal sends for each key, by Textual's names."""


class Terminal:
    """A program running in a pseudo-terminal; a context manager that leaves no process behind.

    Args:
        command: The program and its arguments.
        env: Its whole environment.
        cols: Width in cells.
        rows: Height in cells.
        cwd: Its working directory.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        cols: int = 80,
        rows: int = 24,
        cwd: Path | None = None,
    ) -> None:
        self._screen = pyte.Screen(cols, rows)
        self._stream = pyte.ByteStream(self._screen)
        self._changed = threading.Condition()
        self._raw = bytearray()
        self._undrawn = b""
        self._unanswered = b""
        self._closed = False
        self._woken, self._wake = os.pipe()
        self._master, slave = pty.openpty()
        self._set_size(cols, rows)
        self._process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=dict(env),
            cwd=cwd,
            start_new_session=True,
            # A shell's children have a controlling terminal; without it there is no SIGWINCH and no SIGHUP.
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(slave)
        self._reader = threading.Thread(target=self._read, name="terminal", daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def screen(self) -> list[str]:
        """The lines on the screen, without spaces at their ends."""
        with self._changed:
            return [line.rstrip() for line in self._screen.display]

    @property
    def text(self) -> str:
        """The screen as one string."""
        return "\n".join(self.screen)

    @property
    def raw(self) -> bytes:
        """Everything that the program wrote, to search for what must never be written."""
        with self._changed:
            return bytes(self._raw)

    @property
    def clipboard(self) -> str | None:
        """The text that the program last put on the clipboard (OSC 52), or None."""
        copies = _CLIPBOARD.findall(self.raw)
        return base64.b64decode(copies[-1]).decode() if copies else None

    @property
    def cursor(self) -> tuple[int, int]:
        """Column and row of the cursor, from 0."""
        with self._changed:
            return self._screen.cursor.x, self._screen.cursor.y

    @property
    def attributes(self) -> list[Any]:
        """The terminal's attributes, as `termios.tcgetattr` gives them."""
        return termios.tcgetattr(self._master)

    def send(self, data: bytes) -> None:
        """Send bytes as a terminal would."""
        view = memoryview(data)
        while view:
            view = view[os.write(self._master, view) :]

    def type(self, text: str) -> None:
        """Type printable text."""
        assert text.isprintable(), "Use key() for keys and paste() for several lines."
        self.send(text.encode())

    def key(self, *names: str) -> None:
        """Press keys, one after the other: "enter", "escape", "f1", "ctrl+j", "shift+tab", "x", ..."""
        for name in names:
            self.send((name if len(name) == 1 else KEYS[name]).encode())

    def paste(self, text: str) -> None:
        """Paste as terminals do when bracketed paste is on: newlines arrive as carriage returns."""
        self.send(b"\x1b[200~" + text.replace("\n", "\r").encode() + b"\x1b[201~")

    def click(self, text: str) -> None:
        """Click on the first cell of `text`, which must be on the screen."""
        row, column = next(
            ((row, line.index(text)) for row, line in enumerate(self.screen) if text in line), (-1, -1)
        )
        assert row >= 0, self._failure(f"There is no {text!r} to click")
        place = f"{column + 1};{row + 1}"
        self.send(f"\x1b[<0;{place}M\x1b[<0;{place}m".encode())

    def wait_for(self, pattern: str | re.Pattern[str], timeout: float = WAIT_SECONDS) -> re.Match[str]:
        """Wait until the screen shows a text, or a match of a compiled pattern; return the match."""
        regex = pattern if isinstance(pattern, re.Pattern) else re.compile(re.escape(pattern))
        found: list[re.Match[str]] = []

        def shown(text: str) -> bool:
            found.extend(regex.finditer(text))
            return bool(found)

        self.wait_until(shown, f"{regex.pattern!r} on the screen", timeout)
        return found[0]

    def wait_gone(self, pattern: str | re.Pattern[str], timeout: float = WAIT_SECONDS) -> None:
        """Wait until the screen no longer shows it."""
        regex = pattern if isinstance(pattern, re.Pattern) else re.compile(re.escape(pattern))
        self.wait_until(lambda text: not regex.search(text), f"no {regex.pattern!r} on the screen", timeout)

    def wait_until(self, done: Callable[[str], bool], what: str, timeout: float = WAIT_SECONDS) -> None:
        """Wait until `done(screen)`; `what` says in the failure what was waited for.

        Raises:
            AssertionError: It did not come in time, or the program ended; the message shows the screen.
        """
        with self._changed:
            reached = self._changed.wait_for(lambda: done(self.text) or self._closed, timeout)
            if not (reached and done(self.text)):
                state = "the program ended" if self._closed else f"{timeout:g} s passed"
                raise AssertionError(self._failure(f"Waited for {what}, but {state}"))

    def wait_raw(self, data: bytes, timeout: float = WAIT_SECONDS) -> None:
        """Wait until the program has written these bytes, drawn or not."""
        self.wait_until(lambda _: data in self._raw, f"{data!r} among what was written", timeout)

    def resize(self, cols: int, rows: int) -> None:
        """Change the size; the kernel sends SIGWINCH."""
        with self._changed:
            self._screen.resize(rows, cols)
        self._set_size(cols, rows)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the program itself."""
        os.kill(self.pid, number)

    def hang_up(self) -> None:
        """Close the terminal, as a dropped connection does: the program gets SIGHUP and can write no more."""
        if self._master < 0:
            return
        # The reader ends first: a descriptor closed under its read could be another file's by then.
        os.write(self._wake, b".")
        self._reader.join()
        for descriptor in (self._master, self._wake, self._woken):
            os.close(descriptor)
        self._master = -1

    def wait_exit(self, timeout: float = WAIT_SECONDS) -> int:
        """Wait for the program's end; return its exit status, negative when a signal ended it."""
        try:
            status = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(self._failure(f"The program has not ended after {timeout:g} s")) from None
        self._reader.join(timeout)
        return status

    def close(self) -> None:
        """Kill the program with its process group, and free the terminal."""
        with suppress(ProcessLookupError):  # the whole group has ended
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        self.hang_up()

    def _set_size(self, cols: int, rows: int) -> None:
        width, height = _CELL
        size = struct.pack("HHHH", rows, cols, cols * width, rows * height)
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, size)

    def _failure(self, sentence: str) -> str:
        shown = "\n".join(f"│{line:<{self._screen.columns}}│" for line in self.screen)
        return f"{sentence}. The screen:\n{shown}"

    def _read(self) -> None:
        while data := self._read_some():
            with self._changed:
                self._raw += data
                self._draw(data)
                self._answer(data)
                self._changed.notify_all()
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _read_some(self) -> bytes:
        ready, _, _ = select.select([self._master, self._woken], [], [])
        if self._woken in ready:
            return b""
        try:
            return os.read(self._master, 65_536)
        except OSError as error:
            # Linux reports the end of the other side as an input/output error.
            if error.errno == errno.EIO:
                return b""
            raise

    def _draw(self, data: bytes) -> None:
        """Draw whole sequences and whole frames; pyte would print the sequences that it does not know."""
        data = self._undrawn + data
        unfinished = _UNFINISHED.search(data)
        end = unfinished.start() if unfinished else len(data)
        frame = data.rfind(_FRAME_BEGINS, 0, end)
        if frame > data.rfind(_FRAME_ENDS, 0, end):
            end = frame
        self._undrawn = data[end:]
        self._stream.feed(_CONTROL.sub(b"", data[:end]))

    def _answer(self, data: bytes) -> None:
        data = self._unanswered + data
        end = 0
        for query in _QUERY.finditer(data):
            end = query.end()
            self.send(self._reply(query))
        tail = data[end:]
        start = tail.rfind(b"\x1b")
        self._unanswered = tail[start:][:64] if start >= 0 and len(tail) - start < 64 else b""

    def _reply(self, query: re.Match[bytes]) -> bytes:
        mode, report, colour = query.groups()
        if mode:
            return b"\x1b[?%b;%d$y" % (mode, 2 if mode == b"2026" else 0)
        if colour:
            return b"\x1b]%b;rgb:0000/0000/0000\x1b\\" % colour
        width, height = _CELL
        rows, cols = self._screen.lines, self._screen.columns
        column, row = self._screen.cursor.x + 1, self._screen.cursor.y + 1
        replies = {
            b"5n": b"\x1b[0n",
            b"6n": b"\x1b[%d;%dR" % (row, column),
            b"14t": b"\x1b[4;%d;%dt" % (rows * height, cols * width),
            b"16t": b"\x1b[6;%d;%dt" % (height, width),
            b"18t": b"\x1b[8;%d;%dt" % (rows, cols),
        }
        return replies.get(report, b"\x1b[>1;10;0c" if report.startswith(b">") else b"\x1b[?62;22c")
