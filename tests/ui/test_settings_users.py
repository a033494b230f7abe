"""Section 6: the users of a host, live, and everything that is decided about them, by keyboard."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.support.connected import Connected
from tests.support.public_keys import ed25519
from tests.support.session import ManualClock, Session, session
from tests.ui.settings_harness import Made, SettingsApp, make, until
from tui.core.public_keys import parse_public_key
from tui.core.sessions import SessionInfo
from tui.core.settings import UserRole
from tui.dialogs.actions import actions_of
from tui.dialogs.confirm import ConfirmDialog
from tui.services.services import Services
from tui.tabs.settings import SettingsTab
from tui.widgets.checked_field import CheckedField
from tui.widgets.settings.section import Section
from tui.widgets.settings.user_list import UserList
from tui.widgets.settings.user_panel import PanelRow, UserPanel
from tui.widgets.settings.users import UsersSection
from tui.widgets.text_button import TextButton

SAM, KIM = ed25519("sam", "sam@laptop"), ed25519("kim")
WIDE, SMALL = (120, 60), (80, 24)
NARROW, TINY = (60, 20), (40, 12)


def connected(number: str, user: str) -> SessionInfo:
    return SessionInfo(number, user, f"10.0.0.{number}", datetime(2026, 11, 23, 21, 5, tzinfo=UTC))


@pytest.fixture
def sessions() -> Connected:
    return Connected(connected("1", "sam"), connected("2", "sam"))


@pytest.fixture
async def made(tmp_path: Path, sessions: Connected) -> AsyncIterator[Made]:
    made = await make(tmp_path / "home", sessions=sessions)
    await made.services.users.add("sam", SAM)
    await made.services.users.add("kim", KIM, "basic")
    yield made
    await made.services.aclose()


@pytest.fixture
def services(made: Made) -> Services:
    return made.services


def sams(services: Services) -> Session:
    """Sam's own session on the same host."""
    return session(services.store, "sam", ManualClock())


async def choose(pilot: Pilot[Any], name: str) -> UserList:
    """Go to the list, and put the cursor on a user."""
    users = pilot.app.query_one(UserList)
    await until(pilot, lambda: bool(users.entries))
    users.focus()
    users.choose(name)
    await until(pilot, lambda: pilot.app.query_one(UserPanel).user == name)
    await pilot.pause()
    return users


async def answer(pilot: Pilot[Any], yes: bool) -> None:
    """Answer the question that is asked."""
    await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmDialog))
    await pilot.press(*(("tab", "enter") if yes else ("enter",)))
    await until(pilot, lambda: not isinstance(pilot.app.screen, ConfirmDialog))


def button(app: SettingsApp, word: str) -> TextButton:
    return next(each for each in app.query(TextButton) if each.word == word and each.region)


async def test_what_others_use_is_shown_while_they_use_it(services: Services) -> None:
    app = SettingsApp(services)
    async with app.run_test(size=WIDE) as pilot:
        users = await choose(pilot, "sam")
        assert [entry.name for entry in users.entries] == ["local", "kim", "sam"]
        assert "0 / 1,000" in app.text()
        await sams(services).spend(870)
        await until(pilot, lambda: "870 / 1,000" in app.text())
        assert "LOW" in app.text()
        await sams(services).spend(50)
        await until(pilot, lambda: "CRITICAL" in app.text())


async def test_who_is_connected_is_shown_as_they_come_and_go(services: Services, sessions: Connected) -> None:
    app = SettingsApp(services)
    async with app.run_test(size=WIDE) as pilot:
        await choose(pilot, "sam")
        await until(pilot, lambda: "10.0.0.2, since 21:05" in app.text())
        assert "● 2" in app.text()
        sessions.begin(connected("3", "sam"))
        await until(pilot, lambda: "● 3" in app.text() and "10.0.0.3" in app.text())
        rows = [row for row in app.query(PanelRow) if row.deed == "end one"]
        rows[0].query_one(TextButton).focus()
        await pilot.press("enter")
        await until(pilot, lambda: [each.id for each in sessions.connected()] == ["2", "3"])
        await until(pilot, lambda: "● 2" in app.text() and "10.0.0.1," not in app.text())


async def test_every_session_of_a_user_is_ended(services: Services, sessions: Connected) -> None:
    sessions.begin(connected("9", "kim"))
    app = SettingsApp(services)
    async with app.run_test(size=WIDE) as pilot:
        await choose(pilot, "sam")
        await pilot.press("e")
        await answer(pilot, yes=True)
        await until(pilot, lambda: [each.user for each in sessions.connected()] == ["kim"])


