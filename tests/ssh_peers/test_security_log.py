"""The server's log: a line for each refusal with its reason, none that is not so, and never a flood."""

import asyncio
import errno
import logging
import socket
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import asyncssh
import pytest

from tests.support.ssh import LIMITS, READY, Served, serving, until
from tests.unit.storage.support import FaultyFiles
from tui import providers
from tui.ssh import journal
from tui.ssh.registry import ENDED, ENDED_THEMSELVES, REMOVED

Lines = Callable[[str], list[str]]


def ipv6_works() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Lines:
    """The lines about an event, as they came."""
    monkeypatch.setattr(journal.LOG, "propagate", True)
    caplog.set_level(logging.INFO, journal.LOG.name)
    return lambda event: [line for line in caplog.messages if line.split(" ")[0] == event]


async def with_a_password(served: Served) -> None:
    with pytest.raises(asyncssh.PermissionDenied):
        await asyncssh.connect(
            "127.0.0.1", served.port, username='eve" user="sam', password="the password",
            client_keys=None, known_hosts=None, config=None, agent_path=None,
        )  # fmt: skip


async def with_a_key_of_somebody_else(served: Served) -> None:
    [pair] = asyncssh.load_keypairs(asyncssh.generate_private_key("ssh-ed25519"))
    pair.public_data = served.keys["sam"].public_data
    with pytest.raises(asyncssh.PermissionDenied):
        await asyncssh.connect(
            "127.0.0.1", served.port, username="eve", client_keys=[pair], known_hosts=None, config=None
        )


async def with_noise(served: Served) -> None:
    await say(served, b"SSH-2.0-x\r\n" + b"\xff" * 35_000)


async def with_nothing(served: Served) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.close()


async def with_silence(served: Served) -> None:
    await say(served, b"")


