import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.core.text import last_four, redact, sanitize, sanitize_line


@pytest.mark.parametrize(
    ("raw", "safe"),
    [
        ("plain", "plain"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("\x1b[31mred", "␛[31mred"),
        ("\x1b]52;c;aGk=\x07", "␛]52;c;aGk=␇"),
        ("\x9b31m", "31m"),
        ("\u202eevil\u202c", "evil"),
        ("a\u2028b", "a\nb"),
        ("del\x7f", "del␡"),
        ("naïve 日本 🙂", "naïve 日本 🙂"),
        ("lone \ud800", "lone ?"),
    ],
)
def test_nothing_reaches_the_terminal_that_it_would_obey(raw: str, safe: str) -> None:
    assert sanitize(raw) == safe


@given(st.text())
def test_safe_text_has_no_control_and_stays_as_it_is(text: str) -> None:
    safe = sanitize(text)
    assert all(unicodedata.category(char) != "Cc" or char in "\n\t" for char in safe)
    assert not set(safe) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")
    assert sanitize(safe) == safe
    safe.encode("utf-8")


@given(st.text(), st.integers(1, 50))
def test_a_line_is_one_line_and_no_longer_than_asked(text: str, limit: int) -> None:
    line = sanitize_line(text, limit)
    assert len(line) <= limit
    assert "\n" not in line
    assert line == line.strip()


@pytest.mark.parametrize(
    "text",
    [
        "Incorrect API key provided: sk-proj-abcdefghijkl.",
        "key AIzaSyA1234567890abcdef is bad",
        "GET /v1/models?key=SECRETSECRET&x=1",
        "Authorization: Bearer abc.def-ghijkl",
    ],
)
def test_whatever_looks_like_a_key_is_blotted_out(text: str) -> None:
    blotted = redact(text)
    assert "•" * 8 in blotted
    assert not any(part in blotted for part in ("abcdef", "1234567890", "SECRET", "ghijkl"))


def test_known_secrets_are_blotted_out_whatever_they_look_like() -> None:
    assert redact("the password hunter2 and abc", ["hunter2", "abc", ""]) == f"the password {'•' * 8} and abc"


@pytest.mark.parametrize(
    ("key", "shown"), [("sk-proj-0123456789a91f", "a91f"), ("short", ""), ("elevenchars", "")]
)
def test_of_a_short_key_nothing_is_shown(key: str, shown: str) -> None:
    assert last_four(key) == shown