async def test_outside_a_server_nothing_is_said_of_sessions(tmp_path: Path) -> None:
    made = await make(tmp_path / "home")
    app = SettingsApp(made.services)
    async with app.run_test(size=WIDE) as pilot:
        users = await choose(pilot, "local")
        assert "Sessions" not in app.text()
        assert users.check_action("ask", ("end",)) is False
        assert users.check_action("ask", ("remove",)) is True
    await made.services.aclose()


async def test_a_user_is_added_with_a_name_and_a_key(services: Services) -> None:
    app = SettingsApp(services)
    async with app.run_test(size=WIDE) as pilot:
        await choose(pilot, "local")
        await pilot.press("n", *"max", "enter", "tab")
        key = app.query_one("#new-user-key", CheckedField)
        assert key.has_focus
        key.insert(ed25519("max", "max@desk"))
        assert parse_public_key(ed25519("max")).fingerprint in key.note
        await pilot.press("enter")
        await until(pilot, lambda: app.query_one(UserPanel).user == "max")
        assert key.note == "max was added: choose their tier above."
        assert (key.value, app.query_one("#new-user", CheckedField).value) == ("", "")
    entry = services.users.get("max")
    assert (entry.role, entry.tier) == (UserRole.MEMBER, "free")
    assert [each.comment for each in entry.keys] == ["max@desk"]


@pytest.mark.parametrize(
    ("name", "key", "says"),
    [
        ("", ed25519("max"), "Enter their name first"),
        ("sam", ed25519("max"), "is taken"),
        ("max", SAM, "another user's"),
        ("max", "ssh-ed25519 AAAA", "damaged"),
    ],
)
async def test_who_can_not_be_added_is_said_beside_the_field(
    services: Services, name: str, key: str, says: str
) -> None:
    app = SettingsApp(services)
    async with app.run_test(size=WIDE) as pilot:
        await choose(pilot, "local")
        field = app.query_one("#new-user-key", CheckedField)
        await pilot.press("n", *name, "tab")
        field.insert(key)
        await pilot.press("enter")
        await until(pilot, lambda: says in field.note)
        assert field.has_class("-invalid")
        assert field.value == key
    assert len(services.users.list()) == 3


async def test_a_wrong_name_is_refused_as_it_is_typed(services: Services) -> None:
    app = SettingsApp(services)
    async with app.run_test(size=WIDE) as pilot:
        await choose(pilot, "local")
        await pilot.press("n", *"Max")
        assert "small letters" in app.query_one("#new-user", CheckedField).note


async def test_a_private_key_does_not_stay_on_the_screen(services: Services) -> None:
    app = SettingsApp(services)
    async with app.run_test(size=WIDE) as pilot:
        await choose(pilot, "local")
        field = app.query_one("#new-user-key", CheckedField)
        field.focus()
        field.insert("-----BEGIN OPENSSH PRIVATE KEY----- b3BlbnNzaC1rZXk")
        await until(pilot, lambda: field.value == "")
        assert "private key" in field.note
        assert "b3Blbn" not in app.text()


async def test_a_tier_is_chosen_by_key_and_holds_at_once(services: Services) -> None:
    app, sam = SettingsApp(services), sams(services)
    async with app.run_test(size=WIDE) as pilot:
        await choose(pilot, "sam")
        await pilot.press("t")
        tier = app.query_one("#user-tier", CheckedField)
        assert tier.has_focus
        assert tier.list_open
        await pilot.press("down", "enter")
        await until(pilot, lambda: services.users.get("sam").tier == "basic")
        await until(pilot, lambda: "0 / 10,000" in app.text().split("sam", 1)[1].splitlines()[0])
        assert tier.note == "saved: from their next turn on"
    figures = sam.accounting.snapshot().providers[0]
    assert figures.day is not None
    assert figures.day.limit == 10_000


async def test_the_tier_of_one_user_is_never_saved_for_another(services: Services) -> None:
    app = SettingsApp(services)
    async with app.run_test(size=WIDE) as pilot:
        users = await choose(pilot, "sam")
        tier = app.query_one("#user-tier", CheckedField)
        tier.focus()
        tier.insert("x")
        users.focus()
        users.choose("kim")
        await until(pilot, lambda: tier.value == "basic")
        await pilot.pause()
    assert [(entry.name, entry.tier) for entry in services.users.list()] == [
        ("local", "basic"),
        ("kim", "basic"),
        ("sam", "free"),
    ]


async def test_the_day_is_given_back(services: Services) -> None:
    await sams(services).spend(900)
    app = SettingsApp(services)
    async with app.run_test(size=WIDE) as pilot:
        await choose(pilot, "sam")
        await pilot.press("g")
        await until(pilot, lambda: "900 / 1,900" in app.text())
    assert services.users.get("sam").day.remaining == 1_000


