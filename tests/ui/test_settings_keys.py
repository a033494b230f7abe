"""Section 1 of the settings: whose keys are used; entering, testing, keeping and removing a key."""

from pathlib import Path

import pytest
from textual import constants, events
from textual.message import Message
from textual.pilot import Pilot
from textual.widgets import Static

from tests.peers.servers import LLMock
from tests.support.session import add_user
from tests.ui.settings_harness import OWN_KEY, Made, SettingsApp, make, until
from tui.core.quota import KeySource
from tui.widgets.key_field import BULLETS, KeyField
from tui.widgets.radio_group import RadioGroup
from tui.widgets.settings.key_row import KeyRow
from tui.widgets.text_button import TextButton
from tui.widgets.toggle import Toggle

HIDDEN = OWN_KEY[8:-4]


async def made(home: Path, llmock: LLMock, *, durable: bool = True) -> Made:
    """Services whose OpenAI is the peer."""
    services = await make(home, durable=durable)
    await services.services.settings.set("openai.base_url", llmock.openai_url)
    return services


def row(app: SettingsApp, which: str = "own-key-openai") -> KeyRow:
    return app.query_one(f"#{which}", KeyRow)


def files(directory: Path) -> dict[str, str]:
    """Every file below a directory, as text."""
    found = (path for path in directory.rglob("*") if path.is_file())
    return {str(path): path.read_text(errors="replace") for path in found}


async def enter(pilot: Pilot[None], row: KeyRow, key: str) -> None:
    """Paste a key into a row and press Enter."""
    row.field.focus()
    await pilot.pause()
    pilot.app.post_message(events.Paste(key))
    await pilot.pause()
    await pilot.press("enter")


async def ended(pilot: Pilot[None], row: KeyRow) -> None:
    """Wait until the row says how it went."""
    await until(pilot, lambda: row.field.has_class("-saved") or row.field.has_class("-invalid"))


async def press(pilot: Pilot[None], row: KeyRow, word: str) -> None:
    row.query_one(f".key-{word}", TextButton).focus()
    await pilot.pause()
    await pilot.press("enter")
    await pilot.pause()


async def test_the_choice_is_in_the_words_of_the_design(tmp_path: Path) -> None:
    made = await make(tmp_path / "home")
    app = SettingsApp(made.services)
    async with app.run_test(size=(80, 40)) as pilot:
        text = app.text()
        assert "(•) Use default keys " in text
        assert "No setup required · limited to 10,000 tokens/day" in text
        assert "( ) Use my own keys" in text
        assert "Unlimited usage · you pay for your own API calls" in text
        await made.services.settings.set("host_name", "King's Credits")
        await made.services.settings.set("tier", "free")
        await pilot.pause()
        assert "(•) Use default keys (King's Credits)" in app.text()
        assert "limited to 1,000 tokens/day" in app.text()
    await made.services.aclose()


async def test_choosing_own_keys_is_saved_and_a_missing_key_is_said(tmp_path: Path) -> None:
    made = await make(tmp_path / "home")
    await made.services.settings.set("openai.use_own_key", "true")
    app = SettingsApp(made.services)
    async with app.run_test(size=(120, 50)) as pilot:
        app.query_one(RadioGroup).focus()
        await pilot.press("down", "space")
        await until(pilot, lambda: made.services.settings.user().api_keys.use_custom)
        assert row(app).field.note == "No key yet: nothing is sent to OpenAI until one is here."
        assert row(app).field.has_class("-invalid")
        assert row(app, "own-key-google").field.note == ""
    await made.services.aclose()


async def test_a_key_is_tested_then_kept_and_said_so(tmp_path: Path, llmock: LLMock) -> None:
    home = tmp_path / "home"
    services = await made(home, llmock)
    app = SettingsApp(services.services)
    async with app.run_test(size=(120, 50)) as pilot:
        await enter(pilot, row(app), f" {OWN_KEY}\n")
        await ended(pilot, row(app))
        assert row(app).field.note.startswith("works: ")
        assert row(app).field.note.endswith(" · kept in the system keyring · in use")
        assert services.secrets.kept == {"local/openai": OWN_KEY}
        assert services.services.keys.source("openai") is KeySource.OWN
        app.set_focus(None)
        await pilot.pause()
        assert f"sk-proj-{BULLETS}wxyz" in app.text()
        assert app.query_one("#own-keys Toggle", Toggle).on
    await services.services.aclose()
    asked = [request for request in llmock.requests() if request["path"].endswith("/models")]
    assert asked, "The provider was asked before the key was kept."
    for file, text in files(home).items():
        assert HIDDEN not in text, file


