"""The server: listens, looks after the accounts once for all sessions, and ends in order."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import asyncssh

from tui import __version__
from tui.core.errors import CtroomError, StorageError, StorageErrorKind
from tui.services.services import Services
from tui.ssh.connection import Connection
from tui.ssh.disk import DiskWatch
from tui.ssh.host import Host
from tui.ssh.journal import note, warn
from tui.ssh.registry import CLOSING, REMOVED
from tui.ssh.signatures import ALGORITHMS

SWEEP_SECONDS = 60.0
"""How often dead processes' holds are charged, and what could not be saved is saved."""
SETTLE_SECONDS = 20.0
"""How long the end waits for sessions to settle; recovery charges what is left."""


class Server:
    """Serves the app over SSH.

    Args:
        host: What the sessions share.
        services: Services over the same store, to look after it.
    """

    def __init__(self, host: Host, services: Services) -> None:
        self._host = host
        self._services = services
        self._acceptor: asyncssh.SSHAcceptor | None = None
        self._connections: set[asyncssh.SSHServerConnection] = set()
        self._work: list[asyncio.Task[None]] = []
        self._unsubscribe: Callable[[], None] | None = None

    @property
    def port(self) -> int:
        """The port that is listened on."""
        assert self._acceptor is not None, "Ask once it listens."
        return int(self._acceptor.get_port())

    async def listen(self, bind: str, port: int, host_key: asyncssh.SSHKey) -> None:
        """Begin to listen.

        Args:
            bind: An address or a host name.
            port: 0 takes any that is free.
            host_key: What clients know the server by.

        Raises:
            StorageError: The address can't be listened on.
        """
        limits = self._host.limits
        try:
            self._acceptor = await asyncssh.listen(
                bind,
                port,
                server_factory=self._connection,
                server_host_keys=[host_key],
                config=None,
                server_version=f"ctroom_{__version__}",
                public_key_auth=True,
                password_auth=False,
                kbdint_auth=False,
                host_based_auth=False,
                gss_host=None,
                gss_kex=False,
                gss_auth=False,
                allow_pty=True,
                line_editor=False,
                agent_forwarding=False,
                x11_forwarding=False,
                tcp_keepalive=True,
                allow_scp=False,
                sftp_factory=None,
                encoding=None,
                compression_algs=["none"],
                signature_algs=ALGORITHMS,
                rdns_lookup=False,
                login_timeout=limits.login_seconds,
                keepalive_interval=limits.keepalive_seconds,
                keepalive_count_max=limits.keepalive_tries,
            )
        except OSError as error:
            raise StorageError(
                StorageErrorKind.UNREADABLE,
                f"Port {port} of {bind} can't be listened on ({error.strerror or type(error).__name__}): "
                "choose another with --port or --bind.",
            ) from None
        asyncio.get_running_loop().set_exception_handler(self._failed)
        _route_asyncssh(self._host)
        self._unsubscribe = self._services.store.subscribe(self._check_users)
        host = self._host
        works = (self._services.poll(), self._sweep(), host.load.run(), host.memory.run())
        self._work = [asyncio.create_task(work) for work in works]

    async def aclose(self) -> None:
        """End every session, give every terminal back, and close. The store stays open."""
        self._host.closing = True
        if self._acceptor is not None:
            self._acceptor.close()
        for entry in self._host.registry:
            entry.end(CLOSING)
        if self._host.tasks:
            await asyncio.wait({*self._host.tasks}, timeout=self._host.limits.end_seconds + SETTLE_SECONDS)
        await self._close_connections()
        for task in self._work:
            task.cancel()
        await asyncio.gather(*self._work, return_exceptions=True)
        if self._unsubscribe is not None:
            self._unsubscribe()
        await self._host.save_unsaved()
        if left := self._host.unsaved():
            warn("not saved", messages_and_charges=left)

    def _connection(self) -> Connection:
        return Connection(self._host, self._connections)

    async def _close_connections(self) -> None:
        """Let each client take what it was sent, but not for long."""
        everyone = {*self._connections}
        for connection in everyone:
            connection.disconnect(asyncssh.DISC_BY_APPLICATION, "The server is shutting down.")
        if everyone:
            closing = [asyncio.ensure_future(each.wait_closed()) for each in everyone]
            await asyncio.wait(closing, timeout=2)
        for connection in {*self._connections}:
            connection.abort()
        self._host.refusals.sum_up()

    async def _sweep(self) -> None:
        disk = DiskWatch(self._host.home)
        while True:
            await disk.look()
            with suppress(CtroomError):
                await self._services.turns.recover()
            await self._host.save_unsaved()
            await asyncio.sleep(SWEEP_SECONDS)

    def _check_users(self) -> None:
        """End the sessions of whoever was removed, by whatever process."""
        for entry in self._host.registry:
            if not entry.removed and not self._host.access.holds(entry.info.user, entry.fingerprint):
                entry.removed = True
                note("removed", id=entry.info.id, user=entry.info.user)
                entry.end(REMOVED)

    def _failed(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """An error that nobody awaited: asyncio's own words may hold a message's text."""
        error = context.get("exception")
        if isinstance(error, BaseException):
            self._host.crashed(error)
        else:
            warn("asyncio", says=str(context.get("message", "")))


class _AsyncsshErrors(logging.Handler):
    """Records the errors that asyncssh caught; its own words, which hold what clients sent, go nowhere.

    Args:
        host: Where crashes are recorded.
    """

    def __init__(self, host: Host) -> None:
        super().__init__(logging.ERROR)
        self._host = host

    def emit(self, record: logging.LogRecord) -> None:
        """Take one."""
        if record.exc_info and record.exc_info[1] is not None:
            self._host.crashed(record.exc_info[1])


def _route_asyncssh(host: Host) -> None:
    logger = logging.getLogger("asyncssh")
    logger.handlers[:] = [_AsyncsshErrors(host)]
    logger.setLevel(logging.ERROR)
    logger.propagate = False
