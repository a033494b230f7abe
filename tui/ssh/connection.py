"""One client's connection: its key says who it is, and nothing else is let through."""

import asyncio
from dataclasses import replace

import asyncssh

from tui.core.errors import CtroomError
from tui.ssh.access import Identity, Refused
from tui.ssh.environment import HeededEnvironment
from tui.ssh.host import Host
from tui.ssh.journal import note
from tui.ssh.origin import counted, shown
from tui.ssh.session import Session
from tui.ssh.signatures import restrict

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
        self._address = self._origin = "?"
        self._name = ""
        self._asked = False
        self._since = 0.0
        self._told = False
        """Whether the log says already why this client did not come in."""
        self._offered = self._refused = 0
        self._candidate: Identity | None = None
        self._identity: Identity | None = None
        self._entering: asyncio.Task[CtroomError | None] | None = None
        self._sessions = 0
        self._idle: asyncio.TimerHandle | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        """A client is there, and has not said who it is."""
        self._connection = conn
        self._open.add(conn)
        self._since = asyncio.get_running_loop().time()
        peer = conn.get_extra_info("peername")
        if peer:
            self._address, self._origin = shown(str(peer[0])), counted(str(peer[0]))
        strangers, limits = self._host.strangers, self._host.limits
        strangers.add(self._origin)
        too_many = (
            strangers[self._origin] > limits.strangers_per_address or strangers.total > limits.strangers
        )
        if too_many or self._host.closing:
            self._refuse(
                "too many connections that have not signed in" if too_many else "the server is shutting down"
            )
            conn.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        if self._identity is None:
            self._host.strangers.remove(self._origin)
            if not self._told and not self._host.closing:
                self._refuse(self._why_no_login(exc))
        else:
            if exc is not None and not isinstance(exc, asyncssh.Error | OSError):
                self._host.crashed(exc, user=self._identity.user, address=self._address)
            self._host.connections.remove(self._identity.user)
        if self._idle is not None:
            self._idle.cancel()
        if self._connection is not None:
            self._open.discard(self._connection)
            self._connection = None

    def begin_auth(self, username: str) -> bool:
        """Everyone has to prove who they are."""
        self._name, self._asked = username, True
        return True

    def public_key_auth_supported(self) -> bool:
        """Keys are the only way in."""
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        """Whether a key may come in; asyncssh verifies right after this that the client has it."""
        self._candidate = None
        self._offered += 1
        found = self._host.access.identify(key, username, self._origin)
        if isinstance(found, Refused):
            self._refused += 1
            self._refuse(found.why)
        too_often = self._offered > 4 * self._host.limits.tries
        if self._refused >= self._host.limits.tries or too_often:
            if not isinstance(found, Refused):
                self._refuse("a key was offered too often")
            self._disconnect(asyncssh.DISC_NO_MORE_AUTH_METHODS_AVAILABLE, "Too many keys were tried.")
            return False
        if isinstance(found, Refused):
            return False
        self._candidate = found
        restrict(key)
        return True

    def auth_completed(self) -> None:
        """The client has proved that it has the key that was looked at last."""
        assert self._candidate is not None, "Nobody comes in without a key."
        identity = self._identity = self._candidate
        self._host.strangers.remove(self._origin)
        self._host.connections.add(identity.user)
        if self._host.connections[identity.user] > self._host.limits.connections_per_user:
            self._refuse("too many connections")
            self._disconnect(asyncssh.DISC_TOO_MANY_CONNECTIONS, "You have too many connections open.")
            return
        if identity.new_key:
            self._entering = asyncio.create_task(self._sign_up(identity))
        else:
            note("login", user=identity.user, address=self._address, key=identity.fingerprint)
        self._wait_for_session()

    async def _sign_up(self, identity: Identity) -> CtroomError | None:
        """Register someone new; the error, where they could not be."""
        try:
            await self._host.access.enter(identity, self._origin)
        except CtroomError as error:
            self._refuse("the sign-up failed", error=error)
            return error
        self._identity = replace(identity, new_key="")
        note("sign-up", user=identity.user, address=self._address, key=identity.fingerprint)
        return None

    def session_requested(self) -> tuple[asyncssh.SSHServerChannel[bytes], Session] | bool:
        """A session, where there is room for one."""
        if self._identity is None or self._connection is None:
            return False
        if sentence := self._host.refusal(self._identity.user):
            self._refuse(sentence)
            raise asyncssh.ChannelOpenError(asyncssh.OPEN_RESOURCE_SHORTAGE, sentence)
        session = Session(
            self._host, self._identity, self._address, self._refuse, self.entered, self._session_ended
        )
        channel = self._connection.create_server_channel(encoding=None, window=WINDOW, max_pktsize=PACKET)
        channel._env = HeededEnvironment()
        channel.set_write_buffer_limits(UNSENT_HIGH, UNSENT_LOW)
        self._sessions += 1
        if self._idle is not None:
            self._idle.cancel()
        return channel, session

    def connection_requested(self, dest_host: str, dest_port: int, orig_host: str, orig_port: int) -> bool:  # noqa: ARG002
        """Nothing is forwarded from here."""
        return self._refuse_forwarding(f"{dest_host}:{dest_port}")

    def unix_connection_requested(self, dest_path: str) -> bool:
        """Nor to a socket of this machine."""
        return self._refuse_forwarding(dest_path)

    def server_requested(self, listen_host: str, listen_port: int) -> bool:
        """Nothing is forwarded to the client."""
        return self._refuse_forwarding(f"listen {listen_host}:{listen_port}")

    def unix_server_requested(self, listen_path: str) -> bool:
        """Nor from a socket of this machine."""
        return self._refuse_forwarding(f"listen {listen_path}")

    def tun_requested(self, unit: int | None) -> bool:  # noqa: ARG002
        """There are no tunnels."""
        return self._refuse_forwarding("tun")

    def tap_requested(self, unit: int | None) -> bool:  # noqa: ARG002
        """There are no tunnels."""
        return self._refuse_forwarding("tap")

    async def entered(self) -> None:
        """Wait until someone new is registered.

        Raises:
            CtroomError: They could not be.
        """
        if self._entering is not None and (error := await asyncio.shield(self._entering)) is not None:
            raise error

    def _refuse_forwarding(self, asked: str) -> bool:
        self._refuse("nothing is forwarded", asked=asked)
        return False

    def _refuse(self, why: str, **facts: object) -> None:
        """Write down that the client was refused something."""
        self._told = True
        known = self._identity is not None and not self._identity.new_key
        name = self._identity.user if self._identity is not None else self._name
        who = {"user" if known else "name": name} if name else {}
        self._host.refusals.note(self._origin, why, address=self._address, **who, **facts)

    def _why_no_login(self, exc: Exception | None) -> str:
        """Why a client that is gone never came in; nothing of what it said itself."""
        if self._candidate is not None:
            return "the key was not proved"
        if self._asked:
            return "no key was offered that can be taken"
        if asyncio.get_running_loop().time() - self._since >= self._host.limits.login_seconds:
            return "no login in time"
        left = exc is None or isinstance(exc, asyncssh.ConnectionLost | OSError)
        return "left without a login" if left else f"no SSH that is spoken here ({type(exc).__name__})"

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
