"""One session of a client: the app on its terminal, or a command."""

import asyncio
import contextvars
from collections.abc import Awaitable, Callable
from secrets import token_hex
from typing import Protocol

import asyncssh

from tui.core.errors import CtroomError
from tui.core.sessions import SessionInfo
from tui.core.text import redact, sanitize_line
from tui.ssh.access import Identity
from tui.ssh.environment import heeded
from tui.ssh.host import Host
from tui.ssh.journal import note
from tui.ssh.registry import Entry
from tui.ssh.terminal import TerminalKind

FAILED = 1
NO_TERMINAL = (
    "Ctroom needs a terminal: use 'ssh -t', or one of its commands, such as 'ssh HOST usage' "
    "and 'ssh HOST ask'."
)
DUMB = "This terminal (TERM={term}) can't be drawn on: use 'ssh HOST usage' and 'ssh HOST ask'."
_UNDRAWABLE = ("dumb", "emacs", "unknown", "network", "none")
_MOST_COMMAND = 131_072
_MOST_EARLY = 65_536
"""Bytes that come before the session has begun, beyond which the client waits."""
_LEAVING = ("HUP", "INT", "QUIT", "TERM", "KILL")


class Run(Protocol):
    """What goes on in a session."""

    async def run(self) -> int:
        """Run to the end; the exit status."""
        ...

    def end(self, why: str, *, gone: bool) -> None:
        """End soon.

        Args:
            why: A sentence for the user; may be empty.
            gone: Whether the client is no more there.
        """
        ...

    def feed(self, data: bytes) -> None:
        """Take what the client sent."""
        ...

    def input_ended(self) -> None:
        """Nothing more will come from the client."""
        ...

    def resize(self, width: int, height: int) -> None:
        """The terminal has another size."""
        ...

    def pause(self) -> None:
        """The client does not keep up."""
        ...

    def resume(self) -> None:
        """It has caught up."""
        ...


