"""What the list of conversations does: rename, pin, tag, delete and bring back, filter."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from textual.events import Paste
from textual.widgets import Input, Static

from tests.ui.app_harness import SMALL, WIDE, Running, running
from tui.core.chat import Conversation, Message, Role
from tui.core.ports import State
from tui.dialogs.line import LineDialog
from tui.services.entries import TITLE_LENGTH
from tui.storage.store import JsonStore
from tui.tabs.chat_list import TAGS_LENGTH
from tui.widgets.conversation_list import ConversationList, fitting_tags, shortened

NOW = datetime(2026, 11, 23, 22, 0, tzinfo=UTC)
TITLES = ("Trip to Lisbon", "Rust lifetimes", "SQL windows", "Names for a boat")


async def keep(home: Path, *entries: Conversation) -> None:
    """Conversations that were talked in before."""

    def add(state: State) -> None:
        for entry in entries:
            state.conversations.insert(entry)

    store = await JsonStore.open(home, lambda: NOW)
    await store.transaction(add)
    await store.aclose()


async def keep_titles(home: Path) -> None:
    await keep(
        home,
        *(
            Conversation(f"c{number}", "local", title, NOW, NOW - timedelta(hours=number), "demo", "demo")
            for number, title in enumerate(TITLES)
        ),
    )


def listed(ui: Running) -> list[str]:
    return [row.text for row in ui.app.query_one(ConversationList).rows if row.conversation is not None]


def at_cursor(ui: Running) -> str:
    conversations = ui.app.query_one(ConversationList)
    return conversations.rows[conversations.cursor].text


async def in_list(ui: Running) -> None:
    """Go to the list, once it is filled."""
    await ui.until(lambda: len(listed(ui)) >= len(TITLES))
    await ui.pilot.press("f8", "home")


async def test_renaming_in_the_list(tmp_path: Path) -> None:
    await keep_titles(tmp_path)
    async with running(tmp_path) as ui:
        await in_list(ui)
        await ui.pilot.press("down", "enter")
        await ui.until(lambda: ui.chat.conversation is not None)
        await ui.pilot.press("f8", "r")
        await ui.until(lambda: isinstance(ui.app.screen, LineDialog))
        assert ui.app.screen.query_one(Input).value == "Rust lifetimes"
        await ui.pilot.press("home", *"My ", "enter")
        await ui.until(lambda: "My Rust lifetimes" in listed(ui))
        assert at_cursor(ui) == "My Rust lifetimes"
        assert ui.chat.pane.title_line.title == "My Rust lifetimes"
        await ui.pilot.press("r", *"never kept", "escape")
        await ui.pilot.pause()
        assert listed(ui)[1] == "My Rust lifetimes"


async def test_pinned_ones_go_on_top_and_the_cursor_goes_with_them(tmp_path: Path) -> None:
    await keep_titles(tmp_path)
    async with running(tmp_path) as ui:
        await in_list(ui)
        await ui.pilot.press("end", "p")
        await ui.until(lambda: listed(ui)[0] == "Names for a boat")
        assert at_cursor(ui) == "Names for a boat"
        assert ui.app.query_one(ConversationList).rows[0].text == "Pinned"
        await ui.pilot.press("p")
        await ui.until(lambda: listed(ui) == list(TITLES))


async def test_tags_are_shown_and_found(tmp_path: Path) -> None:
    await keep_titles(tmp_path)
    async with running(tmp_path) as ui:
        await in_list(ui)
        await ui.pilot.press("t")
        await ui.pilot.pause()
        await ui.pilot.press(*"#Trip, 2026", "enter")
        await ui.until(lambda: ui.services.library.get("c0").tags == ("trip", "2026"))
        await ui.until(lambda: "#trip" in ui.screen_text())
        await ui.pilot.press("slash", *"#tr")
        await ui.until(lambda: listed(ui) == ["Trip to Lisbon"])


async def test_a_filter_is_typed_and_left(tmp_path: Path) -> None:
    await keep_titles(tmp_path)
    async with running(tmp_path) as ui:
        await in_list(ui)
        await ui.pilot.press("slash", *"rup")  # r and p are text here
        await ui.until(lambda: listed(ui) == [])
        assert "Nothing matches" in ui.screen_text()
        assert "/ rup" in ui.screen_text()
        await ui.pilot.press("backspace")
        await ui.until(lambda: listed(ui) == ["Rust lifetimes"])
        await ui.pilot.press("escape")
        await ui.until(lambda: listed(ui) == list(TITLES))
        assert ui.app.query_one(ConversationList).has_focus
        await ui.pilot.press("slash", *"SQL", "enter")
        await ui.until(lambda: ui.chat.conversation is not None)
        assert ui.chat.conversation is not None
        assert ui.chat.conversation.title == "SQL windows"
        await ui.until(lambda: listed(ui) == list(TITLES))
        assert ui.prompt.has_focus


async def test_what_was_deleted_is_brought_back_from_the_list(tmp_path: Path) -> None:
    await keep_titles(tmp_path)
    for size in (WIDE, SMALL):
        async with running(tmp_path, size) as ui:
            await in_list(ui)
            await ui.pilot.press("enter")
            await ui.until(lambda: ui.chat.conversation is not None)
            await ui.pilot.press("f8", "delete")
            await ui.until(lambda: listed(ui) == list(TITLES[1:]))
            assert ui.chat.conversation is None
            assert ui.app.query_one(ConversationList).has_focus
            await ui.pilot.press("delete")
            await ui.until(lambda: listed(ui) == list(TITLES[2:]))
            await ui.pilot.press("u")
            await ui.until(lambda: listed(ui) == list(TITLES[1:]))
            await ui.pilot.press("ctrl+z")
            await ui.until(lambda: listed(ui) == list(TITLES))
            assert at_cursor(ui) == TITLES[0]


async def test_what_was_deleted_is_brought_back_after_a_restart(tmp_path: Path) -> None:
    await keep_titles(tmp_path)
    async with running(tmp_path) as ui:
        await in_list(ui)
        await ui.pilot.press("u")
        await ui.until(lambda: bool(ui.app._notifications))
        [toast] = ui.app._notifications
        assert toast.message == "There is nothing that was deleted."
        await ui.pilot.press("delete")
        await ui.until(lambda: listed(ui) == list(TITLES[1:]))
    async with running(tmp_path) as ui:
        await ui.until(lambda: listed(ui) == list(TITLES[1:]))
        await ui.pilot.press("f8", "u")
        await ui.until(lambda: listed(ui) == list(TITLES))


async def test_the_palette_does_it_to_the_open_conversation(tmp_path: Path) -> None:
    async with running(tmp_path, SMALL) as ui:
        await ui.send("To be renamed")
        await ui.pilot.press("f9")
        await ui.pilot.pause()
        await ui.pilot.press(*"Rename this")
        await ui.until(lambda: "F8 r" in ui.screen_text())
        await ui.pilot.press("enter")
        await ui.until(lambda: isinstance(ui.app.screen, LineDialog))
        await ui.pilot.press("ctrl+u", *"Another title", "enter")
        await ui.until(lambda: listed(ui) == ["Another title"])
        assert ui.chat.pane.title_line.title == "Another title"


def said(ui: Running) -> str:
    """What the dialog says under its field."""
    return str(ui.app.screen.query_one(".detail", Static).content)


async def ask(ui: Running, key: str) -> LineDialog[object]:
    """Press a key that asks for a line."""
    await ui.pilot.press(key)
    await ui.until(lambda: isinstance(ui.app.screen, LineDialog))
    assert isinstance(ui.app.screen, LineDialog)
    return ui.app.screen


async def test_a_conversation_is_exported_and_nothing_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    home = tmp_path / "home"
    await keep_titles(home)
    written = tmp_path / "2026-11-23 Trip to Lisbon.md"
    async with running(home) as ui:
        await in_list(ui)
        await ask(ui, "e")
        assert "Enter export · Esc close" in ui.screen_text()
        await ui.pilot.press("enter")
        await ui.until(lambda: [n.message for n in ui.app._notifications] == [f"Exported to {written}."])
        assert written.read_text().startswith('---\ntitle: "Trip to Lisbon"\n')
        written.write_text("mine")

        dialog = await ask(ui, "e")
        await ui.pilot.press("end", "enter")
        await ui.until(lambda: "is there already: choose another name." in said(ui))
        assert ui.app.screen is dialog
        await ui.pilot.press(*"x.json")  # goes on in the path, and acts on no conversation
        assert said(ui).startswith("Markdown; ")
        await ui.pilot.press("enter")
        await ui.until(lambda: ui.app.screen is not dialog)
        assert len(listed(ui)) == len(TITLES)
    assert written.read_text() == "mine"
    assert '"Trip to Lisbon"' in (tmp_path / f"{written.name}x.json").read_text()


async def test_an_export_without_a_path_asks_for_one(tmp_path: Path) -> None:
    await keep_titles(tmp_path)
    async with running(tmp_path) as ui:
        await in_list(ui)
        dialog = await ask(ui, "e")
        await ui.pilot.press("ctrl+u", "enter")
        await ui.until(lambda: said(ui) == "Write the path of a file that is not there yet.")
        assert ui.app.screen is dialog


@pytest.mark.parametrize("size", [SMALL, (60, 20), (40, 12)])
async def test_why_a_file_is_not_written_is_read_whole_in_any_room(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    await keep_titles(tmp_path)
    path = tmp_path / "no such directory" / "a rather long name of a file.md"
    async with running(tmp_path, size) as ui:
        await in_list(ui)
        await ask(ui, "e")
        await ui.pilot.press("ctrl+u", *str(path), "enter")
        await ui.until(lambda: "could not be written" in said(ui))
        await ui.pilot.pause()
        region = ui.app.screen.query_one(".detail").region
        rows = ui.screen_text().splitlines()[region.y : region.bottom]
        words = "".join("".join(row[region.x : region.right] for row in rows).split())
        assert words == said(ui).replace(" ", "")


@pytest.mark.parametrize(("key", "most"), [("r", TITLE_LENGTH), ("t", TAGS_LENGTH)])
async def test_a_full_field_says_so(tmp_path: Path, key: str, most: int) -> None:
    await keep_titles(tmp_path)
    async with running(tmp_path) as ui:
        await in_list(ui)
        dialog = await ask(ui, key)
        field = dialog.query_one(Input)
        field.value = "x" * (most - 1)
        await ui.pilot.press("end", "y")
        assert len(field.value) == most
        assert "At most" not in said(ui)
        await ui.pilot.press("z")
        await ui.until(lambda: said(ui) == f"At most {most:,} characters fit here.")
        await ui.pilot.press("backspace")
        await ui.until(lambda: "At most" not in said(ui))
        field.post_message(Paste("two of them"))
        await ui.until(lambda: "At most" in said(ui))
        assert len(field.value) == most - 1


@pytest.mark.parametrize("key", ["r", "t"])
async def test_what_could_not_be_renamed_or_tagged_stays_written(tmp_path: Path, key: str) -> None:
    await keep_titles(tmp_path)
    async with running(tmp_path) as ui:
        await in_list(ui)
        dialog = await ask(ui, key)
        await take_all_away(tmp_path)
        await ui.pilot.press("ctrl+u", *"new", "enter")
        await ui.until(lambda: dialog.query_one(".detail").has_class("-wrong"))
        assert ui.app.screen is dialog
        assert dialog.query_one(Input).value == "new"
        assert "conversation" in said(ui)


async def take_all_away(home: Path) -> None:
    """Another process deletes every conversation."""
    other = await JsonStore.open(home, lambda: NOW)

    def take_away(state: State) -> None:
        for doc_id, entry in list(state.conversations):
            state.conversations.replace(doc_id, replace(entry, deleted_at=NOW))

    await other.transaction(take_away)
    await other.aclose()


async def test_a_change_that_can_t_be_saved_says_so(tmp_path: Path) -> None:
    await keep_titles(tmp_path)
    async with running(tmp_path) as ui:
        await in_list(ui)
        await take_all_away(tmp_path)
        await ui.pilot.press("p")
        await ui.until(lambda: bool(ui.app._notifications))
        assert [notice.title for notice in ui.app._notifications] == ["Not pinned"]


def test_tags_have_the_room_that_a_title_leaves() -> None:
    assert fitting_tags(("trip", "lisbon"), 13) == "#trip #lisbon"
    assert fitting_tags(("trip", "lisbon"), 12) == "#trip"
    assert fitting_tags(("trip",), 4) == ""


@pytest.mark.parametrize(
    "title", ["How lifetimes work in the Rust language", "東京への旅行と京都のお寺について話す"]
)
async def test_a_title_without_room_ends_in_an_ellipsis(tmp_path: Path, title: str) -> None:
    await keep(tmp_path, Conversation("c0", "local", title, NOW, NOW, "demo", "demo"))
    async with running(tmp_path, WIDE) as ui:
        await ui.until(lambda: listed(ui) == [title])
        conversations = ui.app.query_one(ConversationList)
        line = conversations.render_line(1)
        assert line.cell_length == conversations.scrollable_content_region.width
        shown = line.text.strip()
        assert shown.endswith("…")
        assert title.startswith(shown[:-1])


def test_a_title_is_shortened_by_cells() -> None:
    assert shortened("Lisbon", 6) == "Lisbon"
    assert shortened("Trip to Lisbon", 6) == "Trip…"
    assert shortened("東京への旅", 10) == "東京への旅"
    assert shortened("東京への旅", 9) == "東京への…"
    assert shortened("東京への旅", 8) == "東京へ…"
    assert shortened("Lisbon", 0) == "…"


async def test_a_prompt_of_another_day_is_shown_with_its_date_in_the_readers_zone(tmp_path: Path) -> None:
    at = datetime(2023, 3, 12, 22, 13, tzinfo=UTC)
    kept = Conversation("c0", "local", "Trip to Lisbon", at, at, "demo", "demo", head_id="m", message_count=1)
    store = await JsonStore.open(tmp_path, lambda: NOW)
    await store.save_messages("c0", [Message("m", Role.USER, "Where do trams go?", at)])
    await store.aclose()
    await keep(tmp_path, kept)
    async with running(tmp_path, SMALL) as ui:
        await ui.services.settings.set("display_time_zone", "Asia/Tokyo")
        await ui.until(lambda: ui.chat.pane.zone == ZoneInfo("Asia/Tokyo"))
        await ui.until(lambda: bool(listed(ui)))
        await ui.pilot.press("f8", "enter")
        await ui.until(lambda: "Where do trams go?" in ui.screen_text())
        assert "13 Mar 2023 07:13" in ui.screen_text()
        await ui.send("And today?")
        heads = [line.strip() for line in ui.transcript.visible_text().split("\n") if "You " in line]
        assert re.fullmatch(r"You +\d\d:\d\d", heads[-1])
