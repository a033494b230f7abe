"""The frame: tabs, keys, help, palette, figures, themes, alerts, crashes."""

from pathlib import Path

import pytest
from textual.widgets import OptionList

from tests.ui.app_harness import SMALL, WIDE, Running, running
from tui.app import CtroomApp
from tui.core.chat import new_id
from tui.core.quota import KeySource
from tui.core.settings import THEMES
from tui.core.usage import Measured, Provenance, Usage
from tui.providers.demo_texts import answer
from tui.services.accounting import AdmissionRequest
from tui.widgets.hint_bar import HintBar
from tui.widgets.usage_footer import UsageFooter

HOST_KEY = {"OPENAI_API_KEY": "sk-proj-host0123456789abcdefa91f", "OPENAI_BASE_URL": "http://127.0.0.1:1/v1"}


async def spend(ui: Running, tokens: int) -> None:
    """A whole turn on OpenAI's default key that used this many tokens, as reported."""
    request = AdmissionRequest(new_id(), "openai", "a-model", KeySource.DEFAULT, 1, tokens)
    hold = await ui.services.accounting.admit(request)
    usage = Usage(input=1, output=tokens - 1)
    await ui.services.accounting.settle(hold.attempt_id, Measured(usage, Provenance.REPORTED))


@pytest.mark.parametrize("size", [SMALL, WIDE])
async def test_the_frame_stands_at_every_size(tmp_path: Path, size: tuple[int, int]) -> None:
    async with running(tmp_path, size) as ui:
        rows = ui.screen_text().split("\n")
        assert rows[0].split() == ["Ctroom", "Chat", "Settings", "local", "·", "basic"]
        assert rows[-1].strip().startswith("F1 help")
        assert "F9 commands" in rows[-1]
        assert ("Conversations" in rows[1]) == (size == WIDE)


async def test_the_demo_says_where_the_usage_footer_is(tmp_path: Path) -> None:
    async with running(tmp_path) as ui:
        assert "at the bottom, above the\nkeys, is the **usage footer**" in answer("hello", 1)
        footer, keys = ui.app.query_one(UsageFooter).region, ui.app.query_one(HintBar).region
        assert footer.bottom == keys.y
        assert keys.bottom == ui.app.size.height


async def test_settings_is_mounted_at_its_first_visit(tmp_path: Path) -> None:
    async with running(tmp_path) as ui:
        assert not ui.app.query("#settings")
        await ui.pilot.press("f4")
        await ui.until(lambda: "Use my own keys" in ui.screen_text())
        shown = {tab.id: tab.display for tab in ui.app.query("#chat, #settings")}
        assert shown == {"chat": False, "settings": True}
        await ui.pilot.press("f2")
        await ui.pilot.pause()
        assert ui.chat.display
        assert ui.prompt.has_focus


