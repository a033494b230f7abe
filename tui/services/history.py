"""What of a conversation is sent with a turn: as much of it as fits, the newest first."""

import math
from collections.abc import Sequence

from tui.core.chat import Attachment, ChatMessage, Message, MessageStatus, Role
from tui.core.errors import InvalidValueError
from tui.core.frozen import frozen
from tui.core.quota import FLOOR
from tui.providers import tokens
from tui.services.sending import MOST_BYTES, ReadAttachment, as_sent, carried_bytes, refusals, token_kind

__all__ = ["Limits", "Plan", "Planner", "counted_input", "is_sent", "token_kind"]

_CACHED_SIZES = 20_000
_SENT_REPLIES = frozenset({MessageStatus.COMPLETE, MessageStatus.STOPPED, MessageStatus.INTERRUPTED})


@frozen
class Limits:
    """What bounds a turn, in tokens. None: unknown or unlimited."""

    max_output: int
    """As configured."""
    model_output: int | None = None
    """The model's own limit of a reply."""
    context: int | None = None
    """Input and output together."""
    headroom: int | None = None
    """What the pool and the day let this turn spend, input and output together."""

    @property
    def wanted_output(self) -> int:
        """The longest reply to ask for: at most half of the context, so that input fits at all."""
        known = [limit for limit in (self.model_output, self.context and self.context // 2) if limit]
        return max(1, min([self.max_output, *known]))

    @property
    def input(self) -> int | None:
        """The most that history may make of the input: min(context - max output, headroom - a reply's room).

        Of a scarce headroom, half is left to the reply: with all of it spent on history no turn would be
        admitted.
        """
        output = self.wanted_output
        room = [] if self.context is None else [self.context - output]
        if self.headroom is not None:
            room.append(self.headroom - min(output, max(FLOOR, self.headroom // 2)))
        return min(room) if room else None


@frozen
class Plan:
    """What a turn sends."""

    messages: tuple[ChatMessage, ...]
    """Oldest first; a system prompt, where there is one, comes first."""
    sent_from: str | None
    """The id of the oldest message sent along; None: all are sent."""
    input_estimate: int
    """Tokens, with the margin of `tokens.estimate_input`."""
    wanted_output: int
    """Tokens to ask for, before the quota caps them."""
    fits: int | None = None
    """The most tokens of input that may be sent. None: no limit is known."""


class Planner:
    """Chooses what is sent. It remembers the sizes of messages, since a conversation is sent again each turn.

    Its methods are CPU-bound, and read attached files: call them in a thread.

    Args:
        read: Finds the bytes of attached files.
    """

    def __init__(self, read: ReadAttachment = lambda _digest: None) -> None:
        self._read = read
        self._sizes: dict[tuple[object, ...], int] = {}

    def plan(
        self, branch: Sequence[Message], system_prompt: str, provider: str, model: str, limits: Limits
    ) -> Plan:
        """Choose the newest messages that fit; the system prompt and the last message always go.

        Replies that failed or are empty are left out, and so is all reasoning.

        Args:
            branch: The active branch, oldest first, the new prompt last.
            system_prompt: Empty for none.
            provider: Decides on the tokenizer, with `model`.
            model: The model's id.
            limits: What bounds the turn.

        Raises:
            InvalidValueError: The model does not take a file that goes with the last message.
        """
        if said := refusals(branch[-1].attachments if branch else (), provider, model):
            raise InvalidValueError(said)
        kind = token_kind(provider)
        system = (ChatMessage(Role.SYSTEM, system_prompt),) if system_prompt.strip() else ()
        spent = tokens.estimate_input(system, model, kind)
        candidates = [message for message in branch if is_sent(message)]
        most = limits.input
        carried = 0
        chosen: list[Message] = []
        for message in reversed(candidates):
            size = self._size(message, provider, model)
            carried += carried_bytes(message.attachments)
            if chosen and ((most is not None and spent + size > most) or carried > MOST_BYTES):
                break
            chosen.append(message)
            spent += size
        chosen.reverse()
        spent -= sum(self._size(message, provider, model) for message in _drop_leading_replies(chosen))
        whole = len(chosen) == len(candidates)
        return Plan(
            (*system, *(as_sent(message, self._read, provider, model) for message in chosen)),
            None if whole or not chosen else chosen[0].id,
            spent,
            _fitting_output(limits, spent),
            most if most is None else max(0, most),
        )

    def refusals(self, attachments: Sequence[Attachment], provider: str, model: str) -> str:
        """Why a prompt's files can't be sent, in one sentence; empty where they can."""
        return refusals(attachments, provider, model)

    def plan_exactly(
        self, branch: Sequence[Message], system_prompt: str, provider: str, model: str, limits: Limits
    ) -> Plan:
        """The same with the vocabulary loaded first: a guess of bytes / 2 would hold twice what is needed."""
        if provider != "demo":
            tokens.warm()
        return self.plan(branch, system_prompt, provider, model, limits)

    def _size(self, message: Message, provider: str, model: str) -> int:
        """What a message adds to the estimate of an input."""
        kind = token_kind(provider)
        files = tuple((one.digest, one.name) for one in message.attachments)
        key = (provider, model, hash(message.text), len(message.text), files)
        if (size := self._sizes.get(key)) is not None:
            return size
        alone = tokens.estimate_input((as_sent(message, self._read, provider, model),), model, kind)
        size = alone - tokens.estimate_input((), model, kind)
        if tokens.warmed() or kind == "demo":  # a guess made before the vocabulary was there must not stay
            if len(self._sizes) >= _CACHED_SIZES:
                self._sizes.clear()
            self._sizes[key] = size
        return size


def is_sent(message: Message) -> bool:
    """Whether a message is part of what a provider is sent."""
    if not message.text.strip() and not message.attachments:
        return False
    return message.role is not Role.ASSISTANT or message.status in _SENT_REPLIES


def counted_input(messages: Sequence[ChatMessage], kind: str, model: str) -> int:
    """Tokens of an input without a margin: 3 for each message, 1 for its role, and 3 that open the reply.

    Pictures and PDFs are not in it. Source: OpenAI's cookbook, "How to count tokens with tiktoken".
    """
    return 3 + sum(4 + tokens.count_text(message.text, model, kind) for message in messages)


def _drop_leading_replies(chosen: list[Message]) -> list[Message]:
    """Take replies off the start, so that what is sent begins with a prompt; those taken."""
    prompts = (index for index, message in enumerate(chosen) if message.role is Role.USER)
    first = next(prompts, 0)
    dropped = chosen[:first]
    del chosen[:first]
    return dropped


def _fitting_output(limits: Limits, spent: int) -> int:
    wanted = limits.wanted_output
    room = math.inf if limits.context is None else limits.context - spent
    return int(max(min(FLOOR, wanted), min(wanted, room)))
