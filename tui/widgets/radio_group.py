"""A choice of one among a few, each with a line that says what it means."""

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.actions import SkipAction
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from tui.core.frozen import frozen
from tui.widgets.muted import MUTED
from tui.widgets.wrapping import hang, wrap


@frozen
class RadioOption:
    """One of the values."""

    value: str
    label: str
    words: str = ""
    """What choosing it means, on a line of its own."""


class RadioGroup(Widget, can_focus=True):
    """Options of which one is chosen; arrows move, Space, Enter or a click chooses.

    Args:
        options: The options, two lines each.
        chosen: The value that is chosen.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "Up", id="radio.up", tooltip="The option above", show=False),
        Binding("down", "move(1)", "Down", id="radio.down", tooltip="The option below", show=False),
        Binding("space,enter", "choose", "Choose", id="radio.choose", tooltip="Choose it", show=False),
    ]
    ALLOW_SELECT = False

    chosen: reactive[str] = reactive("")
    """The chosen value."""
    at: reactive[int] = reactive(0)
    """The option under the cursor."""
    note: reactive[str] = reactive("", layout=True)
    """Words under the options: why a choice could not be kept."""

    class Chosen(Message):
        """The user chose a value."""

        def __init__(self, control: "RadioGroup", value: str) -> None:
            super().__init__()
            self._control = control
            self.value = value

        @property
        def control(self) -> "RadioGroup":
            """The group."""
            return self._control

    def __init__(
        self,
        options: Sequence[RadioOption],
        chosen: str,
        *,
        id: str | None = None,  # noqa: A002 - Textual's own name for it
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._options = tuple(options)
        self.set_reactive(RadioGroup.chosen, chosen)
        self.set_reactive(RadioGroup.at, self._index(chosen))

    def set_options(self, options: Sequence[RadioOption]) -> None:
        """Change the words; the values stay."""
        if tuple(options) != self._options:
            self._options = tuple(options)
            self.refresh(layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        """A line for each option and one for its words, or more where they are long; then the note."""
        return sum(map(len, self._lines(width))) + len(self._note_lines(width))

    def render(self) -> Content:
        """The options, each over its words."""
        width = self.content_size.width
        parts = [line for lines in self._lines(width) for line in lines]
        return Content("\n").join([*parts, *map(Content, self._note_lines(width))])

    def watch_chosen(self) -> None:
        """Keep the cursor on what is chosen."""
        self.at = self._index(self.chosen)

    def action_move(self, step: int) -> None:
        """Go to another option; beyond the ends the key is for whoever is around."""
        if not 0 <= self.at + step < len(self._options):
            raise SkipAction
        self.at += step

    def action_choose(self) -> None:
        """Choose the option under the cursor."""
        value = self._options[self.at].value
        if value != self.chosen:
            self.note = ""
            self.chosen = value
            self.post_message(self.Chosen(self, value))

    def on_click(self, event: events.Click) -> None:
        """Choose what was clicked."""
        row = 0
        for index, lines in enumerate(self._lines(self.content_size.width)):
            row += len(lines)
            if event.y < row:
                self.at = index
                self.action_choose()
                return

    def on_focus(self) -> None:
        """Draw the cursor."""
        self.refresh()

    def on_blur(self) -> None:
        """The cursor goes back to what is chosen."""
        self.at = self._index(self.chosen)
        self.refresh()

    def _lines(self, width: int) -> list[list[Content]]:
        """What is drawn of each option in lines of so many cells."""
        return [self._lines_of(index, option, width) for index, option in enumerate(self._options)]

    def _lines_of(self, index: int, option: RadioOption, width: int) -> list[Content]:
        chosen = option.value == self.chosen
        looks = ["bold"] if chosen else []
        if self.has_focus and index == self.at:
            looks.append("reverse")
        label = hang(option.label, width, "(\u2022) " if chosen else "( ) ")
        words = hang(option.words, width, " " * 4) if option.words else []
        return [
            *(Content.styled(line, " ".join(looks)) for line in label),
            *(Content.styled(line, MUTED) for line in words),
        ]

    def _note_lines(self, width: int) -> list[str]:
        return wrap(self.note, max(1, width)) if self.note else []

    def _index(self, value: str) -> int:
        return next((i for i, option in enumerate(self._options) if option.value == value), 0)
