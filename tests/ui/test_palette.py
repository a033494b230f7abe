"""The command palette: actions, conversations, models, settings and themes by name."""

import time
from dataclasses import replace
from pathlib import Path

import pytest
from textual.widgets import Input, OptionList

from tests.ui.app_harness import SMALL, WIDE, Running, running
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
