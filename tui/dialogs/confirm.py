"""The dialog that asks before something can't be undone."""

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.widgets import Button, Static

from tui.core.text import sanitize
from tui.dialogs.dialog import Dialog


class ConfirmDialog(Dialog[bool]):
    """A question with two answers; the harmless one has the focus.

    Args:
        question: What is asked.
        detail: What follows from a yes.
        yes: The name of the answer that acts.
        no: The name of the other.
    """

    AUTO_FOCUS = "#no"

    def __init__(self, question: str, detail: str = "", *, yes: str = "Yes", no: str = "Cancel") -> None:
        super().__init__()
        self._question = sanitize(question)
        self._detail = sanitize(detail)
        self._yes = yes
        self._no = no

    def compose(self) -> ComposeResult:
        """The question over its answers."""
        with Vertical(classes="dialog -small"):
            yield Static(self._question, classes="question", markup=False)
            yield Static(self._detail, classes="detail", markup=False)
            with Horizontal(classes="answers"):
                yield Button(self._no, id="no", compact=True)
                yield Button(self._yes, id="yes", variant="error", compact=True)

    def repeats(self, below: Screen[object]) -> bool:
        """Whether the same is asked already: two files that were dropped ask each for themselves."""
        asked = (self._question, self._detail)
        return isinstance(below, ConfirmDialog) and (below._question, below._detail) == asked

    @on(Button.Pressed)
    def _answered(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "yes")
