"""Sessions that end in every way there is: terminals are given back, what came is kept and charged."""

import asyncio
import errno
import time
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.program import COMMAND, Program
from tests.support.ssh import READY, Client, Served, running_apps, serving, until
from tests.unit.storage.support import FaultyFiles
from tui import providers
from tui.core.chat import Message, MessageStatus, Role
from tui.ssh.registry import CLOSING, ENDED, REMOVED

RESTORED = b"\x1b[?1049l\x1b[?25h\x1b[?1004l"


async def streaming(served: Served, user: str = "sam") -> Client:
    """A session in which a reply streams at the demo's own pace."""
    if user not in served.keys:
        await served.add(user)
    client = await served.open(user)
    await client.until(READY)
    client.send("/long 4000\r")
    await client.until("Every reply")
    return client


async def replies(served: Served, user: str = "sam") -> list[Message]:
    services = served.host.make_services(user)
    found: list[Message] = []
    for _, entry in served.services.store.view.conversations:
        if entry.user == user:
            found += (await services.library.open(entry.id)).messages
    await services.turns.aclose()
    return [message for message in found if message.role is Role.ASSISTANT]


async def assert_kept(served: Served, user: str = "sam") -> None:
    """The part that came is on disk, and nothing is held."""
    [reply] = await replies(served, user)
    assert reply.status is MessageStatus.STOPPED
    assert reply.text
    assert reply.usage is not None
    assert reply.usage.output > 0
    state = served.services.store.view
    assert [*state.attempts] == []
    assert len([row for _, row in state.ledger if row.user == user and row.tokens > 0]) == 1


async def test_a_connection_that_drops_stops_saves_and_charges(ctroom_home: Path) -> None:
    async with serving(ctroom_home, connect=providers.connect) as served:
        client = await streaming(served)
        client.process.channel.get_connection().abort()
        began = time.monotonic()
        await served.settled()
        assert time.monotonic() - began < 5
        await assert_kept(served)


async def test_a_client_whose_input_ends_gets_its_terminal_back(ctroom_home: Path) -> None:
    async with serving(ctroom_home, connect=providers.connect) as served:
        client = await streaming(served)
        client.process.stdin.write_eof()
        assert await client.gone() == 0
        assert client.raw.rstrip().endswith(RESTORED)
        await served.settled()
        await assert_kept(served)


@pytest.mark.parametrize("signal", ["HUP", "TERM", "INT"])
async def test_a_signal_that_a_client_sends_ends_its_session_alone(ctroom_home: Path, signal: str) -> None:
    async with serving(ctroom_home, connect=providers.connect) as served:
        client, other = await streaming(served), await streaming(served, "kim")
        client.process.send_signal(signal)
        assert await client.gone() == 0
        assert client.raw.rstrip().endswith(RESTORED)
        assert not other.process.is_closing()
        assert len(served.host.registry) == 1


async def test_a_hung_app_is_cancelled(ctroom_home: Path) -> None:
    async with serving(ctroom_home) as served:
        await served.add("sam")
        client = await served.open("sam")
        await client.until(READY)
        [app] = running_apps()

        async def hang() -> None:
            await asyncio.sleep(3_600)

        app.call_later(hang)  # the app's own message loop waits for it
        await asyncio.sleep(0.2)
        client.process.channel.get_connection().abort()
        began = time.monotonic()
        await served.settled()
        assert time.monotonic() - began < 2 * served.host.limits.end_seconds + 1


async def test_the_end_of_the_server_is_told_and_every_terminal_given_back(ctroom_home: Path) -> None:
    async with serving(ctroom_home, connect=providers.connect) as served:
        clients = [await streaming(served), await streaming(served, "kim")]
        closing = asyncio.create_task(served.server.aclose())
        for client in clients:
            assert await client.gone() == 0
            assert RESTORED in client.raw
            assert CLOSING.encode() in client.raw
        await closing
        assert not served.host.tasks
        for user in ("sam", "kim"):
            await assert_kept(served, user)
        with pytest.raises(ConnectionRefusedError):
            await served.connect("sam")


async def test_an_admin_ends_a_session(ctroom_home: Path) -> None:
    async with serving(ctroom_home) as served:
        await served.add("sam")
        await served.add("kim")
        await served.add("boss", admin=True)
        sam = await served.open("sam")
        await sam.until(READY)
        [info] = served.host.registry.connected()
        assert (info.user, info.address) == ("sam", "127.0.0.1")
        member, boss = served.host.make_services("kim"), served.host.make_services("boss")
        assert member.sessions is not None
        assert boss.sessions is not None
        assert not member.sessions.end(info.id)
        assert boss.sessions.end(info.id)
        assert await sam.gone() == 1
        assert RESTORED in sam.raw
        assert ENDED.encode() in sam.raw
        assert boss.sessions.connected() == ()


