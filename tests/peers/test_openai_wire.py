"""The OpenAI adapter against exact bytes: what no well-behaved server sends."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.environment import ROOT, child_environment
from tests.peers.wire import Abort, Hold, Response, Wire, answer, raw, sse
from tests.unit.providers.replies import ask, collect, reason, reasoning, request, text, usage
from tui.core.chat import Finish, FinishReason, ReasoningDelta, StreamEvent, TextDelta, UsageReport
from tui.core.errors import ProviderError, ProviderErrorKind
from tui.core.usage import Usage
from tui.providers import openai as adapter
from tui.providers.openai import OpenAIProvider

KEY = "sk-test-0123456789abcdef"
DONE = "[DONE]"
HELLO: Mapping[str, Any] = {"choices": [{"index": 0, "delta": {"content": "Hello"}}]}
STOP: Mapping[str, Any] = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}


def delta(**fields: object) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": fields}]}


def counted(prompt: object, completion: object, **fields: object) -> dict[str, Any]:
    usage_fields = {"prompt_tokens": prompt, "completion_tokens": completion, **fields}
    return {"choices": [], "usage": usage_fields}


def refusal(message: str, status: int = 400, **fields: object) -> Response:
    return answer({"error": {"message": message, **fields}}, status)


@pytest.fixture
async def peer(wire: Wire) -> AsyncIterator[OpenAIProvider]:
    made = OpenAIProvider(api_key=KEY, base_url=wire.openai_url, name="Peer", stall=5)
    yield made
    await made.aclose()


async def failure(peer: OpenAIProvider, prompt: str = "hi") -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        await ask(peer, prompt)
    return caught.value


# Replies


async def test_readings_are_cumulative_wherever_they_come(wire: Wire, peer: OpenAIProvider) -> None:
    with_choices = {**HELLO, "usage": {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10}}
    wire.script(sse(with_choices, STOP, counted(9, 4, total_tokens=13), DONE))
    events = await ask(peer, "hi")
    assert [event.usage for event in events if isinstance(event, UsageReport)] == [Usage(9, 1), Usage(9, 4)]
    assert events[-1] == Finish(FinishReason.STOP)


async def test_cached_input_and_reasoning_are_parts_of_their_wholes(wire: Wire, peer: OpenAIProvider) -> None:
    details = {
        "prompt_tokens_details": {"cached_tokens": 64},
        "completion_tokens_details": {"reasoning_tokens": 30},
    }
    wire.script(sse(HELLO, STOP, counted(100, 50, total_tokens=150, **details), DONE))
    assert usage(await ask(peer, "hi")) == Usage(input=100, output=50, cached_input=64, reasoning=30)


async def test_reasoning_that_only_the_total_holds_is_charged(wire: Wire, peer: OpenAIProvider) -> None:
    wire.script(sse(HELLO, STOP, counted(100, 50, total_tokens=350), DONE))
    assert usage(await ask(peer, "hi")) == Usage(input=100, output=250, reasoning=200)


@pytest.mark.parametrize(
    "figures",
    [
        (-5, 10),
        (5, -10),
        (True, 10),
        ("5", 10),
        (None, 10),
        (1.5, 10),
        (10**12, 10),
        (0, 0),
        ([1], {"a": 1}),
    ],
)
async def test_impossible_figures_are_no_usage(
    wire: Wire, peer: OpenAIProvider, figures: tuple[object, object]
) -> None:
    wire.script(sse(HELLO, STOP, counted(*figures), DONE))
    events = await ask(peer, "hi")
    assert [event for event in events if isinstance(event, UsageReport)] == [UsageReport(None)]
    assert text(events) == "Hello"


@pytest.mark.parametrize("literal", ["NaN", "Infinity", "-Infinity", "1e400"])
async def test_figures_that_are_no_numbers_are_no_usage(
    wire: Wire, peer: OpenAIProvider, literal: str
) -> None:
    body = f'{{"choices": [], "usage": {{"prompt_tokens": {literal}, "completion_tokens": 5}}}}'
    wire.script(sse(HELLO, STOP, body, DONE))
    assert usage(await ask(peer, "hi")) is None


@pytest.mark.parametrize("value", ["plenty", [], 7, {"prompt_tokens_details": "x"}])
async def test_usage_of_another_shape_is_no_usage(wire: Wire, peer: OpenAIProvider, value: object) -> None:
    wire.script(sse(HELLO, STOP, {"choices": [], "usage": value}, DONE))
    events = await ask(peer, "hi")
    assert usage(events) is None
    assert reason(events) is FinishReason.STOP


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
async def test_reasoning_is_told_from_text(wire: Wire, peer: OpenAIProvider, field: str) -> None:
    wire.script(sse(delta(**{field: "Let me see."}), HELLO, STOP, DONE))
    events = await ask(peer, "hi")
    assert events[:2] == [ReasoningDelta("Let me see."), TextDelta("Hello")]


async def test_typed_parts_are_read(wire: Wire, peer: OpenAIProvider) -> None:
    thinking = {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}
    wire.script(sse(delta(content=[thinking, {"type": "text", "text": "Yes."}]), STOP, DONE))
    events = await ask(peer, "hi")
    assert reasoning(events) == "Hm."
    assert text(events) == "Yes."


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("stop", FinishReason.STOP),
        ("length", FinishReason.LENGTH),
        ("content_filter", FinishReason.FILTERED),
        ("tool_calls", FinishReason.OTHER),
        ("eos", FinishReason.OTHER),
    ],
)
async def test_why_a_reply_ended(wire: Wire, peer: OpenAIProvider, word: str, expected: FinishReason) -> None:
    wire.script(sse(HELLO, {"choices": [{"index": 0, "delta": {}, "finish_reason": word}]}, DONE))
    assert reason(await ask(peer, "hi")) is expected


async def test_odd_chunks_are_passed_over(wire: Wire, peer: OpenAIProvider) -> None:
    other = {"choices": [{"index": 1, "delta": {"content": "second"}, "finish_reason": "stop"}]}
    odd = [{}, {"choices": None}, {"choices": [{}]}, {"choices": [{"delta": None}]}, [], 5, "null", other]
    wire.script(sse(*odd, {"choices": [{"index": 0, "delta": {"content": 7}}]}, HELLO, STOP, DONE))
    events = await ask(peer, "hi")
    assert text(events) == "Hello"


async def test_a_huge_chunk_comes_whole(wire: Wire, peer: OpenAIProvider) -> None:
    wire.script(sse(delta(content="word " * 400_000), STOP, DONE))
    assert len(text(await ask(peer, "hi"))) == 2_000_000


async def test_a_burst_of_chunks_leaves_the_event_loop_its_turns(wire: Wire, peer: OpenAIProvider) -> None:
    burst = f"data: {json.dumps(delta(content='word '))}\n\n".encode() * 5_000
    wire.script(sse(burst, STOP, DONE))
    events: list[StreamEvent] = []
    task = asyncio.create_task(collect(peer, "hi", events))
    seen = [0]
    while not task.done():
        await asyncio.sleep(0)
        seen.append(len(events))
    assert len(text(events)) == 25_000
    # A read of the socket brings over 1,000 chunks; in 10 ms some 70 of them are parsed.
    assert max(after - before for before, after in pairwise(seen)) < 500


async def test_a_reply_that_is_not_streamed_is_read(wire: Wire, peer: OpenAIProvider) -> None:
    choice = {"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}
    wire.script(answer({"choices": [choice], "usage": {"prompt_tokens": 3, "completion_tokens": 1}}))
    events = await ask(peer, "hi")
    assert events == [TextDelta("Hello"), UsageReport(Usage(3, 1)), Finish(FinishReason.STOP)]


# Streams that break


@pytest.mark.parametrize(
    ("steps", "kind"),
    [
        ((HELLO, "{not json", STOP), ProviderErrorKind.MALFORMED),
        ((HELLO, b"data: \xff\xfe\n\n", STOP), ProviderErrorKind.MALFORMED),
        ((HELLO,), ProviderErrorKind.INCOMPLETE),
        ((HELLO, DONE), ProviderErrorKind.INCOMPLETE),
        ((HELLO, Abort()), ProviderErrorKind.NETWORK),
        ((HELLO, {"error": {"message": "overloaded", "code": 503}}), ProviderErrorKind.SERVER),
        ((HELLO, {"error": {"message": "slow down", "code": 429}}), ProviderErrorKind.RATE_LIMIT),
        (
            (HELLO, {"error": {"message": "gone", "type": "insufficient_quota"}}),
            ProviderErrorKind.PROVIDER_QUOTA,
        ),
        ((HELLO, {"error": "boom"}), ProviderErrorKind.SERVER),
    ],
)
async def test_a_broken_stream_keeps_what_came_and_may_have_cost(
    wire: Wire, peer: OpenAIProvider, steps: tuple[object, ...], kind: ProviderErrorKind
) -> None:
    wire.script(sse(*steps))
    events: list[StreamEvent] = []
    with pytest.raises(ProviderError) as caught:
        await collect(peer, "hi", events)
    assert caught.value.kind is kind
    assert caught.value.accepted is True
    assert text(events) == "Hello"


@pytest.mark.parametrize("step", [Abort(), "{not json", Hold()])
async def test_a_reply_that_is_whole_outlives_a_break_before_its_usage(
    wire: Wire, peer: OpenAIProvider, monkeypatch: pytest.MonkeyPatch, step: object
) -> None:
    monkeypatch.setattr(adapter, "USAGE_SECONDS", 0.2)
    wire.script(sse(HELLO, STOP, step))
    events = await ask(peer, "hi")
    assert events == [TextDelta("Hello"), Finish(FinishReason.STOP)]


async def test_a_stall_is_a_timeout_that_may_have_cost(wire: Wire) -> None:
    wire.script(sse(HELLO, Hold()))
    impatient = OpenAIProvider(api_key=KEY, base_url=wire.openai_url, name="Peer", stall=0.2)
    error = await failure(impatient)
    await impatient.aclose()
    assert error.kind is ProviderErrorKind.TIMEOUT
    assert error.accepted is True
    assert await asyncio.to_thread(wire.requests[0].wait_client_left)


@pytest.mark.parametrize("content_type", ["text/html", "application/json"])
async def test_a_page_in_the_place_of_a_reply_is_malformed(wire: Wire, content_type: str) -> None:
    wire.script(answer(b"<html>Welcome</html>", headers={"content-type": content_type}))
    wrong = OpenAIProvider(api_key=KEY, base_url=wire.url, name="Peer")
    error = await failure(wrong)
    await wrong.aclose()
    assert error.kind is ProviderErrorKind.MALFORMED
    assert "/v1" in str(error)


async def test_an_error_with_status_200_is_an_error(wire: Wire, peer: OpenAIProvider) -> None:
    wire.script(refusal("The quota is used up.", 200, code="insufficient_quota"))
    assert (await failure(peer)).kind is ProviderErrorKind.PROVIDER_QUOTA


async def test_bytes_that_are_not_http_are_a_network_error(wire: Wire, peer: OpenAIProvider) -> None:
    wire.script(raw(b"SSH-2.0-OpenSSH_9.9\r\n"))
    error = await failure(peer)
    assert error.kind is ProviderErrorKind.NETWORK
    assert error.accepted is None


# Cancelling


async def test_closing_the_generator_closes_the_connection_at_once(wire: Wire, peer: OpenAIProvider) -> None:
    wire.script(sse(HELLO, Hold()))
    stream = peer.stream(request("hi"))
    assert await anext(stream) == TextDelta("Hello")
    await stream.aclose()
    assert await asyncio.to_thread(wire.requests[0].wait_client_left, 1)


@pytest.mark.parametrize("steps", [(HELLO, Hold()), (Hold(), HELLO)])
async def test_cancelling_the_task_closes_the_connection_at_once(
    wire: Wire, peer: OpenAIProvider, steps: tuple[object, ...]
) -> None:
    wire.script(sse(*steps))
    task = asyncio.create_task(ask(peer, "hi"))
    await asyncio.to_thread(wire.wait_requests)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(wire.requests[0].wait_client_left, 1)


# Refusals


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        (
            refusal("You exceeded your quota.", 429, code="insufficient_quota"),
            ProviderErrorKind.PROVIDER_QUOTA,
        ),
        (refusal("Too fast.", 429, code="rate_limit_exceeded"), ProviderErrorKind.RATE_LIMIT),
        (refusal("Pay first.", 402), ProviderErrorKind.PROVIDER_QUOTA),
        (refusal("Too long.", 400, code="context_length_exceeded"), ProviderErrorKind.CONTEXT_TOO_LONG),
        (
            refusal("This model's maximum context length is 4096 tokens, but 'max_tokens' is 5000."),
            ProviderErrorKind.CONTEXT_TOO_LONG,
        ),
        (refusal("Filtered.", 400, code="content_filter"), ProviderErrorKind.BLOCKED),
        (refusal("No such model.", 404, code="model_not_found"), ProviderErrorKind.MODEL_NOT_FOUND),
        (answer([{"error": {"message": "API key not valid."}}], 400), ProviderErrorKind.BAD_KEY),
        (answer({"error": "Invalid API key"}, 401), ProviderErrorKind.BAD_KEY),
        (answer({"detail": [{"loc": ["body"]}]}, 422), ProviderErrorKind.BAD_REQUEST),
        (answer(b"<html>nginx</html>", 502, {"content-type": "text/html"}), ProviderErrorKind.SERVER),
        (answer(b"", 500), ProviderErrorKind.SERVER),
    ],
)
async def test_a_refusal_is_of_its_kind_in_one_clean_sentence(
    wire: Wire, peer: OpenAIProvider, response: Response, kind: ProviderErrorKind
) -> None:
    wire.script(response)
    error = await failure(peer)
    assert error.kind is kind
    assert str(error).endswith(".")
    assert "\n" not in str(error)
    assert "<" not in str(error)
    assert len(wire.requests) == 1


@pytest.mark.parametrize(
    ("header", "value", "low", "high"),
    [
        ("retry-after", "2.5", 2.5, 2.5),
        ("retry-after-ms", "1500", 1.5, 1.5),
        ("retry-after", "Fri, 31 Dec 2100 23:59:59 GMT", 1e9, 1e10),
        ("retry-after", "Fri, 31 Dec 1999 23:59:59 GMT", 0, 0),
    ],
)
async def test_how_long_to_wait(
    wire: Wire, peer: OpenAIProvider, header: str, value: str, low: float, high: float
) -> None:
    wire.script(answer({"error": {"message": "Slow down."}}, 429, {header: value}))
    wait = (await failure(peer)).retry_after
    assert wait is not None
    assert low <= wait <= high


@pytest.mark.parametrize("value", ["soon", "-1", "nan", "inf", ""])
async def test_a_wait_that_makes_no_sense_is_not_handed_on(
    wire: Wire, peer: OpenAIProvider, value: str
) -> None:
    wire.script(answer({"error": {"message": "Slow down."}}, 429, {"retry-after": value}))
    assert (await failure(peer)).retry_after is None


@pytest.mark.parametrize("name", ["stream_options", "temperature", "reasoning_effort"])
async def test_a_parameter_that_is_refused_is_left_out_from_then_on(
    wire: Wire, peer: OpenAIProvider, name: str
) -> None:
    wire.script(refusal(f"Unknown field {name}.", 422), sse(HELLO, STOP, DONE))
    for _ in range(2):
        events = await ask(peer, "hi", temperature=0.5, reasoning_effort="low")
        assert text(events) == "Hello"
    assert [name in request.json() for request in wire.requests] == [True, False, False]


async def test_an_effort_that_is_refused_leaves_the_others_to_be_tried(
    wire: Wire, peer: OpenAIProvider
) -> None:
    message = "Unsupported value: 'reasoning_effort' does not support 'max' with this model."
    wire.script(refusal(message, param="reasoning_effort"), sse(HELLO, STOP, DONE))
    for effort in ("max", "max", "low"):
        await ask(peer, "hi", reasoning_effort=effort)
    sent = [request.json().get("reasoning_effort") for request in wire.requests]
    assert sent == ["max", None, None, "low"]


async def test_the_limit_goes_by_its_other_name_when_refused(wire: Wire, peer: OpenAIProvider) -> None:
    message = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
    wire.script(refusal(message, param="max_tokens"), sse(HELLO, STOP, DONE))
    await ask(peer, "hi", max_output=77)
    first, second = (request.json() for request in wire.requests)
    assert (first.get("max_tokens"), first.get("max_completion_tokens")) == (77, None)
    assert (second.get("max_tokens"), second.get("max_completion_tokens")) == (None, 77)


async def test_a_request_is_never_sent_without_its_limit(wire: Wire, peer: OpenAIProvider) -> None:
    wire.script(refusal("Neither max_tokens nor max_completion_tokens is supported."))
    error = await failure(peer)
    assert error.kind is ProviderErrorKind.BAD_REQUEST
    assert error.accepted is False
    assert len(wire.requests) == 2
    assert all("max_tokens" in r.json() or "max_completion_tokens" in r.json() for r in wire.requests)


async def test_a_value_that_is_refused_is_not_sent_again(wire: Wire, peer: OpenAIProvider) -> None:
    wire.script(refusal("max_tokens must be at most 10.", param="max_tokens"))
    error = await failure(peer)
    assert "max_tokens must be at most 10" in str(error)
    assert len(wire.requests) == 1


# Keys


async def test_a_key_that_a_server_repeats_is_not_shown(wire: Wire, peer: OpenAIProvider) -> None:
    for response in (refusal(f"Bad key {KEY}!", 400), sse(HELLO, {"error": {"message": f"{KEY} expired"}})):
        wire.script(response)
        error = await failure(peer)
        assert KEY not in str(error)
        assert KEY not in repr(error)
    assert KEY not in repr(peer)
    assert KEY not in repr(vars(peer))


async def test_nothing_of_the_environment_is_sent(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(name, "from-the-environment")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    wire.script(sse(HELLO, STOP, DONE))
    keyless = OpenAIProvider(api_key=None, base_url=wire.openai_url, name="Peer")
    await ask(keyless, "hi")
    await keyless.check_key()
    await keyless.aclose()
    for sent in wire.requests:
        assert "authorization" not in sent.headers
        assert "from-the-environment" not in json.dumps(dict(sent.headers))


def test_the_sdk_writes_nothing_to_the_terminal(wire: Wire, tmp_path: Path) -> None:
    program = """
