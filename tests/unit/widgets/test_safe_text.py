"""The last point before the terminal."""

from hypothesis import given
from hypothesis import strategies as st
from rich.segment import Segment
from rich.style import Style
from textual.color import Color

from tui.core.text import without_controls
from tui.widgets.safe_text import SAFE_TEXT

BLACK = Color(0, 0, 0)
FORBIDDEN = {
    *map(chr, range(0x20)),
    *map(chr, range(0x7F, 0xA0)),
    *"\u202a\u202b\u202c\u202d\u202e\u2066\u2069\u200f",
}


@given(st.text())
def test_no_control_and_no_override_is_left(text: str) -> None:
    clean = without_controls(text)
    assert not FORBIDDEN & {*clean}
    clean.encode()


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"], exclude_characters="\u061c")))
def test_what_is_visible_stays(text: str) -> None:
    assert without_controls(text) == text


def test_a_line_is_made_safe_with_its_styles() -> None:
    red = Style(color="red")
    safe = SAFE_TEXT.apply([Segment("a\x1b[2Jb\t", red), Segment("plain"), Segment("\x9d", None)], BLACK)
    assert safe == [Segment("a[2Jb ", red), Segment("plain"), Segment("", None)]


def test_a_link_that_could_end_its_own_sequence_is_no_link() -> None:
    bad, good = Style(link="https://a\x1b\\\x1b]52;c;eA==\x07"), Style(link="https://a.example/ü")
    first, second = SAFE_TEXT.apply([Segment("bad", bad), Segment("good", good)], BLACK)
    assert first.style is not None
    assert first.style.link is None
    assert second.style is good
