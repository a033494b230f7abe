"""The rows of the conversation list: headings of days, and conversations."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta, tzinfo

from tui.core.chat import Conversation
from tui.core.frozen import frozen


@frozen
class Row:
    """One line of the list."""

    text: str
    conversation: Conversation | None = None
    """None: a heading."""


def conversation_rows(conversations: Iterable[Conversation], today: date, zone: tzinfo) -> tuple[Row, ...]:
    """Conversations under Pinned, Today, Yesterday and Earlier; empty groups are left out.

    Args:
        conversations: Newest first.
        today: The day it is in `zone`.
        zone: Where the reader's days begin.
    """
    groups: dict[str, list[Conversation]] = {"Pinned": [], "Today": [], "Yesterday": [], "Earlier": []}
    for conversation in conversations:
        groups[_group(conversation, today, zone)].append(conversation)
    return tuple(
        row
        for heading, members in groups.items()
        if members
        for row in (Row(heading), *(Row(member.title or "Untitled", member) for member in members))
    )


def matches(conversation: Conversation, wanted: str) -> bool:
    """Whether a conversation has every word of a filter: "#trip" the beginning of a tag, others the title.

    Args:
        conversation: The conversation.
        wanted: The filter as it was typed; an empty one lets everything through.
    """
    title = conversation.title.casefold()
    return all(
        any(tag.startswith(word[1:]) for tag in conversation.tags) if word.startswith("#") else word in title
        for word in wanted.casefold().split()
    )


def joined(rows: tuple[Row, ...], more: tuple[Row, ...]) -> tuple[Row, ...]:
    """Rows and those of older conversations: a heading that goes on is not repeated."""
    heading = next((row.text for row in reversed(rows) if row.conversation is None), None)
    return rows + (more[1:] if more and more[0].text == heading else more)


def next_item(rows: Sequence[Row], start: int, step: int) -> int | None:
    """The nearest row from `start` on in the direction of `step` that is a conversation."""
    at = start
    while 0 <= at < len(rows):
        if rows[at].conversation is not None:
            return at
        at += step
    return None


def _group(conversation: Conversation, today: date, zone: tzinfo) -> str:
    if conversation.pinned:
        return "Pinned"
    day = conversation.updated_at.astimezone(zone).date()
    if day >= today:
        return "Today"
    return "Yesterday" if day == today - timedelta(days=1) else "Earlier"
