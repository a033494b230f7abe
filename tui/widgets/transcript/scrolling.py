"""A scroll view of entries whose heights are known only once they are rendered."""

from collections.abc import Iterable
from typing import Any

from textual.geometry import Size
from textual.reactive import var
from textual.scroll_view import ScrollView
from textual.widget import Widget

from tui.widgets.transcript.layout import Heights

_ROUNDS = 12
"""Corrections of estimated heights within one settling; two are usual."""


class AnchoredScroll(ScrollView):
    """Keeps the reader's position, or the bottom, while heights are measured and entries grow.

    Heights are estimates until an entry is measured. While entries are measured, the first visible one
    that was already measured does not move.
    """

    following: var[bool] = var(True)
    """Whether the view stays at the bottom as entries come and grow."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.heights = Heights()
        self._scrolling = False

    def measured_height(self, index: int) -> int:
        """The height of an entry in rows, which renders it; for the subclass."""
        raise NotImplementedError

    def is_measured(self, index: int) -> bool:
        """Whether an entry is rendered already; for the subclass."""
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
        """Render an entry and correct its height; returns the difference in rows."""
        height = self.measured_height(index)
        if difference := height - self.heights[index]:
            self.heights.set(index, height)
        return difference

    def measure_in_place(self, indexes: Iterable[int]) -> None:
        """Correct the heights of some entries; what the reader sees stays where it is."""
        top = self.heights.find(int(self.scroll_y))[0]
        anchor = None if self.following else (top, self.heights.offset(top) - int(self.scroll_y))
        for index in indexes:
            self.measure(index)
        self.settle(anchor)

    def settle(self, anchor: tuple[int, int] | None = None) -> None:
        """Render what is visible and correct the heights.

        Args:
            anchor: An entry, and the row of the view where its first line stays; None finds one.
        """
        if not len(self.heights) or not self.size.width or self._scrolling:
            return
        for _ in range(_ROUNDS):
            first, last = self._visible()
            if anchor is None and not self.following:
                known = next((index for index in range(first, last + 1) if self.is_measured(index)), first)
                anchor = (known, self.heights.offset(known) - int(self.scroll_y))
            changed = [index for index in range(last, first - 1, -1) if self.measure(index)]
            if self.following:
                self.put(self.heights.total)
            elif anchor is not None:
                wanted = self.heights.offset(anchor[0]) - anchor[1]
                if changed or wanted != int(self.scroll_y):
                    self.put(wanted)
            if not changed:
                break
        self.refresh()

    def _visible(self) -> tuple[int, int]:
        """The first and the last entry in view."""
        height = self.size.height
        y = max(0, self.heights.total - height) if self.following else int(self.scroll_y)
        return self.heights.find(y)[0], self.heights.find(y + height - 1)[0]

    def scroll_to_line(self, index: int, line: int = 0, *, row: int = 1) -> None:
        """Bring a line of an entry to a row of the view; the view then no longer follows the bottom."""
        self.following = False
        self.measure(index)
        self.put(self.heights.offset(index) + line - row)
        self.settle((index, self.heights.offset(index) - int(self.scroll_y)))

    def follow(self) -> None:
        """Go to the bottom and stay there."""
        self.following = True
        self.settle()

    def reading_position(self) -> tuple[int, float] | None:
        """The entry at the top and how far into it, from 0 to 1; None while following or empty."""
        if self.following or not len(self.heights):
            return None
        index, line = self.heights.find(int(self.scroll_y))
        return index, line / max(1, self.heights[index])

    def restore_position(self, position: tuple[int, float] | None) -> None:
        """Go back to where `reading_position` was, in the heights of another width."""
        if position is not None:
            index, fraction = position
            self.measure(index)
            self.put(self.heights.offset(index) + fraction * self.heights[index])
        self.settle()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """The reader scrolled: follow the bottom only from there."""
        super().watch_scroll_y(old_value, new_value)
        if not self._scrolling:
            self.following = new_value >= self.max_scroll_y
            self.settle()

    def _scroll_to(self, x: float | None = None, y: float | None = None, **options: Any) -> bool:
        # An animation would settle at every frame, and is late by its own length.
        return super()._scroll_to(x, y, **{**options, "animate": False})
