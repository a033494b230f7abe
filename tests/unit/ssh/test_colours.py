"""Colours by what each client's terminal can show, whoever was drawn first."""

import re

import pytest
from rich.color import Color as RichColor
from rich.color import ColorSystem
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.strip import Strip

from tui.ssh.colours import DEPTHS, colour_system

TRUE, MANY, FEW = ColorSystem.TRUECOLOR, ColorSystem.EIGHT_BIT, ColorSystem.STANDARD


@pytest.mark.parametrize(
    ("term", "environ", "expected"),
    [
        ("xterm-256color", {}, MANY),
        ("xterm-256color", {"COLORTERM": "truecolor"}, TRUE),
        ("xterm-256color", {"COLORTERM": "24bit"}, TRUE),
        ("xterm-256color", {"TERM_PROGRAM": "iTerm.app"}, TRUE),
        ("xterm-256color", {"LC_TERMINAL": "iTerm2"}, TRUE),
        ("xterm-kitty", {}, TRUE),
        ("xterm-ghostty", {}, TRUE),
        ("alacritty", {}, TRUE),
        ("foot", {}, TRUE),
        ("xterm-direct", {}, TRUE),
        ("tmux-256color", {}, MANY),
        ("screen", {}, FEW),
        ("xterm", {}, FEW),
        ("linux", {}, FEW),
        ("", {}, FEW),
    ],
)
def test_a_terminal_has_the_colours_that_it_tells_of(
    term: str, environ: dict[str, str], expected: ColorSystem
) -> None:
    assert colour_system(term, environ) is expected


def drawn(style: Style, system: ColorSystem) -> str:
    strip = Strip([Segment("x", style)])
    console = Console(color_system="truecolor", _environ={}, force_terminal=True)
    return strip.apply_filter(DEPTHS[system], Color(0, 0, 0)).render(console)


@pytest.mark.parametrize("order", [(TRUE, MANY, FEW), (FEW, MANY, TRUE), (MANY, TRUE, FEW)])
def test_each_depth_has_its_own_sequences_whichever_was_first(order: tuple[ColorSystem, ...]) -> None:
    style = Style(color=RichColor.from_rgb(12, 130, 237), bgcolor=RichColor.from_rgb(3, 4, 5), bold=True)
    found = {system: drawn(style, system) for system in order}
    assert found[TRUE].startswith("\x1b[1;38;2;12;130;237;48;2;3;4;5mx")
    assert re.match(r"\x1b\[1;38;5;\d+;48;5;\d+mx", found[MANY])
    assert re.match(r"\x1b\[1;(3\d|9\d);(4\d|10\d)mx", found[FEW])
    assert {system: drawn(style, system) for system in order} == found


def test_controls_are_left_out_at_every_depth() -> None:
    for depth in DEPTHS.values():
        [segment] = depth.apply([Segment("a\x1b]52;c;eA==\x07\x9b2Jb", None)], Color(0, 0, 0))
        assert segment.text == "a]52;c;eA==2Jb"
