"""The colours that a client's terminal can show; the server's own terminal has no say in it."""

from collections.abc import Mapping
from functools import lru_cache

from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual.color import Color

from tui.widgets.safe_text import SafeText

_TRUE_COLOUR_TERMS = (
    "alacritty",
    "contour",
    "foot",
    "ghostty",
    "iterm2",
    "rio",
    "wezterm",
    "xterm-ghostty",
    "xterm-kitty",
)
_TRUE_COLOUR_PROGRAMS = ("iterm.app", "wezterm", "ghostty", "vscode", "rio")


def colour_system(term: str, environ: Mapping[str, str]) -> ColorSystem:
    """How many colours a terminal has.

    Args:
        term: Its `TERM`, which every client sends.
        environ: What else the client sent of its environment; most send nothing.
    """
    term = term.lower()
    if environ.get("COLORTERM", "").lower() in ("truecolor", "24bit"):
        return ColorSystem.TRUECOLOR
    if term.startswith(_TRUE_COLOUR_TERMS) or term.endswith(("-direct", "-truecolor")):
        return ColorSystem.TRUECOLOR
    if (
        environ.get("TERM_PROGRAM", "").lower() in _TRUE_COLOUR_PROGRAMS
        or environ.get("LC_TERMINAL") == "iTerm2"
    ):
        return ColorSystem.TRUECOLOR
    return ColorSystem.EIGHT_BIT if "256color" in term else ColorSystem.STANDARD


class Depth(SafeText):
    """Leaves controls out, as everywhere, and brings colours down to what a terminal has.

    Textual keeps the sequences of a style for the whole process, for the depth that it was first drawn in.
    With the colours themselves brought down before, every depth has styles of its own.

    Args:
        system: What the terminal has.
    """

    def __init__(self, system: ColorSystem) -> None:
        super().__init__()
        self._system = system

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The segments of a line in the terminal's colours."""
        segments = super().apply(segments, background)
        if self._system is ColorSystem.TRUECOLOR:
            return segments
        return [Segment(text, _brought_down(style, self._system)) for text, style, _ in segments]


@lru_cache(8_192)
def _brought_down(style: Style | None, system: ColorSystem) -> Style | None:
    if style is None or (style.color is None and style.bgcolor is None):
        return style
    colour = style.color.downgrade(system) if style.color else None
    ground = style.bgcolor.downgrade(system) if style.bgcolor else None
    return style + Style.from_color(colour, ground)


DEPTHS = {system: Depth(system) for system in ColorSystem}
"""One for all sessions of a depth."""
