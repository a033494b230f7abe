"""Each peer answers in its wire format, its faults happen as scripted, and nothing outlives its fixture."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests import offline
from tests.peers import servers
from tests.peers.fixtures import SharedServer
from tests.peers.gemini_double import Chunk, GeminiDouble, usage
from tests.peers.process import answers, call
from tests.peers.servers import ERROR_STATUSES, AIMock, Eliza, LlamaCpp, LLMock
from tests.peers.wire import Abort, Hold, Pause, Wire, answer, raw, sse

pytestmark = pytest.mark.peers

CHAT = {"model": "any", "messages": [{"role": "user", "content": "an exact question"}]}
GENERATE = {"contents": [{"role": "user", "parts": [{"text": "an exact question"}]}]}


def stream_openai(base_url: str, timeout: float = 30) -> list[str]:
    """Return the payloads of the events of a streamed chat completion."""
    body = CHAT | {"stream": True, "stream_options": {"include_usage": True}}
    return _events(f"{base_url}/chat/completions", body, timeout)


def stream_gemini(base_url: str, timeout: float = 30) -> list[str]:
    path = "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse"
    return _events(base_url + path, GENERATE, timeout)


def _events(url: str, body: dict[str, Any], timeout: float) -> list[str]:
    with httpx.stream("POST", url, json=body, timeout=timeout, trust_env=False) as response:
        response.raise_for_status()
        return [line.removeprefix("data: ") for line in response.iter_lines() if line]


def decoded(events: list[str]) -> list[dict[str, Any]]:
    return [httpx.Response(200, text=event).json() for event in events if event != "[DONE]"]


def text_of(events: list[str]) -> str:
    choices = [choice for event in decoded(events) for choice in event["choices"]]
    return "".join(choice["delta"].get("content") or "" for choice in choices)


def usage_of(events: list[str]) -> list[dict[str, Any]]:
    return [event["usage"] for event in decoded(events) if event.get("usage")]


class TestLLMock:
    def test_answers_openai_with_usage(self, llmock: LLMock) -> None:
        events = stream_openai(llmock.reply("Hello there").openai_url)
        assert text_of(events) == "Hello there"
        assert usage_of(events)[-1]["completion_tokens"] > 0
        assert events[-1] == "[DONE]"

    def test_answers_gemini_with_usage(self, llmock: LLMock) -> None:
        events = decoded(stream_gemini(llmock.gemini_url))
        assert events[-1]["usageMetadata"]["promptTokenCount"] > 0

    @pytest.mark.parametrize("status", ERROR_STATUSES)
    def test_fails_with_any_status(self, llmock: LLMock, status: int) -> None:
        llmock.fail(status)
        with pytest.raises(httpx.HTTPStatusError) as caught:
            stream_openai(llmock.openai_url)
        assert caught.value.response.status_code == status
        assert [request["status"] for request in llmock.requests()] == [status]

    def test_asks_to_wait(self, llmock: LLMock) -> None:
        llmock.fail(429, retry_after=7)
        with pytest.raises(httpx.HTTPStatusError) as caught:
            stream_gemini(llmock.gemini_url)
        assert caught.value.response.headers["retry-after"] == "7"

    def test_disconnects(self, llmock: LLMock) -> None:
        llmock.script(servers.STREAM_FAULTS["disconnect"])
        with pytest.raises(httpx.RemoteProtocolError):
            stream_openai(llmock.openai_url)

    def test_truncates_without_an_error(self, llmock: LLMock) -> None:
        llmock.script(servers.STREAM_FAULTS["truncate"])
        events = stream_openai(llmock.openai_url)
        assert "[DONE]" not in events
        assert all(choice["finish_reason"] is None for e in decoded(events) for choice in e["choices"])
        assert llmock.verdict()["findings"][0]["code"] == "truncated_stream_accepted"
        with pytest.raises(AssertionError, match="truncated_stream_accepted"):
            llmock.assert_resilient()
        llmock.assert_resilient(allow=frozenset({"truncated_stream_accepted"}))

    def test_sends_a_malformed_chunk(self, llmock: LLMock) -> None:
        llmock.script(servers.STREAM_FAULTS["malformed"])
        with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
            decoded(stream_openai(llmock.openai_url))

    def test_stalls(self, llmock: LLMock) -> None:
        llmock.script(servers.STREAM_FAULTS["stall"])
        with pytest.raises(httpx.ReadTimeout):
            stream_openai(llmock.openai_url, timeout=0.5)

    def test_refuses_above_its_quota(self, llmock: LLMock) -> None:
        llmock.settings(rpm=1)
        stream_openai(llmock.openai_url)
        with pytest.raises(httpx.HTTPStatusError, match="429"):
            stream_openai(llmock.openai_url)

    def test_reset_forgets_faults_settings_and_requests(self, llmock: LLMock) -> None:
        llmock.fail(500, times=None).settings(rpm=1).reset()
        assert llmock.requests() == []
        assert stream_openai(llmock.openai_url)
        assert stream_openai(llmock.openai_url)


class TestAIMock:
    def test_reports_exact_usage_to_openai(self, aimock: AIMock) -> None:
        [reported] = usage_of(stream_openai(aimock.openai_url))
        assert (reported["prompt_tokens"], reported["completion_tokens"]) == (1234, 567)

    def test_reports_exact_usage_to_gemini(self, aimock: AIMock) -> None:
        reported = decoded(stream_gemini(aimock.gemini_url))[-1]["usageMetadata"]
        assert (reported["promptTokenCount"], reported["totalTokenCount"]) == (1234, 1801)

    def test_answers_as_scripted_until_reset(self, aimock: AIMock) -> None:
        aimock.answer("Mine.", prompt=7, completion=3, match="exact question")
        events = stream_openai(aimock.openai_url)
        assert text_of(events) == "Mine."
        assert usage_of(events)[-1]["total_tokens"] == 10
        assert [request["path"] for request in aimock.requests()] == ["/v1/chat/completions"]
        aimock.reset()
        assert aimock.requests() == []
        assert text_of(stream_openai(aimock.openai_url)).startswith("The quick brown fox")


class TestEliza:
    def test_answers_and_never_reports_usage(self, eliza: Eliza) -> None:
        events = stream_openai(eliza.openai_url)
        assert text_of(events)
        assert usage_of(events) == []


class TestLlamaCpp:
    def test_counts_what_it_is_sent(self, llamacpp: LlamaCpp) -> None:
        messages = [{"role": "user", "content": "Name a colour."}]
        body = {"messages": messages, "max_tokens": 8, "temperature": 0}
        reply = call(f"{llamacpp.openai_url}/chat/completions", body)
        assert reply["choices"][0]["message"]["content"]
        assert reply["usage"]["prompt_tokens"] == llamacpp.prompt_tokens(messages)
        assert llamacpp.tokenize("Name a colour.") < llamacpp.prompt_tokens(messages)

    def test_is_shared_and_stopped_by_the_last(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        # A lighter peer stands in: what is shown is who starts and who stops the process.
        launch = servers.launch
        monkeypatch.setattr(servers, "launch", lambda _, log, owner: launch("eliza", log, owner))
        first, second = SharedServer(tmp_path, os.getpid()), SharedServer(tmp_path, os.getpid())
        url = first.join()
        assert second.join() == url
        first.leave()
        assert answers(url)
        second.leave()
        assert not answers(url)


class TestGeminiDouble:
    def test_sends_thoughts_and_cumulative_usage(self, gemini_double: GeminiDouble) -> None:
        events = decoded(stream_gemini(gemini_double.gemini_url))
        parts = [event["candidates"][0]["content"]["parts"][0] for event in events]
        assert [part.get("thought", False) for part in parts] == [True, False, False]
        assert events[-1]["usageMetadata"] == usage(10, 6, thoughts=40, cached=4)
        assert events[-1]["usageMetadata"]["totalTokenCount"] == 56

    def test_fails_in_googles_form(self, gemini_double: GeminiDouble) -> None:
        gemini_double.fail(429, "RESOURCE_EXHAUSTED", "Quota exceeded.")
        with pytest.raises(httpx.HTTPStatusError) as caught:
            stream_gemini(gemini_double.gemini_url)
        assert caught.value.response.status_code == 429

    def test_lists_models_and_counts(self, gemini_double: GeminiDouble) -> None:
        url = f"{gemini_double.count(17).gemini_url}/v1beta/models"
        assert call(url)["models"][0]["name"] == "models/gemini-2.5-flash"
        assert call(f"{url}/gemini-2.5-flash:countTokens", GENERATE) == {"totalTokens": 17}

    def test_streams_an_array_without_alt_sse(self, gemini_double: GeminiDouble) -> None:
        gemini_double.script(Chunk("a"), Chunk("b", finish="STOP"))
        url = f"{gemini_double.gemini_url}/v1beta/models/m:streamGenerateContent"
        assert [item["candidates"][0]["finishReason"] for item in call(url, GENERATE)[1:]] == ["STOP"]

    def test_a_blocked_prompt_has_no_candidate(self, gemini_double: GeminiDouble) -> None:
        gemini_double.script(Chunk(blocked="SAFETY"))
        [event] = decoded(stream_gemini(gemini_double.gemini_url))
        assert event["promptFeedback"] == {"blockReason": "SAFETY"}
        assert "candidates" not in event


class TestWire:
    def test_sends_what_is_scripted_and_keeps_the_request(self, wire: Wire) -> None:
        wire.script(sse({"n": 1}, "not json", "[DONE]"))
        assert stream_openai(wire.openai_url) == ['{"n": 1}', "not json", "[DONE]"]
        [request] = wire.requests
        assert (request.method, request.path) == ("POST", "/v1/chat/completions")
        assert request.json()["messages"] == CHAT["messages"]
        assert not request.wait_client_left()
        assert request.sent == 3

    def test_sends_responses_in_turn_and_keeps_the_last(self, wire: Wire) -> None:
        wire.script(answer({"n": 1}, 503, {"retry-after": "2"}), answer({"n": 2}))
        with pytest.raises(urllib.error.HTTPError) as caught:
            call(wire.url)
        assert caught.value.headers["retry-after"] == "2"
        assert [call(wire.url), call(wire.url)] == [{"n": 2}, {"n": 2}]

    def test_sends_raw_bytes(self, wire: Wire) -> None:
        wire.script(raw(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nshort"))
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.get(wire.url, trust_env=False)

    def test_aborts_after_what_was_sent(self, wire: Wire) -> None:
        wire.script(sse({"n": 1}, Abort()))
        with httpx.stream("GET", wire.url, trust_env=False) as response:
            lines = (line for line in response.iter_lines() if line)
            assert next(lines) == 'data: {"n": 1}'
            with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
                next(lines)

    @pytest.mark.parametrize("step", [Hold(), Pause(30)])
    def test_sees_the_client_leave(self, wire: Wire, step: Hold | Pause) -> None:
        wire.script(sse({"n": 1}, step, {"n": 2}))
        with httpx.stream("GET", wire.url, trust_env=False) as response:
            assert next(response.iter_lines()) == 'data: {"n": 1}'
        [request] = wire.wait_requests(1)
        assert request.wait_client_left(5)
        assert request.sent == 1

    def test_goes_on_when_released(self, wire: Wire) -> None:
        wire.script(sse({"n": 1}, Hold(), {"n": 2}))
        with httpx.stream("GET", wire.url, trust_env=False) as response:
            lines = (line for line in response.iter_lines() if line)
            assert next(lines) == 'data: {"n": 1}'
            wire.release()
            assert next(lines) == 'data: {"n": 2}'

    async def test_serves_a_client_on_the_tests_own_loop(self, wire: Wire) -> None:
        wire.script(sse({"n": 1}, Hold()))
        async with (
            httpx.AsyncClient(trust_env=False) as client,
            client.stream("GET", wire.url) as response,
        ):
            assert await anext(response.aiter_lines()) == 'data: {"n": 1}'
        [request] = await asyncio.to_thread(wire.wait_requests, 1)
        assert await asyncio.to_thread(request.wait_client_left)

    def test_ends_with_its_fixture(self) -> None:
        with Wire() as server:
            url = server.script(answer({})).url
            assert answers(url)
        assert not answers(url)
        assert "wire" not in [thread.name for thread in threading.enumerate()]


class TestProcesses:
    def test_stop_leaves_nothing(self, tmp_path: Path) -> None:
        process = servers.launch("eliza", tmp_path / "log")
        url = process.wait_ready("/")
        process.stop()
        assert not process.running
        assert not answers(url)

    def test_a_peer_ends_with_its_owner(self, tmp_path: Path) -> None:
        with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as owner:
            process = servers.launch("eliza", tmp_path / "log", owner.pid)
            process.wait_ready("/")
            owner.send_signal(signal.SIGKILL)
        assert process._process.wait(10) == 0

    def test_one_that_cannot_start_says_why(self, tmp_path: Path) -> None:
        process = servers.launch("nothing", tmp_path / "log")
        with pytest.raises(RuntimeError, match="invalid choice: 'nothing'"):
            process.wait_ready("/")


class TestOffline:
    @pytest.fixture(autouse=True)
    def _forgive(self) -> Any:
        """These tests try on purpose what fails every other."""
        yield
        offline.attempts.clear()

    def test_refuses_addresses_and_names_outside(self) -> None:
        with pytest.raises(offline.OutsideConnectionError, match=r"192\.0\.2\.1"):
            socket.create_connection(("192.0.2.1", 443), timeout=1)
        with pytest.raises(offline.OutsideConnectionError, match=r"example\.invalid"):
            socket.getaddrinfo("example.invalid", 443)
        assert offline.attempts == ["192.0.2.1", "example.invalid"]

    async def test_refuses_an_asynchronous_client(self) -> None:
        async with httpx.AsyncClient(trust_env=False) as client:
            with pytest.raises(httpx.ConnectError):
                await client.get("http://192.0.2.1/")
        assert offline.attempts == ["192.0.2.1"]
