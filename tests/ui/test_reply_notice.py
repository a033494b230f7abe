"""Word of a long reply that ended while the user looked elsewhere; toasts that stay few."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from textual import events

from tests.ui.app_harness import Running, running
from tui.app import LONG_SECONDS, CtroomApp
from tui.core.chat import Message, MessageStatus, Role
from tui.tabs.chat import ChatTab

REPLY = Message(
    "2",
    Role.ASSISTANT,
    "Done\x1b]52;c;eA==\x07 at last; really.",
    datetime(2026, 11, 23, tzinfo=UTC),
    provider="openai",
    model="gpt-5.1",
    seconds=LONG_SECONDS + 1,
)


class Heard:
    """What reaches the terminal beside the screen."""

    def __init__(self, ui: Running, monkeypatch: pytest.MonkeyPatch) -> None:
        self.bells = 0
        self.written: list[str] = []
        monkeypatch.setattr(CtroomApp, "bell", lambda _app: self._ring())
        monkeypatch.setattr(ui.app._driver, "write", self.written.append)

    def _ring(self) -> None:
        self.bells += 1


async def end(ui: Running, reply: Message) -> None:
    ui.chat.post_message(ChatTab.Replied(ui.chat, reply))
    await ui.pilot.pause()


async def look_away(ui: Running) -> None:
    ui.app.post_message(events.AppBlur())
    await ui.until(lambda: not ui.app.app_focus)


async def test_a_long_reply_rings_only_for_who_looks_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path) as ui:
        heard = Heard(ui, monkeypatch)
        await end(ui, REPLY)
        assert heard.bells == 0
        await look_away(ui)
        await end(ui, replace(REPLY, seconds=LONG_SECONDS - 1))
        assert heard.bells == 0
        await end(ui, REPLY)
        assert heard.bells == 1
        await ui.services.settings.set("notify", "off")
        await end(ui, REPLY)
        assert (heard.bells, heard.written) == (1, [])


async def test_a_notice_goes_to_terminals_that_can_show_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, environ={"TERM": "foot"}) as ui:
        await ui.services.settings.set("notify", "desktop")
        heard = Heard(ui, monkeypatch)
        await look_away(ui)
        await end(ui, REPLY)
        await end(ui, replace(REPLY, status=MessageStatus.FAILED, error="OpenAI is away."))
        assert heard.bells == 0
        assert heard.written == [
            "\x1b]777;notify;gpt-5.1: done;Done␛]52,c,eA==␇ at last, really.\a",
            "\x1b]777;notify;gpt-5.1: failed;OpenAI is away.\a",
        ]


async def test_the_bell_stands_in_where_a_terminal_shows_no_notices(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, environ={"TERM": "xterm"}) as ui:
        await ui.services.settings.set("notify", "desktop")
        heard = Heard(ui, monkeypatch)
        await look_away(ui)
        await end(ui, REPLY)
        assert (heard.bells, heard.written) == (1, [])


async def test_toasts_do_not_pile_up(tmp_path: Path) -> None:
    async with running(tmp_path) as ui:
        for number in range(6):
            ui.app.notify(f"Copied {number}.", timeout=60)
        ui.app.notify("Not sent.", title="Not sent", severity="error", timeout=60)
        ui.app.notify("Not sent.", title="Not sent", severity="error", timeout=60)
        await ui.until(lambda: len(ui.app._notifications) == 2)
        assert [toast.message for toast in ui.app._notifications] == ["Copied 5.", "Not sent."]
