"""Section 2 of the settings: what was purchased, used and remains."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.session import add_user, reported
from tests.ui.settings_harness import Made, SettingsApp, make, type_into, until
from tui.core.chat import new_id
from tui.core.quota import KeySource, Purchase, PurchaseKind
from tui.dialogs.purchases import PurchasesDialog
from tui.services.accounting import AdmissionRequest
from tui.widgets.checked_field import CheckedField
from tui.widgets.quota_meter import QuotaMeter
from tui.widgets.settings.purchase_list import PurchaseList
from tui.widgets.settings.token_quotas import TokenQuotasSection


@pytest.fixture
async def made(tmp_path: Path) -> AsyncIterator[Made]:
    services = await make(tmp_path / "home")
    yield services
    await services.services.aclose()


def amount(app: SettingsApp, which: str) -> CheckedField:
    return app.query_one(f"#{which}", CheckedField)


def purchases(made: Made) -> list[Purchase]:
    return [purchase for _, purchase in made.services.store.view.purchases]


async def spend(made: Made, tokens: int) -> None:
    request = AdmissionRequest(new_id(), "openai", "gpt-5.1", KeySource.DEFAULT, 1, tokens)
    hold = await made.services.accounting.admit(request)
    await made.services.accounting.settle(hold.attempt_id, reported(1, tokens - 1))


async def test_a_purchase_is_one_entry_and_shows_at_once(made: Made) -> None:
    app = SettingsApp(made.services)
    async with app.run_test(size=(120, 50)) as pilot:
        await type_into(pilot, amount(app, "set-openai"), "1M", "enter", "tab")
        await until(pilot, lambda: amount(app, "set-openai").has_class("-saved"))
        assert amount(app, "set-openai").value == "1,000,000"
        assert app.query_one("#meter-openai", QuotaMeter).words() == (
            "Used            0 tokens (0.0%)",
            "Remaining       1,000,000 tokens",
        )
        assert [(p.kind, p.amount, p.note) for p in purchases(made)] == [(PurchaseKind.SET, 1_000_000, "")]


async def test_what_is_used_shows_live(made: Made) -> None:
    await made.services.accounting.set_purchased("openai", 10_000)
    app = SettingsApp(made.services)
    async with app.run_test(size=(120, 50)) as pilot:
        await spend(made, 450)
        await pilot.pause()
        meter = app.query_one("#meter-openai", QuotaMeter)
        assert meter.words() == ("Used            450 tokens (4.5%)", "Remaining       9,550 tokens")
        assert "95.5%" in app.text()


async def test_a_top_up_adds(made: Made) -> None:
    await made.services.accounting.set_purchased("openai", 1_000)
    app = SettingsApp(made.services)
    async with app.run_test(size=(120, 50)) as pilot:
        await type_into(pilot, amount(app, "add-openai"), "500", "enter")
        await until(pilot, lambda: amount(app, "add-openai").has_class("-saved"))
        assert amount(app, "add-openai").value == ""
        assert amount(app, "add-openai").note == "added: 1,500 tokens purchased in all"
        assert amount(app, "set-openai").value == "1,500"
        assert [p.purchased for p in purchases(made)] == [1_000, 1_500]


async def test_dollars_are_converted_and_taken_only_when_accepted(made: Made) -> None:
    app = SettingsApp(made.services)
    async with app.run_test(size=(120, 50)) as pilot:
        field = amount(app, "set-openai")
        await type_into(pilot, field, "$100", "enter")
        await until(pilot, lambda: field.has_class("-asking"))
        assert "$100 at gpt-5.1's blended price of $" in field.note
        assert field.note.endswith("Enter accepts, Escape undoes.")
        assert purchases(made) == []
        await pilot.press("enter")
        await until(pilot, lambda: bool(purchases(made)))
        (purchase,) = purchases(made)
        assert purchase.amount > 1_000_000
        assert "blended price" in purchase.note


async def test_a_note_goes_with_the_next_amount_and_only_with_it(made: Made) -> None:
    app = SettingsApp(made.services)
    async with app.run_test(size=(80, 24)) as pilot:
        await type_into(pilot, amount(app, "note-openai"), "invoice 17", "enter")
        assert amount(app, "note-openai").note == "It goes with the next amount."
        await type_into(pilot, amount(app, "add-openai"), "500", "enter")
        await until(pilot, lambda: len(purchases(made)) == 1)
        await until(pilot, lambda: amount(app, "note-openai").value == "")
        await type_into(pilot, amount(app, "set-openai"), "700", "enter")
        await until(pilot, lambda: len(purchases(made)) == 2)
        assert [purchase.note for purchase in purchases(made)] == ["invoice 17", ""]


async def test_the_history_shows_the_newest_entries_and_all_of_them_by_key(made: Made) -> None:
    await made.services.settings.set("display_time_zone", "Asia/Tokyo")
    await made.services.accounting.set_purchased("openai", 1_000_000)
    app = SettingsApp(made.services)
    async with app.run_test(size=(80, 24)) as pilot:
        listed = app.query_one("#purchases-openai", PurchaseList)
        assert listed.lines() == ("24 Nov 07:00 set to 1,000,000 · local",)
        assert not app.query_one("#purchases-google", PurchaseList).focusable
        for number in range(1, 9):
            await made.services.accounting.add_purchased("openai", 1_000 * number, f"invoice {number}")
        await until(pilot, lambda: len(listed.entries) == 9)
        assert listed.lines() == (
            "24 Nov 07:00 top-up +8,000 · local · invoice 8",
            "24 Nov 07:00 top-up +7,000 · local · invoice 7",
            "7 more: Enter shows all",
        )
        listed.focus()
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, PurchasesDialog))
        assert "2026-11-24 07:00  top-up +8,000 · 1,036,000 in all · by local" in app.text()
        await pilot.press("end")
        await until(pilot, lambda: "set to 1,000,000 · by local" in app.text())
        await pilot.press("escape")
        await until(pilot, lambda: listed.has_focus)


async def test_escape_undoes_dollars(made: Made) -> None:
    app = SettingsApp(made.services)
    async with app.run_test(size=(120, 50)) as pilot:
        field = amount(app, "set-openai")
        await type_into(pilot, field, "$100", "enter")
        await until(pilot, lambda: field.has_class("-asking"))
        await pilot.press("escape", "tab")
        await pilot.pause()
        assert field.value == ""
        assert purchases(made) == []


@pytest.mark.parametrize("typed", ["lots", "-5", "1,00", "2000000000000", "$-3", "$1e9"])
async def test_a_wrong_amount_is_never_saved(made: Made, typed: str) -> None:
    app = SettingsApp(made.services)
    async with app.run_test(size=(120, 50)) as pilot:
        field = amount(app, "set-openai")
        await type_into(pilot, field, typed, "enter", "tab")
        await pilot.pause()
        assert field.has_class("-invalid")
        assert field.note.endswith(".")
        assert purchases(made) == []


async def test_an_amount_set_elsewhere_shows(made: Made) -> None:
    app = SettingsApp(made.services)
    async with app.run_test(size=(120, 50)) as pilot:
        await made.services.accounting.set_purchased("google", 500_000)
        await pilot.pause()
        assert amount(app, "set-google").value == "500,000"


async def test_an_admin_sees_the_pools_with_own_keys_too(made: Made) -> None:
    await made.services.accounting.set_purchased("openai", 10_000)
    await spend(made, 450)
    app = SettingsApp(made.services)
    async with app.run_test(size=(120, 50)) as pilot:
        for name in ("openai.use_own_key", "google.use_own_key", "keys.use_custom"):
            await made.services.settings.set(name, "true")
        await pilot.pause()
        assert app.query_one(TokenQuotasSection).display
        assert app.query_one("#meter-openai", QuotaMeter).words()[0] == "Used            450 tokens (4.5%)"
        assert "Your own keys are in use" in app.text()


async def test_a_member_sees_their_day_and_only_while_default_keys_are_in_use(tmp_path: Path) -> None:
    made = await make(tmp_path / "member", user="sam")
    await add_user(made.services.store, "sam")
    await spend(made, 250)
    app = SettingsApp(made.services)
    async with app.run_test(size=(120, 50)) as pilot:
        section = app.query_one(TokenQuotasSection)
        assert not section.query(CheckedField), "What was purchased is the admin's."
        assert app.query_one("#day-meter", QuotaMeter).words() == (
            "Used            250 tokens (25.0%)",
            "Remaining       750 tokens",
        )
        for name in ("openai.use_own_key", "google.use_own_key"):
            await made.services.settings.set(name, "true")
        await pilot.pause()
        assert bool(section.display), "The choice is still for the default keys."
        await made.services.settings.set("keys.use_custom", "true")
        await pilot.pause()
        hidden = not section.display
        assert hidden
        await made.services.settings.set("google.use_own_key", "false")
        await pilot.pause()
        assert section.display, "One provider uses the default key again."
    await made.services.aclose()
