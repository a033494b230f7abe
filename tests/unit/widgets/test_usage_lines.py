"""The words of the footer, at every width."""

from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from rich.cells import cell_len

from tui.core.figures import DayFigures, ProviderFigures, UsageSnapshot
from tui.core.quota import AlertLevel, KeySource
from tui.widgets.usage_lines import usage_lines
from tui.widgets.usage_text import Line, Part, bar

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = DayFigures(date(2026, 11, 23), 10_000, 1_204, 0, datetime(2026, 11, 24, tzinfo=UTC))
OPENAI = ProviderFigures("openai", "OpenAI", KeySource.DEFAULT, 45_230, purchased=1_000_000, day=DAY)
GOOGLE = ProviderFigures("google", "Google", KeySource.DEFAULT, 12_450, purchased=500_000, day=DAY)
OWN = ProviderFigures("google", "Google", KeySource.OWN, 12_450)
DEMO = ProviderFigures("demo", "Demo", KeySource.NONE, 115)
MEMBER = ProviderFigures(
    "openai",
    "OpenAI",
    KeySource.DEFAULT,
    310,
    day=replace(DAY, limit=1_000, used=310),
    pool_percent=95.5,
)


def snapshot(*providers: ProviderFigures, admin: bool = True) -> UsageSnapshot:
    return UsageSnapshot(NOON, "sam", admin, "basic", providers)


def text(line: Line) -> str:
    return "".join(piece.text for piece in line)


def lines(*providers: ProviderFigures, width: int = 118, admin: bool = True) -> list[str]:
    made = usage_lines(snapshot(*providers, admin=admin), width, UTC)
    return [text(line) for line in made]


def test_a_wide_line_says_everything_in_the_users_words() -> None:
    assert lines(OPENAI, GOOGLE) == [
        "OpenAI ███████████████████░ 954,770 remaining (95.5%) · 45,230 / 1,000,000 tokens"
        " · today 1,204 / 10,000, resets 00:00",
        "Google ███████████████████▌ 487,550 remaining (97.5%) · 12,450 / 500,000 tokens  "
        " · today 1,204 / 10,000, resets 00:00",
    ]


def test_80_columns_keep_what_remains_and_what_was_used() -> None:
    (line,) = lines(OPENAI, width=78)
    assert line == "OpenAI ███████████████░ 954,770 remaining (95.5%) · 45,230 / 1,000,000 tokens"


def test_own_keys_have_neither_bar_nor_purchase() -> None:
    assert lines(OPENAI, OWN, width=78)[1] == "Google 12,450 tokens used (Using your API keys)"


@pytest.mark.parametrize(
    ("used", "words"),
    [
        (847_700, "LOW 152,300 remaining (15.2%)"),
        (900_001, "CRITICAL 99,999 remaining (10.0%)"),
        (1_000_000, "EMPTY 0 remaining (0.0%)"),
        (1_000_250, "EMPTY -250 remaining (0.0%)"),
    ],
)
def test_a_word_says_that_little_is_left(used: int, words: str) -> None:
    assert words in lines(replace(OPENAI, used=used), width=78)[0]


def test_an_alert_word_is_no_detail() -> None:
    (line,) = usage_lines(snapshot(replace(OPENAI, used=900_001)), 78, UTC)
    (word,) = (piece for piece in line if piece.text == "CRITICAL")
    assert word.part is Part.CRITICAL


@pytest.mark.parametrize("used", [900_001, 1_000_000])
def test_the_alert_word_and_what_remains_outlast_everything(used: int) -> None:
    low = replace(OPENAI, used=used)
    word = "CRITICAL" if used < 1_000_000 else "EMPTY"
    for width in range(24, 160):
        (line,) = lines(low, width=width)
        assert f"{word} {1_000_000 - used:,}" in line, width


def test_no_width_is_exceeded_and_no_figure_is_cut() -> None:
    widest = replace(
        OPENAI, used=123_456_789_012, purchased=999_999_999_999, estimated=5, alert=AlertLevel.LOW
    )
    for shown in ([OPENAI, GOOGLE], [widest, OWN], [OWN], [DEMO], [MEMBER]):
        for width in range(1, 200):
            for line in lines(*shown, width=width, admin=shown != [MEMBER]):
                assert cell_len(line) <= width
    for width in range(20, 200):
        assert "954,770" in lines(OPENAI, width=width)[0]
        assert "…" not in lines(OPENAI, width=width)[0]


