"""What a search found, line by line: conversations, and under each the messages with what was sought."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.core.chat import Role
from tui.core.frozen import frozen
from tui.core.text import sanitize_line
from tui.services.search import FoundConversation, SearchHit

_WHO = {Role.USER: "You", Role.ASSISTANT: "Reply", Role.SYSTEM: "System"}
WHO_WIDTH = 7
"""Cells of the column that says who wrote a message."""


@frozen
class ResultRow:
    """One line of the results."""

    found: FoundConversation
    hit: SearchHit | None = None
    """None: the conversation's own line."""
    more: int = 0
    """Messages that are not listed; the line says so where there are any."""

    @property
    def chosen(self) -> bool:
        """Whether it can be chosen: messages, and conversations whose title alone has it."""
        return self.hit is not None or (not self.more and not self.found.hits)


def result_rows(found: Iterable[FoundConversation]) -> Iterator[ResultRow]:
    """The lines of what was found."""
    for one in found:
        yield ResultRow(one)
        for hit in one.hits:
            yield ResultRow(one, hit)
        if one.count > len(one.hits):
            yield ResultRow(one, more=one.count - len(one.hits))


class SearchResults(ScrollView):
    """The lines, with a cursor that the dialog moves."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "results--title",
        "results--text",
        "results--quiet",
        "results--mark",
        "results--cursor",
    }

    rows: reactive[tuple[ResultRow, ...]] = reactive((), repaint=True, always_update=True)
    """What is listed."""
    cursor: reactive[int] = reactive(-1)
    """The line that Enter opens; -1: none."""

    @dataclass(repr=False, eq=False)
    class Chosen(Message):
        """The user chose a line."""

        results: "SearchResults"
        row: ResultRow

        @property
        def control(self) -> "SearchResults":
            """The results."""
            return self.results

    def __init__(self) -> None:
        super().__init__(id="results")
        self.can_focus = False
        self.zone: tzinfo = UTC
        """Where times are shown in."""

    def watch_rows(self, rows: tuple[ResultRow, ...]) -> None:
        """Fit the scroll range, and put the cursor on the first line that can be chosen."""
        self.virtual_size = Size(0, len(rows))
        if not 0 <= self.cursor < len(rows):
            self.cursor = self._next(0, 1, -1)

    def watch_cursor(self, cursor: int) -> None:
        """Keep the cursor in view, and its conversation's line where there is room."""
        if cursor >= 0:
            self.scroll_to_region(Region(0, max(0, cursor - 1), 1, 2), animate=False)

    def clear(self) -> None:
        """Begin anew."""
        self.cursor = -1
        self.rows = ()
        self.scroll_to(y=0, animate=False)

    def move(self, step: int) -> None:
        """Move the cursor by lines that can be chosen."""
        for _ in range(abs(step)):
            direction = 1 if step > 0 else -1
            self.cursor = self._next(self.cursor + direction, direction, self.cursor)

    def choose(self) -> None:
        """Choose the line at the cursor."""
        if 0 <= self.cursor < len(self.rows):
            self.post_message(self.Chosen(self, self.rows[self.cursor]))

    def on_click(self, event: events.Click) -> None:
        """Choose what was clicked."""
        at = event.get_content_offset_capture(self).y + self.scroll_offset.y
        if 0 <= at < len(self.rows):
            self.post_message(self.Chosen(self, self.rows[at]))

    def render_line(self, y: int) -> Strip:
        """One line."""
        width = self.scrollable_content_region.width
        at = y + self.scroll_offset.y
        if not 0 <= at < len(self.rows):
            return Strip.blank(width, self.rich_style)
        row = self.rows[at]
        back = self._style("results--cursor") if at == self.cursor else Style()
        mark = "›" if at == self.cursor else " "
        if row.hit is not None:
            pieces = self._hit(row.hit, f" {mark} ", width)
        elif row.more:
            words = "message" if row.more == 1 else "messages"
            pieces = [("results--quiet", f"   {'':{WHO_WIDTH}}and {row.more:,} more {words}")]
        else:
            pieces = self._title(row.found, mark, width)
        over = Style(color=back.color, bgcolor=back.bgcolor)
        segments = [Segment(text, self._style(look) + over) for look, text in pieces]
        strip = Strip(segments)
        if strip.cell_length > width:
            more = Segment("…", self._style("results--quiet") + over)
            return Strip([*strip.crop(0, width - 1), more], width)
        return strip.adjust_cell_length(width, self.rich_style + Style(bgcolor=back.bgcolor))

    def _title(self, found: FoundConversation, mark: str, width: int) -> list[tuple[str, str]]:
        entry = found.conversation
        day = f"{entry.updated_at.astimezone(self.zone):%Y-%m-%d}"
        room = max(8, width - len(day) - 5)
        title = sanitize_line(entry.title or "Untitled", room)
        if cell_len(title) > room:
            title = set_cell_size(title, room)
        gap = " " * (room - cell_len(title) + 1)
        return [("results--title", f"{mark}{title}"), ("results--quiet", f"{gap}{day} ")]

    def _hit(self, hit: SearchHit, start: str, width: int) -> list[tuple[str, str]]:
        who = f"{start}{_WHO[hit.role]:{WHO_WIDTH}}"
        pieces = [("results--quiet", who)]
        if end := _skipped(hit, width - cell_len(who)):
            pieces.append(("results--text", "…"))
        for first, last in hit.marks:
            pieces += [("results--text", hit.snippet[end:first]), ("results--mark", hit.snippet[first:last])]
            end = last
        return [*pieces, ("results--text", hit.snippet[end:])]

    def _style(self, look: str) -> Style:
        return self.get_component_rich_style(look)

    def _next(self, start: int, step: int, otherwise: int) -> int:
        while 0 <= start < len(self.rows):
            if self.rows[start].chosen:
                return start
            start += step
        return otherwise


def _skipped(hit: SearchHit, room: int) -> int:
    """Characters of the snippet to leave out at its beginning, so that its first mark is seen."""
    first, last = hit.marks[0] if hit.marks else (0, 0)
    if cell_len(hit.snippet[:last]) < room:
        return 0
    return max(0, first - max(0, room - (last - first)) // 2)
