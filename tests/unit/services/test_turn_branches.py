"""Turns that begin a branch: a prompt edited, a reply had anew or continued; and choosing a branch."""

import asyncio

import pytest

from tests.support.replay import Hold, Replay, Step, Talk, ended, failure, started, talk
from tui.core.chat import (
    CARRY_ON,
    Finish,
    FinishReason,
    Message,
    MessageStatus,
    Role,
    TextDelta,
    UsageReport,
)
from tui.core.errors import InvalidValueError, ProviderErrorKind, RefusalReason
from tui.core.turns import PromptSaved, TurnEvent
from tui.core.usage import Usage
from tui.services.branches import places, siblings


def says(text: str, *before: Step, finish: FinishReason = FinishReason.STOP) -> tuple[Step, ...]:
    return (*before, TextDelta(text), UsageReport(Usage(20, 2)), Finish(finish))


def texts(messages: tuple[Message, ...]) -> list[str]:
    return [message.text for message in messages]


async def everything(session: Talk) -> tuple[Message, ...]:
    return (await session.services.library.open(session.conversation.id)).all_messages


async def again(session: Talk, message_id: str) -> list[TurnEvent]:
    return [event async for event in session.turns.again(session.conversation.id, message_id)]


async def carry_on(session: Talk, reply_id: str) -> list[TurnEvent]:
    return [event async for event in session.turns.carry_on(session.conversation.id, reply_id)]


async def test_an_edited_prompt_begins_a_branch_and_the_old_one_can_be_chosen_again() -> None:
    provider = Replay(says("r1"), says("r2"), says("r1b"))
    session = await talk(provider)
    await session.say("p1")
    await session.say("p2")
    old = await session.messages()

    await session.say("p1 edited", instead_of=old[0].id)
    assert texts(await session.messages()) == ["p1 edited", "r1b"]
    assert [message.text for message in provider.requests[-1].messages] == ["p1 edited"]
    edited = (await session.messages())[0]
    assert (edited.parent_id, edited.instead_of) == (None, old[0].id)
    messages = await everything(session)
    assert texts(siblings(messages, edited.id)) == ["p1", "p1 edited"]
    assert places(messages, await session.messages()) == {edited.id: (2, 2)}

    opened = await session.services.library.choose_branch(session.conversation.id, old[0].id)
    assert texts(opened.messages) == ["p1", "r1", "p2", "r2"]
    await session.say("p3")
    assert texts(await session.messages()) == ["p1", "r1", "p2", "r2", "p3", "r1b"]
    assert sum(row.tokens for row in session.ledger) == 4 * 22
    session.assert_settled()


async def test_an_edit_of_a_later_prompt_is_sent_after_what_came_before_it() -> None:
    provider = Replay(says("r1"), says("r2"), says("r3"))
    session = await talk(provider)
    await session.say("p1")
    await session.say("p2")
    await session.say("p2 edited", instead_of=(await session.messages())[2].id)
    assert texts(await session.messages()) == ["p1", "r1", "p2 edited", "r3"]
    assert [message.text for message in provider.requests[-1].messages] == ["p1", "r1", "p2 edited"]


async def test_a_reply_is_had_anew_beside_the_old_one() -> None:
    provider = Replay(says("r1"), says("r2"), says("r1 anew"))
    session = await talk(provider)
    await session.say("p1")
    await session.say("p2")
    prompt, old, *_ = await session.messages()

    events = await again(session, old.id)
    assert isinstance(events[0], PromptSaved)
    assert events[0].prompt == prompt
    reply = ended(events).reply
    assert texts(await session.messages()) == ["p1", "r1 anew"]
    assert (reply.parent_id, reply.instead_of) == (prompt.id, old.id)
    assert reply.turn_id not in {None, old.turn_id}
    assert [message.text for message in provider.requests[-1].messages] == ["p1"]
    assert texts(siblings(await everything(session), old.id)) == ["r1", "r1 anew"]
    assert len(session.ledger) == 3
    session.assert_settled()


async def test_a_failed_reply_is_tried_again_and_leaves_no_trace_among_the_versions() -> None:
    session = await talk(Replay([failure(ProviderErrorKind.BAD_KEY, accepted=False)], says("r1")))
    failed = (await session.reply("p1")).reply
    assert failed.status is MessageStatus.FAILED
    reply = ended(await again(session, failed.id)).reply
    assert texts(await session.messages()) == ["p1", "r1"]
    assert siblings(await everything(session), reply.id) == (reply,)


async def test_a_prompt_without_a_reply_is_answered() -> None:
    session = await talk(Replay(says("r1")))
    [prompt] = [event.prompt for event in await session.say("p1") if isinstance(event, PromptSaved)]
    await session.store.save_messages(session.conversation.id, [])
    reply = ended(await again(session, prompt.id)).reply
    assert (reply.parent_id, reply.text) == (prompt.id, "r1")


@pytest.mark.parametrize("index", [0, 1])
async def test_a_refused_reply_leaves_the_conversation_as_it_is(index: int) -> None:
    session = await talk(Replay(says("r1")))
    await session.say("p1")
    before = await everything(session)
    await session.accounting.set_purchased("openai", 1)
    end = ended(await again(session, before[index].id))
    assert end.refusal is RefusalReason.POOL_EXHAUSTED
    assert end.reply.error
    assert await everything(session) == before


