"""Stopping a turn anywhere: what had come is kept, and it is charged exactly once."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.replay import Hold, Replay, Stubborn, Talk, ended, failure, talk
from tui.core.chat import Finish, FinishReason, MessageStatus, ReasoningDelta, TextDelta, UsageReport
from tui.core.errors import ProviderErrorKind
from tui.core.turns import ReplyEnded, Retrying, TurnEvent
from tui.core.usage import Provenance, Usage

SCRIPT = (
    ReasoningDelta("Hm. "),
    TextDelta("One "),
    UsageReport(Usage(30, 3, reasoning=1)),
    TextDelta("two "),
    TextDelta("three."),
    UsageReport(Usage(30, 8, reasoning=1)),
    Finish(FinishReason.STOP),
)
WAYS = ("stop", "cancel", "drain")


async def stop_at(index: int, way: str) -> tuple[Talk, Replay, list[TurnEvent]]:
    """Stop a turn once `index` events have come from the provider."""
    hold = Hold()
    provider = Replay([*SCRIPT[:index], hold, *SCRIPT[index:]])
    session = await talk(provider)
    await session.accounting.set_purchased("openai", 100_000)
    events: list[TurnEvent] = []

    async def read() -> None:
        async with aclosing(session.send()) as turn:
            async for event in turn:
                events.append(event)

    reader = asyncio.create_task(read())
    await hold.reached.wait()
    match way:
        case "stop":
            session.turns.stop(session.conversation.id)
        case "cancel":
            reader.cancel()
        case _:
            await session.turns.drain()
    with suppress(asyncio.CancelledError):
        await reader
    await session.turns.drain()
    return session, provider, events


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("index", range(len(SCRIPT) + 1))
async def test_a_stop_after_any_event_charges_once(index: int, way: str) -> None:
    session, provider, _ = await stop_at(index, way)
    [row] = session.ledger
    assert row.tokens > 0
    assert session.held == 0
    session.assert_settled()
    assert provider.closed_streams == 1
    reply = (await session.messages())[-1]
    assert reply.status is MessageStatus.STOPPED
    came = "".join(event.text for event in SCRIPT[:index] if isinstance(event, TextDelta))
    assert reply.text == came
    assert reply.usage is not None
    assert reply.usage.total == row.tokens


async def test_a_stop_says_how_it_ended() -> None:
    _, _, events = await stop_at(2, "stop")
    end = ended(events)
    assert (end.reply.status, end.saved, end.reply.text) == (MessageStatus.STOPPED, True, "One ")
    assert end.charged > 0


async def test_a_reading_counts_as_it_is_where_nothing_came_after_it() -> None:
    session, _, _ = await stop_at(3, "stop")
    assert [(row.tokens, row.provenance) for row in session.ledger] == [(33, Provenance.REPORTED)]


async def test_what_came_after_a_reading_is_estimated_on_top_of_it() -> None:
    session, _, _ = await stop_at(5, "stop")
    [row] = session.ledger
    assert row.provenance is Provenance.ESTIMATED
    assert row.input == 30
    assert row.output > 3


async def test_a_stopped_reply_is_sent_with_the_next_prompt() -> None:
    hold = Hold()
    provider = Replay([TextDelta("Half"), hold], SCRIPT)
    session = await talk(provider)
    task = asyncio.create_task(session.say("First"))
    await hold.reached.wait()
    session.turns.stop(session.conversation.id)
    await task
    await session.say("Second")
    assert [message.text for message in provider.requests[1].messages] == ["First", "Half", "Second"]


@given(reads=st.integers(1, 9), breaths=st.integers(0, 40))
def test_closing_the_generator_anywhere(reads: int, breaths: int) -> None:
    """After any event, with the turn's own task so far ahead of the reader as the loop lets it get."""

    async def scenario() -> None:
        provider = Replay(SCRIPT)
        session = await talk(provider)
        turn = session.send()
        with suppress(StopAsyncIteration):
            for _ in range(reads):
                await anext(turn)
        for _ in range(breaths):
            await asyncio.sleep(0)
        await turn.aclose()
        await session.turns.drain()
        assert len(session.ledger) == len(provider.requests) <= 1
        session.assert_settled()
        _, reply = await session.messages()
        assert reply.status in (MessageStatus.STOPPED, MessageStatus.COMPLETE)
        assert (reply.usage.total if reply.usage else 0) == sum(row.tokens for row in session.ledger)

    asyncio.run(scenario())


