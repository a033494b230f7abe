"""What an attempt is measured at, whatever its provider reports."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.replay import Replay, talk
from tui.core.chat import (
    ChatMessage,
    Finish,
    FinishReason,
    ReasoningDelta,
    Role,
    StreamEvent,
    TextDelta,
    UsageReport,
)
from tui.core.usage import Measured, Provenance, Usage
from tui.providers import tokens
from tui.services.meter import Meter

TEXT = TextDelta("Four score and seven years ago. ")
DONE = Finish(FinishReason.STOP)
PROMPT = (ChatMessage(Role.USER, "What is 2 + 2?"),)


def meter(*events: StreamEvent, model: str = "some-model", context: int | None = None) -> Meter:
    made = Meter("openai", model, PROMPT, 40, context)
    for event in events:
        made.take(event)
    return made


async def measured(*events: StreamEvent, **options: object) -> Measured:
    return await meter(*events, **options).measure()  # type: ignore[arg-type]  # the options are Meter's


def spent(spent_in: int, spent_out: int) -> UsageReport:
    return UsageReport(Usage(spent_in, spent_out))


async def test_a_reading_at_the_end_is_the_usage() -> None:
    assert await measured(TEXT, spent(20, 9), DONE) == Measured(Usage(20, 9), Provenance.REPORTED)


async def test_readings_are_not_summed() -> None:
    whole = await measured(spent(20, 1), TEXT, spent(20, 5), TEXT, spent(20, 9), spent(20, 9), DONE)
    assert whole == Measured(Usage(20, 9), Provenance.REPORTED)


@given(st.permutations([spent(20, 3), spent(20, 6), spent(20, 9), spent(20, 9)]))
async def test_repeated_and_late_readings_change_nothing(readings: list[UsageReport]) -> None:
    assert await measured(TEXT, *readings, DONE) == Measured(Usage(20, 9), Provenance.REPORTED)


async def test_without_a_reading_text_and_reasoning_are_estimated() -> None:
    silent = await measured(ReasoningDelta("Let me think about it."), TEXT, DONE)
    assert silent.provenance is Provenance.ESTIMATED
    assert not silent.suspicious
    assert silent.usage.input == 40
    assert 0 < silent.usage.reasoning < silent.usage.output


async def test_a_whole_silent_reply_of_a_model_whose_tokenizer_is_known_is_counted() -> None:
    tokens.warm()
    counted = await measured(TEXT, DONE, model="gpt-4o")
    assert counted.provenance is Provenance.COUNTED
    assert counted.usage.output == tokens.count_text(TEXT.text, "gpt-4o", "openai")
    assert counted.usage.input == tokens.count_text(PROMPT[0].text, "gpt-4o", "openai") + 7


async def test_a_cut_reply_is_never_counted_exactly() -> None:
    tokens.warm()
    assert (await measured(TEXT, model="gpt-4o")).provenance is Provenance.ESTIMATED


@pytest.mark.parametrize(
    "report",
    [
        UsageReport(None),
        spent(0, 9),
        spent(20, 0),
        spent(20_000, 9),
    ],
    ids=["untrusted", "no input", "no output for text", "beyond the context"],
)
async def test_an_impossible_reading_is_suspicious_and_estimated(report: UsageReport) -> None:
    refused = await measured(TEXT, report, DONE, context=8_000)
    assert refused.suspicious
    assert refused.provenance is Provenance.ESTIMATED
    assert refused.usage.input == 40
    assert refused.usage.output > 0


async def test_an_opening_reading_does_not_stand_for_a_long_reply() -> None:
    long = TextDelta("and so it went on " * 200)
    early = await measured(spent(20, 1), long, DONE)
    assert early.usage.output > 300


async def test_a_reading_that_cannot_be_trusted_does_not_undo_an_earlier_one() -> None:
    mixed = await measured(TEXT, spent(20, 9), TEXT, UsageReport(None), DONE)
    assert mixed.suspicious
    assert mixed.usage.input == 20
    assert mixed.usage.output > 9


async def test_progress_counts_only_what_is_new() -> None:
    one = meter(TEXT)
    first = (await one.progress()).usage.output
    assert (await one.progress()).usage.output == first
    one.take(TEXT)
    assert (await one.progress()).usage.output > first
    one.take(spent(20, 9))
    assert await one.progress() == Measured(Usage(20, 9), Provenance.REPORTED)


async def test_what_is_reported_is_what_the_pool_is_charged() -> None:
    session = await talk(Replay([TEXT, spent(1_234, 567), DONE]))
    await session.accounting.set_purchased("openai", 1_000_000)
    await session.say()
    [figures] = [one for one in session.accounting.snapshot().providers if one.provider == "openai"]
    assert (figures.used, figures.remaining, figures.estimated) == (1_801, 998_199, 0)


async def test_a_suspicious_reading_is_recorded_as_such() -> None:
    session = await talk(Replay([TEXT, UsageReport(None), DONE]))
    await session.say()
    assert [(row.suspicious, row.provenance) for row in session.ledger] == [(True, Provenance.ESTIMATED)]
