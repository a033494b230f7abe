"""Chatting: sending, streaming, stopping, queueing, failing, coming back."""

from pathlib import Path

import pytest
from textual import events

from tests.ui.app_harness import SMALL, running
from tui.core.chat import MessageStatus
from tui.providers import demo
from tui.widgets.conversation_list import ConversationList
from tui.widgets.title_line import TitleLine


async def test_a_first_start_says_that_it_is_the_demo_and_how_to_add_a_key(tmp_path: Path) -> None:
    async with running(tmp_path, SMALL) as ui:
        screen = ui.screen_text()
        assert "offline demo" in screen
        assert "add a key in Settings (F4)" in screen
        assert ui.footer_text() == "Demo offline · 0 tokens · add a key in Settings (F4)"


async def test_a_prompt_is_answered_and_its_tokens_are_counted(tmp_path: Path) -> None:
    async with running(tmp_path) as ui:
        await ui.send("Show me some code")
        entries = [ui.transcript.store.entry(i) for i in range(len(ui.transcript.store))]
        assert [entry.title for entry in entries] == ["You", "demo"]
        assert entries[0].body == "Show me some code"
        assert "def remaining" in entries[1].body
        assert " in · " in entries[1].meta
        assert entries[1].status is MessageStatus.COMPLETE
        await ui.until(lambda: "offline · 0 tokens" not in ui.footer_text())
        used = ui.services.accounting.snapshot(("demo",)).provider("demo")
        assert used is not None
        assert f"{used.used:,} tokens" in ui.footer_text()
        assert ui.app.query_one(TitleLine).title == "Show me some code"


async def test_enter_sends_in_the_order_of_typing(tmp_path: Path) -> None:
    async with running(tmp_path) as ui:
        for character in "every letter before the end":
            ui.app.post_message(events.Key(character if character != " " else "space", character))
        ui.app.post_message(events.Key("enter", "\r"))
        await ui.until(lambda: len(ui.transcript.store) == 2 and not ui.chat.replying)
        assert ui.transcript.store.entry(0).body == "every letter before the end"
        assert ui.prompt.text == ""


async def test_ctrl_j_is_a_newline_and_a_paste_of_many_lines_never_sends(tmp_path: Path) -> None:
    async with running(tmp_path) as ui:
        await ui.type("one", "ctrl+j")
        ui.prompt.post_message(events.Paste("two\r\nthree\x1b[31m\n"))
        await ui.pilot.pause()
        assert ui.prompt.text == "one\ntwo\nthree␛[31m\n"
        assert not ui.chat.replying
        assert len(ui.transcript.store) == 0


async def test_the_prompt_grows_with_its_text_up_to_a_bound(tmp_path: Path) -> None:
    async with running(tmp_path, SMALL) as ui:
        heights = [ui.prompt.outer_size.height]
        for _ in range(9):
            await ui.pilot.press("ctrl+j")
            await ui.pilot.pause()
            heights.append(ui.prompt.outer_size.height)
        assert heights == [3, 4, 5, 6, 7, 8, 8, 8, 8, 8]


async def test_escape_stops_a_reply_and_keeps_what_came(tmp_path: Path) -> None:
    async with running(tmp_path) as ui:
        await ui.type("/slow please", "enter")
        await ui.until(lambda: len(ui.transcript.store) == 2 and ui.transcript.store.entry(1).body != "")
        assert "Esc stop" in ui.screen_text()
        await ui.pilot.press("escape")
        await ui.until(lambda: not ui.chat.replying)
        assert ui.transcript.store.entry(1).status is MessageStatus.STOPPED
        assert "Stopped" in ui.screen_text()
        assert await ui.statuses() == [MessageStatus.COMPLETE, MessageStatus.STOPPED]


async def test_what_is_sent_meanwhile_waits_for_its_turn(tmp_path: Path) -> None:
    async with running(tmp_path) as ui:
        await ui.type("/slow one two", "enter")
        await ui.until(lambda: len(ui.transcript.store) == 2)
        await ui.type("then this", "enter")
        await ui.pilot.pause()
        assert "queued  then this" in ui.screen_text()
        assert len(ui.transcript.store) == 2
        await ui.pilot.press("escape")
        await ui.until(lambda: not ui.chat.replying)
        assert ui.prompt.text == "then this"
        assert "queued" not in ui.screen_text()


async def test_a_whole_reply_is_followed_by_what_waits(tmp_path: Path) -> None:
    async with running(tmp_path) as ui:
        await ui.type("first", "enter", *"second", "enter")
        await ui.until(lambda: len(ui.transcript.store) == 4 and not ui.chat.replying)
        bodies = [ui.transcript.store.entry(index).body for index in (0, 2)]
        assert bodies == ["first", "second"]


async def test_a_failure_stands_in_place_of_the_reply_with_ways_out(tmp_path: Path) -> None:
    async with running(tmp_path) as ui:
        await ui.send("/fail key")
        screen = ui.screen_text()
        assert "The demo says that this key is not valid: check it in Settings." in screen
        assert "F6 switch provider" in screen
        await ui.pilot.press("up")
        assert ui.prompt.text == "/fail key"