@pytest.mark.parametrize("finish", [FinishReason.STOP, FinishReason.LENGTH])
async def test_a_reply_at_its_longest_is_continued_where_it_ends(finish: FinishReason) -> None:
    provider = Replay(says("One, tw", finish=FinishReason.LENGTH), says("o, three.", finish=finish))
    session = await talk(provider)
    cut = (await session.reply("Count")).reply
    assert cut.finish is FinishReason.LENGTH

    events = await carry_on(session, cut.id)
    assert started(events).reply.text == "One, tw"
    reply = ended(events).reply
    assert (reply.text, reply.instead_of, reply.usage) == ("One, two, three.", cut.id, Usage(20, 2))
    assert texts(await session.messages()) == ["Count", "One, two, three."]
    assert [message.text for message in provider.requests[-1].messages] == ["Count", "One, tw", CARRY_ON]
    assert [message.role for message in provider.requests[-1].messages][1] is Role.ASSISTANT
    session.assert_settled()


async def test_a_stopped_reply_is_continued_and_what_fails_keeps_the_text() -> None:
    hold = Hold()
    provider = Replay([TextDelta("Half"), hold], [failure(ProviderErrorKind.BAD_KEY, accepted=False)])
    session = await talk(provider)
    turn = asyncio.create_task(session.reply("p1"))
    await hold.reached.wait()
    session.turns.stop(session.conversation.id)
    stopped = (await turn).reply
    reply = ended(await carry_on(session, stopped.id)).reply
    assert (reply.status, reply.text) == (MessageStatus.FAILED, "Half")
    assert ended(await carry_on(session, reply.id)).reply.text == "Half"


async def test_a_whole_reply_can_not_be_continued() -> None:
    session = await talk(Replay(says("r1")))
    whole = (await session.reply("p1")).reply
    end = ended_without_prompt(await carry_on(session, whole.id))
    assert end == "This reply is whole: there is nothing to continue."
    assert texts(await session.messages()) == ["p1", "r1"]


def ended_without_prompt(events: list[TurnEvent]) -> str | None:
    [end] = events
    return end.reply.error  # type: ignore[union-attr]  # the one event is the end


async def test_only_a_prompt_that_is_there_can_be_edited() -> None:
    session = await talk(Replay(says("r1")))
    reply = (await session.reply("p1")).reply
    for message_id in (reply.id, "gone"):
        assert ended_without_prompt(await session.say("p2", instead_of=message_id))
    assert texts(await session.messages()) == ["p1", "r1"]


async def test_a_branch_that_is_not_there_is_not_chosen() -> None:
    session = await talk(Replay(says("r1")))
    await session.say("p1")
    with pytest.raises(InvalidValueError):
        await session.services.library.choose_branch(session.conversation.id, "gone")


async def test_the_old_reply_can_be_chosen_while_the_new_one_streams_elsewhere() -> None:
    hold = Hold()
    session = await talk(Replay(says("r1"), says("r1 anew", hold), says("r2")))
    old = (await session.reply("p1")).reply
    turn = asyncio.create_task(again(session, old.id))
    await hold.reached.wait()
    assert (await session.messages())[-1].status is MessageStatus.STREAMING
    await session.services.library.choose_branch(session.conversation.id, old.id)
    hold.release.set()
    new = ended(await turn).reply
    assert texts(await session.messages()) == ["p1", "r1"]
    assert new in siblings(await everything(session), old.id)


async def test_what_is_said_while_a_reply_is_had_anew_follows_the_new_one() -> None:
    hold = Hold()
    session = await talk(Replay(says("r1"), says("r1 anew", hold)))
    other = await talk(Replay(says("r2")), session.store)
    other.conversation = session.conversation
    old = (await session.reply("p1")).reply
    turn = asyncio.create_task(again(session, old.id))
    await hold.reached.wait()
    await other.say("p2")
    hold.release.set()
    await turn
    assert texts(await session.messages()) == ["p1", "r1 anew", "p2", "r2"]


async def test_an_edit_elsewhere_while_a_reply_streams_stays_beside_it() -> None:
    hold = Hold()
    session = await talk(Replay(says("r1", hold)))
    other = await talk(Replay(says("r1b")), session.store)
    other.conversation = session.conversation
    turn = asyncio.create_task(session.say("p1"))
    await hold.reached.wait()
    prompt = (await session.messages())[0]
    await other.say("p1 edited", instead_of=prompt.id)
    hold.release.set()
    await turn
    assert texts(await session.messages()) == ["p1 edited", "r1b"]
    opened = await session.services.library.choose_branch(session.conversation.id, prompt.id)
    assert texts(opened.messages) == ["p1", "r1"]


async def test_a_forecast_of_an_edit_counts_only_what_comes_before_it() -> None:
    session = await talk(Replay(says("word " * 500)))
    await session.say("p1")
    await session.say("p2")
    first = (await session.messages())[0]
    whole, edit = [
        await session.turns.forecast(session.conversation.id, "openai", "gpt-5.1", "p1", instead_of=message)
        for message in (None, first.id)
    ]
    assert edit.input < 100 < whole.input
