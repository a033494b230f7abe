"""What one session does, another never sees: not its text, not its crash, not its sequences."""

import asyncio
import base64
import logging
from collections.abc import AsyncGenerator
from pathlib import Path
from weakref import WeakSet

import pytest
from rich.text import Text
from textual.widgets import Input, Static

from tests.support.ssh import READY, Client, apps_alive, running_apps, serving, until
from tests.ui import app_harness
from tui.core.chat import ChatRequest, Finish, FinishReason, KeyCheck, ModelInfo, StreamEvent, TextDelta
from tui.core.errors import ProviderError, ProviderErrorKind
from tui.core.ports import Provider
from tui.ssh import journal

CLIPBOARD = b"\x1b]52;c;UFdORUQ="
ATTACK = (
    "S1\x1b]52;c;UFdORUQ=\x07S2\x9d52;c;UFdORUQ=\x9cS3\x1b[31;44m\x1b[2J"
    "S4\x1b]0;PWNED\x07S5\x1bPq\x1b\\S6\u202eS7"
)
FORBIDDEN = (CLIPBOARD, b"\xc2\x9d", b"\x1b[31;44m\x1b[2J", b"\x1b]0;", b"\x1bPq", "\u202e".encode())
KEY = "sk-proj-Xq7LmT2vRbN8wKcZ4hJdPfGs9yEa91f3"


