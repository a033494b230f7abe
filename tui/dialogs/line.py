"""The dialog that asks for one line of text."""

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input, Static

from tui.core.text import sanitize, sanitize_line
from tui.dialogs.dialog import Dialog


class LineDialog(Dialog[str]):
    """A field with what there is; Enter answers with what it became.

    Args:
        title: What the line is.
        line: What there is.
        about: What may be written.
        most: Characters that fit.
    """

    AUTO_FOCUS = "Input"

    def __init__(self, title: str, line: str, about: str, *, most: int) -> None:
        super().__init__()
        self._title = title
        self._line = sanitize_line(line, most)
        self._about = sanitize(about)
        self._most = most

    def compose(self) -> ComposeResult:
        """The field over the words about it."""
        with Vertical(classes="dialog -small") as frame:
            frame.border_title = self._title
            frame.border_subtitle = "Enter keep · Esc close"
            yield Input(self._line, max_length=self._most, compact=True)
            yield Static(self._about, classes="detail", markup=False)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        self.dismiss(event.value)
