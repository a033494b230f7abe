"""What one attempt used: the provider's word where it can be trusted, else an estimate from what was seen."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from tui.core.chat import (
    ChatMessage,
    Finish,
    FinishReason,
    ReasoningDelta,
    StreamEvent,
    TextDelta,
    UsageReport,
)
from tui.core.usage import Measured, Provenance, Usage
from tui.providers import tokens
from tui.services.history import counted_input

_BYTES_PER_TOKEN = 64
"""No reply averages more: ordinary text has 3 to 5, the longest tokens in use, runs of spaces, 128."""


@dataclass(slots=True)
class _Tail:
    """What was streamed after the latest reading."""

    text: list[str] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)
    counted: int = 0
    """Tokens of the pieces that progress has counted."""
    counted_pieces: tuple[int, int] = (0, 0)

    def __bool__(self) -> bool:
        return bool(self.text or self.reasoning)


class Meter:
    """Gathers the text and the usage of one attempt.

    Args:
        kind: Decides on the tokenizer, with `model`.
        model: The model's id.
        messages: What was sent.
        input_estimate: Tokens that they were estimated at.
        context: The model's context window in tokens, where it is known.
    """

    def __init__(
        self, kind: str, model: str, messages: Sequence[ChatMessage], input_estimate: int, context: int | None
    ) -> None:
        self._kind = kind
        self._model = model
        self._messages = messages
        self._input_estimate = input_estimate
        self._context = context
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._reading: UsageReport | None = None
        self._refused_reading = False
        self._tail = _Tail()
        self.started = False
        """Whether anything of a reply came: from here on, there is no retry."""
        self.finish: FinishReason | None = None
        """Set once the provider said that the reply is whole."""

    @property
    def text(self) -> str:
        """The reply so far."""
        return "".join(self._text)

    @property
    def reasoning(self) -> str:
        """The reasoning so far."""
        return "".join(self._reasoning)

    def take(self, event: StreamEvent) -> None:
        """Take in what came."""
        self.started = True
        match event:
            case TextDelta(text):
                self._text.append(text)
                self._tail.text.append(text)
            case ReasoningDelta(text):
                self._reasoning.append(text)
                self._tail.reasoning.append(text)
            case UsageReport():
                self._read(event)
            case Finish(reason):
                self.finish = reason

    async def progress(self) -> Measured:
        """What the attempt seems to have used so far; counts only what came since the last call."""
        tail, base = self._tail, self._base()
        if self._reading and not tail:
            return Measured(base, self._reading.provenance)
        seen = (len(tail.text), len(tail.reasoning))
        text, reasoning = tail.counted_pieces
        new = "".join(tail.text[text:] + tail.reasoning[reasoning:])
        tail.counted += await asyncio.to_thread(tokens.count_text, new, self._model, self._kind) if new else 0
        tail.counted_pieces = seen
        return Measured(replace(base, output=base.output + tail.counted), Provenance.ESTIMATED)

    async def measure(self) -> Measured:
        """What the attempt used, once it has ended.

        A reading counts as it is where it is plausible and covers all that came. Otherwise what came after it
        is estimated; a whole reply without any reading is counted, where the model's tokenizer is known.
        """
        reading = self._reading
        if reading is not None and not self._plausible(self._base()):
            self._reading, self._refused_reading = None, True
            self._tail = _Tail(self._text, self._reasoning)
        elif reading is not None and not self._refused_reading and (self.finish or not self._tail):
            return Measured(self._base(), reading.provenance)
        return await asyncio.to_thread(self._estimate)

    def _read(self, report: UsageReport) -> None:
        """Take a reading. They are cumulative: one below an earlier one came late, and says nothing new."""
        if report.usage is None:
            self._refused_reading = True
        elif self._reading is None or report.usage.total >= self._base().total:
            self._reading, self._refused_reading = report, False
            self._tail = _Tail()

    def _base(self) -> Usage:
        """The latest reading, or the input alone."""
        if self._reading is None or self._reading.usage is None:
            return Usage(input=self._input_estimate)
        return self._reading.usage

    def _plausible(self, usage: Usage) -> bool:
        seen = sum(len(piece.encode()) for piece in (*self._text, *self._reasoning))
        fits = self._context is None or usage.total <= 2 * self._context
        return usage.input > 0 and seen <= _BYTES_PER_TOKEN * usage.output and fits

    def _estimate(self) -> Measured:
        base, tail = self._base(), self._tail
        # The frame of a message is known of OpenAI's models alone, and what a picture adds of none.
        known = self._kind == "openai" and tokens.exact(self._kind, self._model)
        known = known and not any(message.attachments for message in self._messages)
        exact = self._reading is None and known
        if exact:
            base = Usage(input=counted_input(self._messages, self._kind, self._model))
        reasoning = self._count(tail.reasoning)
        usage = replace(
            base,
            output=base.output + reasoning + self._count(tail.text),
            reasoning=base.reasoning + reasoning,
        )
        counted = exact and self.finish is not None and not self._refused_reading
        provenance = Provenance.COUNTED if counted else Provenance.ESTIMATED
        return Measured(usage, provenance, suspicious=self._refused_reading)

    def _count(self, pieces: Sequence[str]) -> int:
        return tokens.count_text("".join(pieces), self._model, self._kind) if pieces else 0
