"""A scroll view of entries whose heights are known only once they are rendered."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from textual.geometry import Size
from textual.reactive import var
from textual.scroll_view import ScrollView
from textual.widget import Widget

from tui.widgets.transcript.layout import Heights
from tui.widgets.transcript.view import EntryView, Place

_ROUNDS = 12
"""Corrections of estimated heights within one settling; two are usual."""


_HEAD = Place(0, 0)


class Anchor(NamedTuple):
    """A line of an entry, and the row of the view where it stays."""

    entry: int
    place: Place
    row: int


class Position(NamedTuple):
    """What a reader sees first: it means the same at every width."""

    entry: int
    part: int
    before: int
    """Characters of the part that are before it."""


class AnchoredScroll(ScrollView):
    """Keeps the reader's position, or the bottom, while heights are measured and entries grow.

    Heights are estimates until a part of an entry is rendered. While parts are rendered, the first visible
    one that was already measured does not move.
    """

    following: var[bool] = var(True)
    """Whether the view stays at the bottom as entries come and grow."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.heights = Heights()
        self._scrolling = False

    def view(self, index: int) -> EntryView:
        """An entry in parts, which renders none of them; for the subclass."""
        raise NotImplementedError

    def is_viewed(self, index: int) -> bool:
        """Whether an entry's view is at hand; for the subclass."""
        raise NotImplementedError

    def put(self, y: float) -> None:
        """Scroll to a row at once, without animation."""
        self._scrolling = True
        total = self.heights.total
        self._set_virtual_size(Size(self.size.width, total))
        y = min(max(0, int(y)), max(0, total - self.size.height))
        self.set_reactive(Widget.scroll_target_y, y)
        self.scroll_y = y
        self._scrolling = False

    def _set_virtual_size(self, size: Size) -> None:
        """Set the size without the layout that the reactive would cause: the scrollbar is always there."""
        if size != self.virtual_size:
            self.set_reactive(Widget.virtual_size, size)
            self._scroll_update(size)

    def measure(self, index: int) -> int:
        """Bring the height of an entry up to date with its view; returns the difference in rows."""
        height = len(self.view(index))
        if difference := height - self.heights[index]:
            self.heights.set(index, height)
        return difference

    def row_of(self, index: int, place: Place) -> int:
        """The row of a line of an entry."""
        return self.heights.offset(index) + self.view(index).offset(place.part) + place.line

    def measure_in_place(self, indexes: Iterable[int]) -> None:
        """Correct the heights of some entries; what the reader sees stays where it is."""
        anchor = None if self.following else self._anchor()
        for index in indexes:
            self.measure(index)
        self.settle(anchor)

    def settle(self, anchor: Anchor | None = None) -> None:
        """Render what is visible and correct the heights.

        Args:
            anchor: A line, and the row of the view where it stays; None finds one.
        """
        if not len(self.heights) or not self.size.width or self._scrolling:
            return
        for _ in range(_ROUNDS):
            if anchor is None and not self.following:
                anchor = self._anchor()
            changed = self._measure_visible()
            if self.following:
                self.put(self.heights.total)
            elif anchor is not None:
                wanted = self.row_of(anchor.entry, anchor.place) - anchor.row
                if changed or wanted != int(self.scroll_y):
                    self.put(wanted)
            if not changed:
                break
        self.refresh()

    def _top(self) -> int:
        """The first row in view."""
        return max(0, self.heights.total - self.size.height) if self.following else int(self.scroll_y)

    def _visible(self) -> range:
        """The entries in view."""
        top = self._top()
        return range(self.heights.find(top)[0], self.heights.find(top + self.size.height - 1)[0] + 1)

    def _measure_visible(self) -> bool:
        """Render the parts in view; returns whether a height changed."""
        top, bottom = self._top(), self._top() + self.size.height
        starts = [(index, self.heights.offset(index)) for index in self._visible()]
        changed = False
        for index, start in reversed(starts):
            if self.measure(index):
                changed = True  # its parts stand elsewhere than was thought: the next round renders them
            elif self.view(index).measure(top - start, bottom - start):
                self.measure(index)
                changed = True
        return changed

    def _anchor(self) -> Anchor:
        """The first part in view that is measured, which stays where it is while others are."""
        top = int(self.scroll_y)
        visible = self._visible()
        for index in visible:
            if not self.is_viewed(index):
                continue
            view, start = self.view(index), self.heights.offset(index)
            first = view.find(max(0, top - start)).part
            last = view.find(max(0, min(top + self.size.height - start, len(view)) - 1)).part
            for part in range(first, last + 1):
                if view.is_measured(part):
                    return Anchor(index, Place(part, 0), start + view.offset(part) - top)
        return Anchor(visible.start, Place(0, 0), self.heights.offset(visible.start) - top)

    def scroll_to_line(self, index: int, place: Place = _HEAD, *, row: int = 1) -> None:
        """Bring a line of an entry to a row of the view; the view then no longer follows the bottom."""
        self.following = False
        self.view(index).lines_of(place.part)
        self.measure(index)
        self.put(self.row_of(index, place) - row)
        self.settle(Anchor(index, place, self.row_of(index, place) - int(self.scroll_y)))

    def follow(self) -> None:
        """Go to the bottom and stay there."""
        self.following = True
        self.settle()

    def reading_position(self) -> Position | None:
        """What the reader sees first; None while following or empty."""
        if self.following or not len(self.heights):
            return None
        index, row = self.heights.find(int(self.scroll_y))
        view = self.view(index)
        part, line = view.find(min(row, max(0, len(view) - 1)))
        before = sum(len(line.text) - line.start for line in view.lines_of(part)[:line])
        return Position(index, part, before)

    def restore_position(self, position: Position | None) -> None:
        """Go back to where `reading_position` was, in the lines of another width."""
        if position is None:
            self.settle()
            return
        index, part, before = position
        view = self.view(index)
        number = 0
        for line in view.lines_of(part)[:-1]:
            before -= len(line.text) - line.start
            if before < 0:
                break
            number += 1
        self.scroll_to_line(index, Place(part, number), row=0)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """The reader scrolled: follow the bottom only from there."""
        super().watch_scroll_y(old_value, new_value)
        if not self._scrolling:
            self.following = new_value >= self.max_scroll_y
            self.settle()

    def _scroll_to(self, x: float | None = None, y: float | None = None, **options: Any) -> bool:
        # An animation would settle at every frame, and is late by its own length.
        return super()._scroll_to(x, y, **{**options, "animate": False})
