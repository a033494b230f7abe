"""A server of our own within the test, and clients that look at the bytes that reach their terminals."""

import asyncio
import gc
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import Any
from weakref import WeakSet

import asyncssh
import pyte

from tests.support.session import DictSecrets
from tests.ui.app_harness import connect
from tui.commands.runtime import utc_now
from tui.commands.serve import make_host
from tui.core.settings import LOCAL_USER
from tui.services.build import Shared, build
from tui.services.credentials import Connect
from tui.services.services import Services
from tui.ssh.host import Host
from tui.ssh.host_key import NAME, load_host_key
from tui.ssh.limits import Limits
from tui.ssh.served_app import ServedApp
from tui.ssh.server import Server
from tui.storage.files import SYSTEM_FILES, FileLayer
from tui.storage.store import JsonStore

WAIT_SECONDS = 25.0
READY = "Ask anything"
"""What the app shows once it can be typed to."""
LIMITS = Limits(login_seconds=20, end_seconds=2)

_CONTROL = re.compile(
    rb"\x1b\[[<>=?][0-9;:]*[ -/]*[@-~]|\x1b\[[0-9;]*[ -/]+[@-~]|\x1b\[[0-9;]*:[0-9;:]*m"
    rb"|\x1b[P_^\]X][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[=>]"
)
_UNFINISHED = re.compile(rb"(?:\x1b(?:\[[0-9;:<>=?]*[ -/]*|[P_^\]X][^\x07\x1b]*\x1b?)?)\Z")


class Client:
    """A session of a client with a terminal: what it shows, and every byte that came.

    Args:
        process: The session.
        size: The terminal's.
    """

    def __init__(self, process: "asyncssh.SSHClientProcess[bytes]", size: tuple[int, int]) -> None:
        self.process = process
        self.raw = bytearray()
        self.errors = bytearray()
        self._screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self._screen)
        self._undrawn = b""
        self._came = asyncio.Condition()
        self._tasks = [
            asyncio.create_task(self._read(process.stdout, self._take)),
            asyncio.create_task(self._read(process.stderr, self.errors.extend)),
        ]

    @property
    def text(self) -> str:
        """The screen."""
        return "\n".join(line.rstrip() for line in self._screen.display)

    @property
    def status(self) -> int | None:
        """The exit status, once there is one."""
        return self.process.exit_status

    def send(self, data: str | bytes) -> None:
        """Send bytes as they are."""
        self.process.stdin.write(data.encode() if isinstance(data, str) else data)

    async def until(self, condition: str | Callable[[], bool]) -> None:
        """Wait until the screen shows a text, or a condition holds."""
        holds = condition if callable(condition) else lambda: condition in self.text
        try:
            async with asyncio.timeout(WAIT_SECONDS), self._came:
                while not holds():
                    if all(task.done() for task in self._tasks):
                        raise AssertionError(f"The session ended before {condition!r}:\n{self.text}")
                    await self._came.wait()
        except TimeoutError:
            raise AssertionError(f"In vain: {condition!r}\n{self.text}\n{self.errors!r}") from None

    async def gone(self) -> int | None:
        """Wait for the end; the exit status."""
        await self.process.wait_closed()
        await asyncio.gather(*self._tasks)
        return self.process.exit_status

    async def aclose(self) -> None:
        """Let go."""
        self.process.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _read(self, stream: "asyncssh.SSHReader[bytes]", take: Callable[[bytes], object]) -> None:
        with suppress(asyncssh.Error, OSError):
            while data := await stream.read(65_536):
                async with self._came:
                    take(data)
                    self._came.notify_all()
        async with self._came:
            self._came.notify_all()

    def _take(self, data: bytes) -> None:
        self.raw += data
        data = self._undrawn + data
        unfinished = _UNFINISHED.search(data)
        end = unfinished.start() if unfinished else len(data)
        self._undrawn = data[end:]
        self._stream.feed(_CONTROL.sub(b"", data[:end]))


_made: WeakSet[ServedApp] = WeakSet()
"""Every app that is not gone: they are found without a look through the whole heap."""
_make = ServedApp.__init__


