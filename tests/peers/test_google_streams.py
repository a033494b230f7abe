"""Both Gemini adapters against real servers, and against a double for what none of them sends."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from tests.peers.gemini_double import THINKING, Chunk, GeminiDouble
from tests.peers.gemini_double import usage as counted
from tests.peers.servers import STREAM_FAULTS, AIMock, LLMock
from tests.peers.wire import Abort, Hold, Step
from tests.unit.providers.replies import ask, reason, reasoning, request, text, usage
from tui.core.chat import ChatMessage, FinishReason, Role, TextDelta
from tui.core.errors import ProviderError, ProviderErrorKind
from tui.core.ports import Provider
from tui.core.usage import Usage
from tui.providers.google import GoogleProvider
from tui.providers.google_legacy import GoogleLegacyProvider

pytestmark = pytest.mark.peers

KEY = "AIzaTest-0123456789abcdef"
MODEL = "gemini-2.5-flash"
SDKS: dict[str, type[GoogleProvider] | type[GoogleLegacyProvider]] = {
    "genai": GoogleProvider,
    "legacy": GoogleLegacyProvider,
}
both = pytest.mark.parametrize("sdk", list(SDKS))


@asynccontextmanager
async def provider(
    url: str, sdk: str = "genai", *, key: str | None = KEY, stall: float = 5.0
) -> AsyncIterator[Provider]:
    made = SDKS[sdk](api_key=key, base_url=url, name="Google", stall=stall)
    yield made
    await made.aclose()


@pytest.fixture
def gemini() -> Iterator[GeminiDouble]:
    with GeminiDouble() as double:
        yield double


@both
async def test_a_reply_of_llmock_is_whole_and_measured(llmock: LLMock, sdk: str) -> None:
    llmock.reply("Seven small words make up this reply.")
    async with provider(llmock.gemini_url, sdk) as peer:
        events = await ask(peer, "Say seven small words, if you please.", model=MODEL)
    assert text(events) == "Seven small words make up this reply."
    assert reason(events) is FinishReason.STOP
    measured = usage(events)
    assert measured is not None
    assert measured.input > 0
    assert measured.output > 0
    llmock.assert_resilient()


@pytest.mark.parametrize(
    ("fault", "kinds"),
    [
        ("disconnect", {ProviderErrorKind.NETWORK, ProviderErrorKind.MALFORMED}),
        ("truncate", {ProviderErrorKind.INCOMPLETE}),
        ("malformed", {ProviderErrorKind.MALFORMED}),
        ("stall", {ProviderErrorKind.TIMEOUT}),
    ],
)
async def test_a_broken_stream_is_an_error_of_its_kind(
    llmock: LLMock, fault: str, kinds: set[ProviderErrorKind]
) -> None:
    llmock.reply("One two three four five six seven eight.").script(STREAM_FAULTS[fault])
    events: list[object] = []

    async def consume(peer: Provider) -> None:
        async for event in peer.stream(request("hi", model=MODEL)):
            events.append(event)

    async with provider(llmock.gemini_url, stall=0.5) as peer:
        with pytest.raises(ProviderError) as caught:
            await consume(peer)
    assert caught.value.kind in kinds
    assert caught.value.accepted is True
    assert any(isinstance(event, TextDelta) for event in events)
    assert len(llmock.requests()) == 1


@both
@pytest.mark.parametrize(
    ("status", "kind", "accepted"),
    [
        (400, ProviderErrorKind.BAD_REQUEST, False),
        (401, ProviderErrorKind.BAD_KEY, False),
        (403, ProviderErrorKind.BAD_KEY, False),
        (404, ProviderErrorKind.MODEL_NOT_FOUND, False),
        (429, ProviderErrorKind.RATE_LIMIT, False),
        (500, ProviderErrorKind.SERVER, None),
        (503, ProviderErrorKind.SERVER, None),
    ],
)
async def test_every_http_error_is_mapped_and_sent_once(
    llmock: LLMock, sdk: str, status: int, kind: ProviderErrorKind, accepted: bool | None
) -> None:
    llmock.fail(status, times=None)
    async with provider(llmock.gemini_url, sdk) as peer:
        with pytest.raises(ProviderError) as caught:
            await ask(peer, "hi", model=MODEL)
    assert caught.value.kind is kind
    assert caught.value.accepted is accepted
    assert KEY not in str(caught.value)
    # The retired SDK's transport tries a 401 again by itself; a refused key spends nothing.
    assert len(llmock.requests()) == (3 if (sdk, status) == ("legacy", 401) else 1)


async def test_exact_usage_and_every_role(aimock: AIMock) -> None:
    conversation = (
        ChatMessage(Role.SYSTEM, "Be brief."),
        ChatMessage(Role.USER, "hello"),
        ChatMessage(Role.ASSISTANT, "hi"),
        ChatMessage(Role.USER, "exact"),
    )
    async with provider(aimock.gemini_url) as peer:
        events = await ask(peer, conversation, model=MODEL)
    measured = usage(events)
    assert measured is not None
    assert (measured.input, measured.output) == (1_234, 567)
    body = aimock.requests()[-1]["body"]
    assert [message["role"] for message in body["messages"]] == ["system", "user", "assistant", "user"]


@pytest.mark.parametrize(
    ("steps", "kinds"),
    [
        ((THINKING[1],), {ProviderErrorKind.INCOMPLETE}),
        ((THINKING[1], Abort()), {ProviderErrorKind.NETWORK}),
        ((THINKING[1], b", {nope"), {ProviderErrorKind.INCOMPLETE, ProviderErrorKind.MALFORMED}),
        ((THINKING[1], Hold()), {ProviderErrorKind.TIMEOUT}),
    ],
)
async def test_the_retired_sdk_reports_broken_streams(
    gemini: GeminiDouble, steps: tuple[Chunk | Step, ...], kinds: set[ProviderErrorKind]
) -> None:
    gemini.script(*steps)
    async with provider(gemini.gemini_url, "legacy", stall=0.5) as peer:
        with pytest.raises(ProviderError) as caught:
            await ask(peer, "hi", model=MODEL)
    assert caught.value.kind in kinds
    assert caught.value.accepted is True


async def test_thoughts_are_reasoning_and_part_of_the_output(gemini: GeminiDouble) -> None:
    async with provider(gemini.gemini_url) as peer:
        events = await ask(peer, "hi", model=MODEL)
    assert (reasoning(events), text(events)) == ("Let me think. ", "It is 42.")
    assert usage(events) == Usage(input=10, output=46, cached_input=4, reasoning=40)


async def test_the_retired_sdk_recovers_thoughts_from_the_total(gemini: GeminiDouble) -> None:
    async with provider(gemini.gemini_url, "legacy") as peer:
        events = await ask(peer, "hi", model=MODEL)
    assert usage(events) == Usage(input=10, output=46, cached_input=4, reasoning=40)


async def test_tool_use_prompts_are_input(gemini: GeminiDouble) -> None:
    gemini.script(Chunk("x", finish="STOP", usage=counted(10, 2, tool_use=5)))
    async with provider(gemini.gemini_url) as peer:
        events = await ask(peer, "hi", model=MODEL)
    assert usage(events) == Usage(input=15, output=2)


@both
async def test_stopping_closes_the_connection(gemini: GeminiDouble, sdk: str) -> None:
    gemini.script(THINKING[1], Hold())
    async with provider(gemini.gemini_url, sdk) as peer:
        stream = peer.stream(request("hi", model=MODEL))
        assert isinstance(await anext(stream), TextDelta)
        await stream.aclose()
        (sent,) = gemini.wire.requests
        assert await asyncio.to_thread(sent.wait_client_left)


async def test_cancelling_a_task_closes_the_connection(gemini: GeminiDouble) -> None:
    gemini.script(THINKING[1], Hold())
    async with provider(gemini.gemini_url) as peer:
        began = asyncio.Event()

        async def consume() -> None:
            async for _ in peer.stream(request("hi", model=MODEL)):
                began.set()

        task = asyncio.create_task(consume())
        await began.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        (sent,) = gemini.wire.requests
        assert await asyncio.to_thread(sent.wait_client_left)


@both
async def test_a_blocked_prompt_says_so(gemini: GeminiDouble, sdk: str) -> None:
    gemini.script(Chunk(blocked="PROHIBITED_CONTENT", usage=counted(7, 0)))
    async with provider(gemini.gemini_url, sdk) as peer:
        with pytest.raises(ProviderError, match="by its own rules") as caught:
            await ask(peer, "hi", model=MODEL)
    assert caught.value.kind is ProviderErrorKind.BLOCKED


@both
@pytest.mark.parametrize(
    ("finish", "expected"),
    [("MAX_TOKENS", FinishReason.LENGTH), ("SAFETY", FinishReason.FILTERED), ("OTHER", FinishReason.OTHER)],
)
async def test_finish_reasons(gemini: GeminiDouble, sdk: str, finish: str, expected: FinishReason) -> None:
    gemini.script(Chunk("x", finish=finish, usage=counted(3, 1)))
    async with provider(gemini.gemini_url, sdk) as peer:
        events = await ask(peer, "hi", model=MODEL)
    assert reason(events) is expected


async def test_a_rate_limit_names_its_wait(gemini: GeminiDouble) -> None:
    retry = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34s"}
    gemini.fail(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota, check billing.", [retry])
    async with provider(gemini.gemini_url) as peer:
        with pytest.raises(ProviderError) as caught:
            await ask(peer, "hi", model=MODEL)
    assert caught.value.kind is ProviderErrorKind.RATE_LIMIT
    assert caught.value.retry_after == 34


async def test_a_model_without_thoughts_is_asked_again_without_them(gemini: GeminiDouble) -> None:
    gemini.fail(400, "INVALID_ARGUMENT", "Thinking is not enabled for this model.")
    async with provider(gemini.gemini_url) as peer:
        with pytest.raises(ProviderError):
            await ask(peer, "hi", model=MODEL)
        first, second = gemini.wire.requests
    assert "thinkingConfig" in first.json()["generationConfig"]
    assert "thinkingConfig" not in second.json()["generationConfig"]


async def test_a_model_that_refuses_an_effort_still_shows_its_thoughts(gemini: GeminiDouble) -> None:
    gemini.fail(400, "INVALID_ARGUMENT", "Thinking level MINIMAL is not supported for this model.")
    async with provider(gemini.gemini_url) as peer:
        with pytest.raises(ProviderError):
            await ask(peer, "hi", model="gemini-3.5-flash", reasoning_effort="minimal")
        sent = [request.json()["generationConfig"].get("thinkingConfig") for request in gemini.wire.requests]
    assert sent == [{"include_thoughts": True, "thinking_level": "MINIMAL"}, {"include_thoughts": True}, None]


@pytest.mark.parametrize("bad", [-5, 1e30, 3.5, "many"])
@both
async def test_impossible_usage_never_credits_and_never_crashes(
    gemini: GeminiDouble, sdk: str, bad: object
) -> None:
    fields = {"promptTokenCount": bad, "candidatesTokenCount": 1, "totalTokenCount": bad}
    gemini.script(Chunk("x", finish="STOP", usage=fields))  # type: ignore[arg-type]  # on purpose
    async with provider(gemini.gemini_url, sdk) as peer:
        outcome = (await asyncio.gather(ask(peer, "hi", model=MODEL), return_exceptions=True))[0]
    if isinstance(outcome, list):
        assert usage(outcome) is None
    else:
        assert isinstance(outcome, ProviderError)
        assert (outcome.kind, outcome.accepted) == (ProviderErrorKind.MALFORMED, True)


@both
async def test_nobody_there_is_never_accepted(sdk: str) -> None:
    async with provider("http://127.0.0.1:9", sdk) as peer:
        with pytest.raises(ProviderError) as caught:
            await ask(peer, "hi", model=MODEL)
    assert caught.value.kind is ProviderErrorKind.NETWORK
    assert caught.value.accepted is False


@both
async def test_keys_are_checked_by_the_model_list(gemini: GeminiDouble, sdk: str) -> None:
    async with provider(gemini.gemini_url, sdk) as peer:
        check = await peer.check_key()
        assert (check.ok, check.message) == (True, "works: 2 models")
        assert check.models[0].context == 1_048_576
        gemini.fail(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.")
        check = await peer.check_key()
    assert (check.ok, check.rejected) == (False, True)
    assert KEY not in check.message


@both
async def test_an_aborted_stream_is_a_lost_connection(gemini: GeminiDouble, sdk: str) -> None:
    gemini.script(THINKING[1], Abort())
    async with provider(gemini.gemini_url, sdk) as peer:
        with pytest.raises(ProviderError) as caught:
            await ask(peer, "hi", model=MODEL)
    assert caught.value.kind in (ProviderErrorKind.NETWORK, ProviderErrorKind.INCOMPLETE)
    assert caught.value.accepted is True