def test_columns_stand_under_each_other() -> None:
    first, second = lines(OPENAI, replace(GOOGLE, used=492_550))
    assert first.index(" remaining") == second.index(" remaining")
    assert first.index("today") == second.index("today")
    assert "CRITICAL" in second


def test_an_estimate_is_marked() -> None:
    line = lines(replace(OPENAI, estimated=120))[0]
    assert "~954,770 remaining" in line
    assert "~45,230 / 1,000,000 tokens" in line


def test_a_streaming_turn_counts_at_once() -> None:
    line = lines(replace(OPENAI, pending=1_000))[0]
    assert "~953,770 remaining (95.4%)" in line
    assert "~46,230 / 1,000,000 tokens" in line
    assert "today ~2,204 / 10,000" in line


def test_a_pool_never_entered_invites_to_enter_it() -> None:
    open_ended = replace(OPENAI, purchased=None)
    assert lines(open_ended) == [
        "OpenAI 45,230 tokens used · today 1,204 / 10,000, resets 00:00"
        " · enter what you purchased in Settings (F4)"
    ]
    assert lines(open_ended, width=78) == [
        "OpenAI 45,230 tokens used · today 1,204 / 10,000, resets 00:00 · purchased? F4"
    ]
    assert lines(open_ended, width=66) == ["OpenAI 45,230 tokens used · today 1,204 / 10,000, resets 00:00"]


def test_a_day_that_runs_short_outlasts_the_pools_figures() -> None:
    short = replace(OPENAI, day=replace(DAY, used=9_500))
    assert "CRITICAL today 9,500 / 10,000, resets 00:00" in lines(short)[0]
    for width in range(58, 160):
        assert "CRITICAL today 9,500 / 10,000" in lines(short, width=width)[0], width


def test_a_member_sees_the_day_and_only_the_pools_percentage() -> None:
    assert lines(MEMBER, admin=False) == [
        "OpenAI █████████████▌░░░░░░ 690 left today (69.0%) · 310 / 1,000 tokens · resets 00:00 · pool 95.5%"
    ]


def test_an_unlimited_member_sees_what_they_used() -> None:
    unlimited = replace(MEMBER, day=replace(DAY, limit=None))
    assert lines(unlimited, admin=False) == ["OpenAI 310 tokens used · pool 95.5%"]


def test_the_demo_says_what_it_is_and_how_to_add_a_key() -> None:
    assert lines(DEMO) == ["Demo offline · 115 tokens · add a key in Settings (F4)"]


def test_a_provider_without_a_key_says_so_unless_its_pool_has_figures() -> None:
    missing = replace(GOOGLE, key_missing=True)
    assert "487,550 remaining" in lines(OPENAI, missing)[1]
    assert lines(OPENAI, replace(missing, purchased=None))[1] == "Google no key · add a key in Settings (F4)"


def test_reset_times_are_the_viewers() -> None:
    made = usage_lines(snapshot(OPENAI), 118, ZoneInfo("Europe/Lisbon"))
    assert "resets 00:00" in text(made[0])
    assert "resets 01:00" in text(usage_lines(snapshot(OPENAI), 118, ZoneInfo("Europe/Paris"))[0])


@pytest.mark.parametrize(
    ("share", "words"),
    [(100.0, "█████"), (0.0, "░░░░░"), (0.1, "▌░░░░"), (50.0, "██▌░░"), (15.2, "▌░░░░"), (99.9, "████▌")],
)
def test_a_bar_fills_by_half_cells(share: float, words: str) -> None:
    assert "".join(piece.text for piece in bar(share, 5)) == words


@pytest.mark.parametrize(
    ("level", "part"),
    [(None, Part.BAR), (AlertLevel.LOW, Part.LOW), (AlertLevel.CRITICAL, Part.CRITICAL)],
)
def test_a_bar_has_the_colour_of_its_word(level: AlertLevel | None, part: Part) -> None:
    assert [piece.part for piece in bar(15.0, 5, level)] == [part, Part.TRACK]
