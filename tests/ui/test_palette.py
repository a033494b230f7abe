"""The command palette: actions, conversations, models, settings and themes by name."""

import time
from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from textual.widgets import Input, OptionList

from tests.support.public_keys import ed25519
from tests.ui.app_harness import SMALL, WIDE, Running, running
from tui.dialogs.keys import KeysDialog
from tui.dialogs.line import LineDialog
from tui.dialogs.palette import PaletteDialog
from tui.dialogs.purchases import PurchasesDialog
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


def is_led_to(ui: Running, selector: str) -> bool:
    """Whether a field of Settings has the focus, and is in view."""
    found = ui.app.screen.query(f"{selector}:focus")
    settings = ui.app.screen.query_one("#settings").region
    return bool(found) and settings.contains_region(found.first().region)


def is_in_view(ui: Running, name: str) -> bool:
    """Whether the field of a setting has the focus, and is in view."""
    settings = ui.app.screen.query_one("#settings").region
    focused = ui.app.focused
    return focused is not None and focused.name == name and settings.contains_region(focused.region)


async def test_a_setting_is_in_view_at_the_first_visit_and_at_later_ones(tmp_path: Path) -> None:
    async with running(tmp_path, SMALL) as ui:
        for name in ("bell", "max_output", "titles"):
            await choose(ui, f"setting {name}")
            await ui.until(partial(is_in_view, ui, name))
            await ui.pilot.press("f2")


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


OWN_KEY = "Enter your own key for Google"
PURCHASED = "Enter what was purchased from OpenAI"
KEYS = "See and change keys"


FOUND = {
    "quota": PURCHASED,
    "purchased": PURCHASED,
    "token quotas": PURCHASED,
    "openai credits": PURCHASED,
    "top up": "Top up what was purchased from OpenAI",
    "google key": OWN_KEY,
    "keymap": KEYS,
    "see and change": KEYS,
    "add a user": "Add a user",
    "section 4": "Go to section 4, Limits and time zone",
    "copy": "Copy the last reply",
    "persona": "Persona, system prompt, temperature, length and reasoning of this conversation",
    "tags": "Tag this conversation",
    "attach": "Attach a file to the prompt: text, a picture or a PDF",
    "setting theme": "The colours of the screen",
}
PLACES = {
    PURCHASED: "#set-openai",
    "Top up what was purchased from Google": "#add-google",
    OWN_KEY: "#own-key-google KeyField",
    "Enter the default key for OpenAI, for everyone": "#default-key-openai KeyField",
    "Add an OpenAI-compatible server": "#new-endpoint",
    "Add a tier": "#new-tier",
    "Add a user": "#new-user",
    "Go to section 2": "#set-openai",
}


@pytest.mark.parametrize("size", [WIDE, SMALL])
@pytest.mark.parametrize("place", ["f2", "f4"])
async def test_everything_is_found_from_every_place(
    tmp_path: Path, size: tuple[int, int], place: str
) -> None:
    async with running(tmp_path, size) as ui:
        await ui.send("hello")
        await ui.pilot.press(place)
        dialog = await open_palette(ui)
        for wanted, title in FOUND.items():
            dialog.query_one(Input).value = wanted
            await ui.pilot.pause()
            assert title in [entry.title for entry in dialog._shown], wanted


@pytest.mark.parametrize("place", ["f2", "f4"])
async def test_what_is_to_be_entered_is_led_to(tmp_path: Path, place: str) -> None:
    async with running(tmp_path, SMALL) as ui:
        for wanted, selector in PLACES.items():
            await ui.pilot.press(place)
            await choose(ui, wanted)
            await ui.until(partial(is_led_to, ui, selector))


async def test_what_was_purchased_is_entered_from_the_chat(tmp_path: Path) -> None:
    async with running(tmp_path, SMALL) as ui:
        await choose(ui, "quota")
        await ui.until(lambda: bool(ui.app.screen.query("#set-openai:focus")))
        await ui.pilot.press(*"1m", "enter")
        await ui.until(lambda: len(ui.services.accounting.purchases(("openai",))) == 1)
        await ui.pilot.press("f2")
        await choose(ui, "See all that was purchased")
        await ui.until(lambda: isinstance(ui.app.screen, PurchasesDialog))


async def test_the_keys_are_changed_from_the_chat(tmp_path: Path) -> None:
    async with running(tmp_path, SMALL) as ui:
        await choose(ui, "keymap")
        await ui.until(lambda: isinstance(ui.app.screen, KeysDialog))
        await ui.pilot.press("escape")
        await ui.until(lambda: ui.app.tab == "chat" and ui.prompt.has_focus)


async def test_an_action_of_the_chat_goes_to_the_chat_first(tmp_path: Path) -> None:
    async with running(tmp_path, SMALL) as ui:
        await ui.send("hello")
        await ui.pilot.press("f4")
        dialog = await open_palette(ui, "tag this")
        assert dialog._shown[0].detail == "Chat · F8 t"
        await ui.pilot.press("enter")
        await ui.until(lambda: isinstance(ui.app.screen, LineDialog))
        assert ui.app.tab == "chat"


async def test_what_is_typed_after_filtering_was_chosen_by_name_is_the_filter(tmp_path: Path) -> None:
    await keep_conversations(tmp_path, ["Trip to Lisbon", "Boats"])
    async with running(tmp_path, WIDE) as ui:
        for key in ("f2", "f4"):
            await ui.pilot.press(key)
            await choose(ui, "filter the conversations")
            await ui.until(lambda: ui.chat.conversations.has_focus)
            await ui.pilot.press(*"boa")
            assert ui.chat.conversations.wanted == "boa"
            await ui.pilot.press("escape", "escape")


async def test_a_member_finds_nothing_that_only_an_admin_may_do(tmp_path: Path) -> None:
    home = tmp_path / "home"
    async with running(home) as host:
        await host.services.users.add("sam", ed25519("sam"))
    for keys in ((), ("f4",)):
        async with running(home, SMALL, user="sam") as sam:
            await sam.pilot.press(*keys)
            found = set(titles(await open_palette(sam)))
            assert {OWN_KEY, KEYS, "Go to section 2, Token quotas"} <= found
            assert not [
                title
                for title in found
                if title.startswith(("Add a", "Top up", "See all", "Enter the default"))
                or "purchased" in title
                or "section 6" in title
            ]


async def test_a_member_on_keys_of_their_own_has_no_quotas_to_go_to(tmp_path: Path) -> None:
    home = tmp_path / "home"
    async with running(home) as host:
        await host.services.users.add("sam", ed25519("sam"))
    async with running(home, SMALL, user="sam") as sam:
        await sam.services.settings.set("keys.use_custom", "true")
        for provider in ("openai", "google"):
            await sam.services.settings.set(f"{provider}.use_own_key", "true")
        assert "Go to section 2, Token quotas" not in titles(await open_palette(sam))
