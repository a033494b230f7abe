"""Turns against real servers that speak OpenAI's protocol: what is kept, charged and tried again."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.peers.servers import STREAM_FAULTS, AIMock, Eliza, LlamaCpp, LLMock
from tests.peers.wire import Hold, Wire, sse
from tests.support.replay import RealPauses, Talk, ended, talk
from tui.core.chat import MessageStatus, TextDelta
from tui.core.settings import Endpoint
from tui.core.turns import Retrying
from tui.core.usage import Provenance, Usage
from tui.providers import connect

pytestmark = pytest.mark.peers

CUT = ("disconnect", "truncate", "malformed")
TOLD = frozenset({"truncated_stream_accepted", "malformed_chunk_ignored", "gave_up"})
RETRIED_STATUSES = (408, 429, 500, 502, 503, 504, 529)
REFUSED_STATUSES = (400, 401, 403, 404, 413, 422)


@pytest.fixture
async def session() -> AsyncIterator[Talk]:
    """A session with a pool, whose retries wait in earnest."""
    made = await talk(connect=connect, pauses=RealPauses())
    await made.accounting.set_purchased("openai", 1_000_000)
    yield made
    await made.turns.aclose()
    assert made.held == 0, "Something is still held."
    made.assert_settled()


async def point(session: Talk, url: str) -> None:
    await session.services.settings.set("openai.base_url", url)


async def test_a_reply_and_its_usage(session: Talk, llmock: LLMock) -> None:
    llmock.reply("Paris, of course.")
    await point(session, llmock.openai_url)
    end = await session.reply("What is the capital of France?")
    assert (end.reply.text, end.reply.status) == ("Paris, of course.", MessageStatus.COMPLETE)
    assert end.reply.provenance is Provenance.REPORTED
    assert [row.tokens for row in session.ledger] == [end.charged]
    llmock.assert_resilient()


@pytest.mark.parametrize("status", RETRIED_STATUSES)
async def test_a_passing_failure_is_tried_again(session: Talk, llmock: LLMock, status: int) -> None:
    llmock.fail(status).reply("Here I am.")
    await point(session, llmock.openai_url)
    events = await session.say("Hello")
    assert ended(events).reply.text == "Here I am."
    assert len([event for event in events if isinstance(event, Retrying)]) == 1
    llmock.assert_resilient()


async def test_the_server_s_wait_is_kept(session: Talk, llmock: LLMock) -> None:
    llmock.fail(429, retry_after=1).reply("Here I am.")
    await point(session, llmock.openai_url)
    assert (await session.reply("Hello")).reply.text == "Here I am."
    assert session.pauses.seconds == [1.0]
    llmock.assert_resilient()


async def test_a_lasting_failure_ends_after_three_attempts(session: Talk, llmock: LLMock) -> None:
    llmock.fail(503, times=None)
    await point(session, llmock.openai_url)
    end = await session.reply("Hello")
    assert end.reply.status is MessageStatus.FAILED
    assert end.reply.error
    assert len(llmock.requests()) == 3
    llmock.assert_resilient(allow=frozenset({"gave_up"}))


@pytest.mark.parametrize("status", REFUSED_STATUSES)
async def test_a_refusal_is_final_and_free(session: Talk, llmock: LLMock, status: int) -> None:
    llmock.fail(status)
    await point(session, llmock.openai_url)
    end = await session.reply("Hello")
    assert (end.reply.status, end.charged, session.ledger) == (MessageStatus.FAILED, 0, [])
    assert len(llmock.requests()) == 1
    llmock.assert_resilient()


@pytest.mark.parametrize("fault", CUT)
async def test_a_reply_that_breaks_off_is_kept_and_charged(session: Talk, llmock: LLMock, fault: str) -> None:
    llmock.reply("One two three four five six seven eight nine ten.", times=None)
    llmock.script(STREAM_FAULTS[fault])
    await point(session, llmock.openai_url)
    end = await session.reply("Count")
    assert end.reply.status is MessageStatus.FAILED
    assert end.reply.text
    assert end.reply.text != "One two three four five six seven eight nine ten."
    assert end.reply.error
    [row] = session.ledger
    assert row.provenance is Provenance.ESTIMATED
    assert row.tokens == end.charged > 0
    assert len(llmock.requests()) == 1
    # It expects a retry. Ours is the user's to decide, who was told: what had come would be charged twice.
    llmock.assert_resilient(allow=TOLD)


async def test_a_stalled_reply_goes_on(session: Talk, llmock: LLMock) -> None:
    llmock.reply("One two three four five six.")
    llmock.script(STREAM_FAULTS["stall"])
    await point(session, llmock.openai_url)
    assert (await session.reply("Count")).reply.text == "One two three four five six."
    # Reasoning models are silent for longer than its 4 s: our limit is for hung connections.
    llmock.assert_resilient(allow=frozenset({"no_read_timeout"}))


async def test_exact_usage(session: Talk, aimock: AIMock) -> None:
    await point(session, aimock.openai_url)
    end = await session.reply("exact")
    assert end.charged == 1_234 + 567
    assert end.reply.usage == Usage(1_234, 567)
    figures = session.accounting.snapshot().provider("openai")
    assert figures is not None
    assert (figures.used, figures.remaining) == (1_801, 998_199)


async def test_a_server_that_never_reports_is_estimated(session: Talk, eliza: Eliza) -> None:
    await session.services.settings.put_endpoint(Endpoint("eliza", eliza.openai_url, "eliza"))
    end = await session.reply("I feel watched.", provider="eliza", model="eliza")
    assert end.reply.status is MessageStatus.COMPLETE
    assert end.reply.provenance is Provenance.ESTIMATED
    assert end.reply.usage is not None
    assert min(end.reply.usage.input, end.reply.usage.output) > 0


async def test_a_stop_closes_the_connection_and_charges_what_came(session: Talk, wire: Wire) -> None:
    wire.script(sse({"choices": [{"index": 0, "delta": {"content": "Half"}}]}, Hold()))
    await point(session, wire.openai_url)
    turn = session.send("Hello")
    async for event in turn:
        if isinstance(event, TextDelta):
            session.turns.stop(session.conversation.id)
            break
    rest = [event async for event in turn]
    assert rest[-1].reply.status is MessageStatus.STOPPED  # type: ignore[union-attr]  # the last is the end
    [request] = wire.requests
    assert await asyncio.to_thread(request.wait_client_left)
    [row] = session.ledger
    assert row.provenance is Provenance.ESTIMATED
    assert row.output > 0


async def test_nobody_there_costs_nothing(session: Talk, unused_tcp_port: int) -> None:
    await point(session, f"http://127.0.0.1:{unused_tcp_port}/v1")
    session.pauses.seconds.clear()
    end = await session.reply("Hello")
    assert (end.reply.status, end.charged, session.ledger) == (MessageStatus.FAILED, 0, [])
    assert len(session.pauses.seconds) == 2


async def test_a_real_model_s_own_count_is_charged(session: Talk, llamacpp: LlamaCpp) -> None:
    await session.services.settings.put_endpoint(
        Endpoint("llama", llamacpp.openai_url, llamacpp.model, context=4_096)
    )
    await session.services.settings.set("max_output", "24")
    end = await session.reply("Say hello.", provider="llama", model=llamacpp.model)
    assert end.reply.provenance is Provenance.REPORTED
    assert end.reply.usage is not None
    assert end.reply.usage.input == llamacpp.prompt_tokens([{"role": "user", "content": "Say hello."}])
    assert end.charged == end.reply.usage.total
    assert end.reply.usage.output <= 24
    again = await session.reply("And again.", provider="llama", model=llamacpp.model)
    assert again.reply.usage is not None
    assert again.reply.usage.input > end.reply.usage.total
