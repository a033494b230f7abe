"""Where each entry stands: heights, and the offsets that follow from them."""

from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate


class Heights:
    """Heights of entries in lines, and prefix sums that are brought up to date when they are asked for."""

    def __init__(self, heights: Iterable[int] = ()) -> None:
        self._heights = list(heights)
        self._offsets = [0]

    def __len__(self) -> int:
        return len(self._heights)

    def __getitem__(self, index: int) -> int:
        return self._heights[index]

    @property
    def total(self) -> int:
        """Lines in all."""
        return self._summed()[-1]

    def offset(self, index: int) -> int:
        """Lines before an entry; for an index one past the last, the total."""
        return self._summed()[index]

    def find(self, y: int) -> tuple[int, int]:
        """The entry at a line, and the line within it; beyond the ends, the first or last entry."""
        index = min(max(0, bisect_right(self._summed(), y) - 1), len(self._heights) - 1)
        return index, y - self._offsets[index]

    def append(self, height: int) -> None:
        """Add an entry at the end."""
        self._heights.append(height)

    def cut(self, count: int) -> None:
        """Keep only the first entries."""
        del self._heights[count:], self._offsets[count + 1 :]

    def set(self, index: int, height: int) -> None:
        """Change the height of an entry; the offsets after it are summed again when needed."""
        self._heights[index] = height
        del self._offsets[index + 1 :]

    def _summed(self) -> list[int]:
        if (known := len(self._offsets) - 1) < len(self._heights):
            sums = accumulate(self._heights[known:], initial=self._offsets.pop())
            self._offsets.extend(sums)
        return self._offsets
