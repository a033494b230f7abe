"""The list of past conversations."""

from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.core.chat import Conversation
from tui.core.text import sanitize_line
from tui.widgets.conversation_rows import Row, next_item

TITLE = "Conversations"
MOST_TYPED = 60
"""Characters of a filter."""


def _binding(key: str, action: str, name: str, tooltip: str, *, show: bool = False) -> Binding:
    binding_id = f"conversations.{name.replace(' ', '_')}"
    return Binding(key, action, name, show=show, id=binding_id, tooltip=tooltip)


class ConversationList(ScrollView, can_focus=True):
    """Conversations by day, drawn line by line: a year of them costs no more than a screenful."""

    HELP: ClassVar[str] = (
        "Your conversations, pinned ones on top, then the newest. Up and Down choose, Enter opens, / filters "
        "by title or #tag. Delete removes one, and u brings it back. Escape returns to the prompt."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        _binding("up", "move(-1)", "up", "The conversation above"),
        _binding("down", "move(1)", "down", "The one below"),
        _binding("pageup", "page(-1)", "page up", "A page up"),
        _binding("pagedown", "page(1)", "page down", "A page down"),
        _binding("home", "edge(1)", "first", "The newest one"),
        _binding("end", "edge(-1)", "last", "The oldest one"),
        _binding("enter", "open", "open", "Open the conversation"),
        _binding("slash", "filter", "filter", "Filter the conversations by title or #tag", show=True),
        _binding("r", "ask('rename')", "rename", "Rename the conversation at the cursor", show=True),
        _binding("p", "ask('pin')", "pin", "Pin the conversation at the cursor, or let it go", show=True),
        _binding("t", "ask('tags')", "tags", "Tag the conversation at the cursor", show=True),
        _binding("e", "ask('export')", "export", "Export the conversation at the cursor"),
        _binding("delete", "ask('delete')", "delete", "Delete the conversation at the cursor"),
        _binding("u,ctrl+z", "undo", "undo", "Bring back the conversation that was deleted last"),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "conversations--heading",
        "conversations--item",
        "conversations--current",
        "conversations--cursor",
        "conversations--tags",
        "conversations--empty",
    }

    # Always an update: to compare years of rows would take longer than to draw a screenful.
    rows: reactive[tuple[Row, ...]] = reactive((), repaint=True, always_update=True)
    """What is listed."""
    current: reactive[str | None] = reactive(None)
    """The id of the conversation that is open."""
    cursor: reactive[int] = reactive(-1)
    """The row that the keys act on; -1: none."""
    wanted: reactive[str | None] = reactive[str | None](None)
    """The filter that is being typed; None: there is none."""

    @dataclass(repr=False, eq=False)
    class Opened(Message):
        """The user chose a conversation to open."""

        conversation_list: "ConversationList"
        conversation: Conversation

        @property
        def control(self) -> "ConversationList":
            """The list that it was chosen from."""
            return self.conversation_list

    @dataclass(repr=False, eq=False)
    class Asked(Message):
        """The user asked that something be done to a conversation."""

        conversation_list: "ConversationList"
        conversation: Conversation
        deed: str
        """"rename", "pin", "tags", "delete" or "export"."""

        @property
        def control(self) -> "ConversationList":
            """The list that it was chosen from."""
            return self.conversation_list

    @dataclass(repr=False, eq=False)
    class UndoRequested(Message):
        """The user wants back what was deleted last."""

        conversation_list: "ConversationList"

        @property
        def control(self) -> "ConversationList":
            """The list."""
            return self.conversation_list

    @dataclass(repr=False, eq=False)
    class FilterChanged(Message):
        """Other conversations are to be listed."""

        conversation_list: "ConversationList"

        @property
        def control(self) -> "ConversationList":
            """The list."""
            return self.conversation_list

    @dataclass(repr=False, eq=False)
    class EndNeared(Message):
        """The end of what is listed came near: there may be more to list."""

        conversation_list: "ConversationList"

        @property
        def control(self) -> "ConversationList":
            """The list."""
            return self.conversation_list

    def __init__(self) -> None:
        super().__init__(id="conversations")
        self.border_title = TITLE

    def watch_rows(self, before: tuple[Row, ...], rows: tuple[Row, ...]) -> None:
        """Fit the scroll range, and keep the cursor on its conversation, else on the one in its place."""
        self.virtual_size = Size(0, len(rows))
        start = min(max(self.cursor, 0), len(rows) - 1)
        chosen = before[self.cursor].conversation if 0 <= self.cursor < len(before) else None
        if chosen is not None and self.has_focus:
            start = _place_of(chosen.id, rows, start)
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

    def watch_wanted(self, before: str | None, wanted: str | None) -> None:
        """Show what is typed, and tell."""
        self.border_title = TITLE if wanted is None else Content(f"/ {wanted}▏")
        if (before or "") != (wanted or ""):
            self.post_message(self.FilterChanged(self))

    def watch_cursor(self, cursor: int) -> None:
        """Keep the cursor in view."""
        if cursor >= 0:
            self.scroll_to_region(Region(0, max(0, cursor - 1), 1, 2), animate=False)

    def render_line(self, y: int) -> Strip:
        """One row."""
        width = self.scrollable_content_region.width
        at = y + self.scroll_offset.y
        if not self.rows and y == 0:
            return self._strip(
                "  Nothing matches" if self.wanted else "  None yet", width, "conversations--empty"
            )
        if at >= len(self.rows):
            return Strip.blank(width, self.visual_style.rich_style)
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
        title = f" {mark} {shortened(sanitize_line(row.text), width - 3)}"
        tags = fitting_tags(row.conversation.tags, width - cell_len(title) - 3)
        return self._strip(title, width, *looks, aside=tags)

    def on_focus(self) -> None:
        """Start at the conversation that is open."""
        if self.current is not None:
            self.go_to(self.current)

    def on_click(self, event: events.Click) -> None:
        """Open what was clicked."""
        at = event.get_content_offset_capture(self).y + self.scroll_offset.y
        if 0 <= at < len(self.rows) and self.rows[at].conversation is not None:
            self.cursor = at
            self.action_open()

    def go_to(self, conversation_id: str) -> None:
        """Put the cursor on a conversation, where it is listed."""
        self.cursor = _place_of(conversation_id, self.rows, self.cursor)

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
            self.wanted = None
            self.post_message(self.Opened(self, chosen))

    def action_ask(self, deed: str) -> None:
        """Ask that something be done to the conversation at the cursor."""
        if chosen := self._chosen():
            self.post_message(self.Asked(self, chosen, deed))

    def action_undo(self) -> None:
        """Ask for what was deleted last."""
        self.post_message(self.UndoRequested(self))

    # The filter

    def action_filter(self) -> None:
        """Begin to filter: what is typed from here on says which conversations are listed."""
        self.focus()
        self.wanted = ""

    def on_key(self, event: events.Key) -> None:
        """While a filter is typed, plain characters are its text."""
        if self.wanted is None:
            return
        if event.key == "escape":
            self.wanted = None
        elif event.key == "backspace":
            self.wanted = self.wanted[:-1] if self.wanted else None
        elif event.is_printable and event.character:
            self._type(event.character)
        else:
            return
        event.stop()
        event.prevent_default()

    def on_paste(self, event: events.Paste) -> None:
        """Filter by what was pasted."""
        if self.wanted is not None:
            event.stop()
            self._type(sanitize_line(event.text, MOST_TYPED))

    def check_consume_key(self, key: str, character: str | None) -> bool:  # noqa: ARG002
        """Whether a key is text here: then no binding shows it."""
        return self.wanted is not None and character is not None and character.isprintable()

    def _type(self, text: str) -> None:
        self.wanted = f"{self.wanted or ''}{text}"[:MOST_TYPED]

    def _look_for_the_end(self) -> None:
        """A screenful ahead, so that what is added is there before it is looked at."""
        if self.size.height and self.scroll_offset.y + 2 * self.size.height >= len(self.rows):
            self.post_message(self.EndNeared(self))

    def _chosen(self) -> Conversation | None:
        return self.rows[self.cursor].conversation if 0 <= self.cursor < len(self.rows) else None

    def _strip(self, text: str, width: int, *looks: str, aside: str = "") -> Strip:
        style = self._look(*looks)
        if not aside:
            return Strip([Segment(text, style)]).adjust_cell_length(width, style)
        gap = " " * (width - cell_len(text) - cell_len(aside) - 1)
        quiet = style + Style(color=self.get_component_rich_style("conversations--tags").color, bold=False)
        return Strip([Segment(text + gap, style), Segment(f"{aside} ", quiet)])

    def _look(self, *looks: str) -> Style:
        style = self.get_component_rich_style(looks[0])
        for look in looks[1:]:
            style += self.get_component_rich_style(look, partial=True)
            # A partial style has the background as it was written, not as blended with what lies under it.
            style += Style(bgcolor=self.get_component_rich_style(look).bgcolor)
        return style


def shortened(text: str, room: int) -> str:
    """A line in at most so many cells, cut with an ellipsis."""
    if cell_len(text) <= room:
        return text
    return f"{set_cell_size(text, max(0, room - 1)).rstrip()}…"


def fitting_tags(tags: tuple[str, ...], room: int) -> str:
    """As many of the first tags as have room: "#trip #lisbon"."""
    words = ""
    for tag in tags:
        longer = f"{words} #{tag}" if words else f"#{tag}"
        if cell_len(longer) > room:
            break
        words = longer
    return words


def _place_of(conversation_id: str, rows: tuple[Row, ...], at: int) -> int:
    """Where a conversation stands; `at` where it is gone."""
    return next(
        (i for i, row in enumerate(rows) if row.conversation and row.conversation.id == conversation_id), at
    )
