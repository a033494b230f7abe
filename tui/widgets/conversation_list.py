"""The list of past conversations."""

from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.core.chat import Conversation
from tui.core.text import sanitize_line
from tui.widgets.conversation_rows import Row, next_item


class ConversationList(ScrollView, can_focus=True):
    """Conversations by day, drawn line by line: a year of them costs no more than a screenful."""

    HELP: ClassVar[str] = (
        "Your conversations, newest first. Up and Down choose, Enter opens, Delete removes one after asking, "
        "Escape returns to the prompt."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "up", show=False, id="conversations.up", tooltip="The conversation above"),
        Binding("down", "move(1)", "down", show=False, id="conversations.down", tooltip="The one below"),
        Binding("pageup", "page(-1)", "page up", show=False, id="conversations.page_up", tooltip="A page up"),
        Binding(
            "pagedown",
            "page(1)",
            "page down",
            show=False,
            id="conversations.page_down",
            tooltip="A page down",
        ),
        Binding("home", "edge(1)", "first", show=False, id="conversations.first", tooltip="The newest one"),
        Binding("end", "edge(-1)", "last", show=False, id="conversations.last", tooltip="The oldest one"),
        Binding(
            "enter", "open", "open", show=False, id="conversations.open", tooltip="Open the conversation"
        ),
        Binding(
            "delete",
            "delete",
            "delete",
            show=False,
            id="conversations.delete",
            tooltip="Delete the conversation, after asking",
        ),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "conversations--heading",
        "conversations--item",
        "conversations--current",
        "conversations--cursor",
        "conversations--empty",
    }

    # Always an update: to compare years of rows would take longer than to draw a screenful.
    rows: reactive[tuple[Row, ...]] = reactive((), repaint=True, always_update=True)
    """What is listed."""
    current: reactive[str | None] = reactive(None)
    """The id of the conversation that is open."""
    cursor: reactive[int] = reactive(-1)
    """The row that the keys act on; -1: none."""

    @dataclass
    class Opened(Message):
        """The user chose a conversation to open."""

        conversation_list: "ConversationList"
        conversation: Conversation

        @property
        def control(self) -> "ConversationList":
            """The list that it was chosen from."""
            return self.conversation_list

    @dataclass
    class DeleteRequested(Message):
        """The user asked to delete a conversation."""

        conversation_list: "ConversationList"
        conversation: Conversation

        @property
        def control(self) -> "ConversationList":
            """The list that it was chosen from."""
            return self.conversation_list

    @dataclass
    class EndNeared(Message):
        """The end of what is listed came near: there may be more to list."""

        conversation_list: "ConversationList"

        @property
        def control(self) -> "ConversationList":
            """The list."""
            return self.conversation_list

    def __init__(self) -> None:
        super().__init__(id="conversations")
        self.border_title = "Conversations"

    def watch_rows(self, rows: tuple[Row, ...]) -> None:
        """Fit the scroll range, and keep the cursor on a conversation."""
        self.virtual_size = Size(0, len(rows))
        start = min(max(self.cursor, 0), len(rows) - 1)
        found = next_item(rows, start, 1)
        self.cursor = -1 if (at := found if found is not None else next_item(rows, start, -1)) is None else at
        self._look_for_the_end()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Tell when the end comes near."""
        super().watch_scroll_y(old_value, new_value)
        self._look_for_the_end()

    def on_resize(self) -> None:
        """Tell when the end comes near."""
        self._look_for_the_end()

    def watch_cursor(self, cursor: int) -> None:
        """Keep the cursor in view."""
        if cursor >= 0:
            self.scroll_to_region(Region(0, max(0, cursor - 1), 1, 2), animate=False)

    def render_line(self, y: int) -> Strip:
        """One row."""
        width = self.scrollable_content_region.width
        at = y + self.scroll_offset.y
        if not self.rows and y == 0:
            return self._strip("  None yet", width, "conversations--empty")
        if at >= len(self.rows):
            return Strip.blank(width, self.rich_style)
        row = self.rows[at]
        if row.conversation is None:
            return self._strip(f" {row.text}", width, "conversations--heading")
        looks = ["conversations--item"]
        current = row.conversation.id == self.current
        if current:
            looks.append("conversations--current")
        if at == self.cursor and self.has_focus:
            looks.append("conversations--cursor")
        mark = "▌" if current else "›" if at == self.cursor and self.has_focus else " "
        return self._strip(f" {mark} {sanitize_line(row.text, max(1, width - 3))}", width, *looks)

    def on_focus(self) -> None:
        """Start at the conversation that is open."""
        at = next(
            (
                i
                for i, row in enumerate(self.rows)
                if row.conversation and row.conversation.id == self.current
            ),
            None,
        )
        if at is not None:
            self.cursor = at

    def on_click(self, event: events.Click) -> None:
        """Open what was clicked."""
        at = event.get_content_offset_capture(self).y + self.scroll_offset.y
        if 0 <= at < len(self.rows) and self.rows[at].conversation is not None:
            self.cursor = at
            self.action_open()

    def action_move(self, step: int) -> None:
        """Move the cursor by one conversation."""
        if (at := next_item(self.rows, self.cursor + step, step)) is not None:
            self.cursor = at

    def action_page(self, step: int) -> None:
        """Move the cursor by a screenful."""
        far = self.cursor + step * max(1, self.size.height - 1)
        target = min(max(far, 0), len(self.rows) - 1)
        at = next_item(self.rows, target, step)
        self.cursor = at if at is not None else (next_item(self.rows, target, -step) or self.cursor)

    def action_edge(self, step: int) -> None:
        """Move the cursor to the first or the last conversation."""
        at = next_item(self.rows, 0 if step > 0 else len(self.rows) - 1, step)
        self.cursor = self.cursor if at is None else at

    def action_open(self) -> None:
        """Open the conversation at the cursor."""
        if chosen := self._chosen():
            self.post_message(self.Opened(self, chosen))

    def action_delete(self) -> None:
        """Ask to delete the conversation at the cursor."""
        if chosen := self._chosen():
            self.post_message(self.DeleteRequested(self, chosen))

    def _look_for_the_end(self) -> None:
        """A screenful ahead, so that what is added is there before it is looked at."""
        if self.size.height and self.scroll_offset.y + 2 * self.size.height >= len(self.rows):
            self.post_message(self.EndNeared(self))

    def _chosen(self) -> Conversation | None:
        return self.rows[self.cursor].conversation if 0 <= self.cursor < len(self.rows) else None

    def _strip(self, text: str, width: int, *looks: str) -> Strip:
        style = self.get_component_rich_style(looks[0])
        for look in looks[1:]:
            style += self.get_component_rich_style(look, partial=True)
            # A partial style has the background as it was written, not as blended with what lies under it.
            style += Style(bgcolor=self.get_component_rich_style(look).bgcolor)
        return Strip([Segment(text, style)]).adjust_cell_length(width, style)
