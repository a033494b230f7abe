"""One client's connection: its key says who it is, and nothing else is let through."""

import asyncio

import asyncssh

from tui.core.text import sanitize_line
from tui.ssh.access import Identity, Refused
from tui.ssh.environment import HeededEnvironment
from tui.ssh.host import Host
from tui.ssh.journal import note
from tui.ssh.session import Session

WINDOW, PACKET = 64 * 1024, 32 * 1024
"""Bytes that a client may send before they are looked at; the largest packet."""
UNSENT_HIGH, UNSENT_LOW = 256 * 1024, 32 * 1024
"""Bytes that wait for a client, from which on nothing is drawn, and below which it is again."""


class Connection(asyncssh.SSHServer):
    """A connection. Forwarding, subsystems and agents are refused by asyncssh, as nothing here takes them.

    Args:
        host: The server.
        open_connections: Where it is kept while it is open.
    """

    def __init__(self, host: Host, open_connections: set[asyncssh.SSHServerConnection]) -> None:
        self._host = host
        self._open = open_connections
        self._connection: asyncssh.SSHServerConnection | None = None
        self._address = ""
        self._offered = self._refused = 0
        self._candidate: Identity | None = None
        self._identity: Identity | None = None
        self._entering: asyncio.Task[str] | None = None
        self._sessions = 0
        self._idle: asyncio.TimerHandle | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        """A client is there, and has not said who it is."""
        self._connection = conn
        self._open.add(conn)
        peer = conn.get_extra_info("peername")
        self._address = sanitize_line(str(peer[0])) if peer else "?"
        strangers, limits = self._host.strangers, self._host.limits
        strangers.add(self._address)
        too_many = (
            strangers[self._address] > limits.strangers_per_address or strangers.total > limits.strangers
        )
        if too_many or self._host.closing:
            note("refused", address=self._address, why="too many connections that have not signed in")
            conn.abort()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """The client is gone."""
        if self._identity is None:
            self._host.strangers.remove(self._address)
        else:
            self._host.connections.remove(self._identity.user)
        if self._idle is not None:
            self._idle.cancel()
        if self._connection is not None:
            self._open.discard(self._connection)
            self._connection = None

    def begin_auth(self, username: str) -> bool:  # noqa: ARG002
        """Everyone has to prove who they are."""
        return True

    def public_key_auth_supported(self) -> bool:
        """Keys are the only way in."""
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        """Whether a key may come in; asyncssh verifies right after this that the client has it."""
        self._candidate = None
        self._offered += 1
        found = self._host.access.identify(key, username, self._address)
        if isinstance(found, Refused):
            self._refused += 1
            note("refused", address=self._address, name=username, why=found.why)
        if self._refused >= self._host.limits.tries or self._offered > 4 * self._host.limits.tries:
            self._disconnect(asyncssh.DISC_NO_MORE_AUTH_METHODS_AVAILABLE, "Too many keys were tried.")
            return False
        if isinstance(found, Refused):
            return False
        self._candidate = found
        return True

    def auth_completed(self) -> None:
        """The client has proved that it has the key that was looked at last."""
        assert self._candidate is not None, "Nobody comes in without a key."
        identity = self._identity = self._candidate
        self._host.strangers.remove(self._address)
        self._host.connections.add(identity.user)
        if self._host.connections[identity.user] > self._host.limits.connections_per_user:
            note("refused", user=identity.user, address=self._address, why="too many connections")
            self._disconnect(asyncssh.DISC_TOO_MANY_CONNECTIONS, "You have too many connections open.")
            return
        event = "sign-up" if identity.new_key else "login"
        note(event, user=identity.user, address=self._address, key=identity.fingerprint)
        if identity.new_key:
            self._entering = asyncio.create_task(self._host.access.enter(identity, self._address))
        self._wait_for_session()

    def session_requested(self) -> tuple[asyncssh.SSHServerChannel[bytes], Session] | bool:
        """A session, where there is room for one."""
        if self._identity is None or self._connection is None:
            return False
        if sentence := self._host.refusal(self._identity.user):
            note("refused", user=self._identity.user, address=self._address, why=sentence)
            raise asyncssh.ChannelOpenError(asyncssh.OPEN_RESOURCE_SHORTAGE, sentence)
        session = Session(self._host, self._identity, self._address, self.entered, self._session_ended)
        channel = self._connection.create_server_channel(encoding=None, window=WINDOW, max_pktsize=PACKET)
        channel._env = HeededEnvironment()
        channel.set_write_buffer_limits(UNSENT_HIGH, UNSENT_LOW)
        self._sessions += 1
        if self._idle is not None:
            self._idle.cancel()
        return channel, session

    async def entered(self) -> None:
        """Wait until someone new is registered.

        Raises:
            CtroomError: They could not be.
        """
        if self._entering is not None:
            await asyncio.shield(self._entering)

    def _session_ended(self) -> None:
        self._sessions -= 1
        if not self._sessions:
            self._wait_for_session()

    def _wait_for_session(self) -> None:
        """A connection is there for its sessions: without one it ends."""
        if self._connection is None:
            return
        if self._idle is not None:
            self._idle.cancel()
        seconds = self._host.limits.idle_seconds
        self._idle = asyncio.get_running_loop().call_later(seconds, self._end_idle)

    def _end_idle(self) -> None:
        if not self._sessions:
            self._disconnect(asyncssh.DISC_BY_APPLICATION, "There was no session.")

    def _disconnect(self, code: int, reason: str) -> None:
        if self._connection is not None:
            self._connection.disconnect(code, reason)
