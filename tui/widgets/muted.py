"""A style for the quieter part of a line whose ground is not known when it is made, as in a list."""

from textual.color import Color
from textual.style import Style

MUTED = Style(foreground=Color(0, 0, 0, 0.7, auto=True))
"""Black or white, whichever has the contrast, let through by the ground.

`$text-muted` is that in a stylesheet; in a `Content`, it loses its share (Textual 8.2.8).
"""
