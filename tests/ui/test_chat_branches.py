"""Editing, having replies anew, continuing them, and going between versions, by key."""

from pathlib import Path

from tests.ui.app_harness import SMALL, Running, running
from tui.core.chat import MessageStatus


def bodies(ui: Running) -> list[str]:
    store = ui.transcript.store
    return [store.entry(index).body for index in range(len(store))]


def follows(ui: Running) -> bool:
    return ui.transcript.following


def prompts(ui: Running) -> list[str]:
    return bodies(ui)[::2]


async def focus_message(ui: Running, key: str, times: int) -> None:
    ui.transcript.focus()
    await ui.pilot.pause()
    await ui.pilot.press(*[key] * times)


async def test_an_earlier_prompt_is_edited_and_sent_and_both_versions_are_kept(tmp_path: Path) -> None:
    async with running(tmp_path) as ui:
        await ui.send("one")
        await ui.send("two")
        await ui.type("half written")
        await focus_message(ui, "k", 4)
        await ui.pilot.press("e")
        await ui.pilot.pause()
        assert ui.prompt.has_focus
        assert ui.prompt.text == "one"
        assert "Editing prompt 1 · Esc cancels" in ui.screen_text()
        await ui.type(" more", "enter")
        await ui.until(lambda: not ui.chat.replying)
        assert prompts(ui) == ["one more"]
        assert "Editing" not in ui.screen_text()
        assert "‹ 2/2 ›" in ui.screen_text()

        await focus_message(ui, "k", 2)
        await ui.pilot.press("left_square_bracket")
        await ui.until(lambda: prompts(ui) == ["one", "two"])
        assert "‹ 1/2 ›" in ui.screen_text()
        await ui.pilot.press("right_square_bracket")
        await ui.until(lambda: prompts(ui) == ["one more"])
        await ui.pilot.press("left_square_bracket")
        await ui.until(lambda: prompts(ui) == ["one", "two"])
    async with running(tmp_path) as ui:
        await ui.pilot.press("f8", "enter")
        await ui.until(lambda: len(ui.transcript.store) == 4)
        assert prompts(ui) == ["one", "two"]
        assert ui.transcript.store.entry(0).meta.startswith("‹ 1/2 ›")


async def test_escape_ends_an_edit_and_brings_back_what_was_written(tmp_path: Path) -> None:
    async with running(tmp_path, SMALL) as ui:
        await ui.send("one")
        await ui.type("half written")
        await focus_message(ui, "k", 1)
        await ui.pilot.press("e")
        await ui.pilot.pause()
        assert "Esc cancel edit" in ui.screen_text()
        await ui.pilot.press("escape")
        await ui.pilot.pause()
        assert ui.prompt.text == "half written"
        assert "Editing" not in ui.screen_text()
        await ui.type("", "enter")
        await ui.until(lambda: not ui.chat.replying)
        assert prompts(ui) == ["one", "half written"]


async def test_a_reply_is_had_anew_by_key_from_the_prompt(tmp_path: Path) -> None:
    async with running(tmp_path) as ui:
        await ui.send("Show me some code")
        old = ui.transcript.keys[1]
        await ui.pilot.press("ctrl+r")
        await ui.until(lambda: ui.transcript.keys[1:] != [old] and not ui.chat.replying)
        assert len(ui.transcript.store) == 2
        assert "‹ 2/2 ›" in ui.screen_text()
        used = ui.services.accounting.snapshot(("demo",)).provider("demo")
        assert used is not None
        assert ui.chat.conversation is not None
        opened = await ui.services.library.open(ui.chat.conversation.id)
        spent = [message.usage.total for message in opened.all_messages if message.usage]
        assert len(spent) == 2
        assert used.used == sum(spent)


async def test_a_failure_is_tried_again_by_the_key_that_it_names(tmp_path: Path) -> None:
    async with running(tmp_path) as ui:
        await ui.send("/fail key")
        assert "Ctrl+R tries again" in ui.screen_text()
        failed = ui.transcript.keys[1]
        await ui.pilot.press("ctrl+r")
        await ui.until(lambda: failed not in ui.transcript.keys and not ui.chat.replying)
        assert ui.screen_text().count("is not valid") == 1
        assert "‹" not in ui.screen_text()


async def test_a_stopped_reply_is_continued_in_place(tmp_path: Path) -> None:
    async with running(tmp_path) as ui:
        await ui.type("/slow please", "enter")
        await ui.until(lambda: len(ui.transcript.store) == 2 and ui.transcript.store.entry(1).body != "")
        assert "Ctrl+L continue" not in ui.screen_text()
        await ui.pilot.press("escape")
        await ui.until(lambda: not ui.chat.replying)
        half = bodies(ui)[1]
        assert "Ctrl+L continue" in ui.screen_text()
        await ui.pilot.press("ctrl+l")
        await ui.until(lambda: ui.chat.replying and len(bodies(ui)[1]) > len(half))
        await ui.pilot.press("escape")
        await ui.until(lambda: not ui.chat.replying)
        assert bodies(ui)[1].startswith(half)
        assert await ui.statuses() == [MessageStatus.COMPLETE, MessageStatus.STOPPED]


async def test_what_acts_on_a_message_waits_for_the_reply_to_end(tmp_path: Path) -> None:
    async with running(tmp_path) as ui:
        await ui.type("/slow please", "enter")
        await ui.until(lambda: len(ui.transcript.store) == 2)
        await ui.pilot.press("ctrl+r")
        await ui.until(lambda: any("Esc stops it" in each.message for each in ui.app._notifications))
        assert len(ui.transcript.store) == 2
        await ui.pilot.press("escape")
        await ui.until(lambda: not ui.chat.replying)


async def test_escape_is_said_to_stop_only_while_something_streams(tmp_path: Path) -> None:
    async with running(tmp_path) as ui:
        await ui.send("one")
        assert "Esc stop" not in ui.screen_text()
        ui.transcript.focus()
        await ui.pilot.pause()
        assert "Esc stop" not in ui.screen_text()
        await ui.pilot.press("escape")
        assert ui.prompt.has_focus


async def test_the_own_prompt_comes_into_view_and_lines_below_are_told(tmp_path: Path) -> None:
    async with running(tmp_path, SMALL) as ui:
        await ui.send("/long 400")
        ui.transcript.scroll_home()
        await ui.pilot.pause()
        assert not follows(ui)
        await ui.type("/slow now", "enter")
        await ui.until(lambda: "/slow now" in ui.transcript.visible_text())
        assert follows(ui)
        ui.transcript.scroll_home()
        await ui.until(lambda: "· Ctrl+End" in ui.screen_text())
        await ui.pilot.press("ctrl+end")
        await ui.pilot.pause()
        assert follows(ui)
        assert "Ctrl+End" not in ui.screen_text()
        await ui.pilot.press("escape")
        await ui.until(lambda: not ui.chat.replying)
