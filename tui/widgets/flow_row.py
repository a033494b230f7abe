"""A row that goes on in the next line where there is no room: buttons are never beyond the edge."""

from fractions import Fraction

from textual.geometry import NULL_OFFSET, Region, Size, Spacing
from textual.layout import ArrangeResult, Layout, WidgetPlacement
from textual.widget import Widget


class FlowLayout(Layout):
    """Places children beside each other, and below where the width ends; none is wider than the row.

    Of the children's margins only the one at the right counts: it keeps the next child away.
    """

    name = "flow"

    def arrange(
        self,
        parent: Widget,
        children: list[Widget],
        size: Size,
        greedy: bool = True,  # noqa: ARG002 - Textual's signature
    ) -> ArrangeResult:
        """Place the children."""
        parent.pre_layout(self)
        viewport = parent.app.viewport_size
        fractions = Fraction(size.width), Fraction(size.height)
        placements: ArrangeResult = []
        x = y = below = 0
        for child in children:
            box = child._get_box_model(size, viewport, *fractions, constrain_width=True)
            width, height = int(box.width), int(box.height)
            if x and x + width > size.width:
                x, y = 0, below
            placements.append(WidgetPlacement(Region(x, y, width, height), NULL_OFFSET, Spacing(), child))
            x, below = x + width + box.margin.right, max(below, y + height)
        return placements


class FlowRow(Widget):
    """Widgets beside each other, as many in a line as have room."""

    def __init__(
        self,
        *children: Widget,
        id: str | None = None,  # noqa: A002 - Textual's own name for it
        classes: str | None = None,
    ) -> None:
        super().__init__(*children, id=id, classes=f"flow-row {classes}" if classes else "flow-row")
        self._flow = FlowLayout()

    @property
    def layout(self) -> Layout:
        """As many in a line as have room."""
        return self._flow
