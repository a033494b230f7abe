"""How a turn begins: with a prompt after the branch or in place of one, or with a reply had anew."""

from collections.abc import Sequence
from dataclasses import replace

from tui.core.chat import CARRY_ON, Message, MessageStatus, Role, new_id
from tui.core.errors import InvalidValueError
from tui.core.frozen import frozen
from tui.services.branches import can_carry_on, path_to
from tui.services.turn_services import Order


@frozen
class Opening:
    """What a turn starts from."""

    prompt: Message
    reply: Message
    """Empty, or beginning with what is continued."""
    branch: tuple[Message, ...]
    """The messages up to the prompt, which is the last."""
    asked: tuple[Message, ...]
    """What is sent of them, and after them, oldest first."""


def with_prompt(
    order: Order, messages: Sequence[Message], active: Sequence[Message], prompt: Message, reply: Message
) -> Opening:
    """Begin with a new prompt: after the active branch, or in place of an earlier prompt.

    Args:
        order: What is asked for.
        messages: All of the conversation.
        active: Its active branch.
        prompt: The prompt, which has no place yet.
        reply: The reply to it.

    Raises:
        InvalidValueError: There is no such prompt to stand in place of.
    """
    branch = tuple(active)
    if order.instead_of is not None:
        edited = _find(messages, order.instead_of)
        if edited.role is not Role.USER:
            raise InvalidValueError("Only a prompt can be edited: ask for another reply instead.")
        branch = path_to(messages, edited.parent_id)
    parent = branch[-1].id if branch else None
    prompt = replace(prompt, parent_id=parent, instead_of=order.instead_of)
    branch = (*branch, prompt)
    return Opening(prompt, reply, branch, branch)


def with_reply(order: Order, messages: Sequence[Message], reply: Message) -> Opening:
    """Begin with another reply to a prompt that was sent before, or with more of one that was cut off.

    Args:
        order: What is asked for; `reply_to` is the reply, or the prompt that has none.
        messages: All of the conversation.
        reply: The reply to come, which has no place yet.

    Raises:
        InvalidValueError: There is no such message, or nothing to continue.
    """
    old = _find(messages, order.reply_to)
    branch = path_to(messages, old.id if old.role is Role.USER else old.parent_id)
    if not branch or branch[-1].role is not Role.USER:
        raise InvalidValueError("The prompt of this reply is gone: send it again.")
    prompt = branch[-1]
    instead_of = old.id if old.role is Role.ASSISTANT else None
    reply = replace(reply, parent_id=prompt.id, instead_of=instead_of)
    if not order.carry_on:
        return Opening(prompt, reply, branch, branch)
    if not can_carry_on(old):
        raise InvalidValueError("This reply is whole: there is nothing to continue.")
    reply = replace(reply, text=old.text, reasoning=old.reasoning)
    wish = Message(new_id(), Role.USER, CARRY_ON, reply.created_at, parent_id=old.id)
    # A reply that failed would be left out, as it is of other turns.
    return Opening(prompt, reply, branch, (*branch, replace(old, status=MessageStatus.STOPPED), wish))


def _find(messages: Sequence[Message], message_id: str | None) -> Message:
    for message in messages:
        if message.id == message_id:
            return message
    raise InvalidValueError("This message is gone: open the conversation again.")