async def test_a_conversation_is_reopened_from_the_list(tmp_path: Path) -> None:
    async with running(tmp_path) as ui:
        await ui.send("The first one")
    async with running(tmp_path, SMALL) as ui:
        conversations = ui.app.query_one(ConversationList)
        assert not conversations.display
        await ui.pilot.press("f8")
        await ui.until(lambda: "The first one" in ui.screen_text())
        assert conversations.has_focus
        await ui.pilot.press("enter")
        await ui.until(lambda: len(ui.transcript.store) == 2)
        assert ui.transcript.store.entry(0).body == "The first one"
        assert not conversations.display
        assert ui.prompt.has_focus
        await ui.pilot.press("f5")
        await ui.pilot.pause()
        assert len(ui.transcript.store) == 0


async def test_the_model_is_changed_in_the_middle_of_a_conversation(tmp_path: Path) -> None:
    async with running(tmp_path) as ui:
        await ui.send("hello")
        await ui.pilot.press("f6")
        await ui.pilot.pause()
        assert "Provider and model" in ui.screen_text()
        await ui.type("gpt-4o-mini", "enter")
        await ui.until(lambda: ui.app.query_one(TitleLine).model == "OpenAI · gpt-4o-mini")
        conversation = ui.chat.conversation
        assert conversation is not None
        await ui.until(lambda: ui.services.library.get(conversation.id).model == "gpt-4o-mini")
        await ui.send("without a key")
        assert ui.transcript.store.entry(3).status is MessageStatus.FAILED
        assert "F4 add my key" in ui.screen_text()


async def test_a_reply_that_streams_elsewhere_is_whole_when_reopened(tmp_path: Path) -> None:
    async with running(tmp_path) as ui:
        await ui.type("/slow and steady", "enter")
        await ui.until(lambda: len(ui.transcript.store) == 2 and ui.transcript.store.entry(1).body != "")
        slow = ui.chat.conversation
        assert slow is not None
        await ui.pilot.press("f5")
        await ui.send("meanwhile")
        await ui.pilot.press("f8", "end", "enter")
        await ui.until(lambda: ui.chat.conversation is not None and ui.chat.conversation.id == slow.id)
        before = len(ui.transcript.entry_text(ui.transcript.store.entry(1).key))
        assert before > 0
        reply = ui.transcript.store.entry(1).key
        await ui.until(lambda: len(ui.transcript.entry_text(reply)) > before)
        await ui.pilot.press("escape")
        await ui.until(lambda: not ui.chat.replying)


async def test_the_forecast_stands_under_the_prompt(tmp_path: Path) -> None:
    async with running(tmp_path) as ui:
        await ui.type("How much is this?")
        await ui.until(lambda: "about " in str(ui.prompt.border_subtitle))
        assert " tokens" in str(ui.prompt.border_subtitle)
        await ui.pilot.press("ctrl+u")
        await ui.until(lambda: "Enter sends" in ui.screen_text())


@pytest.fixture
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    """`/slow` streams for five seconds, not for half a minute."""
    monkeypatch.setattr(demo, "SLOW_PER_SECOND", 20.0)


@pytest.mark.usefixtures("brisk")
async def test_what_comes_while_settings_are_shown_is_there_afterwards(tmp_path: Path) -> None:
    async with running(tmp_path) as ui:
        await ui.type("/slow one two", "enter", *"queued", "enter", "f4")
        assert ui.chat.replying
        await ui.until(lambda: not ui.chat.replying)
        await ui.pilot.press("f2")
        await ui.until(lambda: "queued" in ui.screen_text())
        assert ui.transcript.following
        await ui.send("next")
        assert await ui.statuses() == [MessageStatus.COMPLETE] * 6
        assert "next" in ui.screen_text()


@pytest.mark.usefixtures("brisk")
async def test_a_reader_finds_the_place_again_after_settings(tmp_path: Path) -> None:
    async with running(tmp_path) as ui:
        await ui.send("/long 900")
        await ui.type("/slow one two", "enter", *"queued", "enter")
        await ui.type("", "pageup", "pageup")
        await ui.until(lambda: not ui.transcript.following)
        top = ui.transcript.visible_text().splitlines()[0]
        await ui.pilot.press("f4")
        assert ui.chat.replying
        await ui.until(lambda: not ui.chat.replying)
        await ui.pilot.press("f2")
        await ui.until(lambda: "new lines" in ui.screen_text())
        assert ui.transcript.visible_text().splitlines()[0] == top


async def test_pages_are_turned_while_writing(tmp_path: Path) -> None:
    async with running(tmp_path) as ui:
        await ui.send("/long 900")
        end = ui.transcript.scroll_y
        await ui.type("half", "pageup")
        assert ui.transcript.scroll_y == end - ui.transcript.size.height + 1
        await ui.type(" a thought", "pagedown")
        assert ui.transcript.scroll_y == end
        assert ui.transcript.following
        assert ui.prompt.text == "half a thought"
        ui.prompt.load_text("\n".join(map(str, range(40))))
        ui.prompt.move_cursor(ui.prompt.document.end)
        await ui.pilot.press("pageup")
        assert ui.prompt.cursor_location[0] < 39
        assert ui.transcript.following
