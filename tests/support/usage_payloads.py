"""Usage as no provider should report it, for both wire formats: by name, and at random."""

import json
import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from hypothesis import strategies as st

from tests.peers.wire import Response, sse

TEXT = ("Four score ", "and seven ", "years ago.")
"""The reply's text, in its chunks."""
ABSENT = object()
"""A field that is not there."""


class Place(StrEnum):
    """Where in a stream a reading comes."""

    FIRST = "before any text"
    TEXT = "with text"
    FINISH = "with the finish"
    EMPTY = "in a chunk without choices"


@dataclass(frozen=True)
class Reading:
    """One usage object; the names are ours, each wire has its own."""

    value: Any
    """A dict of `input`, `output`, `total`, `cached`, `reasoning`, `tools`; else it is sent as it is."""
    place: Place = Place.FINISH


def whole(spent_in: Any, spent_out: Any, total: Any = ABSENT, **details: Any) -> dict[str, Any]:
    """A usage with all its fields; a total that is the sum where none is given."""
    if total is ABSENT:
        numbers = [value for value in (spent_in, spent_out) if type(value) is int]
        total = sum(numbers)
    return {"input": spent_in, "output": spent_out, "total": total, **details}


def openai_stream(readings: tuple[Reading, ...]) -> Response:
    """A streamed chat completion with these readings."""
    chunks: list[dict[str, Any]] = [{"choices": [{"index": 0, "delta": {"content": text}}]} for text in TEXT]
    finish: dict[str, Any] = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    before, after = [], []
    for reading in readings:
        usage = {"usage": _openai(reading.value)}
        match reading.place:
            case Place.FIRST:
                before.append({"choices": [], **usage})
            case Place.TEXT:
                chunks[1] = {**chunks[1], **usage}
            case Place.FINISH:
                finish = {**finish, **usage}
            case Place.EMPTY:
                after.append({"choices": [], **usage})
    return sse(*map(_json, [*before, *chunks, finish, *after]), "[DONE]")


def gemini_chunks(readings: tuple[Reading, ...]) -> list[str]:
    """The responses of a streamed generation with these readings."""
    chunks: list[dict[str, Any]] = [_candidate(text) for text in TEXT[:-1]]
    finish = _candidate(TEXT[-1], finishReason="STOP")
    before, after = [], []
    for reading in readings:
        usage = {"usageMetadata": _gemini(reading.value)}
        match reading.place:
            case Place.FIRST:
                before.append(usage)
            case Place.TEXT:
                chunks[1] = {**chunks[1], **usage}
            case Place.FINISH:
                finish = {**finish, **usage}
            case Place.EMPTY:
                after.append(usage)
    return [_json(chunk) for chunk in (*before, *chunks, finish, *after)]


def gemini_stream(readings: tuple[Reading, ...], *, events: bool) -> Response:
    """The responses as server-sent events, or as the array that the retired SDK asks for."""
    chunks = gemini_chunks(readings)
    if events:
        return sse(*chunks)
    body = "[" + ",\r\n".join(chunks) + "]"
    return Response((body.encode(),), headers=(("content-type", "application/json"),))


def _candidate(text: str, **fields: str) -> dict[str, Any]:
    return {"candidates": [{"content": {"role": "model", "parts": [{"text": text}]}, "index": 0, **fields}]}


def _openai(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    fields = {
        "prompt_tokens": value.get("input", ABSENT),
        "completion_tokens": value.get("output", ABSENT),
        "total_tokens": value.get("total", ABSENT),
        "prompt_tokens_details": _details("cached_tokens", value.get("cached", ABSENT)),
        "completion_tokens_details": _details("reasoning_tokens", value.get("reasoning", ABSENT)),
    }
    return {name: field for name, field in fields.items() if field is not ABSENT}


def _details(name: str, value: Any) -> Any:
    return ABSENT if value is ABSENT else {name: value}


def _gemini(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    fields = {
        "promptTokenCount": value.get("input", ABSENT),
        "candidatesTokenCount": value.get("output", ABSENT),
        "totalTokenCount": value.get("total", ABSENT),
        "cachedContentTokenCount": value.get("cached", ABSENT),
        "thoughtsTokenCount": value.get("reasoning", ABSENT),
        "toolUsePromptTokenCount": value.get("tools", ABSENT),
    }
    return {name: field for name, field in fields.items() if field is not ABSENT}


def _json(value: object) -> str:
    """JSON as Python reads it, NaN and Infinity included."""
    return json.dumps(value)


NO_COUNTS: dict[str, Any] = {
    "negative": -5,
    "NaN": math.nan,
    "Infinity": math.inf,
    "-Infinity": -math.inf,
    "1e30": 1e30,
    "2**63": 2**63,
    "2**70": 2**70,
    "text": "12",
    "word": "many",
    "empty text": "",
    "true": True,
    "fraction": 12.7,
    "list": [12],
    "object": {"count": 12},
}
"""What no count is, by name."""

counts = st.one_of(
    st.integers(0, 400),
    st.integers(0, 400),
    st.sampled_from([*NO_COUNTS.values(), None, ABSENT, 0, 12.0]),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.lists(st.integers(), max_size=2),
)
usages = st.one_of(
    st.fixed_dictionaries(
        {}, optional=dict.fromkeys(["input", "output", "total", "cached", "reasoning", "tools"], counts)
    ),
    st.fixed_dictionaries(dict.fromkeys(["input", "output", "total"], st.integers(0, 400))),
    st.sampled_from([None, [], "plenty", 7, True, {}]),
)
streams = st.lists(st.builds(Reading, usages, st.sampled_from(Place)), max_size=4).map(tuple)
"""Some readings anywhere in a stream."""
