"""The usage footer: under every tab, what remains of each provider's tokens."""

from datetime import UTC, tzinfo
from typing import ClassVar

from textual import events
from textual.content import Content
from textual.geometry import Size
from textual.reactive import reactive
from textual.widget import Widget

from tui.core.figures import UsageSnapshot
from tui.widgets.usage_lines import usage_lines
from tui.widgets.usage_text import Line, Part


class UsageFooter(Widget):
    """One line per provider in use; drawn again only when its words change."""

    HELP: ClassVar[str] = (
        "What remains of the purchased tokens, per provider: a bar, the tokens that remain, what was used of "
        "what was purchased, and today's allowance with the time at which it returns. ~ marks a figure that "
        "holds an estimate. With your own keys it counts the tokens that you used."
    )
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"usage--{part.value}" for part in Part}

    snapshot: reactive[UsageSnapshot | None] = reactive(None, repaint=False)
    """The figures."""
    zone: reactive[tzinfo] = reactive(UTC, repaint=False)
    """Where reset times are shown in."""

    def __init__(self) -> None:
        super().__init__(id="usage")
        self.lines: tuple[Line, ...] = ()

    def watch_snapshot(self) -> None:
        """Take over new figures."""
        self._update()

    def watch_zone(self) -> None:
        """Show reset times anew."""
        self._update()

    def on_resize(self, _event: events.Resize) -> None:
        """Lay the lines out for the new width."""
        self._update()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002 - Textual's
        """A row for each line: lines laid out for another width, before a resize, must not wrap."""
        return max(1, len(self.lines))

    def render(self) -> Content:
        """The lines in their colours."""
        return Content("\n").join(
            Content.assemble(*((piece.text, self.get_visual_style(f"usage--{piece.part}")) for piece in line))
            for line in self.lines
        )

    def _update(self) -> None:
        if self.snapshot is None or not self.is_mounted:
            return
        width = self.content_size.width or self.app.size.width - self.gutter.width
        lines = usage_lines(self.snapshot, width, self.zone)
        if lines != self.lines:
            grown = len(lines) != len(self.lines)
            self.lines = lines
            self.refresh(layout=grown)
