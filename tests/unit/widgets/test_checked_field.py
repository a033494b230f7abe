import pytest
from textual import events
from textual.app import App, ComposeResult
from textual.containers import Vertical, VerticalScroll

from tests.environment import ROOT
from tests.support.painted import screen_text
from tui.core.amounts import parse_tokens
from tui.widgets.checked_field import CheckedField, Choice
from tui.widgets.toggle import Toggle

COLOURS = [Choice("red", "warm"), Choice("green"), Choice("grey"), Choice("blue", "cold")]


def tokens(text: str) -> str:
    return f"that is {parse_tokens(text):,}"


class FieldApp(App[None]):
    CSS_PATH = ROOT / "styles" / "settings.tcss"

    def __init__(self, *fields: CheckedField) -> None:
        super().__init__()
        self._fields = fields
        self.committed: list[tuple[str, bool]] = []

    def compose(self) -> ComposeResult:
        with Vertical():
            yield from self._fields
            yield Toggle("elsewhere")

    @property
    def box(self) -> CheckedField:
        return self.query_one(CheckedField)

    def lines(self) -> list[str]:
        return [self.box.render_line(y).text.strip() for y in range(self.box.size.height)]

    def on_checked_field_committed(self, event: CheckedField.Committed) -> None:
        self.committed.append((event.value, event.accepted))


def amount(value: str = "1,000") -> CheckedField:
    return CheckedField("Purchased", value, check=tokens, suffix="tokens", hint="a hint")


def colour(value: str = "red", *, strict: bool = True) -> CheckedField:
    return CheckedField("Colour", value, choices=COLOURS, strict=strict)


async def test_enter_commits_and_settling_says_so() -> None:
    app = FieldApp(amount())
    async with app.run_test() as pilot:
        app.box.focus()
        await pilot.press("ctrl+u", *"2M", "enter")
        await pilot.pause()
        assert app.committed == [("2M", False)]
        app.box.settle("2,000,000", "saved")
        assert (app.box.value, app.box.note, app.box.dirty) == ("2,000,000", "saved", False)
        assert app.box.has_class("-saved")


async def test_leaving_commits_once_even_after_enter() -> None:
    app = FieldApp(amount())
    async with app.run_test() as pilot:
        app.box.focus()
        await pilot.press("ctrl+u", *"5k", "enter", "tab")
        await pilot.pause()
        assert app.committed == [("5k", False)]


async def test_leaving_without_enter_commits() -> None:
    app = FieldApp(amount())
    async with app.run_test() as pilot:
        app.box.focus()
        await pilot.press("ctrl+u", *"5k", "tab")
        await pilot.pause()
        assert app.committed == [("5k", False)]


async def test_the_terminal_losing_the_focus_commits_nothing() -> None:
    app = FieldApp(amount())
    async with app.run_test() as pilot:
        app.box.focus()
        await pilot.press("ctrl+u", *"5k")
        app.post_message(events.AppBlur())
        await pilot.pause()
        assert app.committed == []
        assert app.box.value == "5k"


async def test_escape_restores_what_was_saved() -> None:
    app = FieldApp(amount())
    async with app.run_test() as pilot:
        app.box.focus()
        await pilot.press("ctrl+u", *"abc", "escape")
        assert (app.box.value, app.box.note) == ("1,000", "a hint")
        await pilot.press("tab")
        await pilot.pause()
        assert app.committed == []


async def test_an_unchanged_value_is_not_committed() -> None:
    app = FieldApp(amount())
    async with app.run_test() as pilot:
        app.box.focus()
        await pilot.press("enter", "tab")
        await pilot.pause()
        assert app.committed == []


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("abc", "without words"),
        ("-5", "negative"),
        ("9999999999999", "too large"),
        ("1,00", "grouped by threes"),
        ("1.5", "whole numbers"),
    ],
)
async def test_a_wrong_amount_is_refused_in_words_as_it_is_typed(typed: str, words: str) -> None:
    app = FieldApp(amount())
    async with app.run_test() as pilot:
        app.box.focus()
        await pilot.press("ctrl+u", *typed)
        await pilot.pause()
        assert words in app.box.note
        assert app.box.has_class("-invalid")
        assert any(words.split()[0] in line for line in app.lines()[1:]), "The words stand under the box."
        await pilot.press("enter", "tab")
        await pilot.pause()
        assert app.committed == []


