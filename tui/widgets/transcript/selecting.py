"""Selecting text in a transcript by mouse and by key: Textual knows no child widgets to select in."""

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.geometry import Offset
from textual.selection import SelectEnd, Selection

from tui.widgets.transcript.keys import KeyActions
from tui.widgets.transcript.selection import MOST_COLUMNS, ROWS_PER_ENTRY, selected_text, selection_row
from tui.widgets.transcript.view import Place


class SelectableEntries(KeyActions):
    """Answers Textual's questions about a selection: its text, its paint, and what a double click takes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            key,
            f"select_rows({step})",
            f"Select {where}",
            show=False,
            tooltip=f"Select whole rows, one more {where}; y copies them",
            id=f"transcript.select_{where}",
        )
        for key, step, where in (("shift+up", -1, "up"), ("shift+down", 1, "down"))
    ]

    _selected_from: int | None = None
    """The selection row at which selecting by key began."""
    _selected_to = 0
    """The one that it has got to."""

    def action_select_rows(self, step: int) -> None:
        """Select whole rows by key, from the message in focus or the edge of the view on."""
        rows = self._rows_in_view()
        if not rows:
            return
        if self._selected_from is None or self.text_selection is None:
            mine = [row for row in rows if row // ROWS_PER_ENTRY == self.cursor]
            self._selected_from = self._selected_to = (mine or rows)[0 if step > 0 or mine else -1]
        else:
            if self._selected_to == rows[-1 if step > 0 else 0]:
                self.scroll_relative(y=step, animate=False, immediate=True)
                rows = self._rows_in_view()
            at = rows.index(self._selected_to) + step if self._selected_to in rows else 0
            self._selected_to = rows[min(max(0, at), len(rows) - 1)]
        first, last = sorted((self._selected_from, self._selected_to))
        self.screen.selections = {self: Selection(Offset(0, first), Offset(MOST_COLUMNS, last))}

    def _rows_in_view(self) -> list[int]:
        """The selection rows on the screen, from top to bottom."""
        found: list[int] = []
        for y in range(self.size.height if len(self.heights) else 0):
            metas = (segment.style.meta for segment in self.render_line(y) if segment.style)
            row = next((meta["offset"][1] for meta in metas if "offset" in meta), None)
            if row is not None and (not found or row > found[-1]):
                found.append(row)
        return found

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The selected text, and what parts it from the next widget's."""

        def source_of(index: int) -> str:
            entry = self.store.entry(index)
            return f"{entry.title}\n{entry.body}" if entry.title else entry.body

        return selected_text(selection, len(self.store), self.view, source_of), "\n"

    def selection_updated(self, _selection: Selection | None) -> None:
        """Paint again what is selected."""
        self.refresh()

    def text_select_all(self) -> None:
        """Select the message under the mouse: a double click would else take the whole conversation."""
        offset = self.screen.get_widget_and_offset_at(*self.app.mouse_position)[1]
        if offset is not None and len(self.store):
            index = min(offset.y // ROWS_PER_ENTRY, len(self.store) - 1)
            parts = self.view(index).parts
            last = Offset(MOST_COLUMNS, selection_row(index, Place(parts, 0)) - 1)
            self.screen.selections = {self: Selection(Offset(0, index * ROWS_PER_ENTRY), last)}

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Scrolling while the mouse drags: Textual leaves the selection's end where it was."""
        super().watch_scroll_y(old_value, new_value)
        state = self.screen._select_state
        if state is None or not state.end or not self.screen._selecting:
            return
        widget, offset = self.screen.get_widget_and_offset_at(*self.app.mouse_position)
        if widget is self and offset is not None and self.parent is not None:
            end = SelectEnd(self.select_container, self, offset)
            self.screen._select_state = state.update_end(self.app.mouse_position, end)