class Hostile:
    """A provider whose replies, models and errors are an attack."""

    async def stream(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        if "fail" in request.messages[-1].text:
            raise ProviderError(ProviderErrorKind.BAD_REQUEST, f"Refused: {ATTACK}", accepted=False)
        for piece in (
            "# ",
            ATTACK,
            "\n\n```\n",
            ATTACK,
            "\n```\n\n",
            f"[{ATTACK}](https://x.example/{ATTACK})",
        ):
            yield TextDelta(piece)
        yield Finish(FinishReason.STOP)

    async def models(self) -> tuple[ModelInfo, ...]:
        return (ModelInfo(f"m{ATTACK}", 1_000, 100, f"name {ATTACK}"),)

    async def check_key(self) -> KeyCheck:
        return KeyCheck(ok=False, message=ATTACK)

    async def aclose(self) -> None:
        """Nothing is open."""


def hostile(kind: str, *, api_key: str | None, base_url: str | None, name: str) -> Provider:
    return Hostile()


def assert_safe(client: Client) -> None:
    for sequence in FORBIDDEN:
        assert sequence not in client.raw, sequence


async def test_a_reply_a_title_and_an_error_reach_no_terminal_raw(ctroom_home: Path) -> None:
    async with serving(ctroom_home, connect=hostile) as served:
        await served.add("sam")
        await served.add("root2", admin=True)
        client, other = await served.open("sam", size=(130, 40)), await served.open("root2", size=(130, 40))
        await asyncio.gather(client.until(READY), other.until(READY))
        client.send("tell me\r")
        await client.until("S7")
        client.send("\x1b[15~fail\r")  # F5: a new conversation
        await client.until("Refused")
        client.send("\x1b[17~")  # F6: the models
        await client.until("S6")
        assert_safe(client)
        assert_safe(other)


async def test_what_a_user_pastes_and_sends_is_text_for_themselves_alone(ctroom_home: Path) -> None:
    async with serving(ctroom_home) as served:
        await served.add("sam")
        await served.add("boss", admin=True)
        client, boss = await served.open("sam", size=(130, 40)), await served.open("boss", size=(160, 140))
        await asyncio.gather(client.until(READY), boss.until(READY))
        boss.send("\x1bOS")  # F4: the settings, with everyone's figures
        await boss.until("Users")
        client.send(b"\x1b[200~" + ATTACK.encode() + b"\x1b[201~")
        await client.until("S7")
        client.send("\r")
        await client.until("Demo reply")
        await until(lambda: len([*served.services.store.view.conversations]) == 1)
        assert_safe(client)
        assert_safe(boss)
        assert b"S1" not in boss.raw


async def test_widgets_that_forget_to_make_text_safe_draw_no_sequence(ctroom_home: Path) -> None:
    async with serving(ctroom_home) as served:
        await served.add("sam")
        client = await served.open("sam", size=(160, 40))
        await client.until(READY)
        [app] = running_apps()
        with app._context():
            for widget in (Static(ATTACK, markup=False), Static(Text(ATTACK)), Input(ATTACK)):
                widget.styles.dock = "top"
                widget.border_title = Text(ATTACK).plain.replace("[", "\\[")
                await app.screen.mount(widget)
            app.notify(ATTACK, markup=False)
        await client.until("S6")
        await until(lambda: client.raw.count(b"S7") >= 4)
        assert_safe(client)


async def test_what_is_copied_goes_to_the_clipboard_of_its_terminal_alone(ctroom_home: Path) -> None:
    async with serving(ctroom_home) as served:
        await served.add("sam")
        await served.add("kim")
        sam, kim = await served.open("sam"), await served.open("kim")
        await asyncio.gather(sam.until(READY), kim.until(READY))
        [app] = [app for app in running_apps() if app.services.user == "sam"]
        with app._context():
            app.copy_to_clipboard("for sam alone")
        wanted = b"\x1b]52;c;" + base64.b64encode(b"for sam alone")
        await sam.until(lambda: wanted in sam.raw)
        assert b"\x1b]52" not in kim.raw


async def test_a_crash_is_a_reference_for_its_user_and_nothing_for_others(
    ctroom_home: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    journal.LOG.propagate = True
    caplog.set_level(logging.INFO, journal.LOG.name)
    async with serving(ctroom_home) as served:
        await served.add("sam")
        await served.add("kim")
        sam, kim = await served.open("sam"), await served.open("kim")
        await asyncio.gather(sam.until(READY), kim.until(READY))
        before = len(kim.raw)
        [app] = [app for app in running_apps() if app.services.user == "sam"]

        def crash() -> None:
            key = KEY
            raise ValueError(f"{ATTACK} {key}")

        app.call_later(crash)
        assert await sam.gone() == 1
        [crashed] = [line for line in caplog.messages if line.startswith("crash")]
        assert "error=ValueError" in crashed
        reference = crashed.partition("reference=")[2].split()[0]
        assert f"reference {reference}".encode() in sam.raw
        assert b"\x1b[?1049l" in sam.raw
        assert KEY.encode() not in sam.raw
        assert_safe(sam)
        kim.send("still here")
        await kim.until("still here")
        assert reference.encode() not in kim.raw[before:]
    record = (ctroom_home / "ctroom.log").read_text()
    assert reference in record
    assert " crash" in record
    for text in (record, *caplog.messages, *capfd.readouterr()):
        assert KEY not in text
        assert "S1" not in text


async def test_no_session_takes_the_output_of_the_process(
    ctroom_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import sys

    before = sys.stdout
    async with serving(ctroom_home) as served:
        await served.add("sam")
        await served.add("kim")
        sam = await served.open("sam")
        await sam.until(READY)
        kim = await served.open("kim")
        await kim.until(READY)
        assert sys.stdout is before
        sam.send("\x11")
        await sam.gone()
        kim.send("\x11")
        await kim.gone()
        assert sys.stdout is before


async def test_nothing_keeps_a_dead_app(ctroom_home: Path) -> None:
    others = WeakSet(apps_alive())
    async with serving(ctroom_home) as served:
        await served.add("sam")
        for number in range(4):
            client = await served.open("sam")
            await client.until(READY)
            client.send("\x1b[97;5u\x1b[104;1uhi\r")
            await client.until("Demo reply")
            if number % 2:
                client.process.channel.get_connection().abort()
            else:
                client.send("\x11")
                await client.gone()
            await client.aclose()
            await served.settled()
        await until(lambda: all(app in others for app in apps_alive()), pause=0.2)


async def test_colours_are_each_terminals_own(ctroom_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.setenv("NO_COLOR", "1")
    async with serving(ctroom_home, connect=app_harness.connect) as served:
        await served.add("sam")
        many = await served.open("sam", term="xterm-256color")
        await many.until(READY)
        true = await served.open("sam", term="xterm-256color", env={"COLORTERM": "truecolor"})
        await true.until(READY)
        few = await served.open("sam", term="xterm")
        await few.until(READY)
        none = await served.open(
            "sam", term="xterm-256color", env={"NO_COLOR": "1", "COLORTERM": "truecolor"}
        )
        await none.until(READY)
        assert b"38;5;" in many.raw
        assert b"38;2;" not in many.raw
        assert b"38;2;" in true.raw
        assert b"38;5;" not in true.raw
        assert b"38;2;" not in few.raw
        assert b"38;5;" not in few.raw
        assert none.raw.count(b"38;2;") > 0
        assert all(is_grey(colour) for colour in colours(none.raw))


def colours(raw: bytearray) -> list[bytes]:
    return [piece[:11].split(b"m")[0] for piece in bytes(raw).split(b"38;2;")[1:]]


def is_grey(colour: bytes) -> bool:
    red, green, blue = colour.split(b";")[:3]
    return red == green == blue
