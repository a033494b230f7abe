"""A body in sections must look like the same document rendered at once."""

from hypothesis import example, given, settings
from hypothesis import strategies as st
from textual.cache import LRUCache

from tests.unit.widgets.transcript.test_flow import BLOCKS, WIDTH, seen
from tui.widgets.transcript.body import Body
from tui.widgets.transcript.flow import render_document
from tui.widgets.transcript.lines import Line
from tui.widgets.transcript.model import Thing
from tui.widgets.transcript.palette import Palette
from tui.widgets.transcript.sections import CODE_ROWS, SECTION_LENGTH

FILLER = "Words that fill a paragraph, so that a section may end after it. " * 24 + "\n"
LONG_CODE = "".join(f"value_{n} = {n}\n" for n in range(3 * CODE_ROWS))
TRICKY = (
    FILLER,
    "- item\n\n  ```py\n  x = 1\n\n  y = 2\n  ```\n",
    "1. item\n   ```\ncode at the edge\n\n```\n",
    "- a\n\n      indented in a list\n",
    "```\nnever closed\n",
    "````md\n```\ninner\n```\n\n````\n",
    "> ```\n> quoted code\n\n> ```\n",
    "<div>\n```\n\nnot a fence?\n\n```\n</div>\n",
    "<!-- a comment\n\n```\n\nthat ends here -->\n",
    "<script>\n\n```\n</script>\n",
    "* * *\n",
    "  ~~~ruby\nputs 1\n\n  ~~~\n",
    "\tindented by a tab\n\n\tand more\n",
    "-\ttab item\n\n  ```\n  x\n",
    "[late]: /address\n",
    "A [late] link.\n",
    "[^1]: A note.\n",
    "2) odd\n\n\n3) list\n",
    f"```python\n{LONG_CODE}```\n",
)
documents = st.lists(st.sampled_from(BLOCKS + TRICKY + (FILLER,) * 12), min_size=1, max_size=9).map("\n".join)


def body_of(source: str, *, growing: bool = False) -> Body:
    body = Body(source, "", LRUCache(300), growing=growing)
    body.use(WIDTH, Palette())
    return body


def lines_of(body: Body) -> list[Line]:
    return [line for number in range(len(body)) for line in body.lines(number)]


def things_of(body: Body) -> list[Thing]:
    things = [body.things(number) for number in range(len(body))]
    found = [body.thing(section.first + place) for section in things for place in range(len(section))]
    return [thing for thing in found if thing is not None]


def plain(thing: Thing) -> tuple[str, str]:
    return thing.text, thing.label


@settings(max_examples=80, deadline=None)
@given(documents)
@example("- a\n" + FILLER + "\n  ```\n" + FILLER + "\n" + FILLER + "\n```\n")
def test_sections_are_the_whole(document: str) -> None:
    body = body_of(document)
    lines, things = render_document(document, WIDTH, Palette())
    for number in range(len(body)):  # numbers of code blocks are estimates until each section was seen
        body.lines(number)
    assert seen(lines_of(body)) == seen(lines)
    assert body.heights.total == len(lines)
    assert [plain(thing) for thing in things_of(body)] == [plain(thing) for thing in things]


@settings(max_examples=50, deadline=None)
@given(documents, st.lists(st.integers(0, 9000), max_size=12))
def test_a_streamed_body_ends_as_the_whole(document: str, cuts: list[int]) -> None:
    body = body_of("", growing=True)
    for cut in sorted(cuts):
        body.grow(document[:cut])
    body.finish(document)
    lines, things = render_document(document, WIDTH, Palette())
    assert seen(lines_of(body)) == seen(lines)
    assert [plain(thing) for thing in things_of(body)] == [plain(thing) for thing in things]


def test_only_the_sections_that_are_asked_for_are_rendered() -> None:
    body = body_of("\n".join([FILLER] * 50))
    assert len(body) == 50
    body.lines(40)
    assert [number for number in range(50) if body.is_measured(number)] == [40]


def test_a_long_code_block_is_one_thing_over_its_sections() -> None:
    body = body_of(f"{FILLER}\n```python\n{LONG_CODE}```\n\nAfter.\n")
    assert len(body) == 5
    assert {line.thing for number in (1, 2, 3, 4) for line in body.lines(number) if "value" in line.text} == {
        body.things(1).first
    }
    thing = body.thing(body.things(1).first)
    assert thing is not None
    assert (thing.text, thing.label) == (LONG_CODE, "code block 1")
    assert len(body.things(2)) == len(body.things(3)) == 0


def test_another_width_estimates_again_and_another_theme_does_not() -> None:
    body = body_of((FILLER + "\n") * 5)
    body.lines(2)
    height = body.heights[2]
    body.use(WIDTH, Palette())
    assert body.is_measured(2)
    body.use(WIDTH // 2, Palette())
    assert not body.is_measured(2)
    assert body.heights[2] > height


def test_a_long_list_is_parted_between_its_items() -> None:
    items = [f"- item {number} has some words" for number in range(1000)]
    body = body_of("\n".join(items))
    assert len(body) > 3
    assert [line.text for line in lines_of(body)] == [item.replace("- ", "• ") for item in items]


def test_a_flush_renders_only_the_tail() -> None:
    body = body_of("", growing=True)
    document = "\n".join(BLOCKS * 60)
    body.grow(document)
    assert len(body) > 4
    before = [body.lines(number) for number in range(len(body) - 1)]
    body.grow(document + "one more word")
    assert all(body.lines(number) is lines for number, lines in enumerate(before))
    assert len(body.source_of(len(body) - 1)) < 2 * SECTION_LENGTH