async def test_a_rejected_key_is_not_kept_and_can_be_corrected(tmp_path: Path, llmock: LLMock) -> None:
    services = await made(tmp_path / "home", llmock)
    llmock.fail(401)
    app = SettingsApp(services.services)
    async with app.run_test(size=(120, 50)) as pilot:
        await enter(pilot, row(app), OWN_KEY)
        await ended(pilot, row(app))
        assert row(app).field.has_class("-invalid")
        assert "OpenAI" in row(app).field.note
        assert OWN_KEY not in row(app).field.note
        assert services.secrets.kept == {}
        assert row(app).field.filled, "It can be corrected."
        await pilot.press("enter")
        await until(pilot, lambda: bool(services.secrets.kept))
    await services.services.aclose()


async def test_a_key_that_cannot_be_tested_is_kept_only_on_request(tmp_path: Path, llmock: LLMock) -> None:
    services = await made(tmp_path / "home", llmock)
    await services.services.settings.set("openai.base_url", "http://127.0.0.1:1/v1")
    app = SettingsApp(services.services)
    async with app.run_test(size=(120, 50)) as pilot:
        await enter(pilot, row(app), OWN_KEY)
        await ended(pilot, row(app))
        assert "Press Enter to keep it untested." in row(app).field.note
        assert services.secrets.kept == {}
        await pilot.press("enter")
        await until(pilot, lambda: row(app).field.has_class("-saved"))
        assert row(app).field.note == "not tested · kept in the system keyring · in use"
        assert services.secrets.kept == {"local/openai": OWN_KEY}
    await services.services.aclose()


async def test_leaving_the_row_keeps_the_key_but_its_buttons_do_not(tmp_path: Path, llmock: LLMock) -> None:
    services = await made(tmp_path / "home", llmock)
    app = SettingsApp(services.services)
    async with app.run_test(size=(120, 50)) as pilot:
        row(app).field.focus()
        await pilot.press(*OWN_KEY)
        await press(pilot, row(app), "show")
        assert OWN_KEY in app.text()
        await press(pilot, row(app), "test")
        await ended(pilot, row(app))
        assert row(app).field.note.startswith("works: ")
        assert services.secrets.kept == {}, "A test keeps nothing."
        app.query_one(RadioGroup).focus()
        await until(pilot, lambda: bool(services.secrets.kept))
        assert HIDDEN not in app.text()
    await services.services.aclose()


async def test_a_key_can_be_kept_for_this_session_only(tmp_path: Path, llmock: LLMock) -> None:
    services = await made(tmp_path / "home", llmock)
    app = SettingsApp(services.services)
    async with app.run_test(size=(120, 50)) as pilot:
        app.query_one("#session-only", Toggle).focus()
        await pilot.press("space")
        await enter(pilot, row(app), OWN_KEY)
        await ended(pilot, row(app))
        assert "kept for this session only" in row(app).field.note
        assert services.secrets.kept == {}
        assert services.services.keys.status("openai").set
    await services.services.aclose()


async def test_without_a_keyring_the_user_is_told(tmp_path: Path, llmock: LLMock) -> None:
    services = await made(tmp_path / "home", llmock, durable=False)
    app = SettingsApp(services.services)
    async with app.run_test(size=(120, 50)):
        said = str(app.query_one("#key-place", Static).content)
        assert said == "A new key is tested first, then kept for this session only."
    await services.services.aclose()


