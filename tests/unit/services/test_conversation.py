"""Whole turns through `Turns.send`: their events, what is sent, and what is left on disk."""

import asyncio

import pytest

from tests.support.replay import KEY, Hold, Replay, Step, ended, failure, started, talk
from tui.core.chat import (
    Finish,
    FinishReason,
    MessageStatus,
    ModelInfo,
    ReasoningDelta,
    Role,
    TextDelta,
    TurnOptions,
    UsageReport,
)
from tui.core.errors import ProviderErrorKind, RefusalReason
from tui.core.quota import KeySource
from tui.core.settings import Endpoint
from tui.core.turns import PromptSaved, ReplyEnded, UsageProgress
from tui.core.usage import Provenance, Usage
from tui.providers.demo import DemoProvider

WHOLE = (
    ReasoningDelta("Let me see."),
    TextDelta("Four"),
    TextDelta(" it is."),
    UsageReport(Usage(20, 9, cached_input=5, reasoning=4)),
    Finish(FinishReason.STOP),
)


async def test_a_turn_saves_the_prompt_streams_the_reply_and_charges_what_was_reported() -> None:
    session = await talk(Replay(WHOLE))
    events = await session.say("What is 2 + 2?")

    assert [type(event) for event in events if not isinstance(event, UsageProgress)] == [
        PromptSaved,
        type(started(events)),
        ReasoningDelta,
        TextDelta,
        TextDelta,
        ReplyEnded,
    ]
    end = ended(events)
    assert (end.charged, end.saved, end.finish, end.refusal) == (29, True, FinishReason.STOP, None)
    prompt, reply = await session.messages()
    assert (prompt.role, prompt.text, prompt.parent_id) == (Role.USER, "What is 2 + 2?", None)
    assert reply == end.reply
    assert (reply.text, reply.reasoning, reply.status) == (
        "Four it is.",
        "Let me see.",
        MessageStatus.COMPLETE,
    )
    assert (reply.usage, reply.provenance) == (Usage(20, 9, 5, 4), Provenance.REPORTED)
    assert (reply.provider, reply.model, reply.parent_id) == ("openai", "gpt-5.1", prompt.id)
    assert reply.turn_id == prompt.turn_id
    assert reply.seconds is not None
    [row] = session.ledger
    assert (row.tokens, row.key_source, row.turn_id) == (29, KeySource.DEFAULT, prompt.turn_id)
    session.assert_settled()


async def test_the_prompt_is_on_disk_before_anything_is_sent() -> None:
    hold = Hold()
    provider = Replay([hold, *WHOLE])
    session = await talk(provider)
    turn = session.send("Keep me")
    assert isinstance(await anext(turn), PromptSaved)
    assert [message.text for message in await session.messages()] == ["Keep me"]
    hold.release.set()
    assert ended([PromptSaved((await session.messages())[0]), *[event async for event in turn]]).saved


async def test_the_whole_branch_is_sent_without_reasoning_after_the_system_prompt() -> None:
    provider = Replay(WHOLE)
    session = await talk(provider)
    await session.services.settings.set("system_prompt", "Be brief.")
    await session.say("First")
    await session.say("Second")
    sent = [(message.role, message.text) for message in provider.requests[1].messages]
    assert sent == [
        (Role.SYSTEM, "Be brief."),
        (Role.USER, "First"),
        (Role.ASSISTANT, "Four it is."),
        (Role.USER, "Second"),
    ]


async def test_a_conversation_is_asked_by_its_own_options() -> None:
    provider = Replay(WHOLE)
    session = await talk(provider)
    options = TurnOptions("Poet", "Rhyme.", 0.25, 333, "high")
    await session.services.library.choose_options(session.conversation.id, options)
    await session.say("First")
    [sent] = provider.requests
    assert (sent.messages[0].role, sent.messages[0].text) == (Role.SYSTEM, "Rhyme.")
    assert (sent.temperature, sent.max_output, sent.reasoning_effort) == (0.25, 333, "high")


async def test_the_forecast_knows_the_options_of_a_conversation_that_is_not_made() -> None:
    session = await talk(Replay(WHOLE))
    turns = session.services.turns
    plain = await turns.forecast(None, "openai", "gpt-5.1", "Hello")
    options = TurnOptions(system_prompt="A system prompt of some length.", max_output=100)
    short = await turns.forecast(None, "openai", "gpt-5.1", "Hello", options=options)
    assert short.input > plain.input
    assert short.most - short.input == 100


async def test_a_failed_reply_is_not_sent_but_its_prompt_is() -> None:
    provider = Replay([TextDelta("Half"), failure(ProviderErrorKind.NETWORK)], WHOLE)
    session = await talk(provider)
    assert (await session.reply("First")).reply.status is MessageStatus.FAILED
    await session.say("Second")
    assert [message.text for message in provider.requests[1].messages] == ["First", "Second"]


