import pytest
from textual.app import App, ComposeResult

from tests.environment import ROOT
from tui.core.figures import ProviderFigures
from tui.core.quota import KeySource
from tui.widgets.quota_meter import Quota, QuotaMeter


def test_the_words_are_those_of_the_design() -> None:
    assert QuotaMeter(Quota(45_230, 1_000_000)).words() == (
        "Used            45,230 tokens (4.5%)",
        "Remaining       954,770 tokens",
    )


def test_an_estimate_is_marked() -> None:
    used, remaining = QuotaMeter(Quota(12_450, 500_000, approximate=True)).words()
    assert "~12,450 tokens (2.5%)" in used
    assert "~487,550 tokens" in remaining


def test_without_a_purchase_only_what_was_used_is_said() -> None:
    assert QuotaMeter(Quota(12_450, None)).words() == ("Used            12,450 tokens",)


def test_more_than_was_purchased_remains_below_zero() -> None:
    assert QuotaMeter(Quota(1_200, 1_000)).words() == (
        "Used            1,200 tokens (100.0%)",
        "Remaining       -200 tokens",
    )


def test_a_streaming_turn_counts_at_once() -> None:
    figures = ProviderFigures("openai", "OpenAI", KeySource.DEFAULT, 100, purchased=1_000, pending=50)
    assert Quota.of(figures) == Quota(150, 1_000, approximate=True)


class MeterApp(App[None]):
    CSS_PATH = ROOT / "styles" / "settings.tcss"

    def compose(self) -> ComposeResult:
        yield QuotaMeter()

    def lines(self) -> list[str]:
        meter = self.query_one(QuotaMeter)
        return [meter.render_line(y).text.rstrip() for y in range(meter.size.height)]


@pytest.mark.parametrize(
    ("used", "level", "bar"),
    [
        (25_000, None, "█" * 23 + "░ 97.5%"),
        (847_700, "-low", "█" * 3 + "▌" + "░" * 20 + " 15.2%  LOW"),
        (950_000, "-critical", "█" + "░" * 23 + " 5.0%  CRITICAL"),
        (1_000_000, "-exhausted", "░" * 24 + " 0.0%  EMPTY"),
    ],
)
async def test_the_bar_and_its_word_follow_the_figures(used: int, level: str | None, bar: str) -> None:
    app = MeterApp()
    async with app.run_test(size=(80, 10)) as pilot:
        meter = app.query_one(QuotaMeter)
        assert meter.size.height == 0
        meter.quota = Quota(used, 1_000_000)
        await pilot.pause()
        assert app.lines()[2].strip() == bar
        levels = {"-low", "-critical", "-exhausted"} & set(meter.classes)
        assert levels == ({level} if level else set())


@pytest.mark.parametrize(
    ("used", "lines"),
    [
        (25_000, ["Used            25,000 (2.5%)", "Remaining       975,000", "███▌ 97.5%"]),
        (950_000, ["Used            950,000 (95.0%)", "Remaining       50,000", "▌░░░ 5.0%  CRITICAL"]),
        (1_000_000, ["Used            1,000,000 (100.0%)", "Remaining       0", "░░░░ 0.0%  EMPTY"]),
    ],
)
async def test_with_little_room_every_figure_and_the_word_are_whole(used: int, lines: list[str]) -> None:
    app = MeterApp()
    async with app.run_test(size=(35, 10)) as pilot:
        app.query_one(QuotaMeter).quota = Quota(used, 1_000_000)
        await pilot.pause()
        assert [line.strip() for line in app.lines()] == lines


async def test_the_bar_makes_room_for_its_word() -> None:
    app = MeterApp()
    async with app.run_test(size=(33, 10)) as pilot:
        app.query_one(QuotaMeter).quota = Quota(950_000, 1_000_000)
        await pilot.pause()
        assert app.lines()[2].strip() == "▌░ 5.0%  CRITICAL"
