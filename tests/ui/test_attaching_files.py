"""Attaching files in the app: by @, by dialog, by a pasted path; shown, estimated, sent and taken off."""

import json
import shutil
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from textual import events

from tests.support.files import png
from tests.ui.app_harness import Running, running
from tui.dialogs.confirm import ConfirmDialog
from tui.dialogs.line import LineDialog
from tui.services.paths import PathChoice, complete
from tui.tabs import prompt_files


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory that the app runs in."""
    made = tmp_path / "work"
    (made / "deep dir").mkdir(parents=True)
    (made / "notes.txt").write_text("Buy milk.\n")
    (made / "deep dir" / "inner.md").write_text("Inside.\n")
    (made / "cat.png").write_bytes(png(640, 480))
    (made / ".env").write_text("PASSWORD=1\n")
    monkeypatch.chdir(made)
    return made


@pytest.fixture
async def ui(ctroom_home: Path, folder: Path) -> AsyncIterator[Running]:
    async with running(ctroom_home) as made:
        yield made


def names(ui: Running) -> list[str]:
    return [one.name for one in ui.chat.pane.prompt.attached]


def offered(ui: Running) -> bool:
    return ui.chat.files is not None and ui.chat.files.paths.is_open


def offered_count(ui: Running) -> int:
    """How many paths are in the list; it may be that of fewer letters for a while."""
    return ui.chat.files.paths.option_count if ui.chat.files is not None and offered(ui) else 0


async def paste(ui: Running, text: str) -> None:
    ui.chat.pane.prompt.post_message(events.Paste(text))
    await ui.until(lambda: text.strip() in ui.chat.pane.prompt.text)


async def test_an_at_completes_a_path_and_attaches_the_file(ui: Running) -> None:
    await ui.type("Sum up @no")
    await ui.until(lambda: offered(ui))
    assert "notes.txt" in ui.screen_text()
    await ui.pilot.press("enter")
    await ui.until(lambda: names(ui) == ["notes.txt"])

    assert ui.chat.pane.prompt.text == "Sum up notes.txt"
    assert not offered(ui)
    assert "10 B" in ui.screen_text()
    await ui.until(lambda: "about" in str(ui.chat.pane.prompt.border_subtitle))
    await ui.send("")
    assert names(ui) == []
    assert "attached: notes.txt · 10 B" in ui.screen_text()


async def test_directories_are_entered_and_hidden_files_wait_for_a_dot(ui: Running) -> None:
    await ui.type("@")
    await ui.until(lambda: offered(ui))
    assert ".env" not in ui.screen_text()
    await ui.type("de")
    await ui.until(lambda: "cat.png" not in ui.screen_text())
    await ui.pilot.press("tab")
    await ui.until(lambda: "inner.md" in ui.screen_text())
    await ui.pilot.press("tab")
    await ui.until(lambda: names(ui) == ["inner.md"])
    assert ui.chat.pane.prompt.text == ""


async def test_esc_closes_the_list_and_enter_sends(ui: Running) -> None:
    await ui.type("mail me@no")
    assert not offered(ui), "An address is no path."
    await ui.type(" or @no")
    await ui.until(lambda: offered(ui))
    await ui.pilot.press("escape")
    assert not offered(ui)
    await ui.send("")
    assert "mail me@no or @no" in ui.screen_text()


async def test_a_list_that_esc_closed_is_not_opened_by_what_comes_late(
    ui: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ui.type("@no")
    await ui.until(lambda: offered(ui))
    may_go_on = threading.Event()

    def late(written: str) -> tuple[PathChoice, ...]:
        assert may_go_on.wait(30)
        return complete(written)

    monkeypatch.setattr(prompt_files, "complete", late)
    await ui.type("t")
    assert offered(ui)
    await ui.pilot.press("escape")
    assert not offered(ui)
    may_go_on.set()
    await ui.until(lambda: all(worker.is_finished for worker in ui.app.workers if worker.group == "paths"))
    assert not offered(ui)
    await ui.type("e")
    await ui.until(lambda: offered(ui))


async def test_the_arrows_choose_among_paths(ui: Running) -> None:
    await ui.type("@")
    await ui.until(lambda: offered(ui))
    await ui.pilot.press("down", "down", "up", "down", "tab")
    await ui.until(lambda: names(ui) == ["notes.txt"])


async def test_secrets_are_asked_about_first(ui: Running) -> None:
    await ui.type("@.e")
    await ui.until(lambda: offered(ui))
    await ui.pilot.press("tab")
    await ui.until(lambda: isinstance(ui.app.screen, ConfirmDialog))
    await ui.until(lambda: "looks like a file" in ui.screen_text())
    await ui.pilot.press("enter")
    await ui.until(lambda: not isinstance(ui.app.screen, ConfirmDialog))
    assert names(ui) == []


async def test_a_pasted_path_is_offered_and_never_taken_by_itself(ui: Running, folder: Path) -> None:
    dropped = str(folder / "deep dir" / "inner.md").replace(" ", "\\ ")
    await paste(ui, f"{dropped} ")
    await ui.until(lambda: offered(ui))
    assert names(ui) == []
    await ui.pilot.press("tab")
    await ui.until(lambda: names(ui) == ["inner.md"])
    assert ui.chat.pane.prompt.text == ""


async def test_enter_sends_a_pasted_path_as_text(ui: Running, folder: Path) -> None:
    await paste(ui, f"'{folder / 'notes.txt'}'")
    await ui.until(lambda: offered(ui))
    await ui.send("")
    assert ui.chat.conversation is not None
    opened = await ui.services.library.open(ui.chat.conversation.id)
    assert opened.messages[0].text == f"'{folder / 'notes.txt'}'"
    assert opened.messages[0].attachments == ()


async def test_what_the_model_does_not_take_is_said_at_once(ui: Running) -> None:
    await ui.type("@cat")
    await ui.until(lambda: offered(ui))
    await ui.pilot.press("tab")
    await ui.until(lambda: any("takes no pictures" in each.message for each in ui.app._notifications))
    assert names(ui) == []


async def test_a_dialog_attaches_by_path_and_backspace_takes_it_off(ui: Running, folder: Path) -> None:
    await ui.pilot.press("ctrl+o")
    await ui.until(lambda: isinstance(ui.app.screen, LineDialog))
    await ui.type(str(folder / "notes.txt"), "enter")
    await ui.until(lambda: names(ui) == ["notes.txt"])
    await ui.pilot.press("backspace")
    assert names(ui) == []
    await ui.until(lambda: "10 B" not in ui.screen_text())


async def test_a_path_that_leads_nowhere_stays_in_the_dialog(ui: Running, folder: Path) -> None:
    await ui.pilot.press("ctrl+o")
    await ui.until(lambda: isinstance(ui.app.screen, LineDialog))
    dialog = ui.app.screen
    for line, words in (("", "Write the path of a file."), (str(folder / "note"), "There is no file")):
        await ui.type(line, "enter")
        await ui.until(lambda words=words: words in ui.screen_text())  # type: ignore[misc]
        assert ui.app.screen is dialog
    await ui.type("s.txt", "enter")
    await ui.until(lambda: names(ui) == ["notes.txt"])
    assert ui.app.screen is not dialog


async def test_alt_o_takes_the_last_file_off_and_writes_nothing(ui: Running, folder: Path) -> None:
    for name in ("notes.txt", "deep dir/inner.md"):
        await ui.pilot.press("ctrl+o")
        await ui.type(str(folder / name), "enter")
        await ui.until(lambda name=name: Path(name).name in names(ui))  # type: ignore[misc]
    await ui.type("See ")
    ui.app.post_message(events.Key("alt+o", "o"))  # as terminals send it; the pilot leaves out the letter
    await ui.until(lambda: names(ui) == ["notes.txt"])
    await ui.type("it")
    assert ui.prompt.text == "See it"


async def test_a_file_goes_alone_and_to_its_own_conversation(ui: Running, ctroom_home: Path) -> None:
    await ui.send("Hello")
    await ui.type("@no")
    await ui.until(lambda: offered(ui))
    await ui.pilot.press("tab")
    await ui.until(lambda: names(ui) == ["notes.txt"])
    first = ui.chat.conversation
    assert first is not None
    await ui.pilot.press("f5")
    assert names(ui) == []

    ui.chat.conversations.show(first)
    await ui.until(lambda: names(ui) == ["notes.txt"])
    await ui.send("")
    [file] = (ctroom_home / "conversations").glob("*.json")
    messages = json.loads(file.read_text(encoding="utf-8"))["messages"].values()
    assert [len(one["attachments"]) for one in messages] == [0, 0, 1, 0]


async def test_a_file_that_is_gone_is_named_and_the_conversation_goes_on(
    ui: Running, ctroom_home: Path
) -> None:
    await ui.type("See @no")
    await ui.until(lambda: offered(ui))
    await ui.pilot.press("tab")
    await ui.until(lambda: names(ui) == ["notes.txt"])
    await ui.send("")
    talked = ui.chat.conversation
    assert talked is not None
    shutil.rmtree(ctroom_home / "attachments")

    await ui.pilot.press("f5")
    ui.chat.conversations.show(talked)
    await ui.until(lambda: "attached: notes.txt · its file is gone, so it is not sent" in ui.screen_text())
    await ui.send("Go on")
    assert [str(status) for status in await ui.statuses()] == ["complete"] * 4


@pytest.mark.parametrize("size", [(80, 24), (60, 20), (40, 12)])
async def test_a_path_has_a_line_of_its_own_in_any_room(
    ctroom_home: Path, folder: Path, size: tuple[int, int]
) -> None:
    for number in range(2):
        (folder / f"a-rather-long-name-of-a-file-{number}-{'x' * 60}.txt").touch()
    async with running(ctroom_home, size) as ui:
        await ui.type("@a-ra")
        await ui.until(lambda: offered_count(ui) == 2)
        lines = ui.screen_text().splitlines()
        at = next(number for number, line in enumerate(lines) if "Tab takes it, Esc closes" in line)
        names = [line.partition("│")[2].strip(" │") for line in lines[at + 1 : at + 3]]
        assert [name[:31] for name in names] == [f"a-rather-long-name-of-a-file-{n}-" for n in (0, 1)]
        assert all("…" in name for name in names)
        assert "╰" in lines[at + 3]