async def test_the_request_is_capped_at_what_was_held() -> None:
    provider = Replay(WHOLE)
    session = await talk(provider)
    await session.accounting.set_purchased("openai", 500)
    await session.say("Hello")
    assert provider.requests[0].max_output < 500


async def test_a_refused_turn_keeps_the_prompt_and_says_why() -> None:
    provider = Replay(WHOLE)
    session = await talk(provider)
    await session.accounting.set_purchased("openai", 0)
    end = await session.reply("Hello")
    assert (end.refusal, end.charged, end.no_key) == (RefusalReason.POOL_EXHAUSTED, 0, False)
    assert end.reply.status is MessageStatus.FAILED
    assert end.reply.error is not None
    assert end.reply.error.startswith("You've used all available tokens.")
    assert [message.text for message in await session.messages()] == ["Hello", ""]
    assert not provider.requests
    session.assert_settled()


async def test_without_a_key_the_turn_ends_with_the_way_out() -> None:
    session = await talk(Replay(WHOLE))
    await session.services.settings.set("keys.use_custom", "true")
    await session.services.settings.set("openai.use_own_key", "true")
    end = await session.reply("Hello")
    assert end.no_key
    assert end.reply.status is MessageStatus.FAILED
    assert end.reply.error


async def test_the_first_line_of_the_first_prompt_is_the_title() -> None:
    session = await talk(Replay(WHOLE))
    await session.say("\n  Plan a \x1b[31mtrip\x1b[0m to the coast, " + "far " * 30 + "\nwith two dogs")
    title = session.services.library.get(session.conversation.id).title
    assert title.startswith("Plan a ␛[31mtrip")
    assert len(title) <= 60
    await session.say("Another")
    assert session.services.library.get(session.conversation.id).title == title


async def test_what_comes_from_a_model_can_do_nothing_to_a_terminal() -> None:
    session = await talk(Replay([TextDelta("a\x1b]52;c;x\x07b"), Finish(FinishReason.STOP)]))
    events = await session.say()
    shown = "".join(event.text for event in events if isinstance(event, TextDelta))
    assert shown == (await session.messages())[-1].text == "a␛]52;c;x␇b"


async def test_a_key_in_an_error_is_never_shown_or_kept() -> None:
    error = failure(ProviderErrorKind.BAD_KEY, accepted=False)
    error.args = (f"The key {KEY} is not valid.",)
    end = await (await talk(Replay([error]))).reply()
    assert end.reply.error is not None
    assert "not valid" in end.reply.error
    assert KEY not in end.reply.error


async def test_an_unforeseen_error_ends_the_turn_like_any_other() -> None:
    session = await talk(Replay([TextDelta("Some"), ZeroDivisionError("secret detail")]))
    end = await session.reply()
    assert (end.reply.status, end.reply.text) == (MessageStatus.FAILED, "Some")
    assert end.reply.error is not None
    assert "secret" not in end.reply.error
    assert end.charged > 0
    session.assert_settled()


async def test_a_stream_that_ends_without_a_finish_is_incomplete() -> None:
    session = await talk(Replay([TextDelta("Some")]))
    end = await session.reply()
    assert (end.reply.status, end.reply.text) == (MessageStatus.FAILED, "Some")
    assert end.reply.provenance is Provenance.ESTIMATED
    session.assert_settled()


async def test_a_reply_that_spent_its_output_on_reasoning_says_so() -> None:
    script: list[Step] = [
        ReasoningDelta("Hm"),
        UsageReport(Usage(10, 64, reasoning=64)),
        Finish(FinishReason.LENGTH),
    ]
    end = await (await talk(Replay(script))).reply()
    assert (end.reply.status, end.finish, end.charged) == (MessageStatus.FAILED, FinishReason.LENGTH, 74)
    assert end.reply.error is not None
    assert "before its first word" in end.reply.error


async def test_a_connection_lost_after_the_finish_loses_nothing() -> None:
    script: list[Step] = [
        TextDelta("All of it."),
        Finish(FinishReason.STOP),
        failure(ProviderErrorKind.NETWORK),
    ]
    session = await talk(Replay(script))
    end = await session.reply()
    assert (end.reply.status, end.reply.error) == (MessageStatus.COMPLETE, None)
    assert end.charged > 0


async def test_two_conversations_stream_at_once() -> None:
    first, second = Hold(), Hold()
    session = await talk(Replay([first, *WHOLE], [second, *WHOLE]))
    other = await session.services.library.create("openai", "gpt-5.1")

    async def collect(conversation_id: str) -> ReplyEnded:
        return ended([event async for event in session.turns.send(conversation_id, "Hello")])

    tasks = [asyncio.create_task(collect(one)) for one in (session.conversation.id, other.id)]
    await asyncio.gather(first.reached.wait(), second.reached.wait())
    assert session.turns.is_running(session.conversation.id)
    assert session.turns.is_running(other.id)
    first.release.set()
    second.release.set()
    ends = await asyncio.gather(*tasks)
    assert [end.charged for end in ends] == [29, 29]
    session.assert_settled()


