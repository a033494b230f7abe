"""Finding messages: in all conversations (F7), and in the open one (/)."""

from pathlib import Path

import pytest
from textual.widgets import Input

from tests.ui.app_harness import SMALL, WIDE, Running, running
from tests.ui.test_conversation_list import NOW
from tui.core.chat import Message, Role
from tui.dialogs.search import SearchDialog
from tui.services.library import Library
from tui.storage.store import JsonStore
from tui.widgets.find_bar import FindBar


async def keep_talks(home: Path) -> None:
    """Two conversations; the one about boats has two branches."""
    store = await JsonStore.open(home, lambda: NOW)
    library = Library(store, "local", lambda: NOW)
    trams = await library.create("demo", "demo")
    boats = await library.create("demo", "demo")
    for number in range(40):
        text = "Line 28E goes to **Alfama**." if number == 7 else f"Tram number {number}"
        parent = f"t{number - 1}" if number else None
        role = Role.ASSISTANT if number % 2 else Role.USER
        await library.save(trams.id, Message(f"t{number}", role, text, NOW, parent_id=parent))
    for message in (
        Message("b1", Role.USER, "A name for a small boat?", NOW),
        Message("b2", Role.ASSISTANT, "Kittiwake", NOW, parent_id="b1"),
        Message("b3", Role.ASSISTANT, "Nutshell", NOW, parent_id="b1"),
    ):
        await library.save(boats.id, message)
    await library.rename(trams.id, "Trip to Lisbon")
    await store.aclose()


async def look_for(ui: Running, words: str) -> SearchDialog:
    """Open the dialog and enter words at once: nothing less is sought. Wait for the end of the search."""
    await ui.until(lambda: bool(ui.chat.conversations.rows))
    await ui.pilot.press("f7")
    await ui.until(lambda: isinstance(ui.app.screen, SearchDialog) and ui.app.screen.is_mounted)
    dialog = ui.app.screen
    assert isinstance(dialog, SearchDialog)
    dialog.query_one(Input).insert_text_at_cursor(words)
    await ui.until(lambda: " searched" in ui.screen_text())
    return dialog


async def test_a_message_is_found_and_shown_where_it_stands(tmp_path: Path) -> None:
    await keep_talks(tmp_path)
    for size in (WIDE, SMALL):
        async with running(tmp_path, size) as ui:
            await look_for(ui, "alfama LINE")
            text = ui.screen_text()
            assert "1 message in 1 conversation · 2 searched" in text
            assert "Trip to Lisbon" in text
            assert "Reply  Line 28E goes to **Alfama**." in text
            await ui.pilot.press("enter")
            await ui.until(lambda: ui.transcript.has_focus)
            assert ui.chat.conversation is not None
            assert ui.chat.conversation.title == "Trip to Lisbon"
            assert ui.transcript.store.entry(ui.transcript.cursor).key == "t7"
            assert "Line 28E goes to Alfama." in ui.screen_text()
            assert ui.transcript.highlighted == "Line Alfama"
            assert "in 1 message · n next" in ui.screen_text()
            await ui.pilot.press("escape")
            await ui.until(lambda: not ui.app.query(FindBar))
            assert ui.transcript.highlighted == ""
            assert ui.transcript.has_focus
            await ui.pilot.press("escape")
            await ui.until(lambda: ui.prompt.has_focus)


async def test_a_message_of_another_branch_is_shown_in_it(tmp_path: Path) -> None:
    await keep_talks(tmp_path)
    async with running(tmp_path) as ui:
        await look_for(ui, "kittiwake")
        await ui.pilot.press("enter")
        await ui.until(lambda: "Kittiwake" in ui.screen_text() and ui.transcript.has_focus)
        assert "Nutshell" not in ui.screen_text()


async def test_a_title_is_enough_and_nothing_found_is_said(tmp_path: Path) -> None:
    await keep_talks(tmp_path)
    async with running(tmp_path) as ui:
        dialog = await look_for(ui, "lisbon")
        assert "0 messages in 1 conversation" in ui.screen_text()
        await ui.pilot.press(*"x")
        await ui.until(lambda: "Nothing found" in ui.screen_text())
        assert dialog.results.rows == ()
        await ui.pilot.press("enter")
        assert ui.app.screen is dialog
        await ui.pilot.press("backspace")
        await ui.until(lambda: bool(dialog.results.rows))
        await ui.pilot.press("enter")
        await ui.until(lambda: ui.chat.conversation is not None)
        assert ui.prompt.has_focus


