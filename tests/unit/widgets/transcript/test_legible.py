"""Colours of code are moved until they can be read, and no further."""

import pytest
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui.widgets.transcript.legible import ENHANCED, LARGE, contrast, legible


def drawn(text: str, ground: str, ratio: float) -> Style:
    strip = legible(Strip([Segment("x", Style(color=text, bgcolor=ground, bold=True))]), ratio)
    assert (strip.text, strip.cell_length) == ("x", 1)
    [segment] = strip
    assert segment.style is not None
    return segment.style


def ratio_of(style: Style) -> float:
    assert style.color is not None
    assert style.bgcolor is not None
    return contrast(style.color.get_truecolor(), style.bgcolor.get_truecolor())


def test_the_ratio_is_that_of_wcag() -> None:
    assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
    assert contrast((255, 255, 255), (0, 0, 0)) == pytest.approx(21)
    assert contrast((118, 118, 118), (255, 255, 255)) == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("ratio", [LARGE, ENHANCED])
@pytest.mark.parametrize("ground", ["#000000", "#e0e0e0", "#ffffff", "#3b4252"])
@pytest.mark.parametrize("text", ["#56a53b", "#8e8f24", "#ffffff", "#000000", "#101010"])
def test_every_colour_can_be_read(text: str, ground: str, ratio: float) -> None:
    style = drawn(text, ground, ratio)
    assert ratio_of(style) >= ratio
    assert style.bold
    assert style.bgcolor == Color.parse(ground)


def test_what_can_be_read_stays_as_it_is() -> None:
    assert drawn("#8cd4ff", "#000000", ENHANCED).color == Color.parse("#8cd4ff")


def test_no_more_than_what_is_needed_is_added() -> None:
    assert ratio_of(drawn("#56a53b", "#e0e0e0", LARGE)) < LARGE + 1


def test_the_terminals_own_colours_stay() -> None:
    assert drawn("green", "#000000", ENHANCED).color == Color.parse("green")
    [segment] = legible(Strip([Segment("x", Style(color="#101010"))]), ENHANCED)
    assert segment.style == Style(color="#101010")
