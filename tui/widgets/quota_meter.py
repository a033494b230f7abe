"""What is used and what remains of an amount of tokens, in words and as a bar."""

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from tui.core.figures import ProviderFigures
from tui.core.frozen import frozen
from tui.core.quota import AlertLevel, alert_level, percent
from tui.widgets.usage_text import ALERT_WORDS, Part, bar

BAR_CELLS = 24
LABEL_CELLS = 16
"""As wide as the label and the mark of a field, so that figures stand under the boxes."""


@frozen
class Quota:
    """An amount and what was used of it, in tokens."""

    used: int
    whole: int | None
    """None where there is no limit."""
    approximate: bool = False
    """Whether `used` holds an estimate."""

    @classmethod
    def of(cls, figures: ProviderFigures) -> "Quota":
        """A provider's pool, a streaming turn's tokens included."""
        return cls(figures.used + figures.pending, figures.purchased, figures.approximate)

    @property
    def remaining(self) -> int | None:
        """May be below 0. None where there is no limit."""
        return None if self.whole is None else self.whole - self.used

    @property
    def alert(self) -> AlertLevel | None:
        """How little remains."""
        return None if self.whole is None else alert_level(self.whole - self.used, self.whole)


class QuotaMeter(Widget):
    """Used, Remaining and a bar. The alert level is a class: `-low`, `-critical` or `-exhausted`.

    Args:
        quota: What to show at first.
    """

    COMPONENT_CLASSES = {"quota-meter--fill", "quota-meter--track", "quota-meter--label", "quota-meter--word"}

    quota: reactive[Quota | None] = reactive(None, layout=True)
    """The figures; None shows nothing."""

    def __init__(
        self,
        quota: Quota | None = None,
        *,
        id: str | None = None,  # noqa: A002 - Textual's own name for it
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.set_reactive(QuotaMeter.quota, quota)

    def words(self, width: int | None = None) -> tuple[str, ...]:
        """The lines in words, without the bar.

        Args:
            width: Cells for them: the figures outlast what they count. None for all that is to be said.
        """
        quota = self.quota
        if quota is None:
            return ()
        about = "~" if quota.approximate else ""
        used = f"{'Used':<{LABEL_CELLS}}{about}{quota.used:,} tokens"
        if quota.whole is None or quota.remaining is None:
            return (used,)
        share = percent(quota.used, quota.whole)
        remaining = f"{'Remaining':<{LABEL_CELLS}}{about}{quota.remaining:,} tokens"
        lines = f"{used} ({share}%)", remaining
        if width is None or max(map(len, lines)) <= width:
            return lines
        return tuple(line.replace(" tokens", "") for line in lines)

    def watch_quota(self, quota: Quota | None) -> None:
        """Wear the alert level as a class."""
        level = quota.alert if quota else None
        for each in AlertLevel:
            self.set_class(each is level, f"-{each.value}")

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        """A line for each figure, and the bar."""
        words = self.words()
        return len(words) + (len(words) > 1)

    def render_line(self, y: int) -> Strip:
        """A line in words, or the bar."""
        width = self.size.width
        words = self.words(width)
        if y < len(words):
            line = words[y]
            label = self.get_component_rich_style("quota-meter--label")
            segments = [Segment(line[:LABEL_CELLS], label), Segment(line[LABEL_CELLS:], self.rich_style)]
            return Strip(segments).adjust_cell_length(width, self.rich_style)
        if y == len(words) == 2:
            return Strip(self._bar(width)).adjust_cell_length(width, self.rich_style)
        return Strip.blank(width, self.rich_style)

    def _bar(self, width: int) -> list[Segment]:
        quota = self.quota
        if quota is None or quota.whole is None or quota.remaining is None:
            return []
        share = percent(quota.remaining, quota.whole)
        figure, word = f" {share}%", f"  {ALERT_WORDS[quota.alert]}" if quota.alert else ""
        room = width - LABEL_CELLS
        cells = max(0, min(4, room - len(figure + word)), min(BAR_CELLS, room - 16))
        indent = Segment(" " * LABEL_CELLS, self.rich_style)
        segments = [indent, *(Segment(piece.text, self._look(piece.part)) for piece in bar(share, cells))]
        segments.append(Segment(figure, self.rich_style))
        if word:
            segments.append(Segment(word, self.get_component_rich_style("quota-meter--word")))
        return segments

    def _look(self, part: Part) -> Style:
        return self.get_component_rich_style(f"quota-meter--{'fill' if part is Part.BAR else 'track'}")