async def test_a_user_is_removed_only_once_that_is_confirmed(services: Services) -> None:
    app = SettingsApp(services)
    async with app.run_test(size=WIDE) as pilot:
        users = await choose(pilot, "sam")
        await pilot.press("delete")
        await answer(pilot, yes=False)
        assert services.users.exists("sam")
        button(app, "remove user").focus()
        await pilot.press("enter")
        await answer(pilot, yes=True)
        await until(pilot, lambda: [entry.name for entry in users.entries] == ["local", "kim"])
        assert app.query_one(UserPanel).user == "kim"
    assert not services.users.exists("sam")


async def test_the_host_is_not_removed(services: Services) -> None:
    app = SettingsApp(services)
    async with app.run_test(size=WIDE) as pilot:
        await choose(pilot, "local")
        await pilot.press("delete", "a")
        await pilot.pause()
        assert not isinstance(app.screen, ConfirmDialog)
        assert [note.message for note in app._notifications] == [
            "The local user is the host, and always an admin."
        ] * 2
        assert not [each for each in app.query(TextButton) if each.word == "remove user" and each.region]


async def test_a_member_becomes_an_admin_and_one_again(services: Services) -> None:
    app = SettingsApp(services)
    async with app.run_test(size=WIDE) as pilot:
        await choose(pilot, "sam")
        for role in (UserRole.ADMIN, UserRole.MEMBER):
            await pilot.press("a")
            await answer(pilot, yes=True)
            await until(pilot, lambda role=role: services.users.role("sam") is role)  # type: ignore[misc]
            await until(pilot, lambda: bool(app.query_one(UserList).has_focus))


async def test_keys_are_added_and_removed(services: Services) -> None:
    app = SettingsApp(services)
    async with app.run_test(size=WIDE) as pilot:
        await choose(pilot, "sam")
        field = app.query_one("#user-key", CheckedField)
        field.focus()
        field.insert(ed25519("another", "sam@desk"))
        await pilot.press("enter")
        await until(pilot, lambda: "sam@desk" in app.text())
        assert field.note == "added"
        rows = [row for row in app.query(PanelRow) if row.deed == "remove key"]
        rows[0].query_one(TextButton).focus()
        await pilot.press("enter")
        await pilot.pause()
        assert len(services.users.get("sam").keys) == 2
        assert "press again to remove" in app.text()
        await pilot.press("enter")
        await until(pilot, lambda: "sam@laptop" not in app.text())
    assert [key.comment for key in services.users.get("sam").keys] == ["sam@desk"]


async def test_the_arrows_leave_the_list_at_its_ends(services: Services) -> None:
    app = SettingsApp(services)
    async with app.run_test(size=WIDE) as pilot:
        users = await choose(pilot, "local")
        await pilot.press("down", "down")
        assert users.chosen is not None
        assert users.chosen.name == "sam"
        await pilot.press("down")
        assert app.query_one("#user-tier").has_focus
        users.focus()
        await pilot.press("home", "up")
        assert not users.has_focus


@pytest.mark.parametrize("size", [WIDE, SMALL, NARROW, TINY])
async def test_nothing_is_cut_that_must_be_read(services: Services, size: tuple[int, int]) -> None:
    await sams(services).spend(999)
    app = SettingsApp(services)
    async with app.run_test(size=size) as pilot:
        await choose(pilot, "sam")
        app.query_one(UsersSection).scroll_visible(top=True, animate=False)
        await pilot.pause()
        line = next(line for line in app.text().splitlines() if "▌ sam" in line)
        assert "999 / 1,000" in line
        assert "CRITICAL" in line
        for each in app.query("UsersSection *"):
            if each.focusable and each.region:
                assert each.region.right <= app.query_one(UsersSection).region.right


@pytest.mark.parametrize("size", [SMALL, NARROW, TINY])
async def test_every_button_is_whole_in_view_and_pressed(services: Services, size: tuple[int, int]) -> None:
    await services.users.add_key("sam", ed25519("another", "sam.the.first@a-long-name.example"))
    app = SettingsApp(services)
    async with app.run_test(size=size) as pilot:
        await choose(pilot, "sam")
        await until(pilot, lambda: len(app.query(PanelRow)) == 4)
        section = app.query_one(UsersSection)
        buttons = [each for each in section.query(TextButton) if each.region]
        words = ["remove", "remove", "end", "end", "give today back", "make admin", "remove user"]
        assert [each.word for each in buttons] == words

        def whole(each: TextButton) -> bool:
            inside = section.content_region.contains_region(each.region)
            return inside and each.region.size == (len(each.word) + 2, 1)

        assert [each.word for each in buttons if not whole(each)] == []
        for each in buttons[:2]:
            each.focus()
            await pilot.press("enter")
            await until(pilot, lambda each=each: each.word == "press again to remove")  # type: ignore[misc]
            await pilot.pause()
            assert whole(each)
            assert app.query_one(SettingsTab).region.contains_region(each.region)
        buttons[-1].focus()
        await pilot.pause()
        assert await pilot.click(buttons[-1])
        await until(pilot, lambda: isinstance(app.screen, ConfirmDialog))


