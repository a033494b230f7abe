"""What is sent to Gemini, in plain JSON-shaped dicts that both of Google's SDKs take."""

from typing import Any

from tui.core.chat import ChatRequest, Role


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
            merged[-1]["parts"].append({"text": message.text})
        else:
            merged.append({"role": role, "parts": [{"text": message.text}]})
    return merged
