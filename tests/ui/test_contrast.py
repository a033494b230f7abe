"""Whether every word on every screen can be read, in every theme."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.theme import Theme

from tests.ui.app_harness import WIDE, Running, running
from tests.ui.test_app import HOST_KEY
from tui.themes import HIGH_CONTRAST_NAMES
from tui.widgets.search_results import SearchResults
from tui.widgets.transcript.legible import ENHANCED, LARGE, contrast

NO_WORDS = " █▌▏▎▕▁▂▃▄▅▆▇▀░·─│╭╮╰╯"
"""What bars, frames and scrollbars are drawn with."""
SCREENS = {
    "chat": (),
    "list": ("f8",),
    "transcript": ("f2", "k", "k"),
    "settings": ("f4",),
    "help": ("f1",),
    "models": ("f6",),
    "search": ("f7", *"table"),
    "palette": ("f9",),
    "options": ("f12",),
}
"""The keys that lead to each."""


def drawn(ui: Running) -> Iterator[Segment]:
    """The words on the screen; where a dialog is open, its own alone: what is behind it is dimmed."""
    screen = ui.app.screen
    dialogs = screen.query(".dialog")
    region = dialogs.first().region if dialogs else screen.region
    for y, strip in enumerate(screen._compositor.render_strips()):
        x = 0
        for segment in strip:
            if region.contains(x, y) and segment.text.strip(NO_WORDS):
                yield segment
            x += cell_len(segment.text)


def contrast_of(segment: Segment) -> float:
    """The contrast ratio of a text, from 1 to 21."""
    style = segment.style
    assert style is not None
    assert style.color is not None
    assert style.bgcolor is not None
    return contrast(style.color.get_truecolor(), style.bgcolor.get_truecolor())


async def faint(ui: Running, theme: Theme) -> dict[str, float]:
    """The words of the screen that have less contrast than a theme promises."""
    dialogs = ui.app.screen.query(".dialog")
    node, ground = (dialogs.first(), "surface") if dialogs else (ui.app.screen, "background")
    wanted = Color.parse(theme.to_color_system().generate()[ground])
    ui.app.theme = theme.name
    await ui.until(lambda: node.styles.background == wanted)
    await ui.pilot.pause()
    words = list(drawn(ui))
    assert words
    enough = ENHANCED if theme.name in HIGH_CONTRAST_NAMES else LARGE
    ratios = {f"{theme.name}: {word.text.strip()}": contrast_of(word) for word in words}
    return {word: round(ratio, 2) for word, ratio in ratios.items() if ratio < enough}


@asynccontextmanager
async def conversed(home: Path) -> AsyncIterator[Running]:
    """A conversation with code, a table, and a reply that failed; figures of a pool under it."""
    async with running(home, WIDE, HOST_KEY) as ui:
        await ui.services.accounting.set_purchased("openai", 1_000_000)
        await ui.services.settings.set("provider", "demo")
        await ui.until(lambda: ui.chat.target.provider == "demo")
        await ui.send("Show me some code and a table")
        await ui.send("/fail server")
        await ui.until(lambda: "Failed" in ui.screen_text())
        yield ui


@pytest.mark.parametrize("screen", SCREENS)
async def test_every_word_can_be_read_in_every_theme(tmp_path: Path, screen: str) -> None:
    found: dict[str, float] = {}
    async with conversed(tmp_path) as ui:
        for key in SCREENS[screen]:
            await ui.pilot.press(key)
            await ui.pilot.pause()
        if screen == "search":
            await ui.until(lambda: bool(ui.app.screen.query_one(SearchResults).rows))
        # Of the others, the terminal decides on the colours.
        themes = [theme for theme in ui.app.available_themes.values() if not theme.ansi]
        assert {theme.name for theme in themes} >= HIGH_CONTRAST_NAMES | {"textual-dark", "textual-light"}
        for theme in themes:
            found |= await faint(ui, theme)
    assert found == {}
