"""Clients that are silent, slow, flood, or say nonsense: the server goes on, and so do the others."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from tests.support.ssh import LIMITS, READY, Client, Served, running_apps, serving, until

FELT = 1.0
"""Seconds in which a key must be answered, whatever others do; a quiet machine needs a fiftieth of it."""


@asynccontextmanager
async def answered_meanwhile(served: Served) -> AsyncIterator[None]:
    """Somebody else types all the while, and sees each key in time."""
    await served.add("other")
    client = await served.open("other")
    await client.until(READY)
    longest = [0.0]

    async def answer_to(key: str) -> None:
        began = time.monotonic()
        client.send(key)
        await client.until(lambda: key in last_line(client))
        longest[0] = max(longest[0], time.monotonic() - began)
        client.send("\x7f")
        await client.until(READY)
        await asyncio.sleep(0.02)

    async def type_on() -> None:
        for number in range(100_000):
            await answer_to(chr(ord("a") + number % 26))

    typing = asyncio.create_task(type_on())
    yield
    await asyncio.sleep(0.1)
    assert not typing.done(), typing.exception()
    typing.cancel()
    await asyncio.gather(typing, return_exceptions=True)
    assert longest[0] < FELT


def last_line(client: Client) -> str:
    """Where the prompt's text stands."""
    return next((line.strip(" │") for line in client.text.splitlines() if line.strip().startswith("│")), "")


@pytest.mark.parametrize(
    "noise",
    [b"", b"GET / HTTP/1.1\r\n\r\n", b"SSH-1.0-old\r\n", b"\x00" * 4096, b"SSH-2.0-x\r\n" + b"\xff" * 35_000],
)
async def test_what_is_no_ssh_is_let_go(ctroom_home: Path, noise: bytes) -> None:
    async with serving(ctroom_home, limits=replace(LIMITS, login_seconds=0.5)) as served:
        async with answered_meanwhile(served):
            reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
            writer.write(noise)
            async with asyncio.timeout(10):
                while True:
                    try:
                        if not await reader.read(65_536):
                            break
                    except ConnectionError:
                        break
            writer.close()
        await until(lambda: not served.host.strangers.total)


async def test_strangers_are_limited_by_address(ctroom_home: Path) -> None:
    limits = replace(LIMITS, strangers_per_address=5, login_seconds=0.5)
    async with serving(ctroom_home, limits=limits) as served:
        silent = [await asyncio.open_connection("127.0.0.1", served.port) for _ in range(30)]
        await until(lambda: served.host.strangers.total == 5)
        await until(lambda: not served.host.strangers.total)
        for _, writer in silent:
            writer.close()
        await served.add("sam")
        await (await served.open("sam")).until(READY)


async def test_nothing_is_drawn_for_a_client_that_does_not_read(ctroom_home: Path) -> None:
    async with serving(ctroom_home) as served:
        await served.add("slow")
        async with answered_meanwhile(served):
            connection = await served.connect("slow")
            process = await connection.create_process(
                term_type="xterm-256color", term_size=(200, 60), encoding=None, window=65_536
            )
            client = Client(process, (200, 60))
            await client.until(READY)
            process.channel.pause_reading()
            width = 200
            while paused(served) is None:
                width = 399 if width == 400 else 400
                process.change_terminal_size(width, 150)
                await asyncio.sleep(0.05)
            channel = paused(served)
            assert channel is not None
            most = channel.get_write_buffer_size()
            for _ in range(10):
                process.change_terminal_size(200, 60)
                process.change_terminal_size(199, 60)
                client.send("/long 400\r")
                await asyncio.sleep(0.05)
            assert channel.get_write_buffer_size() < most + 65_536
            assert not process.is_closing()
            process.change_terminal_size(200, 60)
            client.raw.clear()
            process.channel.resume_reading()
            await until(lambda: paused(served) is None)
            client.send("typed at last")
            await client.until(lambda: b"typed at last" in client.raw)
        await client.aclose()


def paused(served: Served) -> Any:
    """The channel that the server waits for."""
    found = [
        channel
        for connection in served.server._connections
        for channel in connection._channels.values()
        if channel._send_paused
    ]
    return found[0] if found else None


