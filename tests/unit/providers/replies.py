"""Asks a provider, and reads what its events amount to."""

from collections.abc import Sequence

from tui.core.chat import (
    ChatMessage,
    ChatRequest,
    Finish,
    FinishReason,
    ReasoningDelta,
    Role,
    StreamEvent,
    TextDelta,
    UsageReport,
)
from tui.core.ports import Provider
from tui.core.usage import Usage


def request(
    prompt: str | Sequence[ChatMessage],
    *,
    model: str = "gpt-5.4",
    max_output: int = 200,
    temperature: float | None = None,
    reasoning_effort: str | None = None,
) -> ChatRequest:
    messages = (ChatMessage(Role.USER, prompt),) if isinstance(prompt, str) else tuple(prompt)
    return ChatRequest(model, messages, max_output, temperature, reasoning_effort)


async def ask(
    provider: Provider,
    prompt: str | Sequence[ChatMessage],
    *,
    model: str = "gpt-5.4",
    max_output: int = 200,
    temperature: float | None = None,
    reasoning_effort: str | None = None,
) -> list[StreamEvent]:
    """Every event of one reply."""
    asked = request(
        prompt,
        model=model,
        max_output=max_output,
        temperature=temperature,
        reasoning_effort=reasoning_effort,
    )
    return [event async for event in provider.stream(asked)]


async def collect(provider: Provider, prompt: str, events: list[StreamEvent]) -> None:
    """Put the events of one reply into a list, which keeps what came before a failure."""
    async for event in provider.stream(request(prompt)):
        events.append(event)


def text(events: Sequence[StreamEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def reasoning(events: Sequence[StreamEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, ReasoningDelta))


def usage(events: Sequence[StreamEvent]) -> Usage | None:
    """The last reading, which is the one that counts."""
    return next((event.usage for event in reversed(events) if isinstance(event, UsageReport)), None)


def reason(events: Sequence[StreamEvent]) -> FinishReason | None:
    last = events[-1]
    return last.reason if isinstance(last, Finish) else None
