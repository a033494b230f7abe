"""The OpenAI adapter against servers that are not ours."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.peers.launch import ALIAS
from tests.peers.servers import STREAM_FAULTS, AIMock, Eliza, LlamaCpp, LLMock
from tests.unit.providers.replies import ask, collect, reason, reasoning, request, text, usage
from tui.core.chat import ChatMessage, FinishReason, Role, StreamEvent, TextDelta
from tui.core.errors import ProviderError, ProviderErrorKind
from tui.core.usage import Provenance, Usage
from tui.providers import openai as adapter
from tui.providers import tokens
from tui.providers.openai import OpenAIProvider

pytestmark = pytest.mark.peers

KEY = "sk-test-0123456789abcdef"


@asynccontextmanager
async def provider(url: str, *, key: str | None = KEY, stall: float = 5.0) -> AsyncIterator[OpenAIProvider]:
    made = OpenAIProvider(api_key=key, base_url=url, name="Peer", stall=stall)
    yield made
    await made.aclose()


async def test_a_reply_of_llmock_is_whole_and_measured(llmock: LLMock) -> None:
    llmock.reply("Seven small words make up this reply.")
    async with provider(llmock.openai_url) as peer:
        events = await ask(peer, "Say something of seven small words.")
    assert text(events) == "Seven small words make up this reply."
    assert reason(events) is FinishReason.STOP
    measured = usage(events)
    assert measured is not None
    assert measured.input > 0
    assert measured.output > 0
    llmock.assert_resilient()


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("disconnect", ProviderErrorKind.NETWORK),
        ("truncate", ProviderErrorKind.INCOMPLETE),
        ("malformed", ProviderErrorKind.MALFORMED),
        ("stall", ProviderErrorKind.TIMEOUT),
    ],
)
async def test_a_broken_stream_is_an_error_of_its_kind(
    llmock: LLMock, fault: str, kind: ProviderErrorKind
) -> None:
    llmock.reply("One two three four five six seven eight.").script(STREAM_FAULTS[fault])
    events: list[StreamEvent] = []
    async with provider(llmock.openai_url, stall=0.5) as peer:
        with pytest.raises(ProviderError) as caught:
            await collect(peer, "hi", events)
    assert caught.value.kind is kind
    assert caught.value.accepted is True
    assert any(isinstance(event, TextDelta) for event in events)


@pytest.mark.parametrize(
    ("status", "kind", "accepted"),
    [
        (400, ProviderErrorKind.BAD_REQUEST, False),
        (401, ProviderErrorKind.BAD_KEY, False),
        (403, ProviderErrorKind.BAD_KEY, False),
        (404, ProviderErrorKind.MODEL_NOT_FOUND, False),
        (408, ProviderErrorKind.TIMEOUT, False),
        (409, ProviderErrorKind.SERVER, False),
        (413, ProviderErrorKind.CONTEXT_TOO_LONG, False),
        (422, ProviderErrorKind.BAD_REQUEST, False),
        (429, ProviderErrorKind.RATE_LIMIT, False),
        (500, ProviderErrorKind.SERVER, None),
        (502, ProviderErrorKind.SERVER, None),
        (503, ProviderErrorKind.SERVER, None),
        (504, ProviderErrorKind.SERVER, None),
        (529, ProviderErrorKind.SERVER, None),
    ],
)
async def test_every_http_error_is_mapped_and_sent_once(
    llmock: LLMock, status: int, kind: ProviderErrorKind, accepted: bool | None
) -> None:
    llmock.fail(status, times=None)
    async with provider(llmock.openai_url) as peer:
        with pytest.raises(ProviderError) as caught:
            await ask(peer, "hi")
    assert caught.value.kind is kind
    assert caught.value.accepted is accepted
    assert len(llmock.requests()) == 1


async def test_the_wait_that_a_server_asks_for_is_handed_on(llmock: LLMock) -> None:
    llmock.fail(429, retry_after=7)
    async with provider(llmock.openai_url) as peer:
        with pytest.raises(ProviderError) as caught:
            await ask(peer, "hi")
    assert caught.value.retry_after == 7
    assert caught.value.retryable


async def test_a_silent_server_times_out(llmock: LLMock) -> None:
    llmock.script({"type": "delay", "seconds": 3})
    impatient = OpenAIProvider(api_key=KEY, base_url=llmock.openai_url, name="Peer", first=0.3)
    with pytest.raises(ProviderError) as caught:
        await ask(impatient, "hi")
    await impatient.aclose()
    assert caught.value.kind is ProviderErrorKind.TIMEOUT
    assert caught.value.accepted is None


async def test_exact_usage(aimock: AIMock) -> None:
    async with provider(aimock.openai_url) as peer:
        events = await ask(peer, "exact")
    assert usage(events) == Usage(input=1_234, output=567)
    assert reason(events) is FinishReason.STOP


async def test_reasoning_comes_apart_from_text(aimock: AIMock) -> None:
    async with provider(aimock.openai_url) as peer:
        events = await ask(peer, "reason")
    assert text(events) == "Answer: 42."
    assert reasoning(events) == "Let me think about it step by step."


@pytest.mark.parametrize(
    ("prompt", "kind"),
    [
        ("bad key", ProviderErrorKind.BAD_KEY),
        ("rate limit", ProviderErrorKind.RATE_LIMIT),
        ("server error", ProviderErrorKind.SERVER),
        ("truncate", ProviderErrorKind.NETWORK),
        ("disconnect", ProviderErrorKind.NETWORK),
    ],
)
async def test_the_failures_of_aimock(aimock: AIMock, prompt: str, kind: ProviderErrorKind) -> None:
    async with provider(aimock.openai_url) as peer:
        with pytest.raises(ProviderError) as caught:
            await ask(peer, prompt)
    assert caught.value.kind is kind


async def test_a_server_that_never_reports_usage(eliza: Eliza) -> None:
    async with provider(eliza.openai_url, key=None) as peer:
        events = await ask(peer, "I feel sad today")
    assert text(events)
    assert reason(events) is FinishReason.STOP
    assert usage(events) is None


async def test_reported_input_agrees_with_the_models_own_tokenizer(llamacpp: LlamaCpp) -> None:
    messages = (
        ChatMessage(Role.SYSTEM, "You are brief."),
        ChatMessage(Role.USER, "Name one colour, in one word."),
    )
    async with provider(llamacpp.openai_url, key=None, stall=60) as peer:
        events = await ask(peer, messages, model=ALIAS, max_output=12)
    measured = usage(events)
    assert measured is not None
    sent = [{"role": message.role.value, "content": message.text} for message in messages]
    assert measured.input == llamacpp.prompt_tokens(sent)
    assert 0 < measured.output <= 12
    assert events[-2].provenance is Provenance.REPORTED  # type: ignore[union-attr]


@pytest.mark.parametrize("sample", ["english", "code"])
async def test_an_estimate_covers_what_a_real_model_counts(llamacpp: LlamaCpp, sample: str) -> None:
    samples = {"english": Path(adapter.__file__).parents[2] / "README.md", "code": Path(adapter.__file__)}
    messages = (ChatMessage(Role.USER, samples[sample].read_text(encoding="utf-8")[:8_000]),)
    await asyncio.to_thread(tokens.warm)
    estimate = tokens.estimate_input(messages, ALIAS, "openai")
    counted = llamacpp.prompt_tokens([{"role": "user", "content": messages[0].text}])
    assert counted <= estimate < counted * 1.8


async def test_the_limit_on_output_ends_a_reply(llamacpp: LlamaCpp) -> None:
    async with provider(llamacpp.openai_url, key=None, stall=60) as peer:
        events = await ask(peer, "Count from one to one hundred.", model=ALIAS, max_output=5)
    measured = usage(events)
    assert reason(events) is FinishReason.LENGTH
    assert measured is not None
    assert measured.output == 5


async def test_a_prompt_beyond_the_context_is_refused(llamacpp: LlamaCpp) -> None:
    async with provider(llamacpp.openai_url, key=None, stall=60) as peer:
        with pytest.raises(ProviderError) as caught:
            await ask(peer, "word " * 6_000, model=ALIAS)
    assert caught.value.kind is ProviderErrorKind.CONTEXT_TOO_LONG
    assert caught.value.accepted is False


async def test_cancelling_frees_the_only_slot_of_a_real_model(llamacpp: LlamaCpp) -> None:
    async with provider(llamacpp.openai_url, key=None, stall=60) as peer:
        stream = peer.stream(request("Tell a very long story.", model=ALIAS, max_output=2_000))
        await anext(stream)
        await stream.aclose()
        async with asyncio.timeout(30):
            events = await ask(peer, "Say yes.", model=ALIAS, max_output=3)
    assert usage(events) is not None


async def test_the_models_of_a_real_server(llamacpp: LlamaCpp) -> None:
    async with provider(llamacpp.openai_url, key=None, stall=60) as peer:
        check = await peer.check_key()
    assert check.ok
    assert check.message == "works: 1 model"
    assert [model.id for model in check.models] == [ALIAS]
