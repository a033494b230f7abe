"""Messages, forecasts and failures in words."""

from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from tui.core.chat import Message, MessageStatus, Role
from tui.core.errors import RefusalReason
from tui.core.figures import TurnForecast
from tui.core.turns import ReplyEnded
from tui.core.usage import Measured, Provenance, Usage
from tui.tabs.chat_entries import (
    entry_of,
    forecast_words,
    model_words,
    progress_meta,
    refusal_words,
    reply_meta,
    retry_words,
    ways_out,
    welcome_words,
)

AT = datetime(2026, 11, 23, 22, 41, tzinfo=UTC)
PROMPT = Message("1", Role.USER, "Why?", AT)
REPLY = Message(
    "2",
    Role.ASSISTANT,
    "Because.",
    AT,
    provider="openai",
    model="gpt-5.1",
    usage=Usage(41, 1_212),
    provenance=Provenance.REPORTED,
    seconds=3.14,
)


def test_a_prompt_carries_the_readers_time() -> None:
    entry = entry_of(PROMPT, ZoneInfo("Asia/Tokyo"))
    assert (entry.title, entry.meta, entry.body) == ("You", "07:41", "Why?")


@pytest.mark.parametrize(
    ("today", "meta"),
    [
        (date(2026, 11, 24), "07:41"),
        (date(2026, 11, 25), "24 Nov 2026 07:41"),
        (date(2026, 11, 23), "24 Nov 2026 07:41"),  # a clock that was ahead
        (None, "07:41"),
    ],
)
def test_a_prompt_of_another_day_in_the_readers_zone_carries_its_date(today: date | None, meta: str) -> None:
    assert entry_of(PROMPT, ZoneInfo("Asia/Tokyo"), today=today).meta == meta
    assert entry_of(PROMPT, ZoneInfo("Asia/Tokyo"), (2, 3), today).meta == f"‹ 2/3 › · {meta}"
    assert entry_of(REPLY, ZoneInfo("Asia/Tokyo"), today=today).meta == reply_meta(REPLY)


def test_a_reply_carries_its_model_tokens_and_seconds() -> None:
    entry = entry_of(REPLY, UTC)
    assert (entry.title, entry.meta) == ("gpt-5.1", "41 in · 1,212 out · 3.1 s · 386/s")


def test_estimated_tokens_are_marked() -> None:
    estimated = reply_meta(replace(REPLY, provenance=Provenance.ESTIMATED))
    assert estimated == "~41 in · ~1,212 out · 3.1 s · ~386/s"
    assert progress_meta(Measured(Usage(41, 7), Provenance.ESTIMATED)) == "~41 in · ~7 out"


def test_a_reply_that_came_at_once_has_no_pace() -> None:
    assert reply_meta(replace(REPLY, seconds=0.04)) == "41 in · 1,212 out · 0.0 s"
    assert reply_meta(replace(REPLY, usage=Usage(41, 0))) == "41 in · 0 out · 3.1 s"


def test_a_charge_after_a_crash_and_impossible_figures_are_said() -> None:
    orphaned = replace(REPLY, provenance=Provenance.ORPHANED, seconds=None)
    assert reply_meta(orphaned) == "~1,253 tokens, charged after a crash"
    doubted = replace(REPLY, provenance=Provenance.ESTIMATED, suspicious=True, seconds=None)
    assert reply_meta(doubted) == "~41 in · ~1,212 out · the provider's figures were impossible"


def test_a_failed_reply_without_usage_has_no_figures() -> None:
    assert reply_meta(replace(REPLY, usage=None, seconds=None)) == ""


@pytest.mark.parametrize(
    ("provider", "model", "words"),
    [("openai", "gpt-5.1", "OpenAI · gpt-5.1"), ("demo", "demo", "Demo"), ("ollama", "", "ollama")],
)
def test_a_model_is_named_with_its_provider(provider: str, model: str, words: str) -> None:
    assert model_words(provider, model) == words


@pytest.mark.parametrize(
    ("forecast", "width", "words"),
    [
        (
            TurnForecast(340, 1_200, 7_600, "today"),
            80,
            "about 340 to 1,200 tokens; leaves 7,600 today · Enter",
        ),
        (TurnForecast(340, 1_200, 7_600, "today"), 50, "about 340 to 1,200 tokens; leaves 7,600 today"),
        (TurnForecast(340, 1_200, 7_600, "today"), 30, "about 340 to 1,200 tokens"),
        (
            TurnForecast(340, 1_200, -5, "pool"),
            80,
            "about 340 to 1,200 tokens; leaves 0 in the pool · Enter",
        ),
        (TurnForecast(340, 1_200, None), 80, "about 340 to 1,200 tokens · Enter"),
        (
            TurnForecast(340, 600, 260, "today", alone=True),
            80,
            "about 340 to 600 tokens; leaves 260 today · without earlier messages · Enter",
        ),
        (
            TurnForecast(340, 340, 3, "today", "It can't be sent."),
            80,
            "would be refused · about 340 tokens",
        ),
    ],
)
def test_a_forecast_says_as_much_as_fits(forecast: TurnForecast, width: int, words: str) -> None:
    assert forecast_words(forecast, width) == words


def test_a_refusal_before_sending_says_why_and_names_the_keys() -> None:
    assert refusal_words(TurnForecast(340, 1_200, 7_600, "today")) == ""
    words = refusal_words(TurnForecast(340, 340, 3, "today", "It can't be sent."))
    assert words == "It can't be sent.\nF4 add my key · F6 switch provider, or use the demo"


def test_a_retry_says_when_and_which() -> None:
    assert retry_words("OpenAI is busy.", 2) == "OpenAI is busy. Attempt 2 follows."


def test_ways_out_fit_the_reason() -> None:
    failed = replace(REPLY, status=MessageStatus.FAILED, error="No.")
    assert ways_out(ReplyEnded(REPLY, 1)) == ""
    assert ways_out(ReplyEnded(replace(REPLY, status=MessageStatus.STOPPED), 1)) == ""
    assert "F4 add my key" in ways_out(ReplyEnded(failed, 0, refusal=RefusalReason.DAY_EXHAUSTED))
    assert "F4 add my key" in ways_out(ReplyEnded(failed, 0, no_key=True))
    assert "F4" not in ways_out(ReplyEnded(failed, 0, refusal=RefusalReason.HELD_BY_OTHERS))
    assert "F6 switch provider" in ways_out(ReplyEnded(failed, 0))


def test_an_empty_conversation_teaches_once_and_then_is_calm() -> None:
    first = welcome_words("openai", first=True, keyless=False).split("\n\n")
    assert first[0] == "Ask anything: write below and press Enter."
    assert first[1].startswith("A token is about four letters")
    assert welcome_words("openai", first=False, keyless=False) == first[0]
    assert max(map(len, "\n".join(first).split("\n"))) <= 74, "it fits 80 columns"


def test_an_empty_conversation_says_what_is_missing() -> None:
    assert "This is the offline demo" in welcome_words("demo", first=False, keyless=False)
    missing = welcome_words("google", first=False, keyless=True)
    assert missing.endswith("You use your own keys, and Google has none yet: F4 adds it.")
