"""Text that a highlighter coloured, kept apart from what it stands on: not every theme is made for code."""

from functools import lru_cache

from rich.color import Color, ColorType
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

LARGE = 3.0
"""The contrast that WCAG 2.2 asks of large text and of the parts of an interface (1.4.3, 1.4.11)."""
ENHANCED = 7.0
"""The contrast that it asks of text where more is wanted (1.4.6)."""
_STEPS = 16
"""Shades that are tried from a colour to black or white."""

Triplet = tuple[int, int, int]


def legible(strip: Strip, ratio: float) -> Strip:
    """The strip with every text colour moved towards black or white until it has that contrast.

    Args:
        strip: What is drawn; the terminal's own colours stay as they are.
        ratio: From 1 to 21.
    """
    drawn = [Segment(text, _legible(style, ratio) if style else style) for text, style, _ in strip]
    return Strip(drawn, strip.cell_length)


def contrast(first: Triplet, second: Triplet) -> float:
    """The contrast ratio of two colours, from 1 to 21, as WCAG 2.2 defines it."""
    low, high = sorted((_luminance(first), _luminance(second)))
    return (high + 0.05) / (low + 0.05)


@lru_cache(2_048)
def _legible(style: Style, ratio: float) -> Style:
    colour, ground = style.color, style.bgcolor
    if colour is None or ground is None:
        return style
    if not colour.type is ground.type is ColorType.TRUECOLOR:
        return style
    text, below = colour.get_truecolor(), ground.get_truecolor()
    if contrast(text, below) >= ratio:
        return style
    black, white = (0, 0, 0), (255, 255, 255)
    end = max(black, white, key=lambda each: contrast(each, below))
    for step in range(1, _STEPS + 1):
        tried = _between(text, end, step / _STEPS)
        if contrast(tried, below) >= ratio:
            return style + Style(color=Color.from_rgb(*tried))
    return style + Style(color=Color.from_rgb(*end))


def _between(first: Triplet, second: Triplet, share: float) -> Triplet:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def _luminance(colour: Triplet) -> float:
    shares = (value / 255 for value in colour)
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
