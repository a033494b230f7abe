from hypothesis import given
from hypothesis import strategies as st

from tui.widgets.transcript.layout import Heights

changes = st.lists(st.tuples(st.integers(0, 19), st.integers(0, 9), st.integers(0, 20)), max_size=40)


@given(st.lists(st.integers(0, 9), min_size=20, max_size=20), changes)
def test_offsets_are_the_sums_of_the_heights_before(
    heights: list[int], edits: list[tuple[int, int, int]]
) -> None:
    kept = Heights(heights)
    for index, height, asked in edits:
        heights[index] = height
        kept.set(index, height)
        assert kept.offset(asked) == sum(heights[:asked])
    heights.append(5)
    kept.append(5)
    assert kept.total == sum(heights)


def test_the_entry_at_a_line_is_found_beyond_the_ends_too() -> None:
    kept = Heights([2, 3])
    assert [kept.find(y) for y in (-1, 0, 1, 2, 4, 9)] == [(0, -1), (0, 0), (0, 1), (1, 0), (1, 2), (1, 7)]
