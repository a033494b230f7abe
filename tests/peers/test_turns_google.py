"""Turns against servers that speak Gemini's protocol."""

from collections.abc import AsyncIterator

import pytest

from tests.peers.gemini_double import Chunk, GeminiDouble, usage
from tests.peers.servers import STREAM_FAULTS, LLMock
from tests.peers.wire import Abort
from tests.support.replay import RealPauses, Talk, ended, talk
from tui.core.chat import FinishReason, MessageStatus
from tui.core.turns import Retrying
from tui.core.usage import Provenance, Usage
from tui.providers import connect

pytestmark = pytest.mark.peers

TOLD = frozenset({"truncated_stream_accepted", "malformed_chunk_ignored", "gave_up"})


@pytest.fixture
async def session() -> AsyncIterator[Talk]:
    """A session with a pool, whose retries wait in earnest."""
    made = await talk(connect=connect, pauses=RealPauses(), name="google", model="gemini-2.5-flash")
    await made.accounting.set_purchased("google", 1_000_000)
    yield made
    await made.turns.aclose()
    assert made.held == 0, "Something is still held."
    made.assert_settled()


async def point(session: Talk, url: str) -> None:
    await session.services.settings.set("google.base_url", url)


async def test_thoughts_are_charged_as_output(session: Talk, gemini_double: GeminiDouble) -> None:
    await point(session, gemini_double.gemini_url)
    end = await session.reply("What is 6 times 7?")
    assert (end.reply.text, end.reply.reasoning) == ("It is 42.", "Let me think. ")
    assert end.reply.usage == Usage(10, 46, cached_input=4, reasoning=40)
    assert (end.charged, end.reply.provenance) == (56, Provenance.REPORTED)


async def test_thoughts_are_never_sent_back(session: Talk, gemini_double: GeminiDouble) -> None:
    await point(session, gemini_double.gemini_url)
    await session.say("What is 6 times 7?")
    await session.say("Are you sure?")
    body = gemini_double.wire.requests[-1].body.decode()
    assert "It is 42." in body
    assert "Let me think" not in body


async def test_a_connection_lost_midway_keeps_the_last_reading(
    session: Talk, gemini_double: GeminiDouble
) -> None:
    gemini_double.script(Chunk("It is ", usage=usage(10, 3, thoughts=40)), Abort())
    await point(session, gemini_double.gemini_url)
    end = await session.reply("What is 6 times 7?")
    assert (end.reply.status, end.reply.text) == (MessageStatus.FAILED, "It is ")
    assert end.charged == 53


async def test_a_filtered_reply_says_so_and_is_charged(session: Talk, gemini_double: GeminiDouble) -> None:
    gemini_double.script(Chunk(finish="SAFETY", usage=usage(10, 4)))
    await point(session, gemini_double.gemini_url)
    end = await session.reply("Something")
    assert (end.reply.status, end.finish) == (MessageStatus.FAILED, FinishReason.FILTERED)
    assert end.reply.error
    assert end.charged == 14


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_passing_failure_is_tried_again(session: Talk, llmock: LLMock, status: int) -> None:
    llmock.fail(status).reply("Here I am.")
    await point(session, llmock.gemini_url)
    events = await session.say("Hello")
    assert ended(events).reply.text == "Here I am."
    assert len([event for event in events if isinstance(event, Retrying)]) == 1
    llmock.assert_resilient()


@pytest.mark.parametrize("status", [400, 401, 403, 404])
async def test_a_refusal_is_final_and_free(session: Talk, llmock: LLMock, status: int) -> None:
    llmock.fail(status)
    await point(session, llmock.gemini_url)
    end = await session.reply("Hello")
    assert (end.reply.status, end.charged, session.ledger) == (MessageStatus.FAILED, 0, [])
    llmock.assert_resilient()


@pytest.mark.parametrize("fault", ["disconnect", "truncate", "malformed"])
async def test_a_reply_that_breaks_off_is_kept_and_charged(session: Talk, llmock: LLMock, fault: str) -> None:
    llmock.reply("One two three four five six seven eight nine ten.", times=None)
    llmock.script(STREAM_FAULTS[fault])
    await point(session, llmock.gemini_url)
    end = await session.reply("Count")
    assert end.reply.status is MessageStatus.FAILED
    assert end.reply.text
    assert [row.tokens for row in session.ledger] == [end.charged]
    assert len(llmock.requests()) == 1
    # It expects a retry. Ours is the user's to decide, who was told: what had come would be charged twice.
    llmock.assert_resilient(allow=TOLD)
