"""Words broken into lines of so many cells."""

from collections.abc import Sequence

from rich.cells import cell_len


def wrap(text: str, width: int) -> list[str]:
    """The text in lines of at most `width` cells, broken at spaces; a longer word is broken anywhere."""
    lines = []
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph.split(" "):
            joined = f"{line} {word}" if line else word
            if cell_len(joined) <= width:
                line = joined
                continue
            if line:
                lines.append(line)
            *pieces, line = _pieces(word, width)
            lines += pieces
        lines.append(line)
    return lines


def fitting(texts: Sequence[str], width: int) -> str:
    """The first of the texts that has room in so many cells, else the last."""
    return next((text for text in texts if cell_len(text) <= width), texts[-1])


def hang(text: str, width: int, first: str) -> list[str]:
    """The text in lines of at most `width` cells after `first`; the other lines are indented as far.

    Args:
        text: What to break.
        width: Cells for a line, its beginning included.
        first: What the first line begins with.
    """
    indent = cell_len(first)
    head, *rest = wrap(text, max(1, width - indent))
    return [f"{first}{head}", *(f"{' ' * indent}{line}" for line in rest)]


def _pieces(word: str, width: int) -> list[str]:
    pieces, piece = [], ""
    for character in word:
        if cell_len(piece + character) > width:
            pieces.append(piece)
            piece = ""
        piece += character
    return [*pieces, piece]
