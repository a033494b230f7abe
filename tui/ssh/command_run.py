"""A command in place of the app: `ssh host usage`, `ssh host ask ...`."""

import asyncio
from typing import Protocol

from tui.core.errors import InvalidValueError
from tui.core.text import redact, sanitize
from tui.ssh.host import Host

INTERRUPTED = 130
MOST_INPUT = 1_000_000
"""Bytes of standard input: more than the context of any model."""
SILENT_SECONDS = 2.0
"""How long standard input may be silent before it is taken that nobody pipes anything."""
MOST_UNSENT = 4 * 1024 * 1024


class CommandChannel(Protocol):
    """The part of an SSH channel that a command needs."""

    def write(self, data: bytes) -> None:
        """Send to standard output."""
        ...

    def write_stderr(self, data: bytes) -> None:
        """Send to standard error."""
        ...

    def get_write_buffer_size(self) -> int:
        """Bytes that wait for the client."""
        ...

    def abort(self) -> None:
        """Close at once."""
        ...


class CommandRun:
    """Implements `session.Run` and `host.Streams`.

    Args:
        host: The server.
        user: Whose session it is.
        channel: Where the command reads and writes.
        command: The command line.
        is_terminal: Whether the client has a terminal.
    """

    def __init__(
        self, host: Host, user: str, channel: CommandChannel, command: str, *, is_terminal: bool
    ) -> None:
        self._host = host
        self._user = user
        self._channel = channel
        self._command = command
        self._is_terminal = is_terminal
        self._typed = bytearray()
        self._came = asyncio.Event()
        self._complete = asyncio.Event()
        self._task: asyncio.Task[int] | None = None
        self._gone = False
        self._left_out = False

    async def run(self) -> int:
        """Run the command; the exit status."""
        services = self._host.make_services(self._user)
        try:
            await services.keys.load()
            self._task = asyncio.create_task(self._host.run_command(self._command, services, self))
            try:
                return await self._task
            except asyncio.CancelledError:
                return INTERRUPTED
        finally:
            await self._host.settle(services)

    def end(self, why: str, *, gone: bool) -> None:
        """Stop the command, as Ctrl+C does."""
        self._gone = self._gone or gone
        if why:
            self.say(why)
        if self._task is not None:
            self._task.cancel()

    def feed(self, data: bytes) -> None:
        """Take a piece of standard input; on a terminal, Ctrl+C ends the command."""
        if self._is_terminal:
            if b"\x03" in data or b"\x04" in data:
                self.end("", gone=False)
            return
        if self._left_out and not self._came.is_set():
            self.say("Standard input came too late and was left out: give `-` to wait for it.")
        self._typed += data[: MOST_INPUT + 1 - len(self._typed)]
        self._came.set()

    def input_ended(self) -> None:
        """Standard input is complete."""
        self._complete.set()
        self._came.set()

    def resize(self, width: int, height: int) -> None:
        """Nothing is drawn."""

    def pause(self) -> None:
        """What is written waits."""

    def resume(self) -> None:
        """It is sent."""

    @property
    def is_terminal(self) -> bool:
        """Whether the output is drawn on a terminal."""
        return self._is_terminal

    def write(self, text: str) -> None:
        """Write to standard output; a client that does not read it is let go."""
        self._send(text, error=False)

    def say(self, sentence: str) -> None:
        """Write a sentence to standard error, made safe and cleared of anything that looks like a key."""
        self._send(redact(sanitize(sentence)).rstrip() + "\n", error=True)

    async def read(self, *, needed: bool) -> str:
        """All of standard input; a terminal is never read.

        Raises:
            InvalidValueError: There is too much of it.
        """
        if self._is_terminal:
            return ""
        if not needed:
            try:
                await asyncio.wait_for(self._came.wait(), SILENT_SECONDS)
            except TimeoutError:
                self._left_out = True
                return ""
        await self._complete.wait()
        if len(self._typed) > MOST_INPUT:
            raise InvalidValueError(f"Standard input is too long: the most is {MOST_INPUT:,} bytes.")
        return self._typed.decode("utf-8", "replace")

    def _send(self, text: str, *, error: bool) -> None:
        if self._gone:
            return
        if self._is_terminal:
            text = text.replace("\n", "\r\n")
        data = text.encode("utf-8", "replace")
        try:
            (self._channel.write_stderr if error else self._channel.write)(data)
        except OSError:
            self._gone = True
            return
        if self._channel.get_write_buffer_size() > MOST_UNSENT:
            self._gone = True
            self._channel.abort()