async def test_prompts_to_one_conversation_wait_for_each_other() -> None:
    hold = Hold()
    provider = Replay([hold, *WHOLE], WHOLE)
    session = await talk(provider)
    turns = [asyncio.create_task(session.reply(text)) for text in ("First", "Second")]
    await hold.reached.wait()
    assert len(provider.requests) == 1
    hold.release.set()
    await asyncio.gather(*turns)
    messages = await session.messages()
    assert [message.text for message in messages] == ["First", "Four it is.", "Second", "Four it is."]
    assert len(provider.requests[1].messages) == 3


async def test_another_model_for_one_turn_is_kept_as_the_conversation_s() -> None:
    provider = Replay(WHOLE)
    session = await talk(provider)
    await session.say("Hello", provider="openai", model="gpt-5.1-mini")
    entry = session.services.library.get(session.conversation.id)
    assert (provider.requests[0].model, entry.model) == ("gpt-5.1-mini", "gpt-5.1-mini")


async def test_a_conversation_of_someone_else_cannot_be_sent_to() -> None:
    provider = Replay(WHOLE)
    session = await talk(provider)
    [end] = [event async for event in session.turns.send("0123456789ab", "Hello")]
    assert isinstance(end, ReplyEnded)
    assert (end.reply.status, end.saved) == (MessageStatus.FAILED, False)
    assert not provider.requests


@pytest.mark.parametrize("text", ["Hello there", "/long 300", "/silent", "x"])
async def test_a_turn_with_the_demo(text: str) -> None:
    session = await talk(DemoProvider(pace=0), name="demo", model="demo")
    end = await session.reply(text)
    assert end.reply.status is MessageStatus.COMPLETE
    assert end.reply.text
    assert end.reply.usage is not None
    assert end.charged == end.reply.usage.total == sum(row.tokens for row in session.ledger)
    assert [row.key_source for row in session.ledger] == [KeySource.NONE]
    session.assert_settled()


async def test_a_forecast_is_what_admission_would_hold() -> None:
    provider = Replay(WHOLE)
    session = await talk(provider)
    await session.accounting.set_purchased("openai", 2_000)
    forecast = await session.turns.forecast(session.conversation.id, "openai", "gpt-5.1", "Hello")
    assert forecast.refused is None
    await session.say("Hello")
    assert forecast.most == forecast.input + provider.requests[0].max_output
    longer = await session.turns.forecast(session.conversation.id, "openai", "gpt-5.1", "Hello")
    assert longer.input > forecast.input
    fresh = await session.turns.forecast(None, "openai", "gpt-5.1", "Hello")
    assert fresh.input == forecast.input


async def test_nothing_is_sent_of_a_blank_prompt() -> None:
    provider = Replay(WHOLE)
    session = await talk(provider)
    [end] = [event async for event in session.send(" \n")]
    assert isinstance(end, ReplyEnded)
    assert end.reply.error == "There is nothing to send: type a prompt first."
    assert (await session.messages(), provider.requests) == ((), [])


async def test_prompts_that_wait_are_kept_when_the_program_ends() -> None:
    hold = Hold()
    provider = Replay([hold, *WHOLE])
    session = await talk(provider)
    turns = [asyncio.create_task(session.reply(text)) for text in ("First", "Second")]
    await hold.reached.wait()
    await session.turns.drain()
    ends = await asyncio.gather(*turns)
    assert [end.reply.status for end in ends] == [MessageStatus.STOPPED] * 2
    assert len(provider.requests) == 1
    assert [message.text for message in await session.messages()] == ["First", "", "Second", ""]
    session.assert_settled()


async def test_an_endpoint_without_a_model_is_sent_to_its_first() -> None:
    provider = Replay(WHOLE, offered=(ModelInfo("llama-3"), ModelInfo("qwen")))
    session = await talk(provider)
    await session.services.settings.put_endpoint(Endpoint("lab", "http://127.0.0.1:9/v1"))
    end = await session.reply("Hello", provider="lab")
    assert (end.reply.model, end.reply.status) == ("llama-3", MessageStatus.COMPLETE)
    assert provider.requests[0].model == "llama-3"


async def test_an_endpoint_without_any_model_says_so() -> None:
    session = await talk(Replay(WHOLE))
    await session.services.settings.put_endpoint(Endpoint("lab", "http://127.0.0.1:9/v1"))
    end = await session.reply("Hello", provider="lab")
    assert end.reply.error == "Choose a model of lab first."
