"""What every field of the settings shares: a label, a box to type in, a word after it and a note below.

A row draws itself as one widget: a tab of forty rows made of Textual's Input, Label and containers would be
two hundred widgets to mount and lay out.
"""

from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import BindingType
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tui.core.text import sanitize_line
from tui.widgets.line_buffer import EDITS, LineBuffer
from tui.widgets.wrapping import wrap

REVERSE = Style(reverse=True)
NOTE, CHOICE, CHOICE_ON, SUFFIX = "note", "choice", "choice-on", "suffix"
LEAST_BOX = 8
"""Cells of a box beside its suffix: where there are fewer, the suffix stands below."""
NEWLINE = "\u21b5"
"""Stands for a line break inside a one-line box."""


class FieldRow(Widget, can_focus=True):
    """A labelled box for one line of text. Subclasses decide what is shown and when it counts.

    Args:
        label: In front of the box.
        placeholder: In the box while it is empty.
        suffix: After the box: a unit. Below it where there is no room.
        limit: The most characters that may be typed.
    """

    BINDINGS: ClassVar[list[BindingType]] = []
    # Textual resolves each of these for each field whenever styles change: as few as can be.
    COMPONENT_CLASSES = {"field--label", "field--box", "field--placeholder", "field--note"}
    ALLOW_SELECT = False

    class Edited(Message):
        """The text in the box changed. The text is asked of the `control`, never carried along."""

        def __init__(self, control: "FieldRow") -> None:
            super().__init__()
            self._control = control

        @property
        def control(self) -> "FieldRow":
            """The field."""
            return self._control

    def __init__(
        self,
        label: str,
        *,
        placeholder: str = "",
        suffix: str = "",
        limit: int = 4_000,
        name: str | None = None,
        id: str | None = None,  # noqa: A002 - Textual's own name for it
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=f"field {classes}" if classes else "field")
        self.label = label
        self.placeholder = placeholder
        self.suffix = suffix
        self._buffer = LineBuffer(limit)
        self._note = ""
        self._scroll = 0

    @property
    def note(self) -> str:
        """The words under the box."""
        return self._note

    def show_note(self, words: str, state: str = "") -> None:
        """Put words under the box.

        Args:
            words: One line or more; empty removes the note.
            state: `-invalid`, `-saved`, `-asking` or empty: how it is coloured.
        """
        self._note = words
        for name in ("-invalid", "-saved", "-asking"):
            self.set_class(name == state, name)
        self.grow()

    def grow(self) -> None:
        """Lay out a height that may have changed, and keep the whole of the field in view."""
        self.refresh(layout=True)
        if self.has_focus:
            self.call_after_refresh(self._keep_in_view)

    def _keep_in_view(self) -> None:
        """Scroll to the field; one that is higher than the view is seen from its box on."""
        views = (node for node in self.ancestors if isinstance(node, Widget) and node.allow_vertical_scroll)
        high = any(self.region.height >= view.scrollable_content_region.height for view in views)
        self.scroll_visible(animate=False, top=high)

    def check_consume_key(self, key: str, character: str | None) -> bool:  # noqa: ARG002 - Textual's signature
        """Whether a key would be typed into the box rather than run a binding."""
        return character is not None and character.isprintable()

    def consume(self, key: str, character: str | None) -> bool:
        """Type or edit, where the key is for that; False where it is not."""
        if edit := EDITS.get(key):
            edit(self._buffer)
        elif character is not None and character.isprintable():
            self._buffer.insert(character)
        else:
            return False
        self.edited()
        return True

    def insert(self, text: str) -> None:
        """Put pasted text in at the cursor, as one line."""
        self._buffer.insert(text)
        self.edited()

    def edited(self) -> None:
        """React to a change of the text."""
        if self.list_open:
            self.grow()
        self.refresh()
        self.post_message(self.Edited(self))

    @property
    def list_open(self) -> bool:
        """Whether there is a list under the box, which typing changes."""
        return False

    def box_text(self) -> str:
        """What stands in the box, one character for each of the buffer's while it is being edited."""
        return sanitize_line(self._buffer.text) if not self.has_focus else _one_line(self._buffer.text)

    def fitted(self, text: str, width: int) -> str:
        """What of a text is seen in a box without the cursor: exactly so many cells."""
        return fit(text, width)

    def mark_text(self) -> str:
        """One cell at the end of the box."""
        return " "

    def lines_below(self, width: int) -> list[tuple[str, str]]:
        """The lines under the box, each with what it is: `NOTE`, `CHOICE` or `CHOICE_ON`.

        Args:
            width: Cells for them.
        """
        return [(line, NOTE) for line in wrap(self._note, width)] if self._note else []

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        """One line, and those below."""
        return 1 + len(self._below(width))

    def render_line(self, y: int) -> Strip:
        """Draw the row, or one of the lines under it."""
        width = self.size.width
        if y == 0:
            return Strip(self._row(width)).adjust_cell_length(width, self.rich_style)
        below = self._below(width)
        if y > len(below):
            return Strip.blank(width, self.rich_style)
        text, kind = below[y - 1]
        component = {NOTE: "field--note", SUFFIX: "field--label"}.get(kind, "field--box")
        style = self._style(component) + REVERSE if kind == CHOICE_ON else self._style(component)
        line = [Segment(" " * self._indent(), self.rich_style), Segment(text, style)]
        return Strip(line).adjust_cell_length(width, self.rich_style)

    def box_span(self) -> tuple[int, int]:
        """The column where the text of the box starts, and its width in cells."""
        start = self._indent()
        beside = self.suffix and not self._suffix_below(self.size.width)
        room = self.size.width - start - 1 - (cell_len(self.suffix) + 1 if beside else 0)
        wanted = self.get_component_styles("field--box").width
        cells = int(wanted.value) if wanted is not None and wanted.is_cells else room
        return start, max(4, min(cells, room))

    def on_click(self, event: events.Click) -> None:
        """Put the cursor where the box was clicked."""
        start, _ = self.box_span()
        if event.y == 0 and event.x >= start:
            self._buffer.move_to(event.x - start + self._scroll)
            self.refresh()

    def _row(self, width: int) -> list[Segment]:
        label = self._label_width()
        _, box = self.box_span()
        mark = "\u258c" if self.has_focus else " "
        row = [
            Segment(fit(self.label, label), self._style("field--label")),
            Segment(mark, self._style("field--label")),
            *self._box(box),
            Segment(self.mark_text(), self._style("field--box")),
        ]
        if self.suffix and not self._suffix_below(width):
            row.append(Segment(f" {self.suffix}", self._style("field--label")))
        return row if width else []

    def _box(self, width: int) -> list[Segment]:
        style, text = self._style("field--box"), self.box_text()
        if not self.has_focus:
            shown = self.fitted(text, width) if text else fit(self.placeholder, width)
            return [Segment(shown, style if text else self._style("field--placeholder"))]
        cursor = min(self._buffer.cursor, len(text))
        before, under, after = text[:cursor], text[cursor : cursor + 1], text[cursor + 1 :]
        line = Strip(
            [
                Segment(before, style),
                Segment(under or " ", style + REVERSE),
                Segment(after, style),
            ]
        )
        at = cell_len(before)
        self._scroll = max(min(self._scroll, at), at - width + 1, 0)
        return list(line.crop(self._scroll, self._scroll + width).adjust_cell_length(width, style))

    def _suffix_below(self, width: int) -> bool:
        return bool(self.suffix) and width - self._indent() - 2 - cell_len(self.suffix) < LEAST_BOX

    def _below(self, width: int) -> list[tuple[str, str]]:
        """All that stands below the box in a field of so many cells; a list makes a suffix wait."""
        room = max(8, width - self._indent())
        suffix = wrap(self.suffix, room) if self._suffix_below(width) and not self.list_open else []
        return [*((line, SUFFIX) for line in suffix), *self.lines_below(room)]

    def _label_width(self) -> int:
        if not self.label:
            return 0
        wanted = self.get_component_styles("field--label").width
        return int(wanted.value) if wanted is not None and wanted.is_cells else cell_len(self.label) + 1

    def _indent(self) -> int:
        return self._label_width() + 1

    def _style(self, component: str) -> Style:
        return self.get_component_rich_style(component)


def _one_line(text: str) -> str:
    return text.replace("\n", NEWLINE)


def fit(text: str, width: int) -> str:
    """Text in exactly so many cells, cut with an ellipsis."""
    if cell_len(text) > width:
        while text and cell_len(text) > width - 1:
            text = text[:-1]
        text += "\u2026"
    return text + " " * (width - cell_len(text))
