"""Code blocks: a head line with number and language, a bar at the left, and highlighted rows."""

from functools import cache
from typing import TYPE_CHECKING

from textual.content import Content
from textual.style import Style

from tui.core.text import sanitize
from tui.widgets.transcript.legible import legible
from tui.widgets.transcript.lines import TAB, Line, line_of, prefix, wrap
from tui.widgets.transcript.palette import CodeTheme, Palette

if TYPE_CHECKING:
    from textual.highlight import HighlightTheme

BAR = "▎ "
COPY_HINT = "copy y"
"""The right of the head line: what can be done, and the key for it."""
HIGHLIGHT_ROWS = 400
"""Rows that are highlighted together; Textual's Content takes more than linear time for many spans."""
HIGHLIGHT_LIMIT = 40_000
"""Characters of such a piece; a minified file would otherwise hold up the screen."""


def code_head(label: str, width: int, palette: Palette, thing: int, key: str = "") -> Line:
    """The line above a code block, such as "▎ 1 rust        copy y"; none of it is copied."""
    base = palette.over_base("codehead")
    room = max(1, width - len(BAR))
    left = Content(label).truncate(room, ellipsis=True)
    gap = room - left.cell_length - len(COPY_HINT) - 1
    if gap > 0:
        hint = Style.from_meta({"@click": f"copy_thing({key!r}, {thing})"})
        left = Content.assemble(left, " " * gap, (COPY_HINT, hint), " ")
    bar = palette.part("codebar")
    line = line_of(Content.assemble((BAR, bar), left), base, stop=0)
    return line._replace(strip=line.strip.extend_cell_length(width, base.rich_style), thing=thing)


def code_rows(source: str, language: str, width: int, palette: Palette, thing: int) -> list[Line]:
    """The rows of a code block, wrapped; the bar is never copied."""
    base = palette.over_base("code")
    bar = base + palette.part("codebar")
    source = sanitize(source).removesuffix("\n").replace("\t", TAB)
    out: list[Line] = []
    rows = source.split("\n")
    for first in range(0, len(rows), HIGHLIGHT_ROWS):
        piece = "\n".join(rows[first : first + HIGHLIGHT_ROWS])
        for row in _highlighted(piece, language, palette.code_theme).split("\n", allow_blank=True):
            lines = wrap(row, max(1, width - len(BAR)), base, thing=thing, fill=True)
            lines = [line._replace(strip=legible(line.strip, palette.contrast)) for line in lines]
            out += prefix(lines, BAR, BAR, bar, decoration=True)
    return out


@cache
def _without_underlines(theme: "type[HighlightTheme]") -> "type[HighlightTheme]":
    """A theme in which no name looks like a link."""
    styles = {token: style.replace("underline", "").strip() for token, style in theme.STYLES.items()}
    return type(theme.__name__, (theme,), {"STYLES": styles})


def _highlighted(source: str, language: str, theme: CodeTheme) -> Content:
    if not language or len(source) > HIGHLIGHT_LIMIT:
        return Content(source)
    # Pygments is loaded with the first fence that names a language.
    from textual import highlight

    themes = {
        CodeTheme.TRUECOLOR: highlight.HighlightTheme,
        CodeTheme.ANSI_DARK: highlight.ANSIDarkHighlightTheme,
        CodeTheme.ANSI_LIGHT: highlight.ANSILightHighlightTheme,
    }
    content = highlight.highlight(source, language=language, theme=_without_underlines(themes[theme]))
    # Textual joins what splitlines() gives, and so loses a last empty row.
    shown = content.plain
    return content.append(source[len(shown) :]) if source.startswith(shown) else Content(source)
