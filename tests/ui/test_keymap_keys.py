"""Keys of the user's own: chosen in Settings or on the command line, shown wherever keys are shown."""

from pathlib import Path

import pytest
from textual.binding import Binding

from tests.ui.app_harness import SMALL, WIDE, Running, running
from tui.core.errors import InvalidValueError
from tui.dialogs.catalogue import catalogue, check_keys, clashes
from tui.dialogs.keys import KeyDialog, KeysDialog
from tui.dialogs.palette_entries import actions
from tui.widgets.hint_bar import APP_BINDINGS


async def open_keys(ui: Running, wanted: str) -> None:
    """Open the dialog of the keys from Settings, and filter it."""
    await ui.pilot.press("f4")
    await ui.until(lambda: bool(ui.app.screen.query("#change-keys")))
    ui.app.screen.query_one("#change-keys").focus()
    await ui.pilot.press("enter")
    await ui.until(lambda: isinstance(ui.app.screen, KeysDialog))
    await ui.type(wanted)
    await ui.pilot.pause()


async def choose(ui: Running, wanted: str, key: str) -> None:
    """Give the first action that matches a key."""
    await open_keys(ui, wanted)
    await ui.pilot.press("enter")
    await ui.until(lambda: isinstance(ui.app.screen, KeyDialog))
    await ui.pilot.press(key)
    await ui.pilot.pause()


async def test_a_key_chosen_in_settings_works_at_once_and_is_shown_everywhere(tmp_path: Path) -> None:
    async with running(tmp_path, WIDE) as ui:
        await choose(ui, "begin a new", "f11")
        await ui.until(lambda: isinstance(ui.app.screen, KeysDialog))
        assert "F11" in ui.screen_text()
        assert "(was F5)" in ui.screen_text()
        await ui.pilot.press("escape")
        await ui.until(lambda: "F11 new" in ui.screen_text())
        assert "F5 new" not in ui.screen_text()
        assert "Keys: 1 changed" in ui.screen_text()
        await ui.pilot.press("f5")
        await ui.pilot.pause()
        assert ui.app.tab == "settings"
        await ui.pilot.press("f11")
        await ui.until(lambda: ui.app.tab == "chat")
        await ui.pilot.press("f1")
        await ui.until(lambda: "Write your prompt here." in ui.screen_text())
        await ui.pilot.press("pagedown")
        await ui.until(lambda: "F11                    Begin a new conversation" in ui.screen_text())
    async with running(tmp_path, WIDE) as ui:
        await ui.until(lambda: "F11 new" in ui.screen_text())


async def test_a_key_that_is_taken_is_refused_in_words(tmp_path: Path) -> None:
    async with running(tmp_path, SMALL) as ui:
        await choose(ui, "begin a new", "f6")
        await ui.until(lambda: "Taken by" in ui.screen_text())
        assert "Choose the model" in ui.screen_text()
        await ui.pilot.press("x")
        await ui.until(lambda: "types a character" in ui.screen_text())
        assert ui.services.settings.user().keymap == {}
        await ui.pilot.press("escape", "escape")
        await ui.pilot.pause()
        assert "F5 new" in ui.screen_text()


async def test_delete_gives_an_action_its_own_key_back(tmp_path: Path) -> None:
    async with running(tmp_path, SMALL) as ui:
        await ui.services.settings.set("keymap.app.new", "f11")
        await ui.until(lambda: "F11 new" in ui.screen_text())
        await choose(ui, "begin a new", "delete")
        await ui.until(lambda: ui.services.settings.user().keymap == {})
        await ui.pilot.press("escape")
        await ui.until(lambda: "F5 new" in ui.screen_text())


async def test_the_prompts_own_keys_follow(tmp_path: Path) -> None:
    async with running(tmp_path, SMALL) as ui:
        await ui.services.settings.set("keymap.prompt.submit", "ctrl+d")
        await ui.services.settings.set("keymap.prompt.newline", "enter")
        await ui.until(lambda: len(ui.app._keymap) == 2)
        ui.prompt.focus()
        await ui.type("two", "enter", *"lines")
        assert ui.prompt.text == "two\nlines"
        await ui.pilot.press("ctrl+d")
        await ui.until(lambda: len(ui.transcript.store) > 0)
        assert ui.transcript.store.entry(0).body == "two\nlines"


async def test_keys_that_clash_all_the_same_are_shown(tmp_path: Path) -> None:
    async with running(tmp_path, WIDE) as ui:
        await ui.services.settings.set("keymap.app.new", "f6")
        await open_keys(ui, "begin a new")
        assert "also: Choose the model" in ui.screen_text()


def test_no_keys_clash_of_themselves() -> None:
    assert [(bound.id, clashes(bound, bound.keys, {})) for bound in catalogue().values()] == [
        (bound.id, ()) for bound in catalogue().values()
    ]


@pytest.mark.parametrize("keys", ["f6", "x", "nothing", "f1,f2"])
def test_keys_that_cannot_be_taken_are_refused_by_name(keys: str) -> None:
    with pytest.raises(InvalidValueError):
        check_keys("keymap.app.new", keys, {})
    check_keys("keymap.app.new", "f6", {"app.model": "f11"})
    check_keys("keymap.transcript.copy", "x", {})
    with pytest.raises(InvalidValueError, match="no action"):
        check_keys("keymap.app.nothing", "f11", {})


async def test_what_multiplexers_may_take_is_in_the_palette_too(tmp_path: Path) -> None:
    # The prefixes and modes of tmux, screen and Zellij, and what terminals themselves act on.
    taken = {f"ctrl+{letter}" for letter in "abnopghtsqz"}
    async with running(tmp_path, SMALL) as ui:
        ui.services.turns.unsaved = lambda: 1  # type: ignore[method-assign]  # "save again" is offered then
        offered = {entry.action for entry in actions(ui.app.screen)}
        bindings = list(Binding.make_bindings(APP_BINDINGS))
        assert {binding.action for binding in bindings if binding.key in taken} <= offered
        assert any(b.action == "command_palette" and b.key not in taken for b in bindings)


@pytest.mark.parametrize(
    ("size", "line"),
    [
        (WIDE, "Ctrl+J Shift+Enter  Start a new line in the prompt"),
        ((60, 20), "Ctrl+J      Start a new line in the prompt"),
        ((40, 12), "Ctrl+J      Start a new line in"),
    ],
)
async def test_what_a_key_does_has_the_room_of_a_second_key(
    tmp_path: Path, size: tuple[int, int], line: str
) -> None:
    async with running(tmp_path, size) as ui:
        await ui.app.push_screen(KeysDialog(ui.services.settings))
        await ui.type("start a new")
        await ui.until(lambda: line in ui.screen_text())


async def test_a_filter_that_finds_nothing_says_so(tmp_path: Path) -> None:
    async with running(tmp_path, SMALL) as ui:
        await ui.app.push_screen(KeysDialog(ui.services.settings))
        await ui.type("zzzz")
        await ui.until(lambda: "Nothing is called that" in ui.screen_text())
        await ui.pilot.press("enter")
        await ui.pilot.pause()
        assert isinstance(ui.app.screen, KeysDialog)