async def test_what_a_key_opens_before_the_first_frame_has_its_styles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What no first frame shows gets its styles after it, or when it is opened."""
    monkeypatch.setattr(CtroomApp, "_begin_background", lambda _app: None)
    async with running(tmp_path) as ui:
        await ui.pilot.press("f1")
        await ui.until(lambda: ui.app.screen.query(".dialog").first().region.width == 76)
        await ui.pilot.press("escape", "f4")
        await ui.until(lambda: "Use my own keys" in ui.screen_text())
        assert ui.app.query(".settings-section").first().styles.border_title_style.bold


async def test_new_and_model_lead_back_to_the_chat(tmp_path: Path) -> None:
    async with running(tmp_path) as ui:
        await ui.pilot.press("f4")
        await ui.pilot.pause()
        await ui.pilot.press("f6")
        await ui.pilot.pause()
        assert ui.app.screen.query(OptionList)
        await ui.pilot.press("escape")
        await ui.pilot.pause()
        assert ui.app.tab == "chat"


async def test_help_is_about_the_focused_widget_and_lists_every_key(tmp_path: Path) -> None:
    async with running(tmp_path, WIDE) as ui:
        await ui.pilot.press("f1")
        await ui.pilot.pause()
        screen = ui.screen_text()
        assert "Write your prompt here." in screen
        assert "Ctrl+J Shift+Enter" in screen
        assert "Quit Ctroom" in screen
        await ui.pilot.press("pagedown")
        for words in ("Go to Settings", "Begin a new conversation"):
            await ui.until(lambda words=words: words in ui.screen_text())  # type: ignore[misc]
        await ui.pilot.press("f1")
        await ui.pilot.pause()
        assert "Write your prompt here." not in ui.screen_text()


async def test_the_palette_has_every_action_by_name(tmp_path: Path) -> None:
    async with running(tmp_path) as ui:
        await ui.pilot.press("f9")
        await ui.until(lambda: "Begin a new conversation" in ui.screen_text())
        await ui.type("settings", "enter")
        await ui.until(lambda: ui.app.tab == "settings")


async def test_every_binding_of_ours_has_an_id_a_description_and_a_tooltip(tmp_path: Path) -> None:
    async with running(tmp_path) as ui:
        await ui.pilot.press("f4")
        await ui.pilot.pause()
        for node in (ui.app, *ui.app.screen.walk_children()):
            for binding in type(node).__dict__.get("BINDINGS", ()):
                if type(node).__module__.startswith("tui."):
                    assert binding.id, binding
                    assert binding.description, binding
                    assert binding.tooltip, binding


async def test_the_footer_follows_every_charge(tmp_path: Path) -> None:
    async with running(tmp_path, (130, 40), HOST_KEY) as ui:
        await ui.services.accounting.set_purchased("openai", 1_000_000)
        await spend(ui, 1_204)
        await ui.until(lambda: "998,796 remaining (99.9%)" in ui.footer_text())
        assert "1,204 / 1,000,000 tokens" in ui.footer_text()
        assert "today 1,204 / 10,000, resets 00:00" in ui.footer_text()
        assert ui.footer_text() in ui.screen_text()


async def test_an_alert_is_raised_once_as_a_toast(tmp_path: Path) -> None:
    async with running(tmp_path, WIDE, HOST_KEY) as ui:
        await ui.services.accounting.set_purchased("openai", 5_000)
        await spend(ui, 4_200)
        await ui.until(lambda: len(ui.app._notifications) > 0)
        (toast,) = ui.app._notifications
        assert (toast.title, toast.message) == ("OpenAI", "Low on tokens! Only 16% remaining.")
        assert toast.severity == "warning"
        assert "LOW 800 remaining (16.0%)" in ui.footer_text()
        await spend(ui, 10)
        await ui.until(lambda: "790 remaining" in ui.footer_text())
        assert len(ui.app._notifications) == 1


async def test_two_sessions_say_each_alert_once_between_them(tmp_path: Path) -> None:
    async with running(tmp_path, SMALL, HOST_KEY) as first, running(tmp_path, SMALL, HOST_KEY) as second:
        said = first.app._notifications, second.app._notifications
        await first.services.settings.set("tiers.basic", "100,000")
        await first.services.accounting.set_purchased("openai", 5_000)
        await spend(first, 4_200)
        await first.until(lambda: "LOW" in first.footer_text() and "LOW" in second.footer_text())
        assert "LOW 800 remaining" in second.screen_text()
        await first.until(lambda: sum(map(len, said)) == 1)
        await first.services.accounting.add_purchased("openai", 5_000)  # arms again
        await first.until(lambda: "LOW" not in second.footer_text())
        await spend(second, 5_000)  # past both levels at once
        await second.until(lambda: "CRITICAL 800 remaining" in second.footer_text())
        await second.until(lambda: sum(map(len, said)) == 2)
        words = sorted(toast.message for notifications in said for toast in notifications)
        assert words == ["Critical: Only 8% tokens left!", "Low on tokens! Only 16% remaining."]
        await first.services.settings.set("tiers.basic", "9,500")
        await first.until(lambda: sum(map(len, said)) == 3)
        (today,) = [toast for notifications in said for toast in notifications if toast.title == "Today"]
        assert today.message == "Critical: Only 3% tokens left!"


async def test_the_bell_rings_for_an_alert_unless_it_is_turned_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rung: list[str] = []
    monkeypatch.setattr(CtroomApp, "bell", lambda app: rung.append(app.services.user))
    async with running(tmp_path, SMALL, HOST_KEY) as ui:
        await ui.services.accounting.set_purchased("openai", 5_000)
        await spend(ui, 4_200)
        await ui.until(lambda: rung == ["local"])
        await ui.services.settings.set("bell", "false")
        await spend(ui, 500)
        await ui.until(lambda: len(ui.app._notifications) == 2)
        assert rung == ["local"]


async def test_a_quota_that_is_gone_says_so_in_the_users_words(tmp_path: Path) -> None:
    async with running(tmp_path, WIDE, HOST_KEY) as ui:
        await ui.services.accounting.set_purchased("openai", 100)
        await spend(ui, 100)
        await ui.send("anyone there?")
        entry = ui.transcript.store.entry(1)
        assert entry.error.startswith(
            "You've used all available tokens. Please add your own API key in Settings."
        )
        assert "F4 add my key" in ui.screen_text()
        assert "EMPTY 0 remaining" in ui.footer_text()


async def test_a_theme_is_kept(tmp_path: Path) -> None:
    async with running(tmp_path) as ui:
        ui.app.theme = "nord"
        await ui.until(lambda: ui.services.settings.user().theme == "nord")
    async with running(tmp_path) as ui:
        assert ui.app.theme == "nord"


async def test_the_themes_that_can_be_set_are_those_that_there_are(tmp_path: Path) -> None:
    async with running(tmp_path) as ui:
        assert set(THEMES) == set(ui.app.available_themes)


async def test_a_theme_chosen_in_settings_is_applied(tmp_path: Path) -> None:
    async with running(tmp_path) as ui:
        await ui.services.settings.set("theme", "gruvbox")
        await ui.until(lambda: ui.app.theme == "gruvbox")


async def test_a_key_that_is_added_moves_a_new_conversation_off_the_demo(tmp_path: Path) -> None:
    async with running(tmp_path) as ui:
        assert ui.chat.target.provider == "demo"
        await ui.services.settings.set("keys.use_custom", "true")
        await ui.services.keys.save_own("openai", "sk-proj-MyOwnVerySecret0123456789wxyz")
        await ui.until(lambda: ui.chat.target.provider == "openai")
        assert "0 tokens used (Using your API keys)" in ui.footer_text()
        assert "demo" not in ui.screen_text()


async def test_an_error_of_our_own_is_logged_without_its_words(tmp_path: Path) -> None:
    def fail() -> None:
        raise RuntimeError("sk-proj-secret-in-a-message")

    async def crash() -> None:
        async with running(tmp_path) as ui:
            apps.append(ui.app)
            ui.app.call_next(fail)
            await ui.pilot.pause(0.1)

    apps: list[CtroomApp] = []
    with pytest.raises(RuntimeError):
        await crash()
    log = (tmp_path / "ctroom.log").read_text()
    assert apps[0].crash_reference is not None
    assert apps[0].crash_reference in log
    assert "RuntimeError" in log
    assert "secret" not in log


async def test_f2_leads_from_the_prompt_to_the_messages_and_back(tmp_path: Path) -> None:
    async with running(tmp_path) as ui:
        await ui.pilot.press("f2")
        assert ui.prompt.has_focus  # there is no message yet
        await ui.send("Hello")
        await ui.pilot.press("f2", "k")
        assert ui.transcript.has_focus
        assert ui.transcript.cursor >= 0
        await ui.pilot.press("f2", "f4", "f2")
        await ui.until(lambda: ui.prompt.has_focus)
