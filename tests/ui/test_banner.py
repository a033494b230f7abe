"""What the screen says when the data can't be read or saved, and that nothing is lost meanwhile."""

import errno
from pathlib import Path

import pytest

from tests.ui.app_harness import SMALL, WIDE, Running, running
from tests.unit.storage.support import FaultyFiles
from tui.core.errors import StorageError, StorageErrorKind
from tui.dialogs.quit import QuitDialog
from tui.services.outbox import Unsaved
from tui.widgets.banner import Banner, banner_lines


def banner(ui: Running) -> str:
    """What the banner says."""
    return "\n".join(ui.app.screen_stack[0].query_one(Banner).lines)


@pytest.mark.parametrize("kind", StorageErrorKind)
def test_every_trouble_fits_a_small_screen_and_says_that_figures_may_be_old(kind: StorageErrorKind) -> None:
    for member in (False, True):
        (line,) = banner_lines(StorageError(kind, "whatever"), Unsaved(), member=member)
        assert "figures may be old" in line
        assert len(line) <= 78
    assert "restore" not in line, "a member can't"


@pytest.mark.parametrize(
    ("unsaved", "words"),
    [
        (Unsaved(1, 0, StorageErrorKind.FULL), "1 message is not saved yet (disk full)"),
        (
            Unsaved(2, 1, StorageErrorKind.UNWRITABLE),
            "2 messages and 1 charge are not saved yet (not writable)",
        ),
        (Unsaved(0, 2), "2 charges are not saved yet"),
    ],
)
def test_what_is_not_saved_is_counted_with_its_reason(unsaved: Unsaved, words: str) -> None:
    assert banner_lines(None, unsaved) == (f"{words}: Ctroom tries again · Ctrl+S now",)


@pytest.mark.parametrize("size", [SMALL, WIDE])
async def test_damaged_state_is_said_until_it_is_mended(tmp_path: Path, size: tuple[int, int]) -> None:
    async with running(tmp_path, size) as ui:
        await ui.send("Hello")
        assert banner(ui) == ""
        state = tmp_path / "ctroom.json"
        whole = state.read_bytes()
        state.write_bytes(b"{ not JSON")
        await ui.until(lambda: "The data is damaged; figures may be old." in ui.screen_text())
        await ui.pilot.press("f4")
        await ui.until(lambda: "Use my own keys" in ui.screen_text())
        assert "The data is damaged" in ui.screen_text()
        state.write_bytes(whole)
        await ui.until(lambda: "figures may be old" not in ui.screen_text())


async def test_what_a_full_disk_refuses_is_kept_said_and_saved_on_request(tmp_path: Path) -> None:
    files = FaultyFiles()
    async with running(tmp_path, SMALL, files=files) as ui:
        await ui.send("First")
        files.fail("write", errno.ENOSPC)
        await ui.send("Second")
        await ui.until(lambda: "not saved yet (disk full): Ctroom tries again" in ui.screen_text())
        assert ui.services.turns.unsaved() > 0
        assert "Second" in ui.screen_text()
        files.heal()
        await ui.pilot.press("ctrl+s")
        await ui.until(lambda: banner(ui) == "")
        assert ui.services.turns.unsaved() == 0
        assert ui.chat.conversation is not None
        opened = await ui.services.library.open(ui.chat.conversation.id)
        assert [message.text for message in opened.messages if message.text][2] == "Second"


async def test_saving_again_by_itself_takes_the_banner_away(tmp_path: Path) -> None:
    files = FaultyFiles()
    async with running(tmp_path, files=files) as ui:
        await ui.send("First")
        files.fail("fsync", errno.EIO)
        await ui.send("Second")
        await ui.until(lambda: "not saved yet" in banner(ui))
        files.heal()
        await ui.until(lambda: banner(ui) == "")  # after a second, without a key


async def test_quitting_with_unsaved_text_asks_first(tmp_path: Path) -> None:
    files = FaultyFiles()
    async with running(tmp_path, SMALL, files=files) as ui:
        await ui.send("First")
        files.fail("write", errno.ENOSPC)
        await ui.send("Second")
        await ui.pilot.press("ctrl+q")
        await ui.until(lambda: isinstance(ui.app.screen, QuitDialog))
        await ui.until(lambda: "messages are not saved yet (disk full). Quit all" in ui.screen_text())
        assert "the same?" in ui.screen_text()
        await ui.pilot.press("escape")
        await ui.pilot.pause()
        assert ui.app.is_running
        assert not isinstance(ui.app.screen, QuitDialog)
        files.heal()
        await ui.pilot.press("ctrl+q")
        await ui.until(lambda: not ui.app.is_running)
        assert ui.services.turns.unsaved() == 0


async def test_saving_again_is_offered_only_where_something_waits(tmp_path: Path) -> None:
    async with running(tmp_path) as ui:
        assert ui.app.check_action("save_again", ()) is False