async def say(served: Served, noise: bytes) -> None:
    """Say something that leads nowhere, and wait until the server hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(noise)
    try:
        while await reader.read(65_536):
            pass
    except ConnectionError:
        pass
    writer.close()


@pytest.mark.parametrize(
    ("come", "why"),
    [
        (with_a_password, "no key was offered that can be taken"),
        (with_a_key_of_somebody_else, "the key was not proved"),
        (with_noise, "no SSH that is spoken here (ProtocolError)"),
        (with_nothing, "left without a login"),
        (with_silence, "no login in time"),
    ],
)
async def test_whoever_does_not_come_in_leaves_one_line(
    ctroom_home: Path, lines: Lines, come: Callable[[Served], Awaitable[None]], why: str
) -> None:
    limits = replace(LIMITS, login_seconds=0.5 if come is with_silence else 20)
    async with serving(ctroom_home, limits=limits) as served:
        await served.add("sam")
        await come(served)
        await until(lambda: lines("refused") and not served.host.strangers.total)
    [line] = lines("refused")
    assert line.startswith("refused address=127.0.0.1 ")
    assert line.endswith(f'why="{why}"')
    assert "password" not in line
    assert ("name=\"eve' user='sam\"" in line) is (come is with_a_password)
    assert not lines("login")


async def test_a_sign_up_is_logged_once_it_succeeded(ctroom_home: Path, lines: Lines) -> None:
    files = FaultyFiles()
    async with serving(ctroom_home, sign_up=True, files=files) as served:
        files.fail("write", errno.ENOSPC)
        eve = await served.connect(asyncssh.generate_private_key("ssh-ed25519"), "eve")
        ran = await eve.run("usage", check=False, input="")
        assert ran.exit_status == 1
        assert ran.stderr
        files.heal()
        zoe = await served.connect(asyncssh.generate_private_key("ssh-ed25519"), "zoe")
        assert (await zoe.run("usage", check=False, input="")).exit_status == 0
        assert not served.services.users.exists("eve")
    [signed_up] = lines("sign-up")
    assert signed_up.startswith("sign-up user=zoe address=127.0.0.1 key=SHA256:")
    [refused] = lines("refused")
    assert refused.startswith("refused address=127.0.0.1 name=eve error=")
    assert refused.endswith('why="the sign-up failed"')
    assert not lines("crash")
    assert [line.split(" ")[2] for line in lines("session")] == ["user=zoe"]


async def test_what_a_member_asks_for_in_vain_is_logged(ctroom_home: Path, lines: Lines) -> None:
    async with serving(ctroom_home) as served:
        await served.add("sam")
        connection = await served.connect("sam", "root")
        with pytest.raises(asyncssh.ChannelOpenError):
            await connection.open_connection("in\x1b[2Jside\n", 22)
        with pytest.raises(asyncssh.ChannelListenError):
            await connection.start_server(lambda *_: None, "", 8_080)
        with pytest.raises(asyncssh.ChannelOpenError):
            await connection.open_unix_connection("/run/docker.sock")
        with pytest.raises((asyncssh.ChannelOpenError, OSError)):
            await connection.start_sftp_client()
        await connection.run(check=False, input="")
    who = "refused address=127.0.0.1 user=sam "
    assert [line.removeprefix(who) for line in lines("refused")] == [
        'asked="in␛[2Jside :22" why="nothing is forwarded"',
        'asked="listen :8080" why="nothing is forwarded"',
        'asked=/run/docker.sock why="nothing is forwarded"',
        'asked=sftp why="there are no subsystems"',
        'why="no terminal that can be drawn on"',
    ]


async def test_who_was_removed_is_logged_once_and_who_ended_whom(ctroom_home: Path, lines: Lines) -> None:
    async with serving(ctroom_home) as served:
        for name in ("sam", "kim", "boss"):
            await served.add(name, admin=name == "boss")
        clients = {name: await served.open(name) for name in ("sam", "kim", "boss")}
        for client in clients.values():
            await client.until(READY)
        ids = {info.user: info.id for info in served.host.registry.connected()}
        await served.services.users.remove("sam")
        served.server._check_users()
        served.server._check_users()
        sessions = served.host.make_services("boss").sessions
        assert sessions is not None
        assert sessions.end(ids["kim"])
        assert sessions.end(ids["boss"])
        for client in clients.values():
            await client.gone()
        await served.settled()
    assert lines("removed") == [f"removed id={ids['sam']} user=sam"]
    assert lines("ended") == [f"ended id={ids[name]} user={name} by=boss" for name in ("kim", "boss")]
    ends = {line.split(" ")[2]: line.partition(" why=")[2] for line in lines("end")}
    assert ends == {
        "user=sam": f'"{REMOVED}"',
        "user=kim": f'"{ENDED}"',
        "user=boss": f'"{ENDED_THEMSELVES}"',
    }


async def test_a_flood_of_strangers_does_not_flood_the_log(ctroom_home: Path, lines: Lines) -> None:
    limits = replace(LIMITS, refusals_per_address=5)
    async with serving(ctroom_home, limits=limits) as served:
        await served.add("sam")
        for _ in range(40):
            await with_nothing(served)
        await until(lambda: not served.host.strangers.total and len(lines("refused")) >= 5)
        assert (await served.run("sam", "usage")).exit_status == 0
    *each, summary = lines("refused")
    assert len(each) == 5
    assert summary == 'refused address=127.0.0.1 more=35 why="too many to write each down"'
    assert len(lines("login")) == len(lines("session")) == len(lines("end")) == 1


@pytest.mark.skipif(not ipv6_works(), reason="this machine has no IPv6 on loopback")
async def test_ipv6_is_counted_by_network_and_logged_by_address(ctroom_home: Path, lines: Lines) -> None:
    limits = replace(LIMITS, strangers_per_address=1)
    async with serving(ctroom_home, limits=limits, bind="::1") as served:
        _, first = await asyncio.open_connection("::1", served.port)
        await until(lambda: served.host.strangers["::/64"] == 1)
        _, second = await asyncio.open_connection("::1", served.port)
        await until(lambda: lines("refused"))
        first.close()
        second.close()
        await until(lambda: not served.host.strangers.total)
    assert lines("refused") == [
        'refused address=::1 why="too many connections that have not signed in"',
        'refused address=::1 why="left without a login"',
    ]


async def test_what_a_session_could_not_save_is_told(ctroom_home: Path, lines: Lines) -> None:
    files = FaultyFiles()
    async with serving(ctroom_home, connect=providers.connect, files=files) as served:
        await served.add("sam")
        client = await served.open("sam")
        await client.until(READY)
        client.send("/long 4000\r")
        await client.until("Every reply")
        files.fail("write", errno.ENOSPC)
        client.process.channel.get_connection().abort()
        await served.settled()
        files.heal()
        await served.host.save_unsaved()
    [line] = lines("not")
    assert line.startswith("not saved yet user=sam messages=1 charges=1 why=full")
    assert not [line for line in lines("end") if "connection lost" not in line]