async def test_a_remark_stands_under_the_box_while_typing() -> None:
    app = FieldApp(amount())
    async with app.run_test() as pilot:
        app.box.focus()
        await pilot.press("ctrl+u", *"1M")
        await pilot.pause()
        assert app.box.note == "that is 1,000,000"
        assert not app.box.has_class("-invalid")


async def test_a_refused_save_keeps_what_was_typed() -> None:
    app = FieldApp(amount())
    async with app.run_test() as pilot:
        app.box.focus()
        await pilot.press("ctrl+u", *"5k", "enter")
        await pilot.pause()
        app.box.refuse("The disk is full.")
        assert (app.box.value, app.box.note) == ("5k", "The disk is full.")
        await pilot.press("enter")
        await pilot.pause()
        assert len(app.committed) == 2, "Trying again is possible."


async def test_a_question_is_answered_by_a_second_enter_only() -> None:
    app = FieldApp(amount())
    async with app.run_test() as pilot:
        app.box.focus()
        await pilot.press("ctrl+u", *"7k", "enter")
        await pilot.pause()
        app.box.ask("7k is a lot")
        assert "7k is a lot. Enter accepts" in app.box.note
        await pilot.press("tab")
        await pilot.pause()
        assert app.committed == [("7k", False)]
        app.box.focus()
        await pilot.press("enter")
        await pilot.pause()
        assert app.committed == [("7k", False), ("7k", True)]


async def test_typing_after_a_question_asks_anew() -> None:
    app = FieldApp(amount())
    async with app.run_test() as pilot:
        app.box.focus()
        await pilot.press("ctrl+u", *"7k", "enter")
        await pilot.pause()
        app.box.ask("7k is a lot")
        await pilot.press("backspace", "k", "enter")
        await pilot.pause()
        assert app.committed == [("7k", False), ("7k", False)]


async def test_a_value_from_elsewhere_does_not_overwrite_what_is_typed() -> None:
    app = FieldApp(amount())
    async with app.run_test() as pilot:
        app.box.focus()
        await pilot.press("ctrl+u", *"5k")
        app.box.load("9,000")
        assert app.box.value == "5k"
        await pilot.press("escape")
        assert app.box.value == "9,000"


async def test_down_opens_the_list_and_enter_takes_from_it() -> None:
    app = FieldApp(colour())
    async with app.run_test() as pilot:
        app.box.focus()
        await pilot.press("down")
        await pilot.pause()
        assert app.lines()[1:] == ["▸ red    warm", "green", "grey", "blue   cold"]
        await pilot.press("down", "down", "enter")
        await pilot.pause()
        assert app.committed == [("grey", False)]
        assert app.box.size.height == 1, "The list closes."


async def test_typing_narrows_the_list_and_a_strict_field_takes_its_first() -> None:
    app = FieldApp(colour())
    async with app.run_test() as pilot:
        app.box.focus()
        await pilot.press("ctrl+u", *"gr")
        await pilot.pause()
        assert app.lines()[1:] == ["green", "grey"]
        await pilot.press("enter")
        await pilot.pause()
        assert app.committed == [("green", False)]


async def test_escape_closes_the_list_and_restores() -> None:
    app = FieldApp(colour())
    async with app.run_test() as pilot:
        app.box.focus()
        await pilot.press("down", "down", "escape")
        await pilot.pause()
        assert (app.box.value, app.box.size.height) == ("red", 1)
        assert app.committed == []


async def test_a_strict_field_refuses_what_is_not_on_its_list() -> None:
    app = FieldApp(colour())
    async with app.run_test() as pilot:
        app.box.focus()
        await pilot.press("ctrl+u", *"pink", "enter")
        await pilot.pause()
        assert app.box.note == "Choose one of: red, green, grey, blue."
        assert app.committed == []


async def test_a_free_field_takes_what_is_not_on_its_list() -> None:
    app = FieldApp(colour(strict=False))
    async with app.run_test() as pilot:
        app.box.focus()
        await pilot.press("ctrl+u", *"gr", "enter")
        await pilot.pause()
        assert app.committed == [("gr", False)]


async def test_a_click_chooses_from_the_list() -> None:
    app = FieldApp(colour())
    async with app.run_test() as pilot:
        await pilot.click(CheckedField, offset=(20, 0))
        await pilot.pause()
        await pilot.click(CheckedField, offset=(20, 4))
        await pilot.pause()
        assert app.committed == [("blue", False)]


