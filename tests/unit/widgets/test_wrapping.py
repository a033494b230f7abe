from rich.cells import cell_len

from tui.widgets.wrapping import wrap


def test_lines_are_broken_at_spaces() -> None:
    assert wrap("one two three", 7) == ["one two", "three"]


def test_a_word_that_is_too_long_is_broken_anywhere() -> None:
    assert wrap("ab abcdefgh", 4) == ["ab", "abcd", "efgh"]


def test_wide_characters_count_for_two_cells() -> None:
    lines = wrap("漢字漢字漢字", 5)
    assert all(cell_len(line) <= 5 for line in lines)
    assert "".join(lines) == "漢字漢字漢字"


def test_line_breaks_are_kept() -> None:
    assert wrap("a\n\nb", 5) == ["a", "", "b"]