@pytest.mark.parametrize(
    "flood",
    [
        b"x" * 65_536,
        b"\r" * 65_536,
        b"\x1b[A" * 20_000,
        b"\x1b[<35;10;10M" * 6_000,
        b"\x1b[99999999u" * 6_000,
        b"\x1b" * 65_536,
        b"\x1b[200~" + b"pasted \x1b]52;c;eA==\x07 " * 4_000,
        b"\x1b[200~x\x1b[201~" * 5_000,
        b"\xff\xfe\xc3" * 20_000,
    ],
    ids=["keys", "enters", "arrows", "mouse", "bad-csi", "escapes", "endless-paste", "pastes", "no-utf8"],
)
async def test_a_flood_of_input_slows_nobody_else(ctroom_home: Path, flood: bytes) -> None:
    async with serving(ctroom_home) as served:
        await served.add("flood")
        async with answered_meanwhile(served):
            client = await served.open("flood")
            await client.until(READY)

            async def pour() -> None:
                for _ in range(50):
                    client.send(flood)
                    await client.process.stdin.drain()

            pouring = asyncio.create_task(pour())
            await asyncio.sleep(1.5)
            assert not client.process.is_closing()
            pouring.cancel()


async def test_a_large_paste_is_cut_and_stalls_nobody(ctroom_home: Path) -> None:
    async with serving(ctroom_home) as served:
        await served.add("sam")
        client = await served.open("sam")
        await client.until(READY)
        async with answered_meanwhile(served):
            client.send(b"\x1b[200~" + b"word " * 600_000 + b"\x1b[201~")
            await client.until("Only the first 100,000 characters")


async def test_a_prompt_takes_no_more_than_stalls_nobody(ctroom_home: Path) -> None:
    async with serving(ctroom_home) as served:
        await served.add("sam")
        client = await served.open("sam")
        await client.until(READY)
        async with answered_meanwhile(served):
            for _ in range(3):
                client.send(b"\x1b[200~" + b'{"a":1},' * 10_000 + b"\x1b[201~")
            await client.until("A prompt holds 100,000 characters")
            client.send(b"\x1b[200~x\x1b[201~" * 50 + b"\x7f" * 20)
            for width in range(90, 95):
                client.process.change_terminal_size(width, 30)
            await asyncio.sleep(3)
        [app] = [app for app in running_apps() if app.services.user == "sam"]
        assert len(app.chat.pane.prompt.text) <= 100_000


@pytest.mark.parametrize("size", [(0, 0), (1, 1), (65_535, 65_535)])
async def test_sizes_from_anywhere_are_clamped(ctroom_home: Path, size: tuple[int, int]) -> None:
    async with serving(ctroom_home) as served:
        await served.add("sam")
        client = await served.open("sam", size=size)
        await until(lambda: [app for app in running_apps() if app.drawn])
        [app] = running_apps()
        assert app.size.width <= 400
        assert app.size.height <= 150
        client.process.change_terminal_size(4_000_000, 4_000_000)
        await until(lambda: app.size == (400, 150))
        client.send("\x1b[48;90000;90000;0;0t")
        client.send("\x1b[48;30;100;0;0t")
        await until(lambda: app.size == (100, 30))
        client.process.change_terminal_size(0, 0)
        await until(lambda: app.size == (80, 24))
        client.send("\x11")
        assert await client.gone() == 0


async def test_many_channels_at_once_are_counted(ctroom_home: Path) -> None:
    async with serving(ctroom_home, limits=replace(LIMITS, sessions_per_user=3)) as served:
        await served.add("sam")
        connection = await served.connect("sam")
        async with answered_meanwhile(served):
            found = await asyncio.gather(
                *(connection.run("usage", check=False, input="") for _ in range(60)), return_exceptions=True
            )
        ran = [each for each in found if isinstance(each, asyncssh.SSHCompletedProcess)]
        assert ran
        assert all(each.exit_status == 0 for each in ran if each.stdout)
        await until(lambda: served.host.sessions["sam"] == 0)
        assert (await connection.run("usage", check=False, input="")).exit_status == 0


async def test_a_session_that_is_opened_and_never_begun_ends_with_its_connection(ctroom_home: Path) -> None:
    async with serving(ctroom_home) as served:
        await served.add("sam")
        for _ in range(20):
            connection = await served.connect("sam")
            await connection.create_process(term_type="xterm", encoding=None)
            connection.abort()
        await until(lambda: not served.host.sessions.total and not served.host.connections.total)
        await served.settled()
