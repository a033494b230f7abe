"""Keys that come faster than a dialog goes: every dialog answers once, and nothing else goes with it."""

import importlib
import pkgutil
from collections.abc import Callable
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from textual.events import Key
from textual.screen import ModalScreen
from textual.widgets import Input

from tests.ui.app_harness import SMALL, Running, running
from tui import dialogs
from tui.core.chat import MessageStatus, TurnOptions
from tui.core.settings import LOCAL_USER
from tui.dialogs.catalogue import catalogue
from tui.dialogs.confirm import ConfirmDialog
from tui.dialogs.dialog import Dialog
from tui.dialogs.help import HelpDialog
from tui.dialogs.keys import KeyDialog, KeysDialog
from tui.dialogs.line import LineDialog
from tui.dialogs.link import LinkDialog
from tui.dialogs.model_picker import ModelPicker
from tui.dialogs.options import OptionsDialog
from tui.dialogs.palette import PaletteDialog
from tui.dialogs.purchases import PurchasesDialog
from tui.dialogs.quit import QuitDialog
from tui.dialogs.save_code import SaveCodeDialog
from tui.dialogs.search import SearchDialog
from tui.services.search import Search
from tui.widgets.transcript.model import Thing

THING = Thing("code", "print()\n", "code block 1", "python")
TYPED = {"enter": "\r", "escape": "\x1b"}
HASTES = {
    "enter": ("enter",) * 4,
    "escape": ("escape",) * 4,
    "enter-escape": ("enter", "escape"),
    "escape-enter": ("escape", "enter"),
    "both": ("enter", "escape") * 3,
}


async def _as_written(line: str) -> str:
    return line


def _search(ui: Running) -> SearchDialog:
    return SearchDialog(Search(ui.services.library, ui.services.store), UTC)


def _options(ui: Running) -> OptionsDialog:
    return OptionsDialog(TurnOptions(), ui.services.settings.user(), [], [])


def _key(ui: Running) -> KeyDialog:
    return KeyDialog(next(iter(catalogue().values())), ui.services.settings)


def _purchases(ui: Running) -> PurchasesDialog:
    return PurchasesDialog("Purchases", ui.services.accounting.purchases(("demo",)), UTC)


def _code(_ui: Running) -> SaveCodeDialog:
    return SaveCodeDialog(THING, LOCAL_USER)


DIALOGS: dict[type[Dialog[Any]], Callable[[Running], Dialog[Any]]] = {
    ConfirmDialog: lambda _: ConfirmDialog("Delete it?"),
    HelpDialog: lambda ui: HelpDialog(ui.app.screen),
    KeyDialog: _key,
    KeysDialog: lambda ui: KeysDialog(ui.services.settings),
    LineDialog: lambda _: LineDialog("Title", "Boats", "Any words.", most=80, take=_as_written),
    LinkDialog: lambda _: LinkDialog("https://example.org", "Copy it."),
    ModelPicker: lambda ui: ModelPicker(ui.services, "demo", "demo"),
    OptionsDialog: _options,
    PaletteDialog: lambda ui: PaletteDialog(ui.app.screen, ui.services),
    PurchasesDialog: _purchases,
    QuitDialog: lambda _: QuitDialog("1 message is not saved. Quit all the same?"),
    SaveCodeDialog: _code,
    SearchDialog: _search,
}
"""Every dialog, and how it is made."""


def press_at_once(ui: Running, *keys: str) -> None:
    """Keys that come in one piece: the app has not seen the first when the last is there."""
    for key in keys:
        assert ui.app._driver is not None
        ui.app._driver.send_message(Key(key, TYPED.get(key)))


async def settle(ui: Running) -> None:
    """Let everything that is on its way arrive."""
    for _ in range(5):
        await ui.pilot.pause()


async def close_all(ui: Running) -> None:
    """Close what is still open by hand, as many dialogs as can lie over each other."""
    for _ in range(3):
        if len(ui.app.screen_stack) > 1:
            await ui.pilot.press("escape")
            await settle(ui)


async def assert_answers_a_prompt(ui: Running) -> None:
    assert len(ui.app.screen_stack) == 1
    assert ui.app.is_running
    ui.prompt.focus()
    await ui.pilot.pause()
    ui.prompt.text = ""
    await ui.send("hello")
    assert await ui.statuses() == [MessageStatus.COMPLETE, MessageStatus.COMPLETE]


