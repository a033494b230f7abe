"""A layout in two columns that keeps the children's order for the keyboard.

Textual's grid would leave a hole under the shorter section of each row, and containers for the columns would
make Tab go down one column before the other.
"""

from collections.abc import Callable
from fractions import Fraction

from textual.geometry import NULL_OFFSET, Region, Size, Spacing
from textual.layout import ArrangeResult, Layout, WidgetPlacement
from textual.widget import Widget

GUTTER = 1
ACROSS = 2
"""The column of a child that is as wide as both."""


class ColumnsLayout(Layout):
    """Stacks each child under the last one of its column, or all in one where there is no room for two.

    Args:
        column_of: The column of a child, 0 or 1; `ACROSS` for one that is as wide as both, below them.
        wide: Cells from which on there are two columns.
    """

    name = "columns"

    def __init__(self, column_of: Callable[[Widget], int], wide: int) -> None:
        self._column_of = column_of
        self._wide = wide

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
        two = size.width >= self._wide
        left = (size.width - GUTTER) // 2 if two else size.width
        spans = ((0, left), (left + GUTTER, size.width - GUTTER - left), (0, size.width))
        heights = [0, 0]
        placements: ArrangeResult = []
        for child in children:
            column = self._column_of(child) if two else 0
            x, width = spans[column]
            box = child._get_box_model(size, viewport, Fraction(width), Fraction(size.height))
            top = max(heights) if column == ACROSS else heights[column]
            region = Region(x, top, width, int(box.height))
            if column == ACROSS:
                heights = [region.bottom, region.bottom]
            else:
                heights[column] = region.bottom
            placements.append(WidgetPlacement(region, NULL_OFFSET, Spacing(), child))
        return placements
