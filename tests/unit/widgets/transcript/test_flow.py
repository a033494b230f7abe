"""A streamed document must look like the same document rendered at once."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tui.widgets.transcript.flow import LONG_LIST, PIECE, Flow, render_document
from tui.widgets.transcript.lines import Line
from tui.widgets.transcript.markdown import parse
from tui.widgets.transcript.palette import Palette

WIDTH = 60

BLOCKS = (
    "# A heading\n",
    "Setext heading\n---\n",
    "A paragraph with *emphasis*, **strength**, `code` and [a link](https://example.com/x).\n",
    "A longer paragraph that is wrapped over several lines because it holds more words than fit in one.\n"
    "It goes on in a second source line.\n",
    "```python\ndef f(x: int) -> int:\n    return x + 1\n\n\nprint(f(2))\n```\n",
    "~~~\nno language\n~~~\n",
    "    indented code\n",
    "- one\n- two\n  - nested\n- three\n",
    "1. first\n2. second\n\n   with a paragraph\n3. third\n",
    "> quoted\n> > twice\n",
    "| a | b |\n|---|--:|\n| 1 | 22 |\n",
    "***\n",
    "<div>html</div>\n",
    "漢字と emoji 👨‍👩‍👧‍👦 🏳️‍🌈\n",
)

documents = st.lists(st.sampled_from(BLOCKS), min_size=1, max_size=8).map("\n".join)
references = st.sampled_from(
    ("A [late] link.\n", "> [late]\n", "[late]: https://example.com\n", "[late]: /other\n")
)
documents_with_references = st.lists(st.sampled_from(BLOCKS) | references, min_size=1, max_size=8).map(
    "\n".join
)
anything = st.text(
    alphabet=st.sampled_from("ab \n\t*_`#>-+1.)|[]():<&;\\~=!\u2028\x0c\x1b\x85漢👍\u200d"), max_size=300
)


def seen(lines: list[Line]) -> list[tuple[str, str, int, str]]:
    """What is on the screen and what a copy takes, without colours."""
    return [(line.text, line.strip.text, line.start, line.join) for line in lines]


def chunks(document: str, cuts: list[int]) -> list[str]:
    """The document so far after each delta."""
    return [document[:cut] for cut in sorted({min(cut, len(document)) for cut in cuts})] + [document]


@settings(max_examples=150, deadline=None)
@given(documents, st.lists(st.integers(0, 1500), max_size=25))
def test_streaming_ordinary_documents_shows_what_a_full_render_shows(document: str, cuts: list[int]) -> None:
    flow = Flow(WIDTH, Palette())
    for so_far in chunks(document, cuts):
        flow.advance(so_far)
        exact, things = render_document(so_far, WIDTH, Palette())
        assert seen(flow.lines) == seen(exact)
        assert flow.things == things


@settings(max_examples=200, deadline=None)
@given(anything, st.lists(st.integers(0, 300), max_size=10))
@example("[a]\n\n[a]: x", [4])
def test_any_text_renders_without_failing_and_within_the_width(document: str, cuts: list[int]) -> None:
    flow = Flow(WIDTH, Palette())
    for so_far in chunks(document, cuts):
        flow.advance(so_far)
    exact, _ = render_document(document, WIDTH, Palette())
    if flow.exact:
        assert seen(flow.lines) == seen(exact)
    for line in (*flow.lines, *exact):
        assert line.strip.cell_length <= WIDTH
        assert not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in line.strip.text)


def test_a_long_open_fence_is_frozen_in_pieces_and_stays_one_code_block() -> None:
    code = "".join(f"value_{n} = {n}\n" for n in range(5 * PIECE))
    document = f"before\n\n```python\n{code}```\n\nafter\n"
    flow = Flow(WIDTH, Palette())
    for end in range(0, len(document), 97):
        flow.advance(document[:end])
    flow.advance(document)
    exact, things = render_document(document, WIDTH, Palette())
    assert seen(flow.lines) == seen(exact)
    assert [thing.text for thing in flow.things] == [thing.text for thing in things] == [code]


def test_a_long_open_list_is_frozen_in_pieces() -> None:
    document = "".join(f"- item {n}\n" for n in range(4 * LONG_LIST))
    flow = Flow(WIDTH, Palette())
    for end in range(0, len(document), 31):
        flow.advance(document[:end])
    flow.advance(document)
    assert seen(flow.lines) == seen(render_document(document, WIDTH, Palette())[0])


def test_a_step_at_the_end_of_a_long_reply_parses_only_what_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    document = "\n".join(BLOCKS * 30)
    flow = Flow(WIDTH, Palette())
    for end in range(0, len(document), 2000):
        flow.advance(document[:end])
    flow.advance(document)
    parsed: list[int] = []

    def counted(source: str, references: dict[str, object]) -> object:
        parsed.append(len(source))
        return parse(source, references)

    monkeypatch.setattr("tui.widgets.transcript.flow.parse", counted)
    flow.advance(document + "one more word")
    assert sum(parsed) < 500 < len(document)


def test_a_link_defined_late_is_a_link_once_the_document_is_rendered_exactly() -> None:
    document = "See [the book].\n\nMore.\n\n[the book]: https://example.com\n"
    flow = Flow(WIDTH, Palette())
    flow.advance(document[:25])
    flow.advance(document)
    assert flow.lines[0].text == "See [the book]."
    exact, things = render_document(document, WIDTH, Palette())
    assert exact[0].text == "See the book."
    assert things[0].text == "https://example.com"
