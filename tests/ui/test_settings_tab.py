"""The settings tab: models, endpoints, limits, appearance, and moving about by keyboard."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from textual.widget import Widget

from tests.peers.servers import LLMock
from tests.support.session import add_user
from tests.ui.settings_harness import Made, SettingsApp, make, type_into, until
from tui.core.settings import Endpoint
from tui.services.services import Services
from tui.tabs.settings import SettingsTab
from tui.widgets.checked_field import CheckedField
from tui.widgets.settings.endpoints import EndpointBlock
from tui.widgets.settings.section import Section
from tui.widgets.text_button import TextButton
from tui.widgets.toggle import Toggle


@pytest.fixture
async def made(tmp_path: Path) -> AsyncIterator[Made]:
    services = await make(tmp_path / "home")
    yield services
    await services.services.aclose()


@pytest.fixture
def services(made: Made) -> Services:
    return made.services


@pytest.mark.parametrize(
    ("name", "typed", "stored", "shown"),
    [
        ("time_zone", "Europe/Lisbon", "Europe/Lisbon", "Europe/Lisbon"),
        ("display_time_zone", "Asia/Tokyo", "Asia/Tokyo", "Asia/Tokyo"),
        ("host_name", "King's Credits", "King's Credits", "King's Credits"),
        ("max_output", "8k", "8000", "8,000"),
        ("temperature", "0.7", "0.7", "0.7"),
        ("reasoning_effort", "low", "low", "low"),
        ("tiers.free", "2,500", "2500", "2,500"),
        ("openai.model", "gpt-6-preview", "gpt-6-preview", "gpt-6-preview"),
        (
            "google.base_url",
            "http://127.0.0.1:9/gemini",
            "http://127.0.0.1:9/gemini",
            "http://127.0.0.1:9/gemini",
        ),
        ("system_prompt", "Be brief.", "Be brief.", "Be brief."),
        ("google.sdk", "google-generativeai", "google-generativeai", "google-generativeai"),
        ("tier", "free", "free", "free"),
        ("provider", "demo", "demo", "demo"),
    ],
)
async def test_a_setting_is_saved_on_enter(
    services: Services, name: str, typed: str, stored: str, shown: str
) -> None:
    app = SettingsApp(services)
    async with app.run_test(size=(120, 60)) as pilot:
        field = app.field(name)
        await type_into(pilot, field, typed, "enter")
        await until(pilot, lambda: field.has_class("-saved"))
        assert services.settings.get(name) == stored
        assert field.value == shown
        assert field.note == "saved"


@pytest.mark.parametrize(
    ("name", "typed", "words"),
    [
        ("time_zone", "Lisbon", "is not a time zone"),
        ("display_time_zone", "../etc/passwd", "is not a time zone"),
        ("max_output", "0", "from 1 to 1,000,000"),
        ("max_output", "many", "without words"),
        ("temperature", "3", "from 0 to 2"),
        ("tiers.basic", "1,00", "grouped by threes"),
        ("openai.base_url", "ftp://example", "Enter an address"),
        ("google.sdk", "gemini", "is not a Google SDK"),
        ("theme", "neon", "is not a theme: choose from"),
    ],
)
async def test_a_wrong_value_is_refused_in_words_beside_its_field(
    services: Services, name: str, typed: str, words: str
) -> None:
    before = services.settings.get(name)
    app = SettingsApp(services)
    async with app.run_test(size=(120, 60)) as pilot:
        field = app.field(name)
        await type_into(pilot, field, typed, "enter", "tab")
        await pilot.pause()
        assert words in field.note
        assert field.has_class("-invalid")
        assert services.settings.get(name) == before


async def test_the_time_zone_is_found_by_a_part_of_its_name(services: Services) -> None:
    app = SettingsApp(services)
    async with app.run_test(size=(120, 60)) as pilot:
        field = app.field("time_zone")
        await until(pilot, lambda: field.mark_text() != " ")
        await type_into(pilot, field, "lisb", "down", "enter")
        await until(pilot, lambda: services.settings.host().time_zone == "Europe/Lisbon")


async def test_a_theme_is_applied_as_soon_as_it_is_chosen(services: Services) -> None:
    app = SettingsApp(services)
    async with app.run_test(size=(120, 60)) as pilot:
        field = app.field("theme")
        field.focus()
        before = app.theme
        await pilot.press("down", "up", "escape")
        await pilot.pause()
        assert app.theme == before
        await pilot.press("down", "up", "enter")
        await until(pilot, lambda: app.theme != before)
        assert services.settings.user().theme == app.theme == field.value


async def test_a_toggle_is_saved(services: Services) -> None:
    app = SettingsApp(services)
    async with app.run_test(size=(120, 60)) as pilot:
        next(toggle for toggle in app.query(Toggle) if toggle.name == "bell").focus()
        await pilot.press("space")
        await until(pilot, lambda: not services.settings.user().bell)


async def test_a_change_from_elsewhere_shows(services: Services) -> None:
    app = SettingsApp(services)
    async with app.run_test(size=(120, 60)) as pilot:
        await services.settings.set("max_output", "512")
        await services.settings.set("bell", "false")
        await services.settings.set("tiers.pro", "50000")
        await pilot.pause()
        assert app.field("max_output").value == "512"
        assert not next(toggle for toggle in app.query(Toggle) if toggle.name == "bell").on
        assert app.field("tiers.pro").value == "50,000"


async def test_a_tier_in_use_stays_and_one_that_is_not_can_be_removed(services: Services) -> None:
    await services.settings.set("tiers.pro", "50000")
    await services.settings.set("tier", "pro")
    app = SettingsApp(services)
    async with app.run_test(size=(80, 24)) as pilot:
        field = app.field("tiers.pro")
        assert field.note == "Type remove to take it away."
        await type_into(pilot, field, "remove", "enter")
        await until(pilot, lambda: field.has_class("-invalid"))
        assert field.note == "The tier 'pro' is in use: move its users to another first."
        await services.settings.set("tier", "basic")
        await type_into(pilot, field, "remove", "enter")
        await until(pilot, lambda: "pro" not in services.settings.host().tiers)
        await until(pilot, lambda: all(f.name != "tiers.pro" for f in app.query(CheckedField)))
        assert app.snapshot is not None
        assert app.snapshot.tier == "basic"


async def test_a_tier_is_added(services: Services) -> None:
    app = SettingsApp(services)
    async with app.run_test(size=(120, 60)) as pilot:
        field = app.query_one("#new-tier", CheckedField)
        await type_into(pilot, field, "pro", "enter")
        assert "pro 50,000" in field.note
        await type_into(pilot, field, "pro 50,000", "enter")
        await until(pilot, lambda: services.settings.host().tiers.get("pro") == 50_000)
        await until(pilot, lambda: any(f.name == "tiers.pro" for f in app.query(CheckedField)))
        assert field.value == ""


async def test_models_are_offered_offline_and_then_from_the_provider(
    services: Services, llmock: LLMock
) -> None:
    await services.settings.set("openai.base_url", llmock.openai_url)
    offline = services.models.known("openai")
    app = SettingsApp(services)
    async with app.run_test(size=(120, 60)) as pilot:
        field = app.field("openai.model")
        field.focus()
        await pilot.press("down")
        await pilot.pause()
        text = app.text()
        assert sum(info.id in text for info in offline) > 2
        await until(pilot, lambda: services.models.known("openai") != offline)
        await pilot.pause()
        live = services.models.known("openai")
        await type_into(pilot, field, live[-1].id, "enter")
        await until(pilot, lambda: services.models.default("openai") == live[-1].id)


async def test_an_endpoint_is_added_changed_and_removed(services: Services) -> None:
    app = SettingsApp(services)
    async with app.run_test(size=(120, 70)) as pilot:
        field = app.query_one("#new-endpoint", CheckedField)
        wrong = {"ollama": "Add the address", "openai http://x/v1": "built-in", "a b": "address"}
        for typed, words in wrong.items():
            await type_into(pilot, field, typed, "enter")
            assert words in field.note
        await type_into(pilot, field, "ollama http://127.0.0.1:11434/v1/", "enter")
        await until(pilot, lambda: bool(app.query(EndpointBlock)))
        assert services.settings.host().endpoints == (Endpoint("ollama", "http://127.0.0.1:11434/v1"),)
        await type_into(pilot, app.field("endpoints.ollama.model"), "smollm2", "enter")
        await until(pilot, lambda: services.settings.host().endpoints[0].model == "smollm2")
        app.query_one(".endpoint-remove", TextButton).focus()
        await pilot.press("enter")
        await pilot.pause()
        assert services.settings.host().endpoints, "Once is not enough."
        await pilot.press("enter")
        await until(pilot, lambda: not services.settings.host().endpoints)
        await until(pilot, lambda: not app.query(EndpointBlock))


async def test_a_number_jumps_to_its_section_unless_text_is_typed(services: Services) -> None:
    app = SettingsApp(services)
    async with app.run_test(size=(80, 24)) as pilot:
        for start, number in (("#session-only", 5), ("#key-choice", 4), (".key-test", 2)):
            app.query(start).last().focus()
            await pilot.press(str(number))
            await pilot.pause()
            assert focused_section(app).number == number
        field = app.field("host_name")
        await type_into(pilot, field, "3rd floor 5")
        assert field.value == "3rd floor 5"
        assert app.focused is field


async def test_page_keys_hop_between_sections_even_from_a_text_field(services: Services) -> None:
    app = SettingsApp(services)
    async with app.run_test(size=(80, 24)) as pilot:
        app.field("host_name").focus()
        await pilot.press("pagedown")
        await pilot.pause()
        assert focused_section(app).number == 5
        await pilot.press("pageup", "pageup")
        await pilot.pause()
        assert focused_section(app).number == 3


@pytest.mark.parametrize(
    ("size", "key"), [((80, 24), "tab"), ((80, 24), "shift+tab"), ((80, 24), "down"), ((120, 40), "tab")]
)
async def test_every_field_is_reached_by_key_and_scrolled_into_view(
    services: Services, size: tuple[int, int], key: str
) -> None:
    await services.settings.put_endpoint(Endpoint("ollama", "http://127.0.0.1:11434/v1"))
    app = SettingsApp(services)
    async with app.run_test(size=size) as pilot:
        tab = app.query_one(SettingsTab)
        wanted = {w for w in tab.query("*") if w.focusable and all(a.display for a in w.ancestors_with_self)}
        app.query_one(SettingsTab).focus_first()
        await pilot.pause()
        seen: set[Widget] = set()
        for _ in range(len(wanted) + 2):
            focused = app.focused
            assert focused is not None
            seen.add(focused)
            assert focused.size.width >= 4
            assert tab.region.contains_region(focused.region), f"{focused} is cut off"
            await pilot.press(*(("escape", "tab") if key == "down" and opens(focused) else (key,)))
            await pilot.pause()
        assert wanted <= seen


async def test_a_member_sees_only_what_is_theirs(tmp_path: Path) -> None:
    made = await make(tmp_path / "member", user="sam")
    await add_user(made.services.store, "sam")
    app = SettingsApp(made.services)
    async with app.run_test(size=(120, 60)):
        names = {field.name for field in app.query(CheckedField)}
        assert names == {
            "provider",
            "openai.model",
            "google.model",
            "display_time_zone",
            "max_output",
            "temperature",
            "reasoning_effort",
            "system_prompt",
            "theme",
            "notify",
            "titles",
        }
        assert "Your tier is free: 1,000 tokens a day on default keys." in app.text()
    await made.services.aclose()


def focused_section(app: SettingsApp) -> Section:
    assert app.focused is not None
    return next(node for node in app.focused.ancestors if isinstance(node, Section))


def opens(widget: Widget) -> bool:
    """Whether Down opens a list rather than going on."""
    return isinstance(widget, CheckedField) and widget.mark_text() != " "
