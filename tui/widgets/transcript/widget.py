"""The transcript widget: what its owner calls, what it posts, and how its lines are painted."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rich.style import Style as RichStyle
from textual import events
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.timer import Timer

from tui.core.chat import MessageStatus
from tui.widgets.transcript.layout import Heights
from tui.widgets.transcript.lines import Line
from tui.widgets.transcript.model import Entry, unsent_words
from tui.widgets.transcript.paint import (
    GUTTER,
    centered_rows,
    framed,
    paint_cells,
    paint_characters,
    paint_selection,
    paint_thing,
)
from tui.widgets.transcript.palette import PARTS, Palette, resolve_palette
from tui.widgets.transcript.selecting import SelectableEntries
from tui.widgets.transcript.selection import selection_row
from tui.widgets.transcript.store import EntryStore
from tui.widgets.transcript.view import EntryRenderer, EntryView, Place

FLUSH_SECONDS = 0.1
"""Streamed text is shown about ten times a second, however fast it comes."""
COST_FACTOR = 5
"""After a flush as many times its own cost goes by: at most a sixth of the time goes into streaming."""


class Transcript(SelectableEntries, can_focus=True):
    """A conversation. Entries are rendered when they are visible; none is a widget."""

    COMPONENT_CLASSES = {f"transcript--{part}" for part in PARTS}
    HELP = (
        "Read the conversation; move between messages and code blocks, and copy them. "
        "Where not all of it fits a turn, a line marks where the part that is sent begins."
    )

    placeholder: reactive[str | Content] = reactive("")
    """What an empty transcript shows in its middle."""

    @dataclass(repr=False, eq=False)
    class FollowingChanged(Message):
        """The view began or ceased to follow the bottom, or more came below while it did not."""

        transcript: "Transcript"
        following: bool
        new_lines: int
        """Lines that came below since the reader left the bottom."""

        @property
        def control(self) -> "Transcript":
            """The transcript."""
            return self.transcript

        def can_replace(self, message: Message) -> bool:
            """Only the latest counts."""
            return isinstance(message, Transcript.FollowingChanged)

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.store = EntryStore()
        self._palette: Palette | None = None
        self._palette_key: tuple[object, ...] = ()
        self._empty_key: tuple[object, ...] = ()
        self._empty_rows: list[Strip] = []
        self._flush_timer: Timer | None = None
        self._flush_cost = 0.0
        self._flushed_at = 0.0
        self._new_lines = 0

    # What the owner calls

    def load(self, entries: Iterable[Entry]) -> None:
        """Show a conversation from its end, in place of what was shown."""
        self.store = EntryStore(entries)
        self.cursor, self.focused_thing = -1, None
        self.highlight("")
        self._new_lines = 0
        self._reflow(keep_position=False)
        self.refresh()

    def clear(self) -> None:
        """Show nothing but the placeholder."""
        self.load(())

    def append(self, entry: Entry) -> None:
        """Add an entry at the end; ValueError where its key is taken."""
        self._tell_new(self._add((entry,)))

    def cut_after(self, key: str | None) -> None:
        """Take away what follows an entry; all of it for None."""
        count = 0 if key is None else self.store.index(key) + 1
        if count == len(self.store):
            return
        if self.text_selection is not None:
            self.screen.clear_selection()
        self.store.cut(count)
        self.heights.cut(count)
        if self.cursor >= count:
            self.cursor = count - 1
        self.focused_thing = None
        if self._width:
            self.put(self.scroll_y)
            self.settle()
        self.refresh()

    def replace_after(self, key: str | None, entries: Iterable[Entry]) -> None:
        """Show other entries after one, in place of what followed it; none of their lines counts as new.

        Args:
            key: The last entry that stays; None for none.
            entries: What follows it now.
        """
        self.cut_after(key)
        self._add(entries)
        self._new_lines = 0
        self.post_message(self.FollowingChanged(self, self.following, 0))

    def stream(self, key: str, delta: str) -> None:
        """Add Markdown to the body of an entry whose status is STREAMING; it is shown within 0.1 s."""
        self.store.push(self.store.index(key), body=delta)
        self._flush_soon()

    def stream_reasoning(self, key: str, delta: str) -> None:
        """Add text to the reasoning of an entry; it is shown within 0.1 s."""
        self.store.push(self.store.index(key), reasoning=delta)
        self._flush_soon()

    def update_entry(self, key: str, **changes: Any) -> None:
        """Replace fields of an entry, such as meta, title, error or body."""
        index = self.store.index(key)
        self.store.update(index, **changes)
        self._changed([index])

    def finish(self, key: str, status: MessageStatus = MessageStatus.COMPLETE, **changes: Any) -> None:
        """End a stream: show what is left, and render the entry once more, exactly."""
        index = self.store.index(key)
        self.store.finish(index, status=status, **changes)
        self._changed([index])

    def set_marker(self, key: str | None, fits: int | None = None) -> None:
        """Say before an entry that the ones above are not sent.

        Args:
            key: The first entry that is sent; None says it nowhere.
            fits: Tokens of input that can be sent; None where that is not known.
        """
        changed = self.store.mark(key, unsent_words(fits) if key is not None else "")
        if changed and self._width:
            self.measure_in_place(changed)

    @property
    def keys(self) -> list[str]:
        """The keys of the entries, from the first to the last."""
        return self.store.keys

    def shows_whole(self, key: str) -> bool:
        """Whether an entry is there that does not wait for more of a stream."""
        return self.store.has_whole(key)

    def entry_text(self, key: str) -> str:
        """The body of an entry as it came, sanitised; with what is not flushed yet."""
        self._flush()
        return self.store.entry(self.store.index(key)).body

    def visible_text(self) -> str:
        """What is on the screen, a line for each row; for tests."""
        return "\n".join(self.render_line(y).text.rstrip() for y in range(self.size.height))

    # Streaming

    def _flush_soon(self) -> None:
        if self._flush_timer is None and self.is_mounted:
            pause = max(FLUSH_SECONDS, COST_FACTOR * self._flush_cost)
            wait = max(0.01, pause - (time.monotonic() - self._flushed_at))
            self._flush_timer = self.set_timer(wait, self._flush, name="flush")

    def _flush(self) -> None:
        if self._flush_timer is not None:
            self._flush_timer.stop()
            self._flush_timer = None
        started = time.monotonic()
        if changed := self.store.take():
            self._changed(changed)
        self._flushed_at = time.monotonic()
        self._flush_cost = self._flushed_at - started

    def _changed(self, indexes: Iterable[int]) -> None:
        """Entries have other lines: measure them where that matters, and say so to a reader above."""
        if self._width:
            self._tell_new(self._measure(indexes))

    def _add(self, entries: Iterable[Entry]) -> int:
        """Put entries at the end; how many lines they are."""
        added = [self.store.append(entry) for entry in entries]
        if not self._width:
            return 0
        for _ in added:
            self.heights.append(0)
        return self._measure(added)

    def _measure(self, indexes: Iterable[int]) -> int:
        """Measure entries, and lay out anew; by how many lines they grew."""
        lines = sum(self.measure(index) for index in indexes)
        self.put(self.scroll_y)
        self.settle()
        return lines

    def _tell_new(self, lines: int) -> None:
        if not self.following and lines > 0:
            self._new_lines += lines
            self.post_message(self.FollowingChanged(self, False, self._new_lines))

    def watch_following(self, following: bool) -> None:
        """Tell the owner, who may show a hint."""
        self._new_lines = 0
        self.post_message(self.FollowingChanged(self, following, 0))

    # Layout

    @property
    def _width(self) -> int:
        """Cells for text; 0 before the first layout."""
        return max(0, self.size.width - GUTTER - 1)

    def view(self, index: int) -> EntryView:
        """An entry in parts, which renders none of them."""
        return self.store.view(index)

    def is_viewed(self, index: int) -> bool:
        """Whether an entry's view is at hand."""
        return self.store.is_rendered(index)

    def on_resize(self) -> None:
        """Another width, or entries came while it was hidden: a selection means nothing any more."""
        if self.store.width == self._width and len(self.heights) == len(self.store):
            self.settle()
            return
        if self.text_selection is not None:
            self.screen.clear_selection()
        before = self.heights.total if self.store.width == self._width else None
        self._reflow(keep_position=True)
        if before is not None:
            self._tell_new(self.heights.total - before)
        if len(self.heights):  # an empty one is drawn for its size as it is
            self.refresh()

    def _reflow(self, *, keep_position: bool) -> None:
        position = self.reading_position() if keep_position else None
        if not self._width:
            return
        self.store.use(EntryRenderer(self._width, lambda: self.palette))
        self.heights = Heights(self.store.estimate(i, self._width) for i in range(len(self.store)))
        self.following = position is None
        self.put(self.scroll_y)
        self.restore_position(position)

    def notify_style_update(self) -> None:
        """Another theme: every strip is another, the heights stay."""
        super().notify_style_update()
        self._empty_key = ()
        key = (self.app.theme, self.app.native_ansi_color, self.visual_style)
        if key != self._palette_key:
            self._palette_key, self._palette = key, None
            if self._width:
                self.store.use(EntryRenderer(self._width, lambda: self.palette))
                self.refresh()

    @property
    def palette(self) -> Palette:
        """The styles of this theme."""
        if self._palette is None:
            self._palette = resolve_palette(self)
        return self._palette

    # Painting

    def render_line(self, y: int) -> Strip:
        """One row of the view: a cached line, with the overlays of the moment."""
        base = self.visual_style.rich_style
        width = self.size.width
        if not len(self.heights):
            return self._empty_row(y)
        index, number = self.heights.find(y + int(self.scroll_y))
        if number >= self.heights[index] or number >= len(view := self.store.view(index)):
            return Strip.blank(width, base)
        line, place = view.line(number)
        row = selection_row(index, place)
        strip = self._overlaid(line, index, place)
        at_cursor = self.has_focus and index == self.cursor and number < len(view) - 1
        cursor = self.palette.over_base("cursor").rich_style if at_cursor else None
        return framed(strip, width, row, base, cursor)

    def _empty_row(self, y: int) -> Strip:
        """One row of an empty transcript; it needs but one style of the palette."""
        key = (self.placeholder, self.size)
        if key != self._empty_key:
            style = self.visual_style + self.get_visual_style("transcript--placeholder", partial=True)
            self._empty_key, self._empty_rows = key, centered_rows(self.placeholder, self.size, style)
        return self._empty_rows[y]

    def _overlaid(self, line: Line, index: int, place: Place) -> Strip:
        strip = line.strip
        if self.focused_thing is not None and self.focused_thing[0] == index:
            thing = self.focused_thing[1]
            style = RichStyle(bgcolor=self.palette.over_base("focus").rich_style.bgcolor)
            if line.thing == thing:
                strip = paint_cells(strip, 0, strip.cell_length, style)
            else:
                strip = paint_thing(strip, thing, style)
        if self._pattern is not None:
            current = self._match == (index, place)
            style = self.palette.over_base("current" if current else "match").rich_style
            for match in self._pattern.finditer(line.text):
                strip = paint_characters(strip, line, match.start(), match.end(), style)
        selection = self.text_selection
        if selection is not None and (span := selection.get_span(selection_row(index, place))) is not None:
            colour = self.screen.get_component_rich_style("screen--selection").bgcolor
            strip = paint_selection(strip, line, span, RichStyle(bgcolor=colour))
        return strip

    def on_focus(self, _event: events.Focus) -> None:
        """Show the cursor."""
        self.refresh()

    def on_blur(self, _event: events.Blur) -> None:
        """Hide the cursor."""
        self.refresh()
