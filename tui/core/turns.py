"""The events of a turn, in the order in which they may come."""

from typing import TypeAlias

from tui.core.chat import FinishReason, Message, ReasoningDelta, TextDelta
from tui.core.errors import ProviderErrorKind, RefusalReason
from tui.core.frozen import frozen
from tui.core.usage import Measured


@frozen
class PromptSaved:
    """The user's message is on disk. Always first."""

    prompt: Message
    saved: bool = True
    """False: the store refused; the text is kept in memory and saving is tried again."""


@frozen
class ReplyStarted:
    """The turn was admitted and the provider is being called."""

    reply: Message
    """Empty and streaming; its id, provider and model are final."""
    sent_from: str | None
    """The id of the oldest message that is sent along; None: all are sent."""
    fits: int | None = None
    """The most tokens of input that could be sent. None: no limit is known."""


@frozen
class Retrying:
    """The request failed before the first byte of a reply and will be sent again."""

    reason: str
    seconds: float
    """How long the wait is."""
    attempt: int
    """2 for the first retry."""
    kind: ProviderErrorKind | None = None
    """What was wrong, as the provider's adapter told it."""


@frozen
class UsageProgress:
    """What the turn seems to have used so far; about once a second."""

    measured: Measured


@frozen
class ReplyEnded:
    """The reply is on disk with its final status and the turn is settled. Always last, whatever happened."""

    reply: Message
    charged: int
    """Tokens charged for the turn, all attempts together."""
    saved: bool = True
    """False: the store refused; the text is kept in memory and saving is tried again."""
    refusal: RefusalReason | None = None
    """Why the quota refused the turn, where it did; `reply.error` says it in words."""
    no_key: bool = False
    """The turn was refused because there is no usable key."""
    finish: FinishReason | None = None
    """Why the provider ended a whole reply; None where it did not get there."""
    failure: ProviderErrorKind | None = None
    """What went wrong at the provider, where that is why the reply failed."""


TurnEvent: TypeAlias = (
    PromptSaved | ReplyStarted | Retrying | TextDelta | ReasoningDelta | UsageProgress | ReplyEnded
)
