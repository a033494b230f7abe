"""Conversations, messages, and the events of a streamed reply."""

import os
import time
from collections.abc import Iterable
from dataclasses import field
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from tui.core.frozen import SPARSE, frozen
from tui.core.usage import Provenance, Usage


class Role(StrEnum):
    """Who wrote a message."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


REASONING_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
"""How much a model may think, least first; each model knows some (`reasoning_effort` of OpenAI's API)."""


class MessageStatus(StrEnum):
    """How far a message got."""

    STREAMING = "streaming"
    COMPLETE = "complete"
    STOPPED = "stopped"
    """The user stopped it; what had come is kept."""
    FAILED = "failed"
    """The provider or the quota ended it; `Message.error` says why."""
    INTERRUPTED = "interrupted"
    """The process died while it streamed; the last checkpoint is kept."""


class FinishReason(StrEnum):
    """Why a reply ended."""

    STOP = "stop"
    LENGTH = "length"
    """It reached `max_output` or the model's own limit."""
    FILTERED = "filtered"
    OTHER = "other"


CARRY_ON = (
    "Continue your last reply exactly where it ends, in the middle of a word if need be. "
    "Repeat nothing of it, and say nothing about continuing."
)
"""What a model is asked, out of sight, to continue a reply that was cut off."""


def new_id() -> str:
    """A unique id that sorts by the time of its making: 48 bits of milliseconds, 48 random bits, as hex."""
    return f"{time.time_ns() // 1_000_000:012x}{os.urandom(6).hex()}"


class AttachmentKind(StrEnum):
    """What a provider takes an attached file as."""

    TEXT = "text"
    IMAGE = "image"
    PDF = "pdf"


@frozen
class Attachment:
    """A file that goes with a prompt, as it was when it was attached."""

    id: str
    name: str
    """The file's own name, safe to show; never a path."""
    kind: AttachmentKind
    media_type: str
    """Such as `text/plain` or `image/png`, found from the content."""
    size: int
    """Bytes."""
    digest: str
    """The SHA-256 of the bytes, as hex: the name that they are kept under."""
    tokens: int | None = None
    """What it was estimated to add to the input when it was attached. None where that is not known."""


@frozen
class AttachedData:
    """An attached file as it is sent to a provider."""

    name: str
    kind: AttachmentKind
    media_type: str
    data: bytes = field(repr=False)


@frozen
class Message:
    """One message of a conversation."""

    id: str
    role: Role
    text: str
    created_at: datetime
    """UTC."""
    parent_id: str | None = None
    """The message it follows; None for the first. Messages form a tree: an edited prompt starts a branch."""
    turn_id: str | None = None
    """The turn that a prompt and its first reply share; a later reply to it has a turn of its own."""
    status: MessageStatus = MessageStatus.COMPLETE
    provider: str | None = None
    model: str | None = None
    usage: Usage | None = None
    provenance: Provenance | None = None
    suspicious: bool = False
    """The provider's figures were impossible, and an estimate stands in their place."""
    reasoning: str = ""
    """Reasoning text that the provider showed; never sent back."""
    error: str | None = None
    """One sentence, where the status is FAILED."""
    seconds: float | None = None
    """From sending to the last delta."""
    edited_at: datetime | None = None
    """UTC; where the text was corrected in place."""
    attachments: tuple[Attachment, ...] = ()
    """The files that go with a prompt, in the order of their attaching."""
    instead_of: str | None = None
    """The message that this one stands beside on purpose: a prompt edited, a reply had anew or continued."""
    finish: FinishReason | None = None
    """Why the provider ended a reply; None where it did not, or where that is not known."""


@frozen
class TurnOptions:
    """How a conversation's turns are asked for, where that differs from the user's settings."""

    persona: str = ""
    """The name of the persona it was begun with, for people; `system_prompt` holds what it says."""
    system_prompt: str | None = None
    """None: the user's own; empty: none at all."""
    temperature: float | None = None
    """Sampling temperature from 0 to 2. None: as in the settings."""
    max_output: int | None = None
    """Tokens that a reply may have, reasoning included. None: as in the settings."""
    reasoning_effort: str | None = None
    """One of `REASONING_EFFORTS`. None: as in the settings."""


@frozen
class Conversation:
    """The index entry of a conversation; its messages are loaded apart."""

    id: str
    user: str
    title: str
    created_at: datetime
    updated_at: datetime
    provider: str | None = None
    model: str | None = None
    system_prompt: str = ""
    """Holds where `options` has none; empty: the user's own."""
    head_id: str | None = None
    """The last message of the active branch."""
    message_count: int = 0
    pinned: bool = False
    titled_by_user: bool = False
    """A title the user gave is never replaced by an automatic one."""
    tags: tuple[str, ...] = ()
    deleted_at: datetime | None = None
    """UTC; a deleted conversation can be restored until its file is removed."""
    options: TurnOptions = field(default=TurnOptions(), metadata={SPARSE: True})


@frozen
class Asked:
    """A prompt, written or sent, with the files that go with it."""

    text: str
    attached: tuple[Attachment, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.text or self.attached)


NOTHING = Asked("")


def joined(prompts: Iterable[Asked]) -> Asked:
    """Several prompts as one: their texts below each other, and every file once."""
    texts: list[str] = []
    files: dict[tuple[str, str], Attachment] = {}
    for one in prompts:
        texts.append(one.text)
        for file in one.attached:
            files.setdefault((file.digest, file.name), file)
    return Asked("\n".join(filter(None, texts)), tuple(files.values()))


@frozen
class Draft:
    """A prompt that is being written, as it was when the typing last rested."""

    id: str
    user: str
    conversation_id: str
    """Empty: a conversation that is not made yet."""
    text: str
    """Empty where there are only files."""
    updated_at: datetime
    """UTC."""
    attachments: tuple[Attachment, ...] = field(default=(), metadata={SPARSE: True})
    """The files that go with it; they are kept as long as the draft is."""


@frozen
class Persona:
    """A system prompt with a name, to begin conversations with."""

    name: str
    """Unique among a user's personas, whatever the case of its letters."""
    user: str
    system_prompt: str


@frozen
class ChatMessage:
    """A message as it is sent to a provider."""

    role: Role
    text: str
    attachments: tuple[AttachedData, ...] = ()
    """Pictures and PDFs; attached text files are part of the text."""


@frozen
class ChatRequest:
    """What is asked of a provider."""

    model: str
    messages: tuple[ChatMessage, ...]
    """Oldest first; a system prompt, where there is one, comes first."""
    max_output: int
    """Tokens that the reply may have, reasoning included."""
    temperature: float | None = None
    reasoning_effort: str | None = None


@frozen
class TextDelta:
    """More of the reply's text."""

    text: str


@frozen
class ReasoningDelta:
    """More of the reasoning text."""

    text: str


@frozen
class UsageReport:
    """A reading of the usage so far. Cumulative: the last one wins, readings are never summed."""

    usage: Usage | None
    """None where the provider's figures cannot be trusted."""
    provenance: Provenance = Provenance.REPORTED


@frozen
class Finish:
    """The provider says that the reply is whole. A stream that ends without one is incomplete."""

    reason: FinishReason


StreamEvent: TypeAlias = TextDelta | ReasoningDelta | UsageReport | Finish


@frozen
class ModelInfo:
    """A model on offer."""

    id: str
    context: int | None = None
    """Tokens of input and output together. None where it is not known."""
    max_output: int | None = None
    name: str | None = None
    """A name for people, where the provider gives one."""


@frozen
class KeyCheck:
    """What a provider said of a key."""

    ok: bool
    message: str
    """In words, for the user: `works: 41 models`, `OpenAI says that this key is not valid.`"""
    models: tuple[ModelInfo, ...] = ()
    rejected: bool = False
    """The provider refused the key itself, rather than being out of reach."""
