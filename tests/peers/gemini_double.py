"""A double of Gemini's REST interface, for what no installable peer sends: thoughts and cached tokens."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from tests.peers.wire import Request, Response, Step, Wire, answer

MODELS = ("gemini-2.5-flash", "gemini-2.5-pro")


@dataclass(frozen=True, slots=True)
class Chunk:
    """One streamed `GenerateContentResponse`."""

    text: str = ""
    thought: bool = False
    finish: str | None = None
    """`STOP`, `MAX_TOKENS`, `SAFETY`, ... on the last chunk."""
    usage: Mapping[str, int] | None = None
    """`usageMetadata`, cumulative, in the API's own field names."""
    blocked: str | None = None
    """`promptFeedback.blockReason`, with no candidate."""

    def to_json(self) -> dict[str, Any]:
        message: dict[str, Any] = {"modelVersion": MODELS[0]}
        if self.blocked:
            message["promptFeedback"] = {"blockReason": self.blocked}
        else:
            part = {"text": self.text} | ({"thought": True} if self.thought else {})
            candidate: dict[str, Any] = {"content": {"role": "model", "parts": [part]}, "index": 0}
            message["candidates"] = [candidate | ({"finishReason": self.finish} if self.finish else {})]
        return message | ({"usageMetadata": dict(self.usage)} if self.usage is not None else {})


def usage(
    prompt: int, candidates: int, thoughts: int = 0, cached: int = 0, tool_use: int = 0
) -> dict[str, int]:
    """Return `usageMetadata` as Gemini counts: thoughts are outside candidates, cached inside prompt."""
    fields = {
        "promptTokenCount": prompt,
        "candidatesTokenCount": candidates,
        "thoughtsTokenCount": thoughts,
        "cachedContentTokenCount": cached,
        "toolUsePromptTokenCount": tool_use,
    }
    total = prompt + tool_use + candidates + thoughts
    return {name: count for name, count in fields.items() if count} | {"totalTokenCount": total}


THINKING = (
    Chunk("Let me think. ", thought=True, usage=usage(10, 0, thoughts=40, cached=4)),
    Chunk("It is ", usage=usage(10, 3, thoughts=40, cached=4)),
    Chunk("42.", finish="STOP", usage=usage(10, 6, thoughts=40, cached=4)),
)
"""The answer unless a test scripts another: 10 in (4 cached), 46 out (40 of them thoughts), 56 in all."""


class GeminiDouble:
    """Answers every prompt with the scripted chunks; a context manager.

    `script()` takes `Chunk`s and the steps of `tests.peers.wire` (bytes, `Pause`, `Hold`, `Abort`).
    """

    def __init__(self) -> None:
        self.wire = Wire(self._handle)
        """For `release()`, `requests` and `wait_requests()`."""
        self._chunks: Sequence[Chunk | Step] = THINKING
        self._failure: Response | None = None
        self._input_tokens = 0

    def __enter__(self) -> Self:
        self.wire.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.wire.__exit__()

    @property
    def gemini_url(self) -> str:
        return self.wire.url

    def script(self, *chunks: Chunk | Step) -> Self:
        """Answer with these from here on."""
        self._chunks, self._failure = chunks, None
        return self

    def fail(self, code: int, status: str, message: str, details: Sequence[Mapping[str, Any]] = ()) -> Self:
        """Answer everything with an error in Google's form, such as 429, "RESOURCE_EXHAUSTED"."""
        error = {"code": code, "status": status, "message": message, "details": list(details)}
        self._failure = answer({"error": error}, code)
        return self

    def count(self, tokens: int) -> Self:
        """Say that whatever is counted has so many tokens."""
        self._input_tokens = tokens
        return self

    def _handle(self, request: Request) -> Response:
        if self._failure:
            return self._failure
        method = request.path.rpartition(":")[2]
        if method == "streamGenerateContent":
            return self._stream(sse="sse" in request.query.get("alt", []))
        if method == "generateContent":
            chunks = [chunk for chunk in self._chunks if isinstance(chunk, Chunk)]
            return answer(chunks[-1].to_json())
        if method == "countTokens":
            return answer({"totalTokens": self._input_tokens})
        if request.path.endswith("/models"):
            return answer({"models": [_model(name) for name in MODELS]})
        return answer(
            {"error": {"code": 404, "status": "NOT_FOUND", "message": f"{request.path} not found"}}, 404
        )

    def _stream(self, *, sse: bool) -> Response:
        """Stream as events, or as one JSON array in pieces, which is what `alt` leaves out."""
        steps: list[Step] = []
        first = True
        for chunk in self._chunks:
            if not isinstance(chunk, Chunk):
                steps.append(chunk)
                continue
            text = json.dumps(chunk.to_json())
            steps.append((f"data: {text}\r\n\r\n" if sse else ("[" if first else ",\r\n") + text).encode())
            first = False
        if not sse:
            steps.append(b"]" if not first else b"[]")
        kind = "text/event-stream" if sse else "application/json"
        return Response(tuple(steps), headers=(("content-type", kind),))


def _model(name: str) -> dict[str, Any]:
    return {
        "name": f"models/{name}",
        "displayName": name,
        "inputTokenLimit": 1_048_576,
        "outputTokenLimit": 65_536,
        "supportedGenerationMethods": ["generateContent", "countTokens"],
    }
