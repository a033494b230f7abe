"""The users of a host in a list, with their use of the day and in total."""

from collections.abc import Mapping
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.actions import SkipAction
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from tui.services.user_figures import UserEntry
from tui.widgets.settings.user_rows import UserTable, user_table
from tui.widgets.usage_text import Line, Part

MOST_SHOWN = 12
"""Users that are shown at once; the list scrolls within itself beyond that."""
MARK_CELLS = 2


def _binding(key: str, action: str, name: str, tooltip: str, *, show: bool = False) -> Binding:
    return Binding(key, action, name, show=show, id=f"users.{name.replace(' ', '_')}", tooltip=tooltip)


class UserList(Widget, can_focus=True):
    """A line for each user; the one at the cursor is what the keys and the panel below speak of."""

    HELP: ClassVar[str] = (
        "Everyone who may sign in, with what they used today and in total. Up and Down choose; below the "
        "list are the tier and the keys of whom you chose, and what can be done."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        _binding("up", "move(-1)", "up", "The user above"),
        _binding("down", "move(1)", "down", "The user below"),
        _binding("home", "edge(-1)", "first", "The first user"),
        _binding("end", "edge(1)", "last", "The last user"),
        _binding("n", "ask('add')", "add", "Add a user", show=True),
        _binding("t", "ask('tier')", "tier", "Change the tier of the user at the cursor", show=True),
        _binding("g", "ask('reset')", "give back", "Give the user at the cursor today's allowance back"),
        _binding("a", "ask('role')", "admin", "Make the user at the cursor an admin, or a member again"),
        _binding("e", "ask('end')", "end sessions", "End every session of the user at the cursor", show=True),
        _binding("delete", "ask('remove')", "remove", "Remove the user at the cursor", show=True),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "user-list--heading",
        "user-list--cursor",
        *(f"user-list--{part.value}" for part in Part),
    }
    ALLOW_SELECT = False

    entries: reactive[tuple[UserEntry, ...]] = reactive((), layout=True)
    """Whom to list."""
    sessions: reactive[Mapping[str, int] | None] = reactive[Mapping[str, int] | None](None)
    """How many sessions each user has; None where there is no server to have any."""
    cursor: reactive[int] = reactive(0)
    """The line that the keys act on."""

    class Moved(Message):
        """Another user is chosen."""

        def __init__(self, control: "UserList") -> None:
            super().__init__()
            self._control = control

        @property
        def control(self) -> "UserList":
            """The list."""
            return self._control

    class Asked(Message):
        """The admin asked that something be done with the chosen user, or that one be added."""

        def __init__(self, control: "UserList", deed: str) -> None:
            super().__init__()
            self._control = control
            self.deed = deed
            """"add", "tier", "reset", "role", "end" or "remove"."""

        @property
        def control(self) -> "UserList":
            """The list."""
            return self._control

    def __init__(self) -> None:
        super().__init__(id="user-list")
        self._table = UserTable((), ())
        self._first = 0

    @property
    def chosen(self) -> UserEntry | None:
        """The user at the cursor."""
        return self.entries[self.cursor] if 0 <= self.cursor < len(self.entries) else None

    def choose(self, name: str) -> None:
        """Put the cursor on a user, if they are listed."""
        names = [entry.name for entry in self.entries]
        if name in names:
            self.cursor = names.index(name)

    def watch_entries(self, before: tuple[UserEntry, ...], entries: tuple[UserEntry, ...]) -> None:
        """Keep the cursor on its user, else on whoever came in their place."""
        name = before[self.cursor].name if 0 <= self.cursor < len(before) else ""
        self.cursor = max(0, min(self.cursor, len(entries) - 1))
        self.choose(name)
        self._lay_out()

    def watch_sessions(self) -> None:
        """Draw who is connected."""
        self._lay_out()

    def validate_cursor(self, cursor: int) -> int:
        """Within the list."""
        return max(0, min(cursor, len(self.entries) - 1))

    def watch_cursor(self) -> None:
        """Keep the cursor in view, and tell."""
        self._keep_in_view()
        self.post_message(self.Moved(self))

    def on_resize(self) -> None:
        """Make use of the room."""
        self._lay_out()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        """The headings, and a line for each user that is shown."""
        return 1 + min(MOST_SHOWN, len(self.entries))

    def render_line(self, y: int) -> Strip:
        """The headings, or a user."""
        if y == 0:
            heading = self.get_component_rich_style("user-list--heading")
            words = "".join(piece.text for piece in self._table.headings)
            return self._strip([Segment(" " * MARK_CELLS + words, heading)], self.rich_style)
        at = y - 1 + self._first
        if at >= len(self._table.lines):
            return Strip.blank(self.size.width, self.rich_style)
        chosen = at == self.cursor
        ground = self._ground(chosen=chosen and self.has_focus)
        mark = ("▌" if self.has_focus else "›") if chosen else " "
        name = self._look(Part.NAME, ground)
        return self._strip([Segment(f"{mark:<{MARK_CELLS}}", name), *self._pieces(at, ground)], ground)

    def action_move(self, step: int) -> None:
        """Move the cursor; past either end, to the field before or after the list."""
        if not 0 <= self.cursor + step < len(self.entries):
            raise SkipAction
        self.cursor += step

    def action_edge(self, step: int) -> None:
        """Move the cursor to the first or the last user."""
        self.cursor = 0 if step < 0 else len(self.entries) - 1

    def action_ask(self, deed: str) -> None:
        """Ask that something be done."""
        self.post_message(self.Asked(self, deed))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Sessions are only ended where there are any to end."""
        return not (action == "ask" and parameters == ("end",) and self.sessions is None)

    def on_click(self, event: events.Click) -> None:
        """Choose the user that was clicked."""
        at = event.y - 1 + self._first
        if event.y > 0 and at < len(self.entries):
            self.cursor = at

    def on_focus(self) -> None:
        """Draw the cursor."""
        self.refresh()

    def on_blur(self) -> None:
        """Draw it more quietly."""
        self.refresh()

    def _lay_out(self) -> None:
        room = self.size.width - MARK_CELLS
        if room > 0 and self.entries:
            self._table = user_table(self.entries, self.sessions, room)
        self._keep_in_view()
        self.refresh()

    def _keep_in_view(self) -> None:
        last = max(0, len(self.entries) - MOST_SHOWN)
        self._first = min(max(self._first, self.cursor - MOST_SHOWN + 1), self.cursor, last)
        self.refresh()

    def _pieces(self, at: int, ground: Style) -> list[Segment]:
        line: Line = self._table.lines[at]
        return [Segment(piece.text, self._look(piece.part, ground)) for piece in line]

    def _ground(self, *, chosen: bool) -> Style:
        if not chosen:
            return self.rich_style
        return self.rich_style + Style(bgcolor=self.get_component_rich_style("user-list--cursor").bgcolor)

    def _look(self, part: Part, ground: Style) -> Style:
        return self.get_component_rich_style(f"user-list--{part.value}") + Style(bgcolor=ground.bgcolor)

    def _strip(self, segments: list[Segment], ground: Style) -> Strip:
        return Strip(segments).adjust_cell_length(self.size.width, ground)