async def test_a_kept_key_is_tested_and_removed_on_the_second_press(tmp_path: Path, llmock: LLMock) -> None:
    services = await made(tmp_path / "home", llmock)
    await services.services.keys.save_own("openai", OWN_KEY)
    await services.services.settings.set("keys.use_custom", "true")
    app = SettingsApp(services.services)
    async with app.run_test(size=(120, 50)) as pilot:
        assert row(app).field.note == "kept in the system keyring"
        assert f"{BULLETS}wxyz" in app.text()
        await press(pilot, row(app), "test")
        await ended(pilot, row(app))
        assert row(app).field.note.startswith("works: ")
        await press(pilot, row(app), "remove")
        assert services.secrets.kept
        assert "press again to remove" in app.text()
        await pilot.press("enter")
        await until(pilot, lambda: not services.secrets.kept)
        assert "wxyz" not in app.text()
    await services.services.aclose()


async def test_the_hosts_key_is_shown_to_an_admin_by_its_source(tmp_path: Path, llmock: LLMock) -> None:
    services = await made(tmp_path / "home", llmock)
    app = SettingsApp(services.services)
    async with app.run_test(size=(120, 50)) as pilot:
        default = row(app, "default-key-openai")
        assert default.field.note == "from the environment (OPENAI_API_KEY)"
        assert f"{BULLETS}a91f" in app.text()
        assert not default.query_one(".key-remove").display
        await enter(pilot, default, OWN_KEY)
        await ended(pilot, default)
        assert default.field.note.endswith("kept in the system keyring")
        assert services.secrets.kept == {"default/openai": OWN_KEY}
        assert default.query_one(".key-remove").display
    await services.services.aclose()


async def test_a_member_sees_no_default_keys(tmp_path: Path) -> None:
    made = await make(tmp_path / "home", user="sam")
    await add_user(made.services.store, "sam")
    app = SettingsApp(made.services)
    async with app.run_test(size=(120, 50)):
        assert not app.query("#default-keys")
        assert "limited to 1,000 tokens/day" in app.text()
    await made.services.aclose()


async def test_the_key_is_nowhere_but_in_the_keyring(
    tmp_path: Path, llmock: LLMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every file, the log, the screen, the clipboard, every message and the state of every widget."""
    log = tmp_path / "textual.log"
    monkeypatch.setattr(constants, "LOG_FILE", str(log))
    services = await made(tmp_path / "home", llmock)
    llmock.fail(401)
    app = SettingsApp(services.services)
    places: dict[str, str] = {"messages": ""}

    def note(message: Message) -> None:
        if not isinstance(message, events.Paste):
            places["messages"] += f"{message!r} {getattr(message, '__dict__', '')}\n"

    async with app.run_test(size=(120, 50), message_hook=note) as pilot:
        await enter(pilot, row(app), OWN_KEY)
        await ended(pilot, row(app))
        await pilot.press("ctrl+a", "ctrl+c", "ctrl+x")
        places["rejected"] = app.export_screenshot()
        row(app).field.focus()
        await pilot.press("enter")
        await until(pilot, lambda: bool(services.secrets.kept))
        app.screen.text_select_all()
        await pilot.press("ctrl+c")
        places |= {
            "kept": app.export_screenshot(),
            "clipboard": app.clipboard,
            "selection": app.screen.get_selected_text() or "",
            "widgets": "\n".join(f"{widget!r} {vars(widget)!r}" for widget in app.query("*")),
            "workers": "\n".join(f"{worker!r} {vars(worker)!r}" for worker in app.workers),
        }
    await services.services.aclose()
    assert services.secrets.kept == {"local/openai": OWN_KEY}
    places |= files(tmp_path)
    assert str(log) in places
    for place, text in places.items():
        assert HIDDEN not in text, place


async def test_ctrl_c_in_the_key_field_copies_nothing_and_says_so(tmp_path: Path) -> None:
    made = await make(tmp_path / "home")
    app = SettingsApp(made.services)
    async with app.run_test(size=(120, 50)) as pilot:
        field = app.query(KeyField).first()
        field.focus()
        await pilot.press(*"sk-abc", "ctrl+c")
        await pilot.pause()
        assert app.clipboard == ""
        assert field.note == "A key can't be copied or cut from here."
    await made.services.aclose()
