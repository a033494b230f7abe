"""Notices on the screen: whole in any room."""

from pathlib import Path

import pytest
from textual.widgets._toast import Toast

from tests.ui.app_harness import SMALL, WIDE, running

WORDS = "Deleted “Names for a small boat that is to sail far”. F8 and u bring it back."


@pytest.mark.parametrize("size", [WIDE, SMALL, (60, 20), (40, 12)])
async def test_every_word_of_a_notice_is_seen(tmp_path: Path, size: tuple[int, int]) -> None:
    async with running(tmp_path, size, notices=True) as ui:
        ui.app.notify(WORDS, markup=False)
        await ui.until(lambda: bool(ui.app.screen.query(Toast)) and "Deleted" in ui.screen_text())
        toast = ui.app.screen.query_one(Toast)
        assert ui.app.screen.region.contains_region(toast.region)
        rows = ui.screen_text().splitlines()[toast.region.y : toast.region.bottom]
        shown = " ".join(row[toast.content_region.x : toast.content_region.right] for row in rows)
        assert " ".join(shown.split()) == WORDS
