"""A button of one line: a word to press."""

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widget import Widget


class TextButton(Widget, can_focus=True):
    """A word that does something; Enter, Space or a click presses it.

    Args:
        word: What it does.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "press", "Press", id="button.press", tooltip="Do what it says", show=False),
    ]
    ALLOW_SELECT = False

    class Pressed(Message):
        """The user pressed it."""

        def __init__(self, control: "TextButton") -> None:
            super().__init__()
            self._control = control

        @property
        def control(self) -> "TextButton":
            """The button."""
            return self._control

    def __init__(
        self,
        word: str,
        *,
        id: str | None = None,  # noqa: A002 - Textual's own name for it
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._word = word

    @property
    def word(self) -> str:
        """What it says."""
        return self._word

    @word.setter
    def word(self, word: str) -> None:
        if word != self._word:
            self._word = word
            self.refresh(layout=True)

    def render(self) -> Content:
        """The word."""
        return Content(f" {self._word} ")

    def action_press(self) -> None:
        """Say that it was pressed."""
        self.post_message(self.Pressed(self))

    def on_click(self) -> None:
        """Press it."""
        self.action_press()