async def test_a_long_value_scrolls_under_the_cursor() -> None:
    app = FieldApp(CheckedField("URL", "http://127.0.0.1:11434/a/very/long/path/to/a/server/v1"))
    async with app.run_test(size=(50, 8)) as pilot:
        app.box.focus()
        await pilot.press("end")
        await pilot.pause()
        assert "server/v1" in app.lines()[0]
        await pilot.press("home")
        await pilot.pause()
        assert "http://127" in app.lines()[0]


async def test_lines_are_kept_where_the_value_may_have_them() -> None:
    app = FieldApp(CheckedField("Prompt", lines=True))
    async with app.run_test() as pilot:
        app.box.focus()
        await pilot.press(*"one", "ctrl+j", *"two")
        app.post_message(events.Paste("\nthree"))
        await pilot.pause()
        assert app.box.value == "one\ntwo\nthree"
        assert "one↵two↵three" in app.lines()[0]


async def test_a_pasted_break_becomes_a_space_where_there_are_no_lines() -> None:
    app = FieldApp(CheckedField("Name"))
    async with app.run_test() as pilot:
        app.box.focus()
        app.post_message(events.Paste("one\r\ntwo\n"))
        await pilot.pause()
        assert app.box.value == "one two"


def effort() -> CheckedField:
    return CheckedField("Effort", choices=COLOURS, suffix="more effort costs more", hint="a hint")


@pytest.mark.parametrize(
    ("width", "lines"),
    [
        (50, ["Effort ▾ more effort costs more", "a hint"]),
        (40, ["Effort ▾", "more effort costs more", "a hint"]),
        (34, ["Effort ▾", "more effort costs", "more", "a hint"]),
    ],
)
async def test_a_suffix_stands_below_where_the_box_would_be_too_small(width: int, lines: list[str]) -> None:
    app = FieldApp(effort())
    async with app.run_test(size=(width, 20)):
        assert [" ".join(line.replace("▌", "").split()) for line in app.lines()] == lines
        start, box = app.box.box_span()
        assert start + box < width
        assert box >= 8


async def test_a_list_takes_the_place_of_a_suffix_below_and_is_clicked_where_it_is_seen() -> None:
    app = FieldApp(effort())
    async with app.run_test(size=(40, 20)) as pilot:
        app.box.focus()
        await pilot.press("down")
        await pilot.pause()
        assert [line.split()[0] for line in app.lines()[1:5]] == ["red", "green", "grey", "blue"]
        await pilot.click(app.box, offset=(20, 2))
        await pilot.pause()
        assert app.committed == [("green", False)]
        app.box.settle("green")
        await pilot.pause()
        assert "more effort costs more" in app.lines()


class LowApp(FieldApp):
    CSS = "#rest { height: 30; }"

    def compose(self) -> ComposeResult:
        with VerticalScroll():
            yield from self._fields
            yield Vertical(id="rest")


async def test_a_list_higher_than_the_view_is_seen_from_its_box_on() -> None:
    many = [Choice(f"choice {number}", "words about it") for number in range(9)]
    app = LowApp(amount(), amount(), amount(), CheckedField("Choice", choices=many, hint="a hint " * 12))
    async with app.run_test(size=(40, 6)) as pilot:
        field = app.query(CheckedField).last()
        field.focus()
        await pilot.press("down")
        await pilot.pause()
        await pilot.pause()
        assert field.region.height > 6
        assert field.region.y == 0
        assert [field.render_line(y).text.split()[:2] for y in (1, 2)] == [["choice", "0"], ["choice", "1"]]


@pytest.mark.parametrize(("width", "line"), [(60, "red    warm"), (34, "red    warm"), (22, "red")])
async def test_words_about_a_choice_are_there_whole_or_not_at_all(width: int, line: str) -> None:
    app = FieldApp(colour("green"))
    async with app.run_test(size=(width, 20)) as pilot:
        app.box.focus()
        await pilot.press("down")
        await pilot.pause()
        assert app.lines()[1] == line


async def test_choices_that_come_later_are_announced_on_the_screen() -> None:
    app = FieldApp(CheckedField("Colour", "red"))
    async with app.run_test() as pilot:
        assert "▾" not in screen_text(app)
        app.box.set_choices(COLOURS)
        await pilot.pause()
        assert "▾" in screen_text(app)
