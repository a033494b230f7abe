"""What a transcript shows: its entries, and the things in them that can be copied or opened."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from tui.core.chat import MessageStatus
from tui.core.frozen import frozen


class EntryRole(StrEnum):
    """Whose voice an entry has; the values of `tui.core.chat.Role`, and the app's own."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    NOTICE = "notice"
    """Something that the app says in the conversation; never part of what is sent."""


@frozen
class Entry:
    """One entry of the transcript. Texts may come from anywhere; they are sanitised before they are shown."""

    key: str
    """Unique in the transcript; usually the message's id."""
    role: EntryRole
    body: str = ""
    """Markdown, except for the user's own text, which is shown exactly as typed."""
    title: str = ""
    """The left of the head line, such as "You" or a model's name; no head where title and meta are empty."""
    meta: str = ""
    """The right of the head line, such as "41 in · 212 out · 3.1 s"."""
    status: MessageStatus = MessageStatus.COMPLETE
    notes: tuple[str, ...] = ()
    """Quiet lines under the body, such as "attached: notes.txt · 1.2 kB · ~340 tokens"."""
    error: str = ""
    """One sentence, shown under the body."""
    reasoning: str = ""
    """What the provider showed of the model's reasoning; folded to one line until it is asked for."""
    reasoning_tokens: int | None = None
    """Tokens of reasoning. None: estimated from the text, at four characters a token."""


@dataclass(slots=True)
class Thing:
    """A part of an entry that keys can reach: a code block, or a link."""

    kind: Literal["code", "link"]
    text: str
    """The code exactly as it was written, or the link's address."""
    label: str
    """How a message names it, such as "code block 2"."""
    language: str = ""
    """What the code is written in, as its fence says."""


MAY_HOLD_THINGS = re.compile(r"```|~~~|https?:|\w\.[a-z]{2}|@|\]\(|\]\[|\]:|^ {4}|^\t", re.MULTILINE)
"""Sources without any of these need not be rendered to know that they hold no thing."""


class Things(list[Thing]):
    """The things of a section in reading order; each has a number that is unique in its entry."""

    def __init__(self, things: Iterable[Thing] = (), first: int = 0) -> None:
        super().__init__(things)
        self.first = first
        """The number of the first."""

    def put(self, thing: Thing) -> int:
        """Add a thing and return its number."""
        self.append(thing)
        return self.first + len(self) - 1


STATUS_WORDS = {
    MessageStatus.STREAMING: "Replying…",
    MessageStatus.STOPPED: "Stopped",
    MessageStatus.FAILED: "Failed",
    MessageStatus.INTERRUPTED: "Interrupted",
}
"""The line under an entry that is not complete; a word, so that it reads without colour."""


def unsent_words(fits: int | None) -> str:
    """The marker line, which stands before the first message that is sent.

    Args:
        fits: Tokens of input that can be sent; None where that is not known.
    """
    return "earlier messages are not sent" + ("" if fits is None else f": {fits:,} tokens fit")