@pytest.mark.parametrize(
    ("size", "about", "found"),
    [
        (SMALL, 'Words in any order, in any case; "words', "1 message in 1 conversation · 2 searched"),
        (
            (60, 20),
            'Words in any order; "in quotes" as they stand.',
            "1 message in 1 conversation · 2 searched",
        ),
        ((40, 12), 'Words, or words "in quotes" ', "1 in 1 conversation · 2 searched "),
    ],
)
async def test_what_is_said_of_a_search_has_room(
    tmp_path: Path, size: tuple[int, int], about: str, found: str
) -> None:
    await keep_talks(tmp_path)
    async with running(tmp_path, size) as ui:
        await ui.until(lambda: bool(ui.chat.conversations.rows))
        await ui.pilot.press("f7")
        await ui.until(lambda: about in ui.screen_text())
        await ui.pilot.press("escape")
        await look_for(ui, "kittiwake")
        assert found in ui.screen_text()


async def test_what_was_found_is_seen_in_the_least_room(tmp_path: Path) -> None:
    async with running(tmp_path, (40, 12)) as ui:
        await ui.send("A long way round to what is sought: it is a kittiwake, and it ends here.")
        await look_for(ui, "kittiwake")
        rows = [line for line in ui.screen_text().splitlines() if "You " in line]
        assert "kittiwake" in rows[0]


async def test_the_cursor_goes_from_message_to_message(tmp_path: Path) -> None:
    await keep_talks(tmp_path)
    async with running(tmp_path) as ui:
        dialog = await look_for(ui, "tram number")
        assert "and 35 more messages" in ui.screen_text()
        assert dialog.results.cursor == 1
        await ui.pilot.press("down", "down", "up", "pagedown", "pageup", "up", "up", "down")
        assert dialog.results.cursor == 2
        await ui.pilot.press("enter")
        await ui.until(lambda: ui.transcript.has_focus)
        assert ui.transcript.store.entry(ui.transcript.cursor).key == "t1"
        await ui.pilot.press("n")
        assert ui.transcript.store.entry(ui.transcript.cursor).key == "t2"
        await ui.pilot.press("N", "N", "N")  # around the beginning
        assert ui.transcript.store.entry(ui.transcript.cursor).key == "t39"


@pytest.mark.parametrize(
    ("size", "said"),
    [
        (WIDE, "in 39 messages · Enter next · ↑ before · Esc end"),
        ((60, 20), "in 39 messages · Enter next · Esc end"),
        ((40, 12), "in 39 messages"),
    ],
)
async def test_the_words_that_are_sought_are_seen_in_any_room(
    tmp_path: Path, size: tuple[int, int], said: str
) -> None:
    await keep_talks(tmp_path)
    async with running(tmp_path, size) as ui:
        await look_for(ui, "alfama")
        await ui.pilot.press("enter")
        await ui.until(lambda: ui.transcript.has_focus)
        await ui.pilot.press("slash")
        await ui.until(lambda: isinstance(ui.app.focused, Input))
        await ui.pilot.press("ctrl+u", *"number")
        await ui.until(lambda: "messages" in str(ui.app.query_one(FindBar).state.content))
        await ui.pilot.pause()
        (line,) = [line for line in ui.screen_text().splitlines() if "/ number " in line]
        assert line.partition("/ number ")[2].strip() == said


async def test_finding_in_the_open_conversation(tmp_path: Path) -> None:
    await keep_talks(tmp_path)
    async with running(tmp_path) as ui:
        await look_for(ui, "alfama")
        await ui.pilot.press("enter")
        await ui.until(lambda: ui.transcript.has_focus)
        await ui.pilot.press("slash")
        await ui.until(lambda: isinstance(ui.app.focused, Input))
        await ui.pilot.press("ctrl+u", *"number 3")
        await ui.until(lambda: "in 11 messages" in ui.screen_text())
        first = ui.transcript.store.entry(ui.transcript.cursor).key
        await ui.pilot.press("enter")
        assert ui.transcript.store.entry(ui.transcript.cursor).key != first
        await ui.pilot.press("up")
        assert ui.transcript.store.entry(ui.transcript.cursor).key == first
        await ui.pilot.press(*"zz")
        await ui.until(lambda: "Not found" in ui.screen_text())
        await ui.pilot.press("escape")
        await ui.until(lambda: not ui.app.query(FindBar))
        assert ui.transcript.highlighted == ""
