"""Whatever a reply holds, its lines stay within the frame and do nothing to a terminal."""

import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.cache import LRUCache
from textual.content import Content

from tui.core.text import sanitize
from tui.widgets.transcript.body import Body
from tui.widgets.transcript.flow import render_document
from tui.widgets.transcript.lines import Line, wrap
from tui.widgets.transcript.palette import Palette

SCRIPTS = (
    "plain words ",
    "漢字かな交じり",
    "한국어 ",
    "שלום עולם ",
    "مرحبا بالعالم ",
    "e\u0301a\u0308o\u0302",
    "👍🏽",
    "👩‍💻",
    "👨‍👩‍👧‍👦",
    "🇩🇪🇯🇵🇺",
    "❤️☀️✔️",
    "1️⃣#️⃣",
    "🏴\U000e0067\U000e0062\U000e007f",
    "\u200b\u200d\ufe0f",
    "ｆｕｌｌ",
    "ไทย ",
    "नमस्ते ",
    "x" * 40,
    "https://example.com/a/very/long/path ",
    "\t",
    "\n",
    "\n\n",
    "\x1b[31m",
    "\x07",
    "\u202e",
    "\x85",
)
MARKS = (
    "# ",
    "> ",
    "- ",
    "1. ",
    "- [ ] ",
    "- [x] ",
    "```\n",
    "```python\n",
    "    ",
    "| a | b |\n|---|:-:|\n| ",
    " | ",
    "**",
    "*",
    "`",
    "~~",
    "[a](https://example.com)",
    "![i](x.png)",
    "<br>",
    "<div>\n",
    "---\n",
    "$x_1$",
    "\\(a\\)",
    "$$\n",
    "[^1]",
    "\n[^1]: ",
    "&amp;",
    "&#27;",
    "\\",
)
documents = st.lists(st.sampled_from(SCRIPTS + MARKS) | st.text(max_size=8), max_size=40).map("".join)
widths = st.integers(10, 90)


def assert_framed(lines: list[Line], width: int) -> None:
    for line in lines:
        text = line.strip.text
        assert line.strip.cell_length <= width
        assert sum(segment.cell_length for segment in line.strip) == line.strip.cell_length
        assert cell_len(text) == line.strip.cell_length
        controls = [c for c in text if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp")]
        assert not controls
        assert not set(text) & set("\u202a\u202b\u202d\u202e\u2066\u2067")


@settings(max_examples=250, deadline=None)
@given(documents, widths)
@example("| " + "long " * 40 + "| b |\n|---|---|\n| 漢字 | 👨‍👩‍👧‍👦 |", 10)
@example("> " * 40 + "- " * 40 + "deep", 10)
@example("word " * 3 + "x" * 10_000, 10)
@example("```python\n👩‍💻 ", 10)
def test_no_line_is_wider_than_the_frame(document: str, width: int) -> None:
    source = sanitize(document)
    assert_framed(render_document(source, width, Palette())[0], width)
    body = Body(source, "", LRUCache(300), plain=True)
    body.use(width, Palette())
    for number in range(len(body)):
        assert_framed(body.lines(number), width)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(SCRIPTS) | st.text(max_size=8), max_size=40).map("".join), widths)
def test_plain_text_is_copied_as_it_was_written(text: str, width: int) -> None:
    plain = sanitize(text).replace("\t", "    ")
    lines = wrap(Content(plain), width, Palette().base)
    copied = "".join((line.join if number else "") + line.text for number, line in enumerate(lines))
    assert copied.rstrip(" \n") == plain.rstrip(" \n")


@pytest.mark.parametrize("width", [10, 40])
def test_a_huge_line_stays_within_the_frame(width: int) -> None:
    assert_framed(render_document("`" + "code " * 2_000 + "`", width, Palette())[0], width)
