"""What is sent to an OpenAI-compatible server, and how it is adapted to what a server refuses."""

import base64
import re
from collections.abc import Collection, Mapping
from typing import Any

from tui.core.chat import AttachedData, AttachmentKind, ChatMessage, ChatRequest

_RENAMED = {"max_completion_tokens": "max_tokens", "max_tokens": "max_completion_tokens"}
"""The limit has two names: newer OpenAI models refuse the old one, most other servers know only that one."""
_OPTIONAL = ("stream_options", "reasoning_effort", "temperature")
"""What a request can do without. The limit is not among them: it is what holds a quota."""
_UNKNOWN = re.compile(
    r"(?i)support|unknown|unrecogni|unexpected|permitted|not allowed|extra|additional|instead"
)
"""How servers say that they don't know a parameter, rather than that its value is wrong."""


def parameters(request: ChatRequest, *, official: bool) -> dict[str, Any]:
    """The arguments of a streamed chat completion.

    Args:
        request: What is asked.
        official: Whether it goes to OpenAI itself, whose newer models take only `max_completion_tokens`.
    """
    sent: dict[str, Any] = {
        "model": request.model,
        "messages": [_message(message, official=official) for message in request.messages],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_completion_tokens" if official else "max_tokens": request.max_output,
    }
    if request.temperature is not None:
        sent["temperature"] = request.temperature
    if request.reasoning_effort is not None:
        sent["reasoning_effort"] = request.reasoning_effort
    return sent


def refusal(sent: Mapping[str, Any], name: str) -> tuple[str, str]:
    """What is remembered of a refused parameter: its name, and of an effort its value too: others may go."""
    return name, str(sent[name]) if name == "reasoning_effort" else ""


def adapted(sent: dict[str, Any], refused: Collection[tuple[str, str]]) -> dict[str, Any]:
    """The arguments without what was refused before."""
    for name, _ in refused:
        if name in sent and refusal(sent, name) in refused:
            sent = without(sent, name)
    return sent


def _message(message: ChatMessage, *, official: bool) -> dict[str, Any]:
    """A message; its attachments stand before its text, as parts beside it."""
    if not message.attachments:
        return {"role": message.role.value, "content": message.text}
    parts = [_part(attached, official=official) for attached in message.attachments]
    if message.text:
        parts.append({"type": "text", "text": message.text})
    return {"role": message.role.value, "content": parts}


def _part(attached: AttachedData, *, official: bool) -> dict[str, Any]:
    url = f"data:{attached.media_type};base64,{base64.b64encode(attached.data).decode()}"
    if attached.kind is AttachmentKind.PDF:
        return {"type": "file", "file": {"filename": attached.name, "file_data": url}}
    # Newer models would take a picture at its original size otherwise, for four times the tokens.
    detail = {"detail": "high"} if official else {}
    return {"type": "image_url", "image_url": {"url": url, **detail}}


def refused_parameter(sent: Mapping[str, Any], status: int, param: object, message: str) -> str | None:
    """The parameter that a 400 or 422 does not know, if the request can be made without it or its name.

    Args:
        sent: The arguments that were refused.
        status: The HTTP status.
        param: The `param` of the error's body, where there is one.
        message: The error's text.
    """
    if status not in (400, 422) or not _UNKNOWN.search(message):
        return None
    candidates = [name for name in (*_RENAMED, *_OPTIONAL) if name in sent]
    if isinstance(param, str) and param.split(".")[0] in candidates:
        return param.split(".")[0]
    return next((name for name in candidates if name in message), None)


def other_name(name: str) -> str | None:
    """The other name of the limit, where the parameter is one."""
    return _RENAMED.get(name)


def without(sent: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The arguments without one that was refused; the limit goes by its other name instead."""
    kept = {key: value for key, value in sent.items() if key != name}
    if name in _RENAMED:
        kept[_RENAMED[name]] = sent[name]
    return kept
