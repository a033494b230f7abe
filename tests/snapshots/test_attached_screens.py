"""What is attached, as pictures: over the prompt with the list of paths, and in the conversation."""

from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.snapshots.scenes import Scene, forecast, open_latest, until
from tests.snapshots.test_screens import SIZES, Compare
from tests.support.files import pdf, png
from tui.app import CtroomApp


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory that the app runs in."""
    made = tmp_path / "work"
    (made / "chapters").mkdir(parents=True)
    (made / "lifetimes.pdf").write_bytes(pdf(12))
    (made / "diagram.png").write_bytes(png(1024, 768))
    (made / "notes on borrowing.txt").write_text("A borrow ends where it is last used.\n" * 40)
    monkeypatch.chdir(made)
    return made


@SIZES
@pytest.mark.usefixtures("folder")
def test_files_over_the_prompt(example: Scene, snap_compare: Compare, size: tuple[int, int]) -> None:
    async def attach(pilot: Pilot[Any]) -> None:
        app = pilot.app
        assert isinstance(app, CtroomApp)
        await open_latest(pilot)
        prompt = app.chat.pane.prompt
        for number, beginning in enumerate(("@dia", "@lif", "@not"), 1):
            await pilot.press(*beginning, "tab")
            await until(pilot, lambda number=number: len(prompt.attached) == number)  # type: ignore[misc]
        await pilot.press(*"Compare these.")
        await forecast(pilot)

    assert snap_compare(example.app(), terminal_size=size, run_before=attach)


@pytest.mark.usefixtures("folder")
def test_paths_are_offered(example: Scene, snap_compare: Compare) -> None:
    async def write(pilot: Pilot[Any]) -> None:
        app = pilot.app
        assert isinstance(app, CtroomApp)
        await open_latest(pilot)
        await pilot.press(*"Explain @")
        await until(pilot, lambda: app.chat.files is not None and app.chat.files.paths.is_open)
        await forecast(pilot)

    assert snap_compare(example.app(), terminal_size=(120, 40), run_before=write)
