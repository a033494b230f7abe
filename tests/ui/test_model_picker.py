"""The model picker on the smallest screens: nothing cut, and nothing that jumps."""

from pathlib import Path

import pytest
from textual.widgets import Input

from tests.ui.app_harness import SMALL, WIDE, Running, running
from tui.dialogs.model_picker import ModelPicker

KEYS = {
    "OPENAI_API_KEY": "sk-proj-host0123456789abcdefa91f",
    "OPENAI_BASE_URL": "http://127.0.0.1:1/v1",
    "GEMINI_API_KEY": "AIza-host0123456789abcdefc07e",
    "GOOGLE_GEMINI_BASE_URL": "http://127.0.0.1:1",
}
"""Default keys, at an address on this machine at which no one listens."""
NARROW, TINY = (60, 20), (40, 12)


async def open_picker(ui: Running) -> ModelPicker:
    await ui.pilot.press("f6")
    await ui.until(lambda: isinstance(ui.app.screen, ModelPicker) and ui.app.screen.is_mounted)
    assert isinstance(ui.app.screen, ModelPicker)
    await ui.pilot.pause()
    return ui.app.screen


@pytest.mark.parametrize("size", [WIDE, SMALL, NARROW, TINY])
async def test_it_stays_where_it_is_while_it_is_typed_in(tmp_path: Path, size: tuple[int, int]) -> None:
    async with running(tmp_path, size, KEYS) as ui:
        dialog = await open_picker(ui)
        frame = dialog.query_one(".dialog").region
        for words in ("flash", "flash zzz", ""):
            dialog.query_one(Input).value = words
            await ui.pilot.pause()
            assert dialog.query_one(".dialog").region == frame


@pytest.mark.parametrize(
    ("size", "said"),
    [
        (SMALL, "gpt-5.1            400,000 tokens of context"),
        (NARROW, "gpt-5.1            400,000 tokens of context"),
        (TINY, "gpt-5.1            400,000  "),
    ],
)
async def test_the_model_in_use_is_in_view_with_what_has_room(
    tmp_path: Path, size: tuple[int, int], said: str
) -> None:
    async with running(tmp_path, size, KEYS) as ui:
        await open_picker(ui)
        await ui.until(lambda: f"▌ {said}" in ui.screen_text())
        assert "…" not in "".join(
            line for line in ui.screen_text().splitlines() if "gpt-" in line and "│" in line
        )


async def test_a_long_name_stands_alone_in_the_least_room(tmp_path: Path) -> None:
    async with running(tmp_path, TINY, KEYS) as ui:
        dialog = await open_picker(ui)
        dialog.query_one(Input).value = "flash-lite"
        await ui.until(lambda: "gemini-3.5-flash-lite  " in ui.screen_text())
        assert "1,048" not in ui.screen_text()
