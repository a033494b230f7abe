"""What is attached to the prompt: a line for each file, over it."""

from collections.abc import Sequence
from dataclasses import dataclass

from textual import events
from textual.app import RenderResult
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from tui.core.amounts import size_words
from tui.core.chat import Attachment
from tui.core.text import sanitize_line

MOST_SHOWN = 5
"""Lines; of more files, the last one says how many there are."""


class AttachmentBar(Widget):
    """Names, sizes and estimates in columns; a click on the cross at the end of a line takes a file off."""

    COMPONENT_CLASSES = {"attachments--name", "attachments--size", "attachments--remove"}

    attached: reactive[tuple[Attachment, ...]] = reactive((), layout=True)
    """The files, in the order of their attaching."""

    @dataclass(repr=False, eq=False)
    class Removed(Message):
        """A file was taken off."""

        bar: "AttachmentBar"
        attachment: Attachment

        @property
        def control(self) -> "AttachmentBar":
            """The bar."""
            return self.bar

    def watch_attached(self, attached: tuple[Attachment, ...]) -> None:
        """Without a file there is no line."""
        self.set_class(bool(attached), "-shown")

    def render(self) -> RenderResult:
        """The lines."""
        lines = list(_rows(self.attached, self.size.width))
        name, size = self.get_visual_style("attachments--name"), self.get_visual_style("attachments--size")
        cross = self.get_visual_style("attachments--remove")
        return Content("\n").join(
            Content.assemble((left, name), (middle, size), ("  ×" if removable else "", cross))
            for left, middle, removable in lines
        )

    def on_click(self, event: events.Click) -> None:
        """Take off the file whose cross was hit."""
        at = event.get_content_offset(self)
        rows = list(_rows(self.attached, self.size.width))
        if at is None or at.y >= len(rows):
            return
        left, middle, removable = rows[at.y]
        end = Content(left + middle).cell_length + 3
        if removable and end - 2 <= at.x <= end:
            self.post_message(self.Removed(self, self.attached[at.y]))


def _rows(attached: Sequence[Attachment], width: int) -> list[tuple[str, str, bool]]:
    """Name, figures, and whether there is a cross, for each line."""
    shown = attached if len(attached) <= MOST_SHOWN else attached[: MOST_SHOWN - 1]
    sizes = [size_words(one.size) for one in shown]
    tokens = ["not there any more" if one.tokens is None else f"~{one.tokens:,} tokens" for one in shown]
    wide_size, wide_tokens = max(map(len, sizes), default=0), max(map(len, tokens), default=0)
    room = max(8, width - wide_size - wide_tokens - 8)
    names = [Content(sanitize_line(one.name, 200)).truncate(room, ellipsis=True) for one in shown]
    wide_name = max((name.cell_length for name in names), default=0)
    rows = [
        (
            name.plain + " " * (wide_name - name.cell_length),
            f"  {size:>{wide_size}}  {count:>{wide_tokens}}",
            True,
        )
        for name, size, count in zip(names, sizes, tokens, strict=True)
    ]
    if len(shown) < len(attached):
        rows.append((f"and {len(attached) - len(shown)} more", "", False))
    return rows