async def test_a_stop_while_waiting_for_a_retry_ends_at_once() -> None:
    provider = Replay([failure(ProviderErrorKind.SERVER, accepted=False)], SCRIPT)
    session = await talk(provider)
    session.pauses.held = asyncio.Event()
    task = asyncio.create_task(session.say())
    await session.pauses.reached.wait()
    session.turns.stop(session.conversation.id)
    events = await task
    assert any(isinstance(event, Retrying) for event in events)
    assert ended(events).reply.status is MessageStatus.STOPPED
    assert len(provider.requests) == 1
    assert session.ledger == []
    assert session.held == 0


async def test_a_stop_before_the_request_costs_nothing() -> None:
    provider = Replay(SCRIPT)
    session = await talk(provider)
    turn = session.send()
    await anext(turn)
    session.turns.stop(session.conversation.id)
    end = [event async for event in turn][-1]
    assert isinstance(end, ReplyEnded)
    assert end.reply.status is MessageStatus.STOPPED
    assert not provider.requests
    assert (session.ledger, session.held) == ([], 0)


async def test_stopping_twice_is_stopping_once() -> None:
    hold = Hold()
    session = await talk(Replay([TextDelta("Half"), hold]))
    task = asyncio.create_task(session.say())
    await hold.reached.wait()
    for _ in range(3):
        session.turns.stop(session.conversation.id)
        await asyncio.sleep(0)
    assert ended(await task).reply.status is MessageStatus.STOPPED
    assert len(session.ledger) == 1


async def test_a_provider_that_does_not_let_go_is_settled_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tui.services.stops.CLOSE_SECONDS", 0.01)
    stubborn = Stubborn()
    session = await talk(Replay([TextDelta("Half"), stubborn]))
    task = asyncio.create_task(session.say())
    await stubborn.reached.wait()
    session.turns.stop(session.conversation.id)
    assert ended(await task).reply.text == "Half"
    assert len(session.ledger) == 1
    stubborn.release.set()


def test_the_end_of_the_loop_settles_what_streams() -> None:
    """As when the program is interrupted: all tasks are cancelled, and the loop runs until they end."""
    seen: list[Talk] = []

    async def scenario() -> None:
        hold = Hold()
        session = await talk(Replay([TextDelta("Half"), hold]))
        seen.append(session)
        reading = asyncio.ensure_future(session.say())
        await hold.reached.wait()
        assert not reading.done()

    asyncio.run(scenario())
    [session] = seen
    assert len(session.ledger) == 1
    session.assert_settled()


@pytest.mark.parametrize("way", ["close", "cancel"])
async def test_leaving_the_generator_stops_the_reply_by_itself(way: str) -> None:
    hold = Hold()
    provider = Replay([TextDelta("Half"), hold])
    session = await talk(provider)
    turn = session.send()
    if way == "close":
        while not isinstance(await anext(turn), TextDelta):
            pass
        await turn.aclose()
    else:
        reader = asyncio.ensure_future(_read(turn))
        await hold.reached.wait()
        reader.cancel()
    await asyncio.wait_for(provider.closed_stream.wait(), 5)
    await session.turns.drain()
    assert len(session.ledger) == 1


async def _read(turn: AsyncGenerator[TurnEvent, None]) -> None:
    async for _ in turn:
        pass
