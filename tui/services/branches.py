"""The tree of a conversation's messages: branches, and where one ends."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from tui.core.chat import Message, Role


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


def said_beside(messages: Sequence[Message], reply: Message, head_id: str | None) -> Message | None:
    """The first prompt of another process that is on the active branch in place of a reply.

    It was sent while the reply streamed, after the reply's prompt or at the same moment. None where the
    branch that ends at the head leaves the reply out for another reason.

    Args:
        messages: All of them.
        reply: The reply, which is not on the active branch.
        head_id: The last message of the active branch.
    """
    by_id = {message.id: message for message in messages}
    prompt = by_id.get(reply.parent_id or "")
    message = by_id.pop(head_id or "", None)
    while prompt is not None and message is not None and message.id != prompt.id:
        if message.parent_id in (prompt.id, prompt.parent_id):
            return message if message.role is Role.USER else None
        message = by_id.pop(message.parent_id or "", None)
    return None


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
