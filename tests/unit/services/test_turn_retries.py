"""Retries: visible, only before the first byte, and each attempt accounted for by itself."""

import pytest

from tests.support.replay import Replay, ended, failure, started, talk
from tui.core.chat import Finish, FinishReason, MessageStatus, TextDelta, UsageReport
from tui.core.errors import ProviderError, ProviderErrorKind, RefusalReason
from tui.core.quota import FLOOR
from tui.core.turns import Retrying, TurnEvent
from tui.core.usage import Provenance, Usage
from tui.services.retry import LONGEST_WAIT, wait_before_retry

WHOLE = (TextDelta("Yes."), UsageReport(Usage(20, 9)), Finish(FinishReason.STOP))
RETRIED = (
    ProviderErrorKind.RATE_LIMIT,
    ProviderErrorKind.NETWORK,
    ProviderErrorKind.TIMEOUT,
    ProviderErrorKind.SERVER,
)


def retries(events: list[TurnEvent]) -> list[Retrying]:
    return [event for event in events if isinstance(event, Retrying)]


@pytest.mark.parametrize("kind", RETRIED)
async def test_a_failure_before_the_first_byte_is_tried_again(kind: ProviderErrorKind) -> None:
    provider = Replay([failure(kind, accepted=False)], WHOLE)
    session = await talk(provider)
    events = await session.say()
    [retry] = retries(events)
    assert (retry.attempt, retry.reason) == (2, f"OpenAI failed with {kind}.")
    assert session.pauses.seconds == [retry.seconds]
    assert ended(events).reply.status is MessageStatus.COMPLETE
    assert len(provider.requests) == 2
    assert [row.tokens for row in session.ledger] == [29]
    session.assert_settled()


@pytest.mark.parametrize("kind", [kind for kind in ProviderErrorKind if kind not in RETRIED])
async def test_what_another_try_cannot_mend_is_not_tried_again(kind: ProviderErrorKind) -> None:
    provider = Replay([failure(kind, accepted=False)], WHOLE)
    session = await talk(provider)
    events = await session.say()
    end = ended(events)
    assert not retries(events)
    assert (end.reply.status, end.charged) == (MessageStatus.FAILED, 0)
    assert end.reply.error == f"OpenAI failed with {kind}."
    assert len(provider.requests) == 1
    assert (session.ledger, session.held) == ([], 0)


async def test_nothing_is_sent_again_after_the_first_byte() -> None:
    provider = Replay([TextDelta("Y"), failure(ProviderErrorKind.NETWORK)], WHOLE)
    session = await talk(provider)
    end = await session.reply()
    assert (end.reply.status, end.reply.text) == (MessageStatus.FAILED, "Y")
    assert len(provider.requests) == 1
    [row] = session.ledger
    assert row.provenance is Provenance.ESTIMATED
    assert row.tokens == end.charged > 1


async def test_a_reply_that_began_is_charged_whatever_its_provider_says_later() -> None:
    error = failure(ProviderErrorKind.RATE_LIMIT, accepted=False)
    session = await talk(Replay([TextDelta("Y"), error]))
    end = await session.reply()
    assert [row.tokens for row in session.ledger] == [end.charged]
    assert end.charged > 0


async def test_there_are_three_attempts_at_most() -> None:
    provider = Replay([failure(ProviderErrorKind.SERVER, accepted=False)])
    session = await talk(provider)
    events = await session.say()
    assert [retry.attempt for retry in retries(events)] == [2, 3]
    assert ended(events).reply.status is MessageStatus.FAILED
    assert len(provider.requests) == 3
    assert (session.ledger, session.held) == ([], 0)


async def test_each_attempt_that_may_have_been_accepted_is_charged() -> None:
    provider = Replay([failure(ProviderErrorKind.SERVER)], [failure(ProviderErrorKind.TIMEOUT)], WHOLE)
    session = await talk(provider)
    end = await session.reply()
    rows = session.ledger
    assert [row.provenance for row in rows] == [
        Provenance.ESTIMATED,
        Provenance.ESTIMATED,
        Provenance.REPORTED,
    ]
    assert len({row.attempt_id for row in rows}) == 3
    assert len({row.turn_id for row in rows}) == 1
    assert [row.output for row in rows] == [0, 0, 9]
    assert end.reply.usage is not None
    assert end.charged == end.reply.usage.total == sum(row.tokens for row in rows)
    assert end.reply.provenance is Provenance.ESTIMATED
    session.assert_settled()


async def test_the_reply_keeps_its_id_over_retries() -> None:
    session = await talk(Replay([failure(ProviderErrorKind.SERVER, accepted=False)], WHOLE))
    events = await session.say()
    assert started(events).reply.id == ended(events).reply.id


async def test_a_retry_that_the_quota_refuses_ends_the_turn() -> None:
    session = await talk(Replay([failure(ProviderErrorKind.SERVER)], WHOLE))
    prompt = "word " * 100
    forecast = await session.turns.forecast(session.conversation.id, "openai", "gpt-5.1", prompt)
    await session.accounting.set_purchased("openai", forecast.input + FLOOR)
    events = await session.say(prompt)
    end = ended(events)
    assert len(retries(events)) == 1
    assert end.refusal is RefusalReason.POOL_EXHAUSTED
    assert [row.tokens for row in session.ledger] == [end.charged]
    session.assert_settled()


def test_the_wait_that_the_provider_asks_for_is_kept() -> None:
    asked = [failure(ProviderErrorKind.RATE_LIMIT, retry_after=seconds) for seconds in (7.5, 30.0, -3.0)]
    assert [wait_before_retry(1, error) for error in asked] == [7.5, LONGEST_WAIT, 0.0]


def test_a_wait_that_is_too_long_is_not_begun() -> None:
    error = failure(ProviderErrorKind.RATE_LIMIT, retry_after=LONGEST_WAIT + 1)
    assert wait_before_retry(1, error) is None


@pytest.mark.parametrize(("attempt", "least", "most"), [(1, 0.5, 1.0), (2, 1.0, 2.0)])
def test_the_wait_doubles_with_jitter(attempt: int, least: float, most: float) -> None:
    waits = [wait_before_retry(attempt, failure(ProviderErrorKind.SERVER)) for _ in range(200)]
    assert all(wait is not None and least <= wait <= most for wait in waits)
    assert len(set(waits)) > 100


def test_the_last_attempt_is_the_last() -> None:
    error: ProviderError = failure(ProviderErrorKind.SERVER, retry_after=1.0)
    assert wait_before_retry(3, error) is None
