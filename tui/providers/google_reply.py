"""Reads Gemini's streamed responses, as either of Google's SDKs gives them."""

from collections.abc import Iterator
from typing import Any

from tui.core.chat import FinishReason, ReasoningDelta, StreamEvent, TextDelta, UsageReport
from tui.core.usage import read_count, read_usage

_REASONS = {"STOP": FinishReason.STOP, "MAX_TOKENS": FinishReason.LENGTH}
_FILTERED = frozenset({"SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "LANGUAGE"})
"""Finish reasons that mean a filter (ai.google.dev/api/generate-content#FinishReason)."""


class Reply:
    """The state of one reply: its finish reason is kept back until its stream has ended."""

    def __init__(self) -> None:
        self.finish: FinishReason | None = None
        self.blocked: str | None = None
        """Why the prompt itself was refused, in Google's word."""
        self.started = False
        """Whether any text or thought has come."""

    def read(self, chunk: object) -> Iterator[StreamEvent]:
        """The events of one chunk, but for the finish, which `finish` holds."""
        reason = _name(getattr(getattr(chunk, "prompt_feedback", None), "block_reason", None))
        if reason and not reason.endswith("UNSPECIFIED"):
            self.blocked = reason
        for candidate in list(getattr(chunk, "candidates", None) or ())[:1]:
            parts = getattr(getattr(candidate, "content", None), "parts", None) or ()
            for part in parts:
                if event := _part(part):
                    self.started = True
                    yield event
            self._finished(_name(getattr(candidate, "finish_reason", None)))
        usage = getattr(chunk, "usage_metadata", None)
        fields = None if usage is None else usage_fields(usage)
        # The retired SDK makes a usage of zeros where there is none.
        if fields is not None and (not fields or any(fields.values())):
            yield UsageReport(read_usage(fields))

    def _finished(self, reason: str) -> None:
        if reason and not reason.endswith("UNSPECIFIED"):
            other = FinishReason.FILTERED if reason in _FILTERED else FinishReason.OTHER
            self.finish = _REASONS.get(reason, other)


def usage_fields(usage: object) -> dict[str, object]:
    """The fields of `usageMetadata` in our terms: input = prompt + tool use, output = candidates + thoughts.

    The retired SDK does not know thoughts: what the total has beyond prompt and candidates is them.
    """
    prompt, total = _count(usage, "prompt_token_count"), _count(usage, "total_token_count")
    tools, answer = _count(usage, "tool_use_prompt_token_count"), _count(usage, "candidates_token_count")
    thoughts = _count(usage, "thoughts_token_count")
    if None in (prompt, total, tools, answer, thoughts):
        return {}
    spent_in, known = (prompt or 0) + (tools or 0), (answer or 0) + (thoughts or 0)
    beyond = max(0, (total or 0) - spent_in - known)
    return {
        "input": spent_in,
        "output": known + beyond,
        "cached_input": _count(usage, "cached_content_token_count"),
        "reasoning": (thoughts or 0) + beyond,
    }


def _count(usage: object, name: str) -> int | None:
    """A count; 0 where it is absent, None where it is impossible."""
    value = getattr(usage, name, None)
    return 0 if value is None else read_count(value)


def _part(part: object) -> TextDelta | ReasoningDelta | None:
    text: Any = getattr(part, "text", None)
    if not isinstance(text, str) or not text:
        return None
    return ReasoningDelta(text) if getattr(part, "thought", None) is True else TextDelta(text)


def _name(value: object) -> str:
    """An enum member's name in either SDK; the text itself where it is text."""
    if isinstance(value, str) and not hasattr(value, "name"):
        return value
    name = getattr(value, "name", None)
    return name if isinstance(name, str) else ""
