"""What all dialogs share: a frame over the screen that Escape closes."""

from typing import ClassVar, TypeVar

from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

Answer = TypeVar("Answer")


class Dialog(ModalScreen[Answer]):
    """A modal screen; closed by Escape it answers None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "close", id="dialog.close", tooltip="Close without a choice"),
    ]

    def action_close(self) -> None:
        """Close without an answer."""
        self.dismiss(None)
