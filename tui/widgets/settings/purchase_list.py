"""The newest purchases of a provider, and the way to the rest."""

from typing import ClassVar

from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from tui.core.text import sanitize_line
from tui.widgets.quota_meter import LABEL_CELLS

SHOWN = 2
"""Entries that are shown at once; Enter shows all."""
LABEL = "History"


class PurchaseList(Widget):
    """A line for each of the newest entries; it takes the focus once there are any.

    Args:
        provider: Whose purchases.
    """

    HELP: ClassVar[str] = "What was purchased, newest first. Enter shows every entry with its note."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "history", id="purchases.open", tooltip="Show every purchase"),
    ]
    COMPONENT_CLASSES = {"purchases--label", "purchases--entry", "purchases--more"}
    ALLOW_SELECT = False

    entries: reactive[tuple[str, ...]] = reactive((), layout=True)
    """Each entry in one line, newest first."""

    class Opened(Message):
        """The user wants to see every entry."""

        def __init__(self, control: "PurchaseList") -> None:
            super().__init__()
            self._control = control

        @property
        def control(self) -> "PurchaseList":
            """The list."""
            return self._control

    def __init__(self, provider: str) -> None:
        super().__init__(id=f"purchases-{provider}", classes="purchases")
        self.provider = provider

    def watch_entries(self, entries: tuple[str, ...]) -> None:
        """An empty list is not there at all."""
        self.can_focus = bool(entries)
        self.display = bool(entries)

    def lines(self) -> tuple[str, ...]:
        """What is shown."""
        hidden = len(self.entries) - SHOWN
        more = (f"{hidden} more: Enter shows all",) if hidden > 0 else ()
        return (*self.entries[:SHOWN], *more)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        """A line for each entry that is shown."""
        return len(self.lines())

    def render_line(self, y: int) -> Strip:
        """One line, under the boxes of the fields."""
        lines, width = self.lines(), self.size.width
        if y >= len(lines):
            return Strip.blank(width, self.rich_style)
        label = f"{LABEL if y == 0 else '':<{LABEL_CELLS - 1}}{'▌' if self.has_focus and y == 0 else ' '}"
        part = "entry" if y < min(SHOWN, len(self.entries)) else "more"
        text = sanitize_line(lines[y], max(8, width - LABEL_CELLS))
        segments = [
            Segment(label, self.get_component_rich_style("purchases--label")),
            Segment(text, self.get_component_rich_style(f"purchases--{part}")),
        ]
        return Strip(segments).adjust_cell_length(width, self.rich_style)

    def action_open(self) -> None:
        """Ask for every entry."""
        self.post_message(self.Opened(self))

    def on_click(self) -> None:
        """The same by mouse."""
        self.action_open()

    def on_focus(self) -> None:
        """Draw the mark."""
        self.refresh()

    def on_blur(self) -> None:
        """Take the mark away."""
        self.refresh()
