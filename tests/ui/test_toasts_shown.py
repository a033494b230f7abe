"""Notices on the screen: whole in any room, and over nothing that has to be read or is being typed."""

from pathlib import Path

import pytest
from textual.widgets._toast import Toast

from tests.ui.app_harness import SMALL, WIDE, Running, running
from tests.ui.test_app import HOST_KEY, spend
from tui.dialogs.options import OptionsDialog
from tui.widgets.hint_bar import HintBar
from tui.widgets.settings.section import Section
from tui.widgets.usage_footer import UsageFooter

WORDS = "Deleted “Names for a small boat that is to sail far”. F8 and u bring it back."
SIZES = pytest.mark.parametrize("size", [WIDE, SMALL, (60, 20), (40, 12)])


async def shown(ui: Running) -> list[Toast]:
    """The notices on the screen, once they are laid out."""
    await ui.until(
        lambda: bool(ui.app.screen.query(Toast)) and all(t.region for t in ui.app.screen.query(Toast))
    )
    return [*ui.app.screen.query(Toast)]


def last_free_row(ui: Running) -> int:
    """The row of the usage footer; the keys stand under it."""
    base = ui.app.screen_stack[0]
    assert base.query_one(HintBar).region.bottom == ui.app.size.height
    return base.query_one(UsageFooter).region.y


@SIZES
async def test_every_word_of_a_notice_is_seen(tmp_path: Path, size: tuple[int, int]) -> None:
    async with running(tmp_path, size, notices=True) as ui:
        ui.app.notify(WORDS, markup=False)
        await ui.until(lambda: bool(ui.app.screen.query(Toast)) and "Deleted" in ui.screen_text())
        toast = ui.app.screen.query_one(Toast)
        assert ui.app.screen.region.contains_region(toast.region)
        rows = ui.screen_text().splitlines()[toast.region.y : toast.region.bottom]
        shown = " ".join(row[toast.content_region.x : toast.content_region.right] for row in rows)
        assert " ".join(shown.split()) == WORDS


@SIZES
async def test_an_alert_leaves_the_figures_and_the_prompt_in_view(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with running(tmp_path, size, HOST_KEY, notices=True) as ui:
        await ui.services.accounting.set_purchased("openai", 5_000)
        await spend(ui, 4_600)
        [toast] = await shown(ui)
        await ui.until(lambda: "CRITICAL" in ui.screen_text())
        assert "Only 8% tokens left!" in ui.screen_text()
        assert toast.region.bottom <= ui.prompt.region.y < last_free_row(ui)
        for line in ui.footer_text().splitlines():
            assert line in ui.screen_text()


@SIZES
async def test_notices_make_way_for_a_prompt_that_grows(tmp_path: Path, size: tuple[int, int]) -> None:
    async with running(tmp_path, size, notices=True) as ui:
        ui.app.notify("Not there.", title="Not attached", severity="error", timeout=60)
        [toast] = await shown(ui)
        before = ui.prompt.region.y
        await ui.pilot.press("a", "ctrl+j", "b", "ctrl+j", "c")
        await ui.until(lambda: ui.prompt.region.y < before)
        await ui.until(lambda: toast.region.bottom <= ui.prompt.region.y)
        await ui.pilot.press("ctrl+u", "backspace", "backspace", "backspace")
        await ui.until(lambda: toast.region.bottom == ui.prompt.region.y)


@SIZES
async def test_several_notices_at_once_stay_off_too(tmp_path: Path, size: tuple[int, int]) -> None:
    async with running(tmp_path, size, HOST_KEY, notices=True) as ui:
        for title in ("One", "Two", "Three"):
            ui.app.notify(f"{title}: what was said last is seen.", title=title, timeout=60)
        await ui.until(lambda: "Three: what was said last" in ui.screen_text())
        await ui.pilot.pause()
        lines = ui.screen_text().splitlines()
        assert not any("said last" in line for line in lines[ui.prompt.region.y :])
        assert "Ctroom" in lines[0]


@SIZES
async def test_over_settings_and_dialogs_they_end_above_the_figures(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with running(tmp_path, size, HOST_KEY, notices=True) as ui:
        await ui.pilot.press("f4")
        await ui.until(lambda: bool(ui.app.query(Section)))
        ui.app.notify(WORDS, markup=False, timeout=60)
        [toast] = await shown(ui)
        assert toast.region.bottom <= last_free_row(ui)
        await ui.pilot.press("f2", "f12")
        await ui.until(lambda: isinstance(ui.app.screen, OptionsDialog))
        [toast] = await shown(ui)
        assert toast.region.bottom <= last_free_row(ui)


async def test_a_field_under_a_notice_stays_in_view_as_the_focus_goes(tmp_path: Path) -> None:
    async with running(tmp_path, (60, 20), notices=True) as ui:
        await ui.pilot.press("f12")
        await ui.until(lambda: isinstance(ui.app.screen, OptionsDialog))
        ui.app.notify(WORDS, markup=False, timeout=60)
        [toast] = await shown(ui)
        for name in ("temperature", "output", "effort"):
            field = ui.app.screen.query_one(f"#option-{name}")
            field.focus()
            await ui.until(lambda field=field: not toast.region.overlaps(field.region))  # type: ignore[misc]
