"""Replies that streamed in a process that is gone, as interrupted ones."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from tui.core.chat import Conversation, Message, MessageStatus
from tui.core.ports import State
from tui.core.usage import Provenance, Usage
from tui.services.branches import active_branch


def mended_replies(state: State, messages: Sequence[Message], now: datetime) -> tuple[Message, ...]:
    """Those of some messages that count as streaming though no attempt with a lease stands behind them.

    Args:
        state: The accounts.
        messages: Those of a conversation.
        now: The present moment.
    """
    return tuple(_interrupted(state, message) for message in messages if _is_lost(state, message, now))


def _is_lost(state: State, message: Message, now: datetime) -> bool:
    if message.status is not MessageStatus.STREAMING:
        return False
    return not any(one.reply_id == message.id and one.lease_until > now for _, one in state.attempts)


def _interrupted(state: State, message: Message) -> Message:
    """The reply as interrupted, with what its turn was charged, where that is known."""
    rows = [row for _, row in state.ledger if row.turn_id == message.turn_id]
    message = replace(message, status=MessageStatus.INTERRUPTED)
    if not rows:
        return message
    usage = Usage(
        max(0, sum(row.input for row in rows)),
        max(0, sum(row.output for row in rows)),
        max(0, sum(row.cached_input for row in rows)),
        max(0, sum(row.reasoning for row in rows)),
    )
    return replace(message, usage=usage, provenance=Provenance.ORPHANED)


def with_tail(entry: Conversation, messages: tuple[Message, ...]) -> Conversation:
    """The index entry, with messages that a crash kept from it."""
    branch = active_branch(messages, entry.head_id, entry.updated_at)
    head = branch[-1].id if branch else entry.head_id
    return replace(entry, head_id=head, message_count=len(messages))