import asyncio, sys
from tests.unit.providers.replies import ask, text
from tui.providers import connect
peer = connect("openai", api_key="sk-test-0123456789abcdef", base_url=sys.argv[1], name="Peer")
print(text(asyncio.run(ask(peer, "hi"))))
"""
    wire.script(sse(HELLO, STOP, DONE))
    environment = child_environment(tmp_path, {"OPENAI_LOG": "debug"})
    command = [sys.executable, "-c", program, wire.openai_url]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("Hello\n", "")


@pytest.mark.parametrize(
    ("response", "ok", "rejected", "words"),
    [
        (answer({"data": [{"id": "a"}, {"id": "b"}]}), True, False, "works: 2 models"),
        (answer({"data": [{"id": "a"}]}), True, False, "works: 1 model"),
        (refusal("Incorrect API key.", 401), False, True, "not valid"),
        (refusal("Forbidden.", 403), False, True, "rights"),
        (refusal("No route.", 404), True, False, "no model list; the key was not refused"),
        (refusal("Bad request.", 400), True, False, "no model list; the key was not refused"),
        (refusal("Slow down.", 429), True, False, "took the key"),
        (refusal("Oops.", 500), False, False, "a problem of its own"),
        (answer(b"<html></html>", 200, {"content-type": "text/html"}), False, False, "can't be read"),
        (answer({"data": "none"}), False, False, "can't be read"),
        (answer([1, 2]), False, False, "can't be read"),
    ],
)
async def test_what_a_server_says_of_a_key(
    wire: Wire, peer: OpenAIProvider, response: Response, ok: bool, rejected: bool, words: str
) -> None:
    wire.script(response)
    check = await peer.check_key()
    assert (check.ok, check.rejected) == (ok, rejected)
    assert words in check.message


async def test_what_a_server_says_of_its_models(wire: Wire, peer: OpenAIProvider) -> None:
    listed = [
        {"id": "vllm", "max_model_len": 8_192},
        {"id": "router", "context_length": 65_536},
        {"id": "boasting", "context_length": -1},
        {"id": "openai/gpt-4o"},
        {"id": ""},
        {"name": "nameless"},
        5,
    ]
    wire.script(answer({"data": listed}))
    models = await peer.models()
    assert [(model.id, model.context) for model in models] == [
        ("vllm", 8_192),
        ("router", 65_536),
        ("boasting", None),
        ("openai/gpt-4o", 128_000),
    ]
