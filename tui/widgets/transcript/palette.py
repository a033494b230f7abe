"""The styles that a transcript is rendered with, resolved once for each theme."""

from collections.abc import Mapping
from dataclasses import field
from enum import Enum, auto

from textual.style import Style
from textual.widget import Widget

from tui.core.frozen import frozen
from tui.widgets.transcript.legible import ENHANCED, LARGE

PARTS = (
    "user", "assistant", "system", "notice", "meta", "marker", "status", "error", "reasoning",
    "h1", "heading", "em", "strong", "strike", "codespan", "code", "codehead", "codebar", "quote", "rule",
    "link", "bullet", "cursor", "focus", "match", "current", "placeholder",
)  # fmt: skip
"""Names of what can be styled; each is the component class `transcript--<name>`."""


class CodeTheme(Enum):
    """Which of Textual's highlight themes colours code."""

    TRUECOLOR = auto()
    ANSI_DARK = auto()
    ANSI_LIGHT = auto()


@frozen
class Palette:
    """A widget's base style and its parts' styles; pure data, so that rendering needs no app."""

    base: Style = field(default_factory=Style)
    parts: Mapping[str, Style] = field(default_factory=dict)
    """Styles that lie upon the base, by the names in `PARTS`."""
    code_theme: CodeTheme = CodeTheme.TRUECOLOR
    contrast: float = LARGE
    """The least that highlighted code has, from 1 to 21."""

    def part(self, name: str) -> Style:
        """The style of a part alone, for a span of text."""
        return self.parts.get(name, Style.null())

    def over_base(self, name: str) -> Style:
        """The style of a part upon the base; alone, a part without colours would turn text black."""
        return self.base + self.part(name)


def resolve_palette(widget: Widget) -> Palette:
    """The styles that the stylesheet gives a widget's component classes, in the app's theme."""
    parts: dict[str, Style] = {}
    for name in PARTS:
        style = widget.get_visual_style(f"transcript--{name}", partial=True)
        css = widget.get_component_styles(f"transcript--{name}")
        if css.has_rule("background") and css.background.a == 1:
            # A partial style loses opaque backgrounds (Textual 8.2.8).
            style += Style(background=css.background)
        parts[name] = style
    theme = CodeTheme.TRUECOLOR
    if widget.app.native_ansi_color:
        theme = CodeTheme.ANSI_DARK if widget.app.current_theme.dark else CodeTheme.ANSI_LIGHT
    contrast = ENHANCED if widget.app.has_class("-high-contrast") else LARGE
    return Palette(widget.visual_style, parts, theme, contrast)
