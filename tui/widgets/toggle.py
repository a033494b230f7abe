"""A switch in words: `[x] use my key`."""

from typing import ClassVar

from rich.cells import cell_len
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from tui.widgets.wrapping import hang, wrap


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

    def get_content_width(self, container: Size, viewport: Size) -> int:  # noqa: ARG002
        """As wide as what it says, and no wider than there is room."""
        return min(container.width, max(map(cell_len, self._lines(container.width))))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        """A line, or more where the words or the note are long."""
        return len(self._lines(width))

    def render(self) -> Content:
        """The box and the words."""
        return Content("\n").join(map(Content, self._lines(self.content_size.width)))

    def _lines(self, width: int) -> list[str]:
        row = hang(self._words, width, f"{self._label}[{'x' if self.on else ' '}] ")
        return [*row, *(wrap(self.note, max(1, width)) if self.note else [])]

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
