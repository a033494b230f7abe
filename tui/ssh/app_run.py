"""The app in a session, from its start to the settling of its last turn."""

import asyncio
from collections.abc import Mapping

from tui.core.text import sanitize_line
from tui.services.services import Services
from tui.ssh.host import Host
from tui.ssh.registry import CLOSING
from tui.ssh.served_app import ServedApp
from tui.ssh.terminal import Channel, Terminal, TerminalKind

FAILED = 1
MOUNT_SECONDS = 10.0
"""The longest that one app's first frame may keep the next from being drawn."""


class AppRun:
    """Implements `session.Run`.

    Args:
        host: The server.
        user: Whose session it is.
        channel: Where their terminal is.
        kind: What it is.
        address: Where it is, for the app to know that it is remote.
    """

    def __init__(self, host: Host, user: str, channel: Channel, kind: TerminalKind, address: str) -> None:
        self._host = host
        self._user = user
        self._terminal = Terminal(channel, kind)
        self._address = address
        self._app: ServedApp | None = None
        self._task: asyncio.Task[None] | None = None
        self._ending = False
        self._goodbye = ""
        self._deadline: asyncio.TimerHandle | None = None

    async def run(self) -> int:
        """Run the app; the exit status."""
        services = self._host.make_services(self._user)
        try:
            return await self._run_app(services)
        finally:
            if self._deadline is not None:
                self._deadline.cancel()
            await self._host.settle(services)
            self._host.memory.ended()

    def end(self, why: str, *, gone: bool) -> None:
        """End the app; one that does not is cancelled."""
        if gone:
            self._terminal.lose()
        if self._ending:
            return
        self._ending = True
        self._goodbye = why
        if self._app is not None and self._task is not None:
            loop = asyncio.get_running_loop()
            loop.call_soon(self._app.exit)
            self._deadline = loop.call_later(self._host.limits.end_seconds, self._task.cancel)

    def feed(self, data: bytes) -> None:
        """Take what was typed."""
        self._terminal.feed(data)

    def input_ended(self) -> None:
        """Nobody types any more: leave, and give the terminal back."""
        self.end("", gone=False)

    def resize(self, width: int, height: int) -> None:
        """The terminal has another size."""
        self._terminal.resize(width, height)

    def pause(self) -> None:
        """The client does not keep up."""
        self._terminal.pause()

    def resume(self) -> None:
        """It has caught up."""
        self._terminal.resume()

    async def _run_app(self, services: Services) -> int:
        async with self._host.mounting:
            if self._ending:
                self._write_sentence(self._goodbye)
                return FAILED
            app = ServedApp(
                services, environ=self._environ(), terminal=self._terminal, queue=self._host.paint_queue
            )
            drawn = asyncio.Event()
            app.when_drawn(drawn.set)
            self._app = app
            self._task = asyncio.create_task(self._guarded(app))
            first = asyncio.ensure_future(drawn.wait())
            try:
                await asyncio.wait(
                    {self._task, first}, return_when=asyncio.FIRST_COMPLETED, timeout=MOUNT_SECONDS
                )
            finally:
                first.cancel()
            self._host.memory.drawn()
        await asyncio.wait({self._task})
        return self._say_goodbye(app)

    async def _guarded(self, app: ServedApp) -> None:
        """Run the app; an error that it did not catch itself is one more of its own."""
        try:
            await app.run_async(size=self._terminal.size)
        except asyncio.CancelledError:
            return
        except Exception as error:  # noqa: BLE001  # only this session ends
            app._exception = app._exception or error

    def _say_goodbye(self, app: ServedApp) -> int:
        sentence = self._goodbye
        # Who was put out is told apart from who left, or was there until the server's own end.
        status = FAILED if sentence and sentence != CLOSING else app.return_code or 0
        # An app that ends while it is being mounted may fail; nobody is there to mind.
        if app._exception is not None and not self._ending:
            status = FAILED
            reference = app.crash_reference
            reference = self._host.crashed(app._exception, reference, user=self._user)
            sentence = (
                f"Ctroom met an error of its own (reference {reference}). Conversations and figures are "
                "saved: connect again."
            )
        self._write_sentence(sentence)
        return status

    def _write_sentence(self, sentence: str) -> None:
        if sentence:
            self._terminal.write(f"{sanitize_line(sentence, 500)}\r\n")

    def _environ(self) -> Mapping[str, str]:
        """The session's environment: what the client's terminal is, and that it is elsewhere."""
        kind = self._terminal.kind
        return {
            **kind.environ,
            "TERM": kind.term,
            "SSH_CONNECTION": self._address,
            "CTROOM_HOME": str(self._host.home),
        }