async def test_a_session_that_is_ended_before_it_was_drawn_is_told(ctroom_home: Path) -> None:
    async with serving(ctroom_home) as served, AsyncExitStack() as stack:
        await served.add("sam")
        for _ in range(served.host.limits.mounting):
            await stack.enter_async_context(served.host.mounting)
        sam = await served.open("sam")
        await until(lambda: len(served.host.registry) == 1)
        [info] = served.host.registry.connected()
        assert served.host.registry.end(info.id)
        await stack.aclose()
        assert await sam.gone() == 1
        assert ENDED.encode() in sam.raw


async def test_removing_a_user_in_another_process_ends_their_sessions(
    ctroom_home: Path, run_ctroom: Program
) -> None:
    async with serving(ctroom_home, connect=providers.connect) as served:
        await served.add("sam")
        connection = await served.connect("sam")
        client, other = await streaming(served), await streaming(served, "kim")
        process = await asyncio.create_subprocess_exec(
            *COMMAND, "users", "remove", "sam", "--yes", env=run_ctroom.environment(),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        said, _ = await process.communicate()
        assert process.returncode == 0, said
        began = time.monotonic()
        assert await client.gone() == 1
        assert time.monotonic() - began < 5
        assert REMOVED.encode() in client.raw
        assert not other.process.is_closing()
        await until(lambda: len(served.host.registry) == 1)
        ran = await connection.run("usage", check=False, input="")
        assert ran.exit_status == 1
        assert "not known here any more" in str(ran.stderr)


async def test_removing_a_key_ends_the_sessions_that_began_with_it(ctroom_home: Path) -> None:
    async with serving(ctroom_home) as served:
        key = await served.add("sam")
        client = await served.open("sam")
        await client.until(READY)
        await served.services.users.remove_key("sam", key.get_fingerprint())
        assert await client.gone() == 1
        assert REMOVED.encode() in client.raw


async def test_a_command_that_is_dropped_is_stopped_and_charged(ctroom_home: Path) -> None:
    async with serving(ctroom_home, connect=providers.connect) as served:
        await served.add("sam")
        connection = await served.connect("sam")
        process = await connection.create_process("ask '/long 4000'", encoding=None)
        await process.stdout.read(20)
        await asyncio.sleep(0.3)
        connection.abort()
        await served.settled()
        await assert_kept(served)


async def test_what_a_full_disk_refused_is_saved_after_the_session_is_gone(ctroom_home: Path) -> None:
    files = FaultyFiles()
    async with serving(ctroom_home, connect=providers.connect, files=files) as served:
        client = await streaming(served)
        files.fail("write", errno.ENOSPC)
        client.process.channel.get_connection().abort()
        await served.settled()
        assert served.host.unsaved() > 0
        files.heal()
        await served.host.save_unsaved()
        assert served.host.unsaved() == 0
        await assert_kept(served)


async def test_a_full_disk_is_told_to_a_member_without_the_hosts_paths(ctroom_home: Path) -> None:
    files = FaultyFiles()
    async with serving(ctroom_home, connect=providers.connect, files=files) as served:
        for name in ("sam", "ann"):
            await served.add(name, admin=name == "ann")
        files.fail("write", errno.ENOSPC)
        member, admin = await served.run("sam", "ask hi"), await served.run("ann", "ask hi")
        assert (member.exit_status, member.stdout) == (1, "")
        assert member.stderr == (
            "The host's disk is full: tell its admin. What you wrote is kept while this session lasts.\n"
        )
        assert "free some space" in str(admin.stderr)
        files.heal()


async def test_the_reply_of_a_member_who_is_removed_with_all_they_wrote_leaves_no_file(
    ctroom_home: Path,
) -> None:
    async with serving(ctroom_home, connect=providers.connect) as served:
        client = await streaming(served)
        assert [*(ctroom_home / "conversations").glob("*.json")]
        removed = await served.services.users.remove("sam", conversations=True)
        assert (removed.conversations, removed.deleted) == (1, True)
        await client.gone()
        await served.settled()
        state = served.services.store.view
        assert not [*(ctroom_home / "conversations").glob("*.json")]
        assert ([*state.conversations], [*state.attempts], served.host.unsaved()) == ([], [], 0)
        assert [row.user for _, row in state.ledger if row.tokens > 0] == ["sam"], "charged all the same"


async def test_input_that_comes_too_late_is_not_dropped_in_silence(ctroom_home: Path) -> None:
    async with serving(ctroom_home, connect=providers.connect) as served:
        await served.add("sam")
        connection = await served.connect("sam")
        process = await connection.create_process("ask '/long 300'", encoding=None)
        assert await process.stdout.read(20)  # it began without
        process.stdin.write(b"late")
        assert b"give `-`" in await process.stderr.read(200)
        waits = await connection.create_process("ask -", encoding=None)
        await asyncio.sleep(2.2)
        waits.stdin.write(b"hello")
        waits.stdin.write_eof()
        assert b"Demo reply" in await waits.stdout.read(40)
