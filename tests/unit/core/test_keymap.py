"""Keys as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.keys import Keys

from tui.core.errors import InvalidValueError
from tui.core.keymap import check_binding_id, is_plain, parse_keys


@pytest.mark.parametrize(
    ("written", "keys"),
    [
        ("F12", "f12"),
        ("Ctrl+S", "ctrl+s"),
        ("f5, ctrl+n , f5", "f5,ctrl+n"),
        ("Esc", "escape"),
        ("PgUp", "pageup"),
        ("G", "G"),
        ("?", "?"),
        (",", ","),
        ("question_mark", "question_mark"),
        ("ctrl+shift+up", "ctrl+shift+up"),
    ],
)
def test_keys_are_read_as_people_write_them(written: str, keys: str) -> None:
    assert parse_keys(written) == keys


@pytest.mark.parametrize(
    "written", ["", "f25", "strg+s", "f5,,f6", "ctrl+", "nothing", "f1,f2,f3,f4,f5", "\x1b"]
)
def test_what_is_no_key_is_refused(written: str) -> None:
    with pytest.raises(InvalidValueError):
        parse_keys(written)


@given(st.text(max_size=20))
def test_any_text_is_keys_or_refused(text: str) -> None:
    try:
        keys = parse_keys(text)
    except InvalidValueError:
        return
    assert keys.isprintable()
    assert parse_keys(keys) == keys


@pytest.mark.parametrize("key", list(Keys))
def test_the_names_of_textuals_keys_are_known(key: Keys) -> None:
    if not key.value.startswith(("<", "vt100", "scroll", "ctrl+@", "backtab", "return", "ctrl-at")):
        assert parse_keys(key.value) == key.value


@pytest.mark.parametrize(
    ("key", "plain"), [("j", True), ("space", True), ("question_mark", True), ("f5", False)]
)
def test_plain_keys_are_those_that_type_a_character(key: str, plain: bool) -> None:
    assert is_plain(key) == plain
    assert not is_plain(f"ctrl+{key}")


@pytest.mark.parametrize("name", ["app.help", "transcript.copy_block_2"])
def test_ids_of_bindings(name: str) -> None:
    assert check_binding_id(name) == name


@pytest.mark.parametrize("name", ["", "help", "app.", "App.help", "app help", "a.b" * 60])
def test_what_is_no_id_is_refused(name: str) -> None:
    with pytest.raises(InvalidValueError):
        check_binding_id(name)
