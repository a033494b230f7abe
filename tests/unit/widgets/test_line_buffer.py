import pytest

from tui.widgets.line_buffer import EDITS, LineBuffer


def buffer(text: str, cursor: int | None = None, limit: int = 100) -> LineBuffer:
    made = LineBuffer(limit)
    made.load(text)
    if cursor is not None:
        made.move_to(cursor)
    return made


@pytest.mark.parametrize(
    ("key", "before", "cursor", "after", "moved"),
    [
        ("left", "abc", 3, "abc", 2),
        ("left", "abc", 0, "abc", 0),
        ("right", "abc", 1, "abc", 2),
        ("right", "abc", 3, "abc", 3),
        ("home", "abc", 2, "abc", 0),
        ("end", "abc", 1, "abc", 3),
        ("ctrl+left", "one two  ", 9, "one two  ", 4),
        ("ctrl+left", "one", 0, "one", 0),
        ("ctrl+right", "one  two", 3, "one  two", 8),
        ("ctrl+right", "one", 3, "one", 3),
        ("backspace", "abc", 2, "ac", 1),
        ("backspace", "abc", 0, "abc", 0),
        ("delete", "abc", 1, "ac", 1),
        ("delete", "abc", 3, "abc", 3),
        ("ctrl+w", "one two", 7, "one ", 4),
        ("ctrl+u", "abc", 2, "c", 0),
        ("ctrl+k", "abc", 1, "a", 1),
    ],
)
def test_an_editing_key_does_what_readline_does(
    key: str, before: str, cursor: int, after: str, moved: int
) -> None:
    line = buffer(before, cursor)
    EDITS[key](line)
    assert (line.text, line.cursor) == (after, moved)


def test_text_is_inserted_at_the_cursor() -> None:
    line = buffer("ad", 1)
    line.insert("bc")
    assert (line.text, line.cursor) == ("abcd", 3)


def test_what_goes_beyond_the_limit_is_cut_off() -> None:
    line = buffer("abc", limit=5)
    line.insert("defg")
    assert line.text == "abcde"
    line.insert("x")
    assert line.text == "abcde"


def test_the_text_is_not_in_the_repr() -> None:
    assert "secret" not in repr(buffer("secret"))
