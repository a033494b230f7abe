"""What is sent to Gemini, in plain JSON-shaped dicts that both of Google's SDKs take."""

import re
from typing import Any

from tui.core.chat import ChatMessage, ChatRequest, Role

_THINKS = re.compile(r"gemini-(?:2\.5|[3-9]|\d\d)")
"""Families that take `include_thoughts` (ai.google.dev/gemini-api/docs/thinking); others answer 400."""
_BUDGETS = {"none": 0, "minimal": 512, "low": 1_024, "medium": 8_192}
"""Tokens of thought of Gemini 2.5, which takes no levels (ai.google.dev/gemini-api/docs/openai#thinking)."""
_MOST_BUDGET = 24_576
"""Tokens; the largest budget that every model of 2.5 takes."""
_LEAST_BUDGET = 512
"""Tokens; the smallest budget that every model of 2.5 takes, but for none at all."""


def thinks(model: str) -> bool:
    """Whether a model can be asked for its thoughts."""
    return bool(_THINKS.match(model))


def thinking(request: ChatRequest, *, effort: bool) -> dict[str, Any]:
    """How a model is asked to think, and to show it.

    Args:
        request: What is asked.
        effort: Whether to send the request's reasoning effort, where it has one.
    """
    shown = {"include_thoughts": True}
    if not effort or request.reasoning_effort is None:
        return shown
    pro = "-pro" in request.model
    if "gemini-2.5" not in request.model:
        return {**shown, "thinking_level": _level(request.reasoning_effort, pro=pro)}
    budget = _BUDGETS.get(request.reasoning_effort, _MOST_BUDGET)
    if budget or pro:  # thoughts count as output: a reply needs room beside them
        budget = max(_LEAST_BUDGET, min(budget, request.max_output // 2))
    return {**shown, "thinking_budget": budget}


def _level(effort: str, *, pro: bool) -> str:
    """The nearest level of Gemini 3 and later; its larger models have no least one."""
    if effort in ("none", "minimal"):
        return "low" if pro else "minimal"
    return effort if effort in ("low", "medium") else "high"


def system_instruction(request: ChatRequest) -> str | None:
    """The system prompt, which Gemini takes apart from the messages."""
    texts = [message.text for message in request.messages if message.role is Role.SYSTEM and message.text]
    return "\n\n".join(texts) or None


def contents(request: ChatRequest) -> list[dict[str, Any]]:
    """The messages, oldest first; neighbours of the same role are parts of one content."""
    merged: list[dict[str, Any]] = []
    for message in request.messages:
        if message.role is Role.SYSTEM:
            continue
        role = "model" if message.role is Role.ASSISTANT else "user"
        if merged and merged[-1]["role"] == role:
            merged[-1]["parts"] += _parts(message)
        else:
            merged.append({"role": role, "parts": _parts(message)})
    return merged


def _parts(message: ChatMessage) -> list[dict[str, Any]]:
    """The attachments, then the text: Gemini reads a picture best before what is asked of it."""
    attached = [
        {"inline_data": {"mime_type": one.media_type, "data": one.data}} for one in message.attachments
    ]
    return [*attached, {"text": message.text}] if message.text or not attached else attached