@pytest.mark.parametrize("size", [SMALL, NARROW, TINY])
async def test_what_a_user_has_stands_beside_its_button_or_above_it(
    services: Services, size: tuple[int, int]
) -> None:
    app = SettingsApp(services)
    async with app.run_test(size=size) as pilot:
        await choose(pilot, "sam")
        await until(pilot, lambda: len(app.query(PanelRow)) == 3)
        for row in app.query(PanelRow):
            label, words = row.query_one(".panel-label").region, row.query_one(".panel-words").region
            button = row.query_one(TextButton).region
            assert (button.y, button.x) > (words.y, words.x)
            assert button.x >= words.right or button.x == words.x
            assert words.x >= label.right or words.y > label.y or not label


async def test_many_users_scroll_within_the_list(services: Services) -> None:
    for number in range(30):
        await services.users.add(f"user{number:02}", ed25519(f"user {number}"))
    app = SettingsApp(services)
    async with app.run_test(size=WIDE) as pilot:
        users = await choose(pilot, "local")
        await pilot.press("end")
        await pilot.pause()
        assert "user29" in app.text()
        assert users.region.height == 13
        await pilot.press("home")
        await pilot.pause()
        assert "local" in app.text()
        assert "user29" not in app.text()


async def test_a_member_has_no_such_section(tmp_path: Path) -> None:
    made = await make(tmp_path / "home")
    await made.services.users.add("sam", SAM)
    await made.services.aclose()
    made = await make(tmp_path / "home", user="sam")
    app = SettingsApp(made.services)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        assert [section.number for section in app.query(Section)] == [1, 2, 3, 4, 5]
        assert "settings.section_6" not in {
            binding.id
            for node in (app.query_one(SettingsTab),)
            for bindings in node._bindings.key_to_bindings.values()
            for binding in bindings
            if node.check_action(*_called(binding.action))
        }
    await made.services.aclose()


def _called(action: str) -> tuple[str, tuple[object, ...]]:
    name, _, parameter = action.rstrip(")").partition("(")
    return name, (int(parameter),) if parameter else ()


async def test_who_becomes_an_admin_meanwhile_gets_the_section_and_loses_it(tmp_path: Path) -> None:
    made = await make(tmp_path / "home")
    host = made.services
    await host.users.add("sam", SAM)
    theirs = await make(tmp_path / "home", user="sam")
    app = SettingsApp(theirs.services)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        assert not app.query(UsersSection)
        await host.users.set_role("sam", UserRole.ADMIN)
        await theirs.services.store.refresh()
        await until(pilot, lambda: bool(app.query(UsersSection)) and bool(app.query_one(UserList).entries))
        assert app.query("#new-endpoint")
        await host.users.set_role("sam", UserRole.MEMBER)
        await theirs.services.store.refresh()
        await until(pilot, lambda: not app.query(UsersSection))
        assert not app.query("#new-endpoint")
    await theirs.services.aclose()
    await host.aclose()


async def test_everything_has_a_name_in_the_palette_and_the_help(services: Services) -> None:
    app = SettingsApp(services)
    async with app.run_test(size=WIDE) as pilot:
        await choose(pilot, "sam")
        found = {action.help: action.key for action in actions_of(app.screen)}
    assert found["Go to section 6, Users (admin)"] == "6"
    for words in (
        "Add a user",
        "Change the tier of the user at the cursor",
        "Give the user at the cursor today's allowance back",
        "Make the user at the cursor an admin, or a member again",
        "End every session of the user at the cursor",
        "Remove the user at the cursor",
    ):
        assert found[words]


async def test_six_goes_to_the_users(services: Services) -> None:
    app = SettingsApp(services)
    async with app.run_test(size=SMALL) as pilot:
        await until(pilot, lambda: bool(app.query_one(UserList).entries))
        app.query_one("#key-choice").focus()
        await pilot.press("6")
        await until(pilot, lambda: app.query_one(UserList).has_focus)
        assert "6 Users" in app.text()
