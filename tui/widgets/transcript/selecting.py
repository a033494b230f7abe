"""Selecting text in a transcript with the mouse, where Textual knows no child widgets to select in."""

from textual.geometry import Offset
from textual.selection import SelectEnd, Selection

from tui.widgets.transcript.keys import KeyActions
from tui.widgets.transcript.selection import MOST_COLUMNS, ROWS_PER_ENTRY, selected_text, selection_row
from tui.widgets.transcript.view import Place


class SelectableEntries(KeyActions):
    """Answers Textual's questions about a selection: its text, its paint, and what a double click takes."""

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
