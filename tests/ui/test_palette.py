"""The command palette: actions, conversations, models, settings and themes by name."""

import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from textual.widgets import Input, OptionList

from tests.ui.app_harness import SMALL, WIDE, Running, running
from tui.dialogs.keys import KeysDialog
from tui.dialogs.palette import PaletteDialog
from tui.widgets.usage_footer import UsageFooter


async def open_palette(ui: Running, wanted: str = "") -> PaletteDialog:
    await ui.pilot.press("f9")
    await ui.until(lambda: isinstance(ui.app.screen, PaletteDialog))
    dialog = ui.app.screen
    assert isinstance(dialog, PaletteDialog)
    await ui.until(lambda: bool(dialog._others))
    dialog.query_one(Input).value = wanted
    await ui.pilot.pause()
    return dialog


async def choose(ui: Running, wanted: str) -> None:
    await open_palette(ui, wanted)
    await ui.pilot.press("enter")
    await ui.pilot.pause()


async def keep_conversations(home: Path, titles: list[str]) -> None:
    async with running(home) as ui:
        for title in titles:
            made = await ui.services.library.create("demo", "demo")
            await ui.services.library.rename(made.id, title)


async def test_a_conversation_is_found_and_opened(tmp_path: Path) -> None:
    await keep_conversations(tmp_path, ["Trip to Lisbon", "[@click=app.quit]Boats[/] [b]"])
    async with running(tmp_path, SMALL) as ui:
        await open_palette(ui, "boats")
        assert "[@click=app.quit]Boats[/] [b]" in ui.screen_text()
        await ui.pilot.press("escape")
        await choose(ui, "lisbon")
        await ui.until(lambda: ui.chat.conversation is not None)
        assert ui.chat.conversation is not None
        assert ui.chat.conversation.title == "Trip to Lisbon"


async def test_a_model_is_chosen(tmp_path: Path) -> None:
    async with running(tmp_path, SMALL) as ui:
        await choose(ui, "ask gemini flash")
        await ui.until(lambda: ui.chat.target.provider == "google")
        assert "flash" in ui.chat.target.model


@pytest.mark.parametrize(
    ("wanted", "name"), [("setting theme", "theme"), ("max_output", "max_output"), ("host_name", "host_name")]
)
async def test_a_setting_leads_to_its_field(tmp_path: Path, wanted: str, name: str) -> None:
    async with running(tmp_path, SMALL) as ui:
        await choose(ui, wanted)
        await ui.until(lambda: ui.app.focused is not None and ui.app.focused.name == name)
        assert ui.app.tab == "settings"


async def test_every_setting_leads_to_some_field(tmp_path: Path) -> None:
    async with running(tmp_path, WIDE) as ui:
        for name in ui.services.settings.names():
            await ui.app.action_show_setting(name)
            await ui.until(lambda: ui.app.focused is not None)


async def test_a_theme_is_chosen(tmp_path: Path) -> None:
    async with running(tmp_path, SMALL) as ui:
        await choose(ui, "colours nord")
        await ui.until(lambda: ui.services.settings.user().theme == "nord")


def titles(dialog: PaletteDialog) -> list[str]:
    return [entry.title for entry in (*dialog._actions, *dialog._others, *dialog._older)]


@pytest.mark.parametrize("size", [WIDE, SMALL])
@pytest.mark.parametrize("focus", ["prompt", "messages", "list", "settings", "button"])
async def test_everything_is_there_once(tmp_path: Path, focus: str, size: tuple[int, int]) -> None:
    keys = {"prompt": (), "messages": ("f2",), "list": ("f8",), "settings": ("f4",), "button": ("f4",)}
    await keep_conversations(tmp_path, ["Trip to Lisbon"])
    async with running(tmp_path, size) as ui:
        await ui.send("hello")
        await ui.pilot.press(*keys[focus])
        if focus == "button":
            ui.app.screen.query_one("#change-keys").focus()
            await ui.pilot.pause()
        found = Counter(titles(await open_palette(ui)))
        assert [title for title, count in found.items() if count > 1] == []


async def test_what_several_nodes_offer_is_named_with_the_key_that_works_in_focus(tmp_path: Path) -> None:
    deleted, end = "Bring back the conversation that was deleted last", "Go to the end of the conversation"
    async with running(tmp_path, WIDE) as ui:
        await ui.send("hello")
        for key, focused, its_key in (
            ("f2", end, "End"),
            ("escape", end, "Ctrl+End"),
            ("f8", deleted, "u"),
            ("escape", deleted, "F8 u"),
        ):
            await ui.pilot.press(key)
            await ui.pilot.pause()
            dialog = await open_palette(ui)
            assert [e.detail for e in dialog._actions if e.title.startswith(focused)] == [its_key]
            await ui.pilot.press("escape")
            await ui.until(lambda: not isinstance(ui.app.screen, PaletteDialog))


async def test_a_button_out_of_focus_is_not_pressed_by_name(tmp_path: Path) -> None:
    async with running(tmp_path, WIDE) as ui:
        await ui.pilot.press("f4")
        await ui.until(lambda: bool(ui.app.screen.query("#change-keys")))
        assert not {"Do what it says", "Switch it on or off"} & set(titles(await open_palette(ui)))
        await ui.pilot.press("escape")
        await ui.until(lambda: not isinstance(ui.app.screen, PaletteDialog))
        ui.app.screen.query_one("#change-keys").focus()
        await ui.pilot.pause()
        await choose(ui, "do what it says")
        await ui.until(lambda: isinstance(ui.app.screen, KeysDialog))


@pytest.mark.parametrize(
    ("size", "asks"),
    [(SMALL, "Search for commands, conversations"), ((40, 12), "Search for anything by its name")],
)
async def test_it_says_whole_what_can_be_typed_and_when_nothing_is_called_so(
    tmp_path: Path, size: tuple[int, int], asks: str
) -> None:
    async with running(tmp_path, size) as ui:
        dialog = await open_palette(ui)
        assert asks in ui.screen_text()
        dialog.query_one(Input).value = "zzzz"
        await ui.until(lambda: "Nothing is called that." in ui.screen_text())
        await ui.pilot.press("enter")
        await ui.pilot.pause()
        assert ui.app.screen is dialog


async def test_the_palette_leaves_the_footer_in_view(tmp_path: Path) -> None:
    async with running(tmp_path, SMALL) as ui:
        footer = ui.app.query_one(UsageFooter).region
        dialog = await open_palette(ui)
        assert len(dialog._shown) > 5
        assert dialog.query_one("#palette").region.bottom <= footer.y


async def test_a_thousand_conversations_are_searched_within_a_frame_or_two(tmp_path: Path) -> None:
    async with running(tmp_path, SMALL) as ui:
        dialog = await open_palette(ui)
        one = dialog._others[0]
        dialog._others += [
            replace(one, title=f"About boats {n}", searched=f"About boats {n}") for n in range(1_000)
        ]
        began = time.process_time()
        dialog.query_one(Input).value = "abts 99"
        await ui.pilot.pause()
        assert time.process_time() - began < 0.3
        assert "About boats 99" in ui.screen_text()
        assert dialog.query_one(OptionList).option_count <= 50