@wraps(_make)
def _noted(self: ServedApp, *args: Any, **options: Any) -> None:
    _make(self, *args, **options)
    _made.add(self)


ServedApp.__init__ = _noted  # type: ignore[method-assign]


@dataclass
class Served:
    """A server that runs within the test."""

    host: Host
    server: Server
    services: Services
    keys: dict[str, asyncssh.SSHKey] = field(default_factory=dict)
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    @property
    def port(self) -> int:
        return self.server.port

    async def add(self, name: str, tier: str = "basic", *, admin: bool = False) -> asyncssh.SSHKey:
        """Add a user with a key."""
        key = self.keys[name] = asyncssh.generate_private_key("ssh-ed25519")
        await self.services.users.add(name, key.export_public_key().decode(), tier, admin=admin)
        return key

    async def connect(
        self, key: str | asyncssh.SSHKey, username: str = "whoever", **options: Any
    ) -> asyncssh.SSHClientConnection:
        """Connect with the key of a user, or with any."""
        found = self.keys[key] if isinstance(key, str) else key
        connection = await asyncssh.connect(
            "127.0.0.1",
            self.port,
            username=username,
            client_keys=[found],
            known_hosts=None,
            config=None,
            agent_path=None,
            **options,
        )
        self._stack.push_async_callback(_closed, connection)
        return connection

    async def open(
        self,
        connection: asyncssh.SSHClientConnection | str,
        *,
        size: tuple[int, int] = (100, 30),
        term: str = "xterm-256color",
        env: dict[str, str] | None = None,
        **options: Any,
    ) -> Client:
        """Open a session with a terminal, of a connection or of a user."""
        if isinstance(connection, str):
            connection = await self.connect(connection)
        process = await connection.create_process(
            term_type=term, term_size=size, encoding=None, env=env or {}, **options
        )
        shown = (min(max(size[0], 80), 400), min(max(size[1], 24), 150))
        client = Client(process, shown)
        self._stack.push_async_callback(client.aclose)
        return client

    async def run(self, user: str, command: str, stdin: str | None = "") -> asyncssh.SSHCompletedProcess:
        """Run a command to its end."""
        connection = await self.connect(user)
        return await connection.run(command, input=stdin, check=False)

    async def settled(self) -> None:
        """Wait until no session is left."""
        await until(lambda: not self.host.tasks and not self.host.sessions.total)


def apps_alive() -> list[ServedApp]:
    """The apps that are still in memory."""
    gc.unfreeze()
    gc.collect()
    return list(_made)


def running_apps() -> list[ServedApp]:
    """The apps of sessions."""
    return [app for app in _made if app._running]


async def until(holds: Callable[[], object], pause: float = 0.01) -> None:
    """Wait for what nothing tells of, looking after every pause; the test's time limit ends it."""
    while True:
        if holds():
            return
        await asyncio.sleep(pause)


async def _closed(connection: asyncssh.SSHClientConnection) -> None:
    connection.abort()
    await connection.wait_closed()


@asynccontextmanager
async def serving(
    home: Path,
    *,
    limits: Limits = LIMITS,
    sign_up: bool = False,
    connect: Connect = connect,
    files: FileLayer = SYSTEM_FILES,
    bind: str = "127.0.0.1",
) -> AsyncIterator[Served]:
    """A server on loopback over a data directory, with real services; its demo does not pause."""
    store = await JsonStore.open(home, utc_now, files)
    environ = {"CTROOM_HOME": str(home)}
    services = build(store, DictSecrets(), connect, utc_now, environ, LOCAL_USER)
    shared = Shared.over(connect)
    host = make_host(services, shared, connect, limits, sign_up=sign_up)
    server = Server(host, services)
    key = load_host_key(home / NAME)
    await server.listen(bind, 0, key)
    served = Served(host, server, services)
    loop_handler = asyncio.get_running_loop().get_exception_handler()
    try:
        async with served._stack:
            yield served
    finally:
        await server.aclose()
        await shared.aclose()
        await services.aclose()
        asyncio.get_running_loop().set_exception_handler(loop_handler)
