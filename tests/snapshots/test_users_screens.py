"""The users of a host as pictures."""

from collections.abc import Callable
from typing import Any, TypeAlias

import pytest
from textual.pilot import Pilot

from tests.snapshots.scenes import NARROW, SMALL, TINY, WIDE, Scene, until
from tui.dialogs.confirm import ConfirmDialog
from tui.tabs.settings import SettingsTab
from tui.widgets.settings.user_list import UserList
from tui.widgets.settings.user_panel import PanelRow
from tui.widgets.settings.users import UsersSection

Compare: TypeAlias = Callable[..., bool]
"""The fixture `snap_compare`."""
SIZES = pytest.mark.parametrize("size", [WIDE, SMALL], ids=["120x40", "80x24"])
HEIGHTS = {60: [3, 2, 1], 40: [5, 3, 1]}
"""Of the rows of Kim's key and sessions, where their labels stand above them."""


async def go_to_users(pilot: Pilot[Any]) -> None:
    """Open the section, with its list in focus."""
    await pilot.pause()
    await pilot.press("f4")
    await until(pilot, lambda: bool(pilot.app.query("#settings:focus-within")))
    await until(pilot, lambda: bool(pilot.app.query_one(UserList).entries))
    pilot.app.query_one("#settings").action_jump(6)  # type: ignore[attr-defined]
    await until(pilot, lambda: pilot.app.query_one(UserList).has_focus)


async def choose_kim(pilot: Pilot[Any]) -> None:
    """Go to the user with two sessions, and wait until all of that is laid out and scrolled to."""
    tab, section = pilot.app.query_one(SettingsTab), pilot.app.query_one(UsersSection)
    await pilot.press("down", "down")
    rows = HEIGHTS.get(pilot.app.size.width, [2, 1, 1])
    await until(pilot, lambda: [row.region.height for row in pilot.app.query(PanelRow)] == rows)
    await until(pilot, lambda: section.region.y == tab.region.y or tab.scroll_y == tab.max_scroll_y)


@SIZES
def test_a_team(team: Scene, snap_compare: Compare, size: tuple[int, int]) -> None:
    async def choose(pilot: Pilot[Any]) -> None:
        await go_to_users(pilot)
        await choose_kim(pilot)

    assert snap_compare(team.app(), terminal_size=size, run_before=choose)


@pytest.mark.parametrize("size", [NARROW, TINY], ids=["60x20", "40x12"])
def test_a_team_in_little_room(team: Scene, snap_compare: Compare, size: tuple[int, int]) -> None:
    async def reach_the_buttons(pilot: Pilot[Any]) -> None:
        await go_to_users(pilot)
        await choose_kim(pilot)
        pilot.app.query_one("#user-remove").focus()
        await until(pilot, lambda: pilot.app.query_one("#user-remove").has_focus)

    assert snap_compare(team.app(), terminal_size=size, run_before=reach_the_buttons)


def test_removing_someone(team: Scene, snap_compare: Compare) -> None:
    async def ask(pilot: Pilot[Any]) -> None:
        await go_to_users(pilot)
        await choose_kim(pilot)
        await pilot.press("delete")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmDialog))

    assert snap_compare(team.app(), terminal_size=WIDE, run_before=ask)


def test_nobody_but_the_host(example: Scene, snap_compare: Compare) -> None:
    assert snap_compare(example.app(), terminal_size=WIDE, run_before=go_to_users)
