"""A switch in words: `[x] use my key`."""

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget


class Toggle(Widget, can_focus=True):
    """Something that is on or off; Space, Enter or a click changes it.

    Args:
        words: What is switched.
        on: Whether it is on.
        label: In front of the box, where the rows of its section have labels.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space,enter", "flip", "Switch", id="toggle.flip", tooltip="Switch it on or off", show=False),
    ]
    ALLOW_SELECT = False

    on: reactive[bool] = reactive(False)
    """Whether it is on."""
    note: reactive[str] = reactive("", layout=True)
    """Words under it: why it could not be switched."""

    class Flipped(Message):
        """The user switched it."""

        def __init__(self, control: "Toggle", on: bool) -> None:
            super().__init__()
            self._control = control
            self.on = on

        @property
        def control(self) -> "Toggle":
            """The toggle."""
            return self._control

    def __init__(
        self,
        words: str,
        on: bool = False,
        *,
        label: str = "",
        name: str | None = None,
        id: str | None = None,  # noqa: A002 - Textual's own name for it
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._words, self._label = words, label
        self.set_reactive(Toggle.on, on)

    def render(self) -> Content:
        """The box and the words."""
        row = Content(f"{self._label}[{'x' if self.on else ' '}] {self._words}")
        return Content("\n").join([row, Content(self.note)]) if self.note else row

    def watch_on(self) -> None:
        """Wear a class for the stylesheet."""
        self.set_class(self.on, "-on")

    def refuse(self, sentence: str) -> None:
        """It could not be switched: switch back and say why."""
        self.on = not self.on
        self.note = sentence

    def action_flip(self) -> None:
        """Switch, and say so."""
        self.note = ""
        self.on = not self.on
        self.post_message(self.Flipped(self, self.on))

    def on_click(self) -> None:
        """Switch."""
        self.action_flip()
