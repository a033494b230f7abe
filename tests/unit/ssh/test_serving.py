"""The app in a session: drawn, typed to, answered, left."""

import asyncio
from pathlib import Path

from tests.support.ssh import READY, serving


async def test_a_member_chats_in_the_whole_app(ctroom_home: Path) -> None:
    async with serving(ctroom_home) as served:
        await served.add("sam")
        client = await served.open("sam")
        await client.until(READY)
        assert "sam · basic" in client.text
        client.send("hello")
        await client.until("hello")
        client.send("\r")
        await client.until("Demo reply")
        client.send("\x11")
        assert await client.gone() == 0
        assert client.raw.rstrip().endswith(b"\x1b[?1049l\x1b[?25h\x1b[?1004l")
        await served.settled()
        [entry] = [entry for _, entry in served.services.store.view.conversations]
        assert (entry.user, entry.title) == ("sam", "hello")


async def test_two_users_see_only_their_own(ctroom_home: Path) -> None:
    async with serving(ctroom_home) as served:
        await served.add("sam")
        await served.add("kim", "free")
        sam, kim = await served.open("sam", size=(130, 40)), await served.open("kim", size=(130, 40))
        await asyncio.gather(sam.until(READY), kim.until(READY))
        sam.send("the secret of sam\r")
        await sam.until("Demo reply")
        kim.send("what kim says\r")
        await kim.until("Demo reply")
        assert "kim · free" in kim.text
        assert b"secret" not in kim.raw
        assert b"what kim" not in sam.raw
