"""The tree of a conversation's messages: branches, and where one ends."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from tui.core.chat import Message


def active_branch(messages: Sequence[Message], head_id: str | None, as_of: datetime) -> tuple[Message, ...]:
    """The messages from the first to the head, oldest first.

    A message is on disk before the index names it as the head, so a crash between the two leaves messages
    after the head. Those made at or after `as_of`, the index entry's last change, belong to the branch.

    Args:
        messages: All of them, in the order of their making.
        head_id: The last message that the index knows of; None for none.
        as_of: When the index entry was last changed, in UTC.
    """
    head = _late_head(messages, head_id, as_of)
    by_id = {message.id: message for message in messages}
    branch: list[Message] = []
    while head is not None and (message := by_id.pop(head, None)) is not None:
        branch.append(message)
        head = message.parent_id
    return tuple(reversed(branch))


def overlay(messages: Iterable[Message], newer: Iterable[Message]) -> tuple[Message, ...]:
    """The messages with newer versions in their places, and new ones after them."""
    by_id = {message.id: message for message in messages}
    by_id.update((message.id, message) for message in newer)
    return tuple(by_id.values())


def _late_head(messages: Sequence[Message], head_id: str | None, as_of: datetime) -> str | None:
    known = {message.id for message in messages}
    head = head_id if head_id in known else None
    for message in messages:
        if message.parent_id == head and message.id != head and message.created_at >= as_of:
            head = message.id
    return head