def _modal_screens() -> set[type[ModalScreen[Any]]]:
    """Every modal screen of ours that can be shown."""
    for module in pkgutil.walk_packages(dialogs.__path__, f"{dialogs.__name__}."):
        importlib.import_module(module.name)
    found = set[type[ModalScreen[Any]]]()
    waiting: list[type[ModalScreen[Any]]] = [ModalScreen]
    while waiting:
        for each in waiting.pop().__subclasses__():
            waiting.append(each)
            if each is not Dialog and each.__module__.startswith("tui."):
                found.add(each)
    return found


def test_every_dialog_is_tried_here_and_dismisses_as_all_do() -> None:
    assert _modal_screens() == set(DIALOGS)
    assert all(made.dismiss is Dialog.dismiss for made in DIALOGS)


@pytest.mark.parametrize("opened", [False, True], ids=["at-once", "once-open"])
@pytest.mark.parametrize("keys", HASTES.values(), ids=HASTES)
@pytest.mark.parametrize("kind", DIALOGS, ids=lambda kind: kind.__name__)
async def test_keys_in_haste_close_one_dialog_and_no_more(
    kind: type[Dialog[Any]],
    keys: tuple[str, ...],
    opened: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    answers: list[object] = []
    async with running(tmp_path, SMALL) as ui:
        ui.app.push_screen(DIALOGS[kind](ui), answers.append)
        if opened:
            await settle(ui)
        press_at_once(ui, *keys)
        await settle(ui)
        await close_all(ui)
        await ui.until(lambda: len(answers) == 1)
        await assert_answers_a_prompt(ui)
    assert len(answers) == 1


@pytest.mark.parametrize("key", ["f6", "f9"])
async def test_a_key_pressed_twice_opens_one_dialog(key: str, tmp_path: Path) -> None:
    async with running(tmp_path, SMALL) as ui:
        press_at_once(ui, key, key)
        await ui.until(lambda: len(ui.app.screen_stack) > 1)
        await settle(ui)
        assert len(ui.app.screen_stack) == 2
        press_at_once(ui, "escape", "escape")
        await settle(ui)
        await assert_answers_a_prompt(ui)


@pytest.mark.parametrize("kind", DIALOGS, ids=lambda kind: kind.__name__)
async def test_what_is_open_is_not_opened_again(kind: type[Dialog[Any]], tmp_path: Path) -> None:
    async with running(tmp_path, SMALL) as ui:
        first, second = DIALOGS[kind](ui), DIALOGS[kind](ui)
        answers: list[object] = []
        ui.app.push_screen(first)
        ui.app.push_screen(second, answers.append)
        await ui.until(lambda: ui.app.screen is first)
        await close_all(ui)
        await assert_answers_a_prompt(ui)
    assert answers == [None]


async def test_two_questions_lie_over_each_other(tmp_path: Path) -> None:
    async with running(tmp_path, SMALL) as ui:
        answers: list[object] = []
        for name in ("keys.env", "more.env"):
            ui.app.push_screen(ConfirmDialog(f"Attach {name}?"), answers.append)
        await settle(ui)
        assert len(ui.app.screen_stack) == 3
        await ui.pilot.press("enter", "enter")
        await settle(ui)
        assert answers == [False, False]
        await assert_answers_a_prompt(ui)


async def test_a_covered_dialog_does_not_close_the_one_above(tmp_path: Path) -> None:
    async with running(tmp_path, SMALL) as ui:
        below, above = DIALOGS[KeysDialog](ui), DIALOGS[QuitDialog](ui)
        ui.app.push_screen(below)
        ui.app.push_screen(above)
        await settle(ui)
        below.dismiss(None)
        await settle(ui)
        assert ui.app.screen is above
        press_at_once(ui, "escape")
        await ui.until(lambda: ui.app.screen is below)
        press_at_once(ui, "escape")
        await settle(ui)
        await assert_answers_a_prompt(ui)


async def test_a_flood_of_opening_and_closing_leaves_the_app_as_it_was(tmp_path: Path) -> None:
    async with running(tmp_path, SMALL) as ui:
        press_at_once(
            ui, *("f9", "escape", "f6", "enter", "enter", "f9", "escape", "escape", "f6", "escape") * 4
        )
        await settle(ui)
        await close_all(ui)
        await assert_answers_a_prompt(ui)


async def test_a_file_is_replaced_by_an_enter_that_knows_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with running(tmp_path / "home", SMALL) as ui:
        dialog = _code(ui)
        ui.app.push_screen(dialog)
        await settle(ui)
        there = tmp_path / dialog.query_one(Input).value
        there.write_text("mine")
        press_at_once(ui, "enter", "enter")
        await ui.until(lambda: "exists already" in ui.screen_text())
        await settle(ui)
        assert there.read_text() == "mine"
        await ui.pilot.press("enter")
        await ui.until(lambda: len(ui.app.screen_stack) == 1)
        assert there.read_text() != "mine"
