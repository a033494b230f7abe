"""The turns of the chat tab: what streams in which conversation, and what waits behind it."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from tui.core.chat import Message, ReasoningDelta, TextDelta
from tui.core.turns import TurnEvent

FLUSH_SECONDS = 0.1
"""Deltas are gathered this long before they reach the screen: ten redraws a second (design, section 9)."""


@dataclass(slots=True)
class LiveTurn:
    """A turn that runs, in whichever conversation; its reply can be shown again after going elsewhere."""

    queued: list[str] = field(default_factory=list)
    """Prompts that were sent meanwhile, oldest first."""
    reply: Message | None = None
    """The reply as it started; its text is in `text`."""
    text: list[str] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)
    sent_from: str | None = None
    """The id of the oldest message that was sent along; None: all were."""
    fits: int | None = None
    """The most tokens of input that could be sent."""
    completed: bool = False
    """Whether the reply came whole; only then does what is queued follow by itself."""

    def message(self) -> Message | None:
        """The reply with all that has come so far."""
        if self.reply is None:
            return None
        return replace(self.reply, text="".join(self.text), reasoning="".join(self.reasoning))


class DeltaBuffer:
    """Gathers deltas, and hands them on joined: the first at once, then at most every `FLUSH_SECONDS`.

    Args:
        publish: Takes each event that is handed on.
        later: Calls a function after some seconds.
    """

    def __init__(
        self, publish: Callable[[TurnEvent], object], later: Callable[[float, Callable[[], None]], object]
    ) -> None:
        self._publish = publish
        self._later = later
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._waiting = False

    def add(self, event: TurnEvent) -> None:
        """Take one event; any that is not a delta comes after all deltas before it."""
        if isinstance(event, TextDelta):
            self._text.append(event.text)
        elif isinstance(event, ReasoningDelta):
            self._reasoning.append(event.text)
        else:
            self.flush()
            self._publish(event)
            return
        if not self._waiting:
            self.flush()
            self._waiting = True
            self._later(FLUSH_SECONDS, self._due)

    def flush(self) -> None:
        """Hand on what was gathered."""
        if self._reasoning:
            self._publish(ReasoningDelta("".join(self._reasoning)))
            self._reasoning.clear()
        if self._text:
            self._publish(TextDelta("".join(self._text)))
            self._text.clear()

    def _due(self) -> None:
        self._waiting = False
        if self._text or self._reasoning:
            self.flush()
            self._waiting = True
            self._later(FLUSH_SECONDS, self._due)


async def feed(events: AsyncGenerator[TurnEvent, None], buffer: DeltaBuffer) -> None:
    """Run a turn to its end; cancelling this closes it, which stops the reply.

    Args:
        events: The turn.
        buffer: Where its events go.
    """
    async with aclosing(events) as turn:
        async for event in turn:
            buffer.add(event)
    buffer.flush()