class Session(asyncssh.SSHServerSession[bytes]):
    """A session.

    Args:
        host: The server.
        identity: Whose it is.
        address: Where the client is.
        refuse: Writes down why something was refused, and what else is known of it.
        entered: Waits until the user is registered.
        ended: Called when the channel is closed.
    """

    def __init__(
        self,
        host: Host,
        identity: Identity,
        address: str,
        refuse: Callable[..., None],
        entered: Callable[[], Awaitable[None]],
        ended: Callable[[], None],
    ) -> None:
        self._host = host
        self._identity = identity
        self._address = address
        self._refuse = refuse
        self._entered = entered
        self._ended = ended
        self._channel: asyncssh.SSHServerChannel[bytes] | None = None
        self._terminal: tuple[str, tuple[int, int]] | None = None
        self._command: str | None = None
        self._run: Run | None = None
        self._id = token_hex(4)
        self._refusal: str | None = None
        self._gone = False
        self._why = ""
        self._early = bytearray()
        """What came before there was who takes it."""
        self._input_ended = False

    # What asyncssh says

    def connection_made(self, chan: asyncssh.SSHServerChannel[bytes]) -> None:
        """The channel is open."""
        self._channel = chan
        self._host.sessions.add(self._identity.user)
        # Several may have been asked for at once, before any of them was counted.
        self._refusal = self._host.refusal(self._identity.user, more=0)

    def pty_requested(self, term_type: str, term_size: tuple[int, int, int, int], term_modes: object) -> bool:  # noqa: ARG002
        """The client has a terminal."""
        self._terminal = (sanitize_line(term_type, 64), (term_size[0], term_size[1]))
        return True

    def shell_requested(self) -> bool:
        """The app is what a shell is elsewhere."""
        return True

    def exec_requested(self, command: str) -> bool:
        """A command is asked for."""
        self._command = command
        if len(command) > _MOST_COMMAND:
            self._refuse("a command that is too long")
            return False
        return True

    def subsystem_requested(self, subsystem: str) -> bool:
        """There are none: no sftp, no anything."""
        self._refuse("there are no subsystems", asked=subsystem)
        return False

    def session_started(self) -> None:
        """All of it is known: begin."""
        task = asyncio.get_running_loop().create_task(self._whole(), context=contextvars.Context())
        self._host.tasks.add(task)
        task.add_done_callback(self._host.tasks.discard)

    def data_received(self, data: bytes, datatype: asyncssh.DataType) -> None:  # noqa: ARG002
        """Bytes of the client."""
        if self._run is not None:
            self._run.feed(data)
            return
        self._early += data
        if len(self._early) > _MOST_EARLY and self._channel is not None:
            self._channel.pause_reading()

    def eof_received(self) -> bool:
        """The client sends nothing more, and still reads."""
        self._input_ended = True
        if self._run is not None:
            self._run.input_ended()
        return True

    def terminal_size_changed(self, width: int, height: int, pixwidth: int, pixheight: int) -> None:  # noqa: ARG002
        """The terminal has another size."""
        if self._run is not None:
            self._run.resize(width, height)
        elif self._terminal is not None:
            self._terminal = (self._terminal[0], (width, height))

    def signal_received(self, signal: str) -> None:
        """The client sent a signal; no process gets it."""
        if signal in _LEAVING:
            self._end("")

    def break_received(self, msec: int) -> bool:  # noqa: ARG002
        """Not for us."""
        return False

    def pause_writing(self) -> None:
        """The client does not keep up."""
        if self._run is not None:
            self._run.pause()

    def resume_writing(self) -> None:
        """It has caught up."""
        if self._run is not None:
            self._run.resume()

    def connection_lost(self, exc: Exception | None) -> None:
        """The channel is closed, by whomever."""
        self._gone = True
        if exc is not None:
            self._why = self._why or "connection lost"
        if self._run is not None:
            self._run.end("", gone=True)
        if self._channel is not None:
            self._channel = None
            self._host.sessions.remove(self._identity.user)
        self._ended()

    # What goes on

    async def _whole(self) -> None:
        status = FAILED
        try:
            status = await self._begin()
        except CtroomError as error:
            self._say(str(error))
        except Exception as error:  # noqa: BLE001  # whatever it is, only this session ends
            reference = self._host.crashed(error, user=self._identity.user)
            self._say(f"Ctroom met an error of its own (reference {reference}).")
        finally:
            self._run = None
            self._leave(status)

    async def _begin(self) -> int:
        await self._entered()
        user = self._identity.user
        refusal = self._refusal
        if not self._host.access.holds(user, self._identity.fingerprint):
            refusal = "This key is not known here any more."
        run = None if refusal else self._make_run()
        if run is None:
            self._refuse(refusal or "no terminal that can be drawn on")
            self._say(refusal or self._no_terminal())
            return FAILED
        if self._gone:
            return FAILED
        info = SessionInfo(self._id, user, self._address, self._host.clock())
        what = "app" if self._command is None else "command"
        self._run = run
        self._host.registry.add(Entry(info, self._identity.fingerprint, self._end))
        note("session", id=self._id, user=user, address=self._address, what=what)
        self._take_early(run)
        try:
            return await run.run()
        finally:
            self._host.registry.remove(self._id)
            seconds = (self._host.clock() - info.since).total_seconds()
            note("end", id=self._id, user=user, seconds=round(seconds), why=self._why or "left")

    def _make_run(self) -> Run | None:
        """What is to go on; None where there is no terminal for it."""
        from tui.ssh.app_run import AppRun
        from tui.ssh.command_run import CommandRun

        assert self._channel is not None
        user = self._identity.user
        environ = heeded(self._channel._env)
        if self._command is not None:
            terminal = self._terminal is not None
            return CommandRun(self._host, user, self._channel, self._command, is_terminal=terminal)
        if self._terminal is None or self._terminal[0].lower() in _UNDRAWABLE:
            return None
        kind = TerminalKind(self._terminal[0] or "xterm", self._terminal[1], environ)
        return AppRun(self._host, user, self._channel, kind, self._address)

    def _no_terminal(self) -> str:
        return NO_TERMINAL if self._terminal is None else DUMB.format(term=self._terminal[0])

    def _end(self, why: str) -> None:
        self._why = why
        if self._run is not None:
            self._run.end(why, gone=False)

    def _say(self, sentence: str) -> None:
        if self._channel is None:
            return
        line = redact(sanitize_line(sentence, 500)) + ("\r\n" if self._terminal else "\n")
        try:
            self._channel.write_stderr(line.encode("utf-8", "replace"))
        except OSError:
            self._gone = True

    def _take_early(self, run: Run) -> None:
        """Hand on what the client sent while its session began: some send all that they pipe at once."""
        if self._early:
            run.feed(bytes(self._early))
            self._early.clear()
        if self._input_ended:
            run.input_ended()
        if self._channel is not None:
            self._channel.resume_reading()

    def _leave(self, status: int) -> None:
        channel = self._channel
        if channel is None:
            return
        channel.resume_reading()  # a channel that holds input back would not close
        try:
            channel.exit(status)
        except OSError:
            return
        # A client that reads nothing would keep the channel open for what it was sent.
        timer = asyncio.get_running_loop().call_later(self._host.limits.end_seconds, channel.abort)
        waiting = asyncio.ensure_future(channel.wait_closed())
        waiting.add_done_callback(lambda _: timer.cancel())
