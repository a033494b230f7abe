"""Themes of high contrast, beside those that Textual brings, and when the colours in `styles/` are read."""

from textual.css.stylesheet import Stylesheet
from textual.theme import Theme

from tui import paths

HIGH_CONTRAST = (
    Theme(
        name="high-contrast-dark",
        primary="#8cd4ff",
        secondary="#ffcf8a",
        accent="#ffe45e",
        warning="#ffd23f",
        error="#ff9c9c",
        success="#7dff9a",
        foreground="#ffffff",
        background="#000000",
        surface="#101010",
        panel="#1c1c1c",
        dark=True,
        variables={"text-muted": "#dcdcdc", "text-disabled": "#bcbcbc"},
    ),
    Theme(
        name="high-contrast-light",
        primary="#003a8c",
        secondary="#5a2a00",
        accent="#6a0060",
        warning="#5c3d00",
        error="#8a0000",
        success="#004d1a",
        foreground="#000000",
        background="#ffffff",
        surface="#f4f4f4",
        panel="#e6e6e6",
        dark=False,
        variables={"text-muted": "#2e2e2e", "text-disabled": "#444444"},
    ),
)
"""Every text in them has the contrast that WCAG 2.2 asks for where more is wanted: 7 to 1 (1.4.6)."""
HIGH_CONTRAST_NAMES = frozenset(theme.name for theme in HIGH_CONTRAST)


def read_late_styles(stylesheet: Stylesheet) -> None:
    """Add the stylesheets of what the first frame never shows, unless they are there.

    Args:
        stylesheet: The app's; what is mounted afterwards gets its styles of them, too.
    """
    late = [path for path in paths.late_stylesheets() if not stylesheet.has_source(str(path))]
    if late:
        stylesheet.read_all(late)
        stylesheet.parse()
