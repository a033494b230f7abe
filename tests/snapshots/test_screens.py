"""Every main screen as a picture: look at a changed one before it is accepted with `--snapshot-update`."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static

from tests.snapshots.scenes import KEYS, NARROW, SMALL, TINY, WIDE, Scene, open_latest, settled, until
from tui.app import CtroomApp

Compare: TypeAlias = Callable[..., bool]
"""The fixture `snap_compare`."""
Before: TypeAlias = Callable[[Pilot[Any]], Awaitable[None]]

SIZES = pytest.mark.parametrize("size", [WIDE, SMALL], ids=["120x40", "80x24"])
EVERY_SIZE = pytest.mark.parametrize(
    "size", [WIDE, SMALL, NARROW, TINY], ids=["120x40", "80x24", "60x20", "40x12"]
)


def pressing(key: str, focused: str) -> Before:
    """Press a key, and wait until what it leads to has the focus."""

    async def press(pilot: Pilot[Any]) -> None:
        await pilot.pause()
        await pilot.press(key)
        await until(pilot, lambda: bool(pilot.app.screen.query(f"{focused}:focus-within, {focused}:focus")))

    return press


def test_a_first_run(first_run: Scene, snap_compare: Compare) -> None:
    assert snap_compare(first_run.app(), terminal_size=WIDE, run_before=settled)


def test_a_conversation_on_a_small_screen(example: Scene, snap_compare: Compare) -> None:
    assert snap_compare(example.app(), terminal_size=SMALL, run_before=open_latest)


@SIZES
def test_the_quota_is_gone(example: Scene, snap_compare: Compare, size: tuple[int, int]) -> None:
    example.purchase("openai", 45_230)

    async def ask(pilot: Pilot[Any]) -> None:
        await open_latest(pilot)
        await pilot.press(*"Thanks!", "enter")
        app = pilot.app
        assert isinstance(app, CtroomApp)
        await until(pilot, lambda: not app.chat.replying)

    assert snap_compare(example.app(), terminal_size=size, run_before=ask)


@SIZES
def test_little_is_left(little: Scene, snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(little.app(), terminal_size=size, run_before=open_latest)


@SIZES
def test_settings(example: Scene, snap_compare: Compare, size: tuple[int, int]) -> None:
    example.set("keys.use_custom", "true")
    example.keep_key("openai", KEYS["OPENAI_API_KEY"])
    assert snap_compare(example.app(), terminal_size=size, run_before=pressing("f4", "#settings"))


def test_the_models(example: Scene, snap_compare: Compare) -> None:
    assert snap_compare(example.app(), terminal_size=WIDE, run_before=pressing("f6", "#model-filter"))


def test_help(example: Scene, snap_compare: Compare) -> None:
    assert snap_compare(example.app(), terminal_size=WIDE, run_before=pressing("f1", "#help-body"))


async def look_for(pilot: Pilot[Any], words: str) -> None:
    """Enter words at once, so that nothing less is sought, and wait for the end of the search."""
    await pilot.press("f7")
    await until(pilot, lambda: bool(pilot.app.screen.query("#search-words")))
    pilot.app.screen.query_one("#search-words", Input).insert_text_at_cursor(words)
    state = pilot.app.screen.query_one("#search-state", Static)
    await until(pilot, lambda: " searched" in str(state.content))


@EVERY_SIZE
def test_finding_in_all_conversations(example: Scene, snap_compare: Compare, size: tuple[int, int]) -> None:
    async def find(pilot: Pilot[Any]) -> None:
        app = pilot.app
        assert isinstance(app, CtroomApp)
        await until(pilot, lambda: bool(app.chat.conversations.rows))
        await look_for(pilot, "which")

    assert snap_compare(example.app(), terminal_size=size, run_before=find)


@SIZES
def test_a_match_in_the_open_conversation(
    example: Scene, snap_compare: Compare, size: tuple[int, int]
) -> None:
    async def find(pilot: Pilot[Any]) -> None:
        app = pilot.app
        assert isinstance(app, CtroomApp)
        await until(pilot, lambda: bool(app.chat.conversations.rows))
        await look_for(pilot, "reference")
        await pilot.press("down", "enter")
        await until(pilot, lambda: app.chat.pane.transcript.has_focus)

    assert snap_compare(example.app(), terminal_size=size, run_before=find)


@SIZES
def test_the_list(example: Scene, snap_compare: Compare, size: tuple[int, int]) -> None:
    async def arrange(pilot: Pilot[Any]) -> None:
        app = pilot.app
        assert isinstance(app, CtroomApp)
        await until(pilot, lambda: bool(app.chat.conversations.rows))
        by_title = {entry.title: entry.id for entry in app.services.library.conversations()}
        await app.services.library.tag(by_title["Trip to Lisbon"], ["trip"])
        await app.services.library.pin(by_title["Names for a small boat"], pinned=True)
        app.chat.conversations.fill()
        await pilot.press("f8", "home", "down")
        await settled(pilot)

    assert snap_compare(example.app(), terminal_size=size, run_before=arrange)
