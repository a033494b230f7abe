"""What all dialogs share: a frame over the screen that Escape closes, and that answers once."""

from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.events import Event, InputEvent, Mount, Resize, Timer
from textual.message import Message
from textual.messages import CloseMessages, Prune
from textual.screen import ModalScreen, Screen

Answer = TypeVar("Answer")

_ENDS = (Event, CloseMessages, Prune)
"""What Textual takes a screen off with."""
_ACTS = (Mount, Resize, InputEvent, Timer)
"""Events among them that something is done about, to fields that may be gone."""


class Dialog(ModalScreen[Answer]):
    """A modal screen that answers once; closed by Escape it answers None.

    Keys come faster than a dialog goes: what they still ask of it comes to nothing.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "close", id="dialog.close", tooltip="Close without a choice"),
    ]

    _has_answered = False

    def on_screen_resume(self) -> None:
        """Go at once where a second key asked for what is open already."""
        stack = self.app.screen_stack
        if self.is_active and len(stack) > 1 and self.repeats(stack[-2]):
            self.dismiss(None)

    def repeats(self, below: Screen[object]) -> bool:
        """Whether it is what another screen is already.

        Args:
            below: The screen that it covers.
        """
        return type(below) is type(self)

    def action_close(self) -> None:
        """Close without an answer."""
        self.dismiss(None)

    def dismiss(self, result: Answer | None = None) -> AwaitComplete:
        """Answer, and go; not twice, and not from below another dialog, which would go instead.

        Args:
            result: The answer.
        """
        if self._has_answered or not self.is_active:
            return AwaitComplete()
        self._has_answered = True
        return super().dismiss(result)

    def call_after_refresh(self, callback: Callable[..., Any], *args: Any, **kwargs: Any) -> bool:
        """Do something once the screen was drawn, unless there is an answer by then.

        Args:
            callback: What is done.
            args: Its arguments.
            kwargs: Its named arguments.
        """

        def unless_answered() -> Any:
            return None if self._has_answered else callback(*args, **kwargs)

        return super().call_after_refresh(unless_answered)

    async def _on_message(self, message: Message) -> None:
        """Take what arrives; once there is an answer, only what ends the dialog."""
        if not self._has_answered or (isinstance(message, _ENDS) and not isinstance(message, _ACTS)):
            await super()._on_message(message)
