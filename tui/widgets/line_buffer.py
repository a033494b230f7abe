"""One line of text being edited: the text, the cursor and what the editing keys do. Knows no screen."""

from collections.abc import Callable


class LineBuffer:
    """A line under edit. Its text is never in its `repr`: it may be an API key.

    Args:
        limit: The most characters it takes; what goes beyond is cut off.
    """

    __slots__ = ("_cursor", "_text", "limit")

    def __init__(self, limit: int = 4_000) -> None:
        self._text = ""
        self._cursor = 0
        self.limit = limit

    def __repr__(self) -> str:
        return f"<LineBuffer of {len(self._text)} characters>"

    @property
    def text(self) -> str:
        """The text as it stands."""
        return self._text

    @property
    def cursor(self) -> int:
        """Characters before the cursor."""
        return self._cursor

    def load(self, text: str) -> None:
        """Replace the text; the cursor goes to its end."""
        self._text = text[: self.limit]
        self._cursor = len(self._text)

    def insert(self, text: str) -> None:
        """Put text in at the cursor."""
        text = text[: max(0, self.limit - len(self._text))]
        self._text = self._text[: self._cursor] + text + self._text[self._cursor :]
        self._cursor += len(text)

    def move_to(self, cursor: int) -> None:
        """Put the cursor after so many characters."""
        self._cursor = max(0, min(cursor, len(self._text)))

    def left(self) -> None:
        """Move one character left."""
        self.move_to(self._cursor - 1)

    def right(self) -> None:
        """Move one character right."""
        self.move_to(self._cursor + 1)

    def home(self) -> None:
        """Move to the start."""
        self._cursor = 0

    def end(self) -> None:
        """Move to the end."""
        self._cursor = len(self._text)

    def word_left(self) -> None:
        """Move to the start of the word."""
        self._cursor = self._word_start()

    def word_right(self) -> None:
        """Move past the end of the word."""
        after = self._text[self._cursor :]
        rest = after.lstrip()
        word = len(rest.split(maxsplit=1)[0]) if rest else 0
        self._cursor += len(after) - len(rest) + word

    def delete_left(self) -> None:
        """Remove the character before the cursor."""
        if self._cursor:
            self._cut(self._cursor - 1, self._cursor)

    def delete_right(self) -> None:
        """Remove the character under the cursor."""
        self._cut(self._cursor, self._cursor + 1)

    def delete_word_left(self) -> None:
        """Remove back to the start of the word."""
        self._cut(self._word_start(), self._cursor)

    def delete_to_start(self) -> None:
        """Remove everything before the cursor."""
        self._cut(0, self._cursor)

    def delete_to_end(self) -> None:
        """Remove everything from the cursor on."""
        self._cut(self._cursor, len(self._text))

    def _word_start(self) -> int:
        before = self._text[: self._cursor].rstrip()
        return len(before) - len(before.split()[-1]) if before else 0

    def _cut(self, start: int, end: int) -> None:
        self._text = self._text[:start] + self._text[end:]
        self._cursor = start


EDITS: dict[str, Callable[[LineBuffer], None]] = {
    "left": LineBuffer.left,
    "right": LineBuffer.right,
    "home": LineBuffer.home,
    "ctrl+a": LineBuffer.home,
    "end": LineBuffer.end,
    "ctrl+e": LineBuffer.end,
    "ctrl+left": LineBuffer.word_left,
    "ctrl+right": LineBuffer.word_right,
    "backspace": LineBuffer.delete_left,
    "delete": LineBuffer.delete_right,
    "ctrl+d": LineBuffer.delete_right,
    "ctrl+w": LineBuffer.delete_word_left,
    "ctrl+u": LineBuffer.delete_to_start,
    "ctrl+k": LineBuffer.delete_to_end,
}
"""What each editing key does (readline's keys)."""
