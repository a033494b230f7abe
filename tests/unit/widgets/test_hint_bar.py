"""Keys in words."""

import pytest

from tui.widgets.hint_bar import key_words


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("f1", "F1"),
        ("ctrl+q", "Ctrl+Q"),
        ("escape", "Esc"),
        ("ctrl+shift+pageup", "Ctrl+Shift+PgUp"),
        ("j", "j"),
        ("Y", "Y"),
    ],
)
def test_keys_have_names_for_people(key: str, words: str) -> None:
    assert key_words(key) == words
