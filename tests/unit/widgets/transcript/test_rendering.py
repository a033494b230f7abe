"""Markdown as lines: what is shown, what is copied, and that it fits."""

import pytest
from rich.cells import cell_len

from tui.widgets.transcript.flow import render_document
from tui.widgets.transcript.lines import Line
from tui.widgets.transcript.palette import Palette


def shown(source: str, width: int = 40) -> list[str]:
    return [line.text.rstrip() for line in render_document(source, width, Palette())[0]]


def copied(lines: list[Line]) -> str:
    out = ""
    for line in lines:
        if line.stop:
            out += (line.join if out else "") + line.text[line.start : line.stop]
    return out


def test_code_blocks_are_numbered_and_named_and_have_a_bar() -> None:
    lines = shown("```rust\nfn main() {}\n```\n\n- a\n\n  ```\n  x\n  ```\n")
    assert lines == [
        "▎ 1 rust                         copy y",
        "▎ fn main() {}",
        "",
        "• a",
        "",
        "  ▎ 2 text                       copy y",
        "  ▎ x",
    ]


def test_code_is_copied_without_bar_head_or_soft_wraps() -> None:
    code = "a_very_long_name = another_very_long_name + 1\n\n\nlast = 2"
    lines, things = render_document(f"```python\n{code}\n```", 24, Palette())
    assert copied(lines) == code
    assert [(thing.kind, thing.text, thing.label) for thing in things] == [
        ("code", code + "\n", "code block 1")
    ]


def test_a_wrapped_paragraph_is_copied_as_one_line() -> None:
    text = (
        "several words that are wrapped over several lines and averyverylongwordthatisfoldedinthemiddle too"
    )
    lines, _ = render_document(text, 20, Palette())
    assert len(lines) > 4
    assert copied(lines) == text


def test_lists_nest_and_number() -> None:
    assert shown("9. nine\n10. ten\n    - inner\n      more") == [" 9. nine", "10. ten", "    • inner more"]


def test_quotes_keep_their_bar_on_every_line() -> None:
    assert shown("> a\n>\n> > b") == ["▌ a", "▌", "▌ ▌ b"]


def test_tables_are_aligned() -> None:
    assert shown("| name | n |\n|:-:|--:|\n| a | 1 |\n| 漢字 | 22 |") == [
        "name │  n",
        "─────┼───",
        " a   │  1",
        "漢字 │ 22",
    ]


def test_a_table_too_wide_for_its_columns_is_shown_as_records() -> None:
    head = "|" + "|".join(f" h{n} " for n in range(6)) + "|\n|" + "---|" * 6 + "\n"
    assert shown(head + "|" + "|".join(f" v{n} " for n in range(6)) + "|", 30) == [
        f"h{n}: v{n}" for n in range(6)
    ]


def test_links_are_things_with_an_address_and_an_action() -> None:
    lines, things = render_document("[a book](https://example.com/b) and www.example.org", 60, Palette())
    assert [thing.text for thing in things] == ["https://example.com/b", "http://www.example.org"]
    style = next(segment.style for segment in lines[0].strip if segment.text == "a book")
    assert style is not None
    assert style.link == "https://example.com/b"
    assert style.meta["@click"] == "open_link('https://example.com/b')"
    assert style.meta["thing"] == 0


@pytest.mark.parametrize("address", ["javascript:alert(1)", "file:///etc/passwd", "data:text/html,x"])
def test_addresses_that_run_or_read_something_are_no_links(address: str) -> None:
    assert render_document(f"[x]({address})", 60, Palette())[1] == []


@pytest.mark.parametrize(
    "source",
    ["&#27;]52;c;eA==&#7;", "`\x1b[2J`", "```\n\x1b]0;x\x07\x9b31m\n```", "a\u202eb", "| \x1b[31m |\n|--|\n"],
)
def test_controls_never_reach_a_strip(source: str) -> None:
    for line in render_document(source, 60, Palette())[0]:
        assert line.strip.text.isprintable()


def test_wide_characters_and_joined_emoji_fill_whole_cells() -> None:
    text = "👨‍👩‍👧‍👦漢字" * 30
    for line in render_document(text, 21, Palette())[0]:
        assert cell_len(line.strip.text) == line.strip.cell_length <= 21


def test_deep_nesting_keeps_its_text_on_the_screen() -> None:
    lines = shown("> " * 15 + "deep", 20)
    assert any("deep" in line for line in lines)
    assert all(cell_len(line) <= 20 for line in lines)


def test_tasks_have_boxes_in_place_of_bullets() -> None:
    assert shown("- [ ] open\n- [x] done\n- plain\n1. [X] *numbered*") == [
        "☐ open",
        "☑ done",
        "• plain",
        "",
        "☑ numbered",
    ]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (r"Let \(a_1 * b_2 * c\) be", [r"Let \(a_1 * b_2 * c\) be"]),
        ("so $x_1$ and $y_2 \\{z\\}$.", ["so $x_1$ and $y_2 \\{z\\}$."]),
        ("$5 and *$6* a day", ["$5 and $6 a day"]),
        (
            "Then\n$$\na\n- b\n= c \\\\\n$$\nholds",
            ["Then", "", "  $$", "  a", "  - b", "  = c \\\\", "  $$", "", "holds"],
        ),
        ("\\[\nx^2\n\n- no end", ["[ x^2", "", "• no end"]),
    ],
)
def test_formulas_stay_as_they_were_written(source: str, expected: list[str]) -> None:
    assert shown(source) == expected


def test_footnotes_are_text() -> None:
    assert shown("Said[^1] so.\n\n[^1]: https://a.org\n[^b]: Two\n  rows.") == [
        "Said[^1] so.",
        "",
        "[^1]: https://a.org",
        "",
        "[^b]: Two rows.",
    ]


def test_a_break_in_a_table_begins_a_row_of_its_cell() -> None:
    assert shown("| a | b |\n|---|---|\n| 1<br>22 | x<br/>y |") == ["a  │ b", "───┼──", "1  │ x", "22 │ y"]
