"""The list of paths that opens over the prompt while one is written after an @."""

from collections.abc import Sequence
from dataclasses import dataclass

from textual import on
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tui.core.text import sanitize_line
from tui.services.paths import PathChoice

MOST_LINES = 8


class PathList(OptionList, can_focus=False):
    """Never has the focus: the prompt keeps it, and hands on the keys that move the cursor here."""

    @dataclass(repr=False, eq=False)
    class Chosen(Message):
        """A path was chosen by mouse."""

        paths: "PathList"
        choice: PathChoice

        @property
        def control(self) -> "PathList":
            """The list."""
            return self.paths

    def __init__(self) -> None:
        super().__init__(id="paths", compact=True, markup=False)
        self._choices: tuple[PathChoice, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether there is anything to choose from."""
        return self.has_class("-open")

    @property
    def choice(self) -> PathChoice | None:
        """The path under the cursor."""
        return self._choices[self.highlighted] if self.is_open and self.highlighted is not None else None

    def offer(self, choices: Sequence[PathChoice], title: str = "") -> None:
        """Show these, the first under the cursor; none closes the list.

        Args:
            choices: The paths.
            title: What choosing one does.
        """
        self.set_class(bool(choices), "-open")
        if not choices:
            self._choices = ()
            return
        self.border_title = title
        if tuple(choices) != self._choices:
            self._choices = tuple(choices)
            self.set_options([Option(_line(choice)) for choice in choices])
            self.highlighted = 0
        self.styles.height = min(MOST_LINES, len(choices)) + 2
        self.styles.offset = (0, -(min(MOST_LINES, len(choices)) + 2))

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.post_message(self.Chosen(self, self._choices[event.option_index]))


def _line(choice: PathChoice) -> Content:
    return Content(sanitize_line(choice.name, 200) + ("/" if choice.directory else ""))
