"""The last point before the terminal: nothing that is drawn can hold what a terminal acts on."""

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter

from tui.core.text import without_controls


class SafeText(LineFilter):
    """Leaves controls out of all text, and out of the addresses of links.

    Text is made safe where it comes in; this holds even where that was forgotten.
    """

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002
        """The segments of a line, each without controls."""
        return [_safe(segment) for segment in segments]


def _safe(segment: Segment) -> Segment:
    text, style, control = segment
    clean = without_controls(text)
    link = style.link if style is not None else None
    if link and without_controls(link) != link:
        style = _unlinked(style)
    elif clean is text and control is None:
        return segment
    return Segment(clean, style)


def _unlinked(style: Style | None) -> Style | None:
    return style.update_link(None) if style is not None else None


SAFE_TEXT = SafeText()
"""One for every app: strips keep what it made of them by it."""
