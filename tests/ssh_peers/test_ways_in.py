"""From outside, with asyncssh: a known key gets the app and its commands; nothing gets anything else."""

import asyncio
import logging
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from tests.support.ssh import LIMITS, READY, serving, until
from tui.ssh import journal


class Client(asyncssh.SSHClient):
    """Offers what is asked for, as often as it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def password_auth_requested(self) -> str | None:
        self.asked += 1
        return "password" if self.asked < 3 else None

    def kbdint_auth_requested(self) -> str | None:
        self.asked += 1
        return "" if self.asked < 3 else None

    def kbdint_challenge_received(
        self, name: str, instructions: str, lang: str, prompts: Any
    ) -> list[str] | None:
        return ["password"] * len(prompts)


@pytest.mark.parametrize("auth", ["password", "keyboard-interactive", "hostbased", "gssapi-with-mic", "none"])
@pytest.mark.parametrize("name", ["sam", "root", "local"])
async def test_every_method_but_keys_is_refused(ctroom_home: Path, auth: str, name: str) -> None:
    async with serving(ctroom_home, sign_up=True) as served:
        key = await served.add("sam")
        with pytest.raises(asyncssh.PermissionDenied):
            await asyncssh.connect(
                "127.0.0.1",
                served.port,
                username=name,
                password="password",
                known_hosts=None,
                config=None,
                client_keys=None,
                client_host_keysign=False,
                client_host_keys=[key] if auth == "hostbased" else None,
                client_host="localhost",
                preferred_auth=[auth],
                client_factory=Client,
            )
        assert not served.host.connections.total


async def test_only_keys_are_offered(ctroom_home: Path) -> None:
    async with serving(ctroom_home) as served:
        methods = await asyncssh.get_server_auth_methods("127.0.0.1", served.port, username="sam")
        assert [*methods] == ["publickey"]


async def test_an_unknown_key_is_refused_and_known_ones_are_no_others(ctroom_home: Path) -> None:
    async with serving(ctroom_home) as served:
        await served.add("sam")
        await served.add("kim", admin=True)
        with pytest.raises(asyncssh.PermissionDenied):
            await served.connect(asyncssh.generate_private_key("ssh-ed25519"), "sam")
        for name in ("kim", "local", "root", "SAM", "", "sam kim", "../kim"):
            connection = await served.connect("sam", name)
            ran = await connection.run("usage --json", check=False)
            assert '"user": "sam"' in str(ran.stdout)


async def test_a_certificate_that_anyone_signed_is_no_key(ctroom_home: Path) -> None:
    async with serving(ctroom_home) as served:
        await served.add("sam")
        mine, authority = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
        certificate = authority.generate_user_certificate(mine, "sam", principals=["sam"])
        with pytest.raises(asyncssh.PermissionDenied):
            await asyncssh.connect(
                "127.0.0.1", served.port, username="sam", known_hosts=None, config=None,
                client_keys=[(mine, certificate)],
            )  # fmt: skip


async def test_a_key_that_is_known_but_not_had_opens_nothing(ctroom_home: Path) -> None:
    """A client that offers another's public key can't sign with it."""
    async with serving(ctroom_home) as served:
        known = await served.add("sam")
        [pair] = asyncssh.load_keypairs(asyncssh.generate_private_key("ssh-ed25519"))
        pair.public_data = known.public_data
        with pytest.raises(asyncssh.PermissionDenied):
            await asyncssh.connect(
                "127.0.0.1", served.port, username="sam", client_keys=[pair], known_hosts=None, config=None
            )
        assert not served.host.connections.total


@pytest.mark.parametrize(("algorithm", "taken"), [(b"ssh-rsa", False), (b"rsa-sha2-256", True)])
async def test_a_signature_with_sha_1_proves_nothing(
    ctroom_home: Path, monkeypatch: pytest.MonkeyPatch, algorithm: bytes, taken: bool
) -> None:
    """A client that heeds nothing of what the server offers."""

    def choose(_: object, pair: asyncssh.SSHKeyPair) -> bool:
        pair.set_sig_algorithm(algorithm)
        return True

    monkeypatch.setattr(asyncssh.SSHClientConnection, "_choose_signature_alg", choose)
    async with serving(ctroom_home) as served:
        key = asyncssh.generate_private_key("ssh-rsa", key_size=2048)
        await served.services.users.add("sam", key.export_public_key().decode())
        if taken:
            assert (await (await served.connect(key)).run("usage", input="")).exit_status == 0
        else:
            with pytest.raises(asyncssh.PermissionDenied):
                await served.connect(key)
            assert not served.host.connections.total


async def test_tries_are_counted(ctroom_home: Path, caplog: pytest.LogCaptureFixture) -> None:
    journal.LOG.propagate = True
    caplog.set_level(logging.INFO, journal.LOG.name)
    async with serving(ctroom_home) as served:
        keys = [asyncssh.generate_private_key("ssh-ed25519") for _ in range(12)]
        with pytest.raises((asyncssh.PermissionDenied, asyncssh.DisconnectError, ConnectionError)):
            await asyncssh.connect(
                "127.0.0.1", served.port, username="sam", client_keys=keys, known_hosts=None, config=None
            )
    assert len([line for line in caplog.messages if line.startswith("refused")]) == served.host.limits.tries


async def opened(work: Any) -> None:
    """Await what may be opened; a channel that is closed at once was not."""
    found = await work
    if isinstance(found, tuple) and not await found[0].read():
        raise OSError


DENIED = (asyncssh.ChannelOpenError, asyncssh.ChannelListenError, asyncssh.DisconnectError, OSError)
FORWARDINGS: dict[str, Callable[[asyncssh.SSHClientConnection, int, Path], Any]] = {
    "direct-tcpip": lambda conn, port, _: conn.open_connection("127.0.0.1", port),
    "direct-streamlocal": lambda conn, _, path: conn.open_unix_connection(str(path / "socket")),
    "tcpip-forward": lambda conn, *_: conn.start_server(lambda *_: None, "", 0),
    "streamlocal-forward": lambda conn, _, path: conn.start_unix_server(
        lambda *_: None, str(path / "listen")
    ),
    "tun": lambda conn, *_: conn.create_tun(lambda *_: asyncssh.SSHTunTapSession(), 0),
    "tap": lambda conn, *_: conn.create_tap(lambda *_: asyncssh.SSHTunTapSession(), 0),
    "x11": lambda conn, *_: conn.create_process(
        x11_forwarding=True, x11_display="127.0.0.1:0", encoding=None
    ),
    "sftp": lambda conn, *_: conn.start_sftp_client(),
    "subsystem": lambda conn, *_: conn.create_process(subsystem="netconf"),
}


@pytest.mark.parametrize("kind", FORWARDINGS)
async def test_nothing_is_forwarded_nor_a_subsystem(ctroom_home: Path, tmp_path: Path, kind: str) -> None:
    async with serving(ctroom_home) as served:
        await served.add("sam", admin=True)
        connection = await served.connect("sam")
        with socket.create_server(("127.0.0.1", 0)) as target, pytest.raises(DENIED):
            await opened(FORWARDINGS[kind](connection, target.getsockname()[1], tmp_path))
        ran = await connection.run("usage", check=False)
        assert ran.exit_status == 0, "the connection is as good as before"


async def test_no_agent_is_asked_for(ctroom_home: Path) -> None:
    async with serving(ctroom_home) as served:
        await served.add("sam")
        connection = await served.connect("sam", agent_forwarding=True)
        process = await connection.create_process("usage", encoding=None)
        await process.wait_closed()
        assert process.exit_status == 0
        server = next(iter(served.server._connections))
        assert not server._agent_listener


async def test_scp_and_shells_are_commands_that_do_not_exist(ctroom_home: Path, tmp_path: Path) -> None:
    async with serving(ctroom_home) as served:
        await served.add("sam")
        for command in (
            "scp -t /tmp",
            "scp -f /etc/passwd",
            "/bin/sh -c id",
            "bash -i",
            "$(id)",
            "usage\nid",
        ):
            ran = await served.run("sam", command)
            assert ran.exit_status == 2, command
            assert not ran.stdout
        connection = await served.connect("sam")
        (tmp_path / "file").write_text("x")
        with pytest.raises((asyncssh.SFTPError, asyncssh.DisconnectError, OSError)):
            await asyncssh.scp(str(tmp_path / "file"), (connection, "/tmp/taken"))


async def test_the_environment_says_nothing_of_who_or_where(ctroom_home: Path, tmp_path: Path) -> None:
    spoofed = {
        "CTROOM_HOME": str(tmp_path / "elsewhere"), "USER": "kim", "LOGNAME": "kim", "HOME": "/root",
        "OPENAI_API_KEY": "sk-mine", "SSH_ORIGINAL_COMMAND": "id", "TEXTUAL": "debug",
    }  # fmt: skip
    async with serving(ctroom_home) as served:
        await served.add("sam")
        await served.add("kim")
        connection = await served.connect("sam", "kim")
        ran = await connection.run("usage --json", env=spoofed, check=False)
        assert '"user": "sam"' in str(ran.stdout)
        assert '"openai"' not in str(ran.stdout)
        client = await served.open(connection, env=spoofed)
        await client.until(READY)
        assert "sam · basic" in client.text
        assert not (tmp_path / "elsewhere").exists()


async def test_without_a_terminal_it_says_how_to_get_one(ctroom_home: Path) -> None:
    async with serving(ctroom_home) as served:
        await served.add("sam")
        ran = await (await served.connect("sam")).run(check=False, input="")
        assert ran.exit_status == 1
        assert "ssh -t" in str(ran.stderr)
        client = await served.open("sam", term="dumb")
        assert await client.gone() == 1
        assert b"TERM=dumb" in client.errors


async def test_a_stranger_signs_up_under_the_name_they_give(ctroom_home: Path) -> None:
    async with serving(ctroom_home, sign_up=True) as served:
        key = asyncssh.generate_private_key("ssh-ed25519")
        client = await served.open(await served.connect(key, "zoe"))
        await client.until(READY)
        assert "zoe · free" in client.text
        other = asyncssh.generate_private_key("ssh-ed25519")
        with pytest.raises(asyncssh.PermissionDenied):
            await served.connect(other, "zoe")
        for name in ("local", "root", "Zoe", "a b", "z" * 33):
            with pytest.raises(asyncssh.PermissionDenied):
                await served.connect(other, name)
        again = await served.open(await served.connect(key, "somebody"))
        await again.until(READY)
        assert "zoe · free" in again.text


async def test_sign_ups_of_an_address_are_limited(ctroom_home: Path) -> None:
    limits = replace(LIMITS, sign_ups_per_address=2)
    async with serving(ctroom_home, sign_up=True, limits=limits) as served:
        for name in ("one", "two"):
            await served.connect(asyncssh.generate_private_key("ssh-ed25519"), name)
        with pytest.raises(asyncssh.PermissionDenied):
            await served.connect(asyncssh.generate_private_key("ssh-ed25519"), "three")


async def test_sessions_of_a_user_and_of_all_are_limited(ctroom_home: Path) -> None:
    limits = replace(LIMITS, sessions_per_user=2, sessions=3)
    async with serving(ctroom_home, limits=limits) as served:
        for name in ("sam", "kim", "ada"):
            await served.add(name)
        connection = await served.connect("sam")
        opened = await asyncio.gather(*(served.open(connection) for _ in range(6)), return_exceptions=True)
        shown = [client for client in opened if not isinstance(client, BaseException)]
        ready = [client for client in shown if await was_ready(client)]
        assert len(ready) == 2
        await (await served.open("kim")).until(READY)
        with pytest.raises(asyncssh.ChannelOpenError, match="as many sessions as it takes"):
            await served.open("ada")
        ready[0].send("\x11")
        await ready[0].gone()
        await until(lambda: served.host.sessions["sam"] == 1)
        await (await served.open("ada")).until(READY)


async def was_ready(client: Any) -> bool:
    try:
        await client.until(READY)
    except AssertionError:
        assert b"2 sessions open" in client.errors
        return False
    return True


async def test_a_connection_without_a_session_ends(ctroom_home: Path) -> None:
    async with serving(ctroom_home, limits=replace(LIMITS, idle_seconds=0.1)) as served:
        await served.add("sam")
        connection = await served.connect("sam")
        await connection.wait_closed()
        await until(lambda: not served.host.connections.total and not served.host.strangers.total)
