"""Whether the figures, the hints, the tabs and the title can be read in every theme."""

from collections.abc import Iterator
from pathlib import Path

from rich.color import Color
from rich.segment import Segment
from textual.geometry import Region
from textual.widget import Widget

from tests.ui.app_harness import WIDE, running
from tests.ui.test_app import HOST_KEY
from tui.widgets.header_bar import HeaderBar
from tui.widgets.hint_bar import HintBar
from tui.widgets.title_line import TitleLine
from tui.widgets.usage_footer import UsageFooter

ENOUGH = 3.0
"""The contrast that WCAG 2.2 asks of large text and of parts of an interface (1.4.3, 1.4.11)."""


def drawn(widget: Widget) -> Iterator[Segment]:
    """The words of a widget as they are drawn; a bar's cells are no words."""
    for strip in widget.render_lines(Region(0, 0, *widget.size)):
        yield from (segment for segment in strip if segment.text.strip(" █▌░·"))


def contrast(segment: Segment) -> float:
    """The contrast ratio of a text, from 1 to 21."""
    assert segment.style is not None
    lights = sorted(luminance(color) for color in (segment.style.color, segment.style.bgcolor))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def luminance(color: Color | None) -> float:
    """The relative luminance of a colour, as WCAG 2.2 defines it."""
    assert color is not None
    shares = [value / 255 for value in color.get_truecolor()]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


async def test_every_theme_can_be_read(tmp_path: Path) -> None:
    faint: dict[tuple[str, str], float] = {}
    async with running(tmp_path, WIDE, HOST_KEY) as ui:
        await ui.services.accounting.set_purchased("openai", 1_000_000)
        await ui.until(lambda: "1,000,000 remaining" in ui.footer_text())
        # Of the others, the terminal decides on the colours.
        themes = [name for name, theme in ui.app.available_themes.items() if not theme.ansi]
        assert "textual-light" in themes
        for name in themes:
            ui.app.theme = name
            await ui.pilot.pause()
            for kind in (UsageFooter, HintBar, HeaderBar, TitleLine):
                words = list(drawn(ui.app.query_one(kind)))
                assert words
                faint |= {(name, w.text): contrast(w) for w in words if contrast(w) < ENOUGH}
    assert faint == {}
