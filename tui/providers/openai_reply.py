"""Reads the chunks of a streamed chat completion.

The SDK builds its models without validation, so that any field may hold anything: each is looked at before it
is used.
"""

from collections.abc import Iterator
from typing import Any

from tui.core.chat import FinishReason, ReasoningDelta, StreamEvent, TextDelta, UsageReport
from tui.core.usage import read_count, read_usage

_REASONS = {
    "stop": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "content_filter": FinishReason.FILTERED,
}
_REASONING_FIELDS = ("reasoning_content", "reasoning")
"""Reasoning text: llama.cpp and DeepSeek the first, Ollama and OpenRouter the second."""


class Reply:
    """The state of one reply: its finish reason is kept back until its stream has ended."""

    def __init__(self) -> None:
        self.finish: FinishReason | None = None
        self.started = False
        """Whether any text or reasoning has come."""

    def read(self, chunk: object) -> Iterator[StreamEvent]:
        """The events of one chunk, but for the finish, which `finish` holds."""
        for choice in _items(_get(chunk, "choices")):
            if _get(choice, "index") not in (0, None):
                continue
            # A server that does not stream sends the whole message in the place of a delta.
            delta = _get(choice, "delta") or _get(choice, "message")
            for event in _deltas(delta):
                self.started = True
                yield event
            reason = _get(choice, "finish_reason")
            if isinstance(reason, str) and reason:
                self.finish = _REASONS.get(reason, FinishReason.OTHER)
        usage = _get(chunk, "usage")
        if usage is not None:
            yield usage_report(usage)


def usage_report(usage: object) -> UsageReport:
    """A reading of `usage`; without figures where they can't be trusted.

    `completion_tokens` includes reasoning, says OpenAI. Some servers leave it out there, and count it only in
    the total: what the total has beyond both counts is charged as reasoning, since it was paid for.
    """
    spent_in, spent_out = _get(usage, "prompt_tokens"), _get(usage, "completion_tokens")
    reasoning = _get(_get(usage, "completion_tokens_details"), "reasoning_tokens")
    counts = [read_count(value) for value in (spent_in, spent_out, _get(usage, "total_tokens"))]
    if None not in counts:
        known_in, known_out, total = (count or 0 for count in counts)
        beyond = max(0, total - known_in - known_out)
        if beyond:
            spent_out, reasoning = known_out + beyond, max(beyond, read_count(reasoning) or 0)
    fields = {
        "input": spent_in,
        "output": spent_out,
        "cached_input": _get(_get(usage, "prompt_tokens_details"), "cached_tokens"),
        "reasoning": reasoning,
    }
    return UsageReport(read_usage(fields))


def _deltas(delta: object) -> Iterator[TextDelta | ReasoningDelta]:
    # Some servers fill both fields with the same reasoning: the first that has any is taken.
    for field in _REASONING_FIELDS:
        reasoning = _get(delta, field)
        if isinstance(reasoning, str) and reasoning:
            yield ReasoningDelta(reasoning)
            break
    content = _get(delta, "content")
    if isinstance(content, list):
        yield from _parts(content)
    elif isinstance(content, str) and content:
        yield TextDelta(content)
    refusal = _get(delta, "refusal")
    if isinstance(refusal, str) and refusal:
        yield TextDelta(refusal)


def _parts(content: list[object]) -> Iterator[TextDelta | ReasoningDelta]:
    """The text of typed parts, the form in which Mistral's reasoning models answer."""
    for part in content:
        text, thinking = _get(part, "text"), _get(part, "thinking")
        if isinstance(text, str) and text:
            yield TextDelta(text)
        for thought in _items(thinking):
            words = _get(thought, "text")
            if isinstance(words, str) and words:
                yield ReasoningDelta(words)


def _items(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _get(value: object, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else getattr(value, name, None)
