"""What the footer is made of: pieces of text with a look, cells of them, and columns of cells."""

from collections.abc import Sequence
from enum import StrEnum

from rich.cells import cell_len, set_cell_size

from tui.core.frozen import frozen
from tui.core.quota import AlertLevel


class Part(StrEnum):
    """What a piece of text is; each has a look in the stylesheet."""

    NAME = "name"
    BAR = "bar"
    TRACK = "track"
    FIGURE = "figure"
    DETAIL = "detail"
    LOW = "low"
    CRITICAL = "critical"
    EXHAUSTED = "exhausted"


@frozen
class Piece:
    """A run of text with one look."""

    text: str
    part: Part


Cell = tuple[Piece, ...]
Line = tuple[Piece, ...]

ALERT_WORDS = {
    AlertLevel.LOW: "LOW",
    AlertLevel.CRITICAL: "CRITICAL",
    AlertLevel.EXHAUSTED: "EMPTY",
}
"""Words rather than colours alone, so that the state reads on any terminal."""


def figure(text: str) -> Cell:
    """A figure that matters."""
    return (Piece(text, Part.FIGURE),)


def detail(text: str) -> Cell:
    """Everything beside it."""
    return (Piece(text, Part.DETAIL),)


def alert_word(level: AlertLevel | None) -> Cell:
    """The word of a level, with a space after it; nothing where nothing is short."""
    return () if level is None else (Piece(ALERT_WORDS[level], Part(level.value)), *detail(" "))


def bar(share: float, width: int, level: AlertLevel | None = None) -> Cell:
    """A bar filled by `share` percent in half cells; what is left, however little, fills half a cell.

    Args:
        share: From 0 to 100.
        width: Cells; 0 gives nothing.
        level: How little that is; the bar has the colour of its word.
    """
    look = Part.BAR if level is None else Part(level.value)
    halves = min(2 * width, max(int(share * 2 * width / 100), 1 if share > 0 else 0))
    full, half = divmod(halves, 2)
    filled = "█" * full + "▌" * half
    track = "░" * (width - full - half)
    return tuple(piece for piece in (Piece(filled, look), Piece(track, Part.TRACK)) if piece.text)


def width_of(pieces: Sequence[Piece]) -> int:
    """The cells that some pieces fill."""
    return sum(cell_len(piece.text) for piece in pieces)


def column_widths(rows: Sequence[Sequence[Cell]]) -> list[int]:
    """The width of each column: that of its widest cell."""
    return [max(map(width_of, column)) for column in zip(*rows, strict=True)]


def join(row: Sequence[Cell], widths: Sequence[int], right: frozenset[int]) -> Line:
    """The cells of a row in their columns, without spaces at the end.

    Args:
        row: A cell for each column.
        widths: Of the columns.
        right: The columns whose cells stand at the right.
    """
    pieces: list[Piece] = []
    gap = 0
    for column, (cell, width) in enumerate(zip(row, widths, strict=True)):
        short = width - width_of(cell)
        if column in right:
            gap, short = gap + short, 0
        if cell and gap:
            pieces += detail(" " * gap)
            gap = 0
        pieces += cell
        gap += short
    return tuple(pieces)


def cut(line: Line, width: int) -> Line:
    """The line, ended by an ellipsis where it is wider than `width`."""
    if width_of(line) <= width:
        return line
    kept: list[Piece] = []
    room = width - 1
    for piece in line:
        size = cell_len(piece.text)
        if size > room:
            kept.append(Piece(f"{set_cell_size(piece.text, room).rstrip()}…", piece.part))
            break
        kept.append(piece)
        room -= size
    return tuple(kept)
