"""The tree of a conversation's messages: branches, and where one ends."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from tui.core.chat import FinishReason, Message, MessageStatus, Role


def active_branch(messages: Sequence[Message], head_id: str | None, as_of: datetime) -> tuple[Message, ...]:
    """The messages from the first to the head, oldest first.

    A message is on disk before the index names it as the head, so a crash between the two leaves messages
    after the head. Those made at or after `as_of`, the index entry's last change, belong to the branch.

    Args:
        messages: All of them, in the order of their making.
        head_id: The last message that the index knows of; None for none.
        as_of: When the index entry was last changed, in UTC.
    """
    return path_to(messages, _late_head(messages, head_id, as_of))


def said_beside(messages: Sequence[Message], reply: Message, head_id: str | None) -> Message | None:
    """The first prompt of another process that is on the active branch in place of a reply.

    It was sent while the reply streamed, after the reply's prompt or at the same moment. None where the
    branch that ends at the head leaves the reply out for another reason, such as an edited prompt.

    Args:
        messages: All of them.
        reply: The reply, which is not on the active branch.
        head_id: The last message of the active branch.
    """
    fork = _fork(messages, reply, head_id)
    if fork is None or fork[0].role is not Role.USER:
        return None
    other, mine = fork
    if mine.id == reply.id:
        return other
    at_once = mine.id == reply.parent_id and not (mine.instead_of or other.instead_of)
    return other if at_once else None


def lies_after(messages: Sequence[Message], reply: Message, head_id: str | None) -> bool:
    """Whether the active branch ends before a reply, and so goes on with it.

    It does not where it has the reply and more, nor where it left it for another message: one was edited,
    had anew or chosen while the reply came.

    Args:
        messages: All of them.
        reply: The reply.
        head_id: The last message of the active branch.
    """
    if all(message.id != head_id for message in messages):
        return True
    return any(message.id == head_id for message in path_to(messages, reply.parent_id))


def path_to(messages: Sequence[Message], message_id: str | None) -> tuple[Message, ...]:
    """The messages from the first to a certain one, oldest first; empty where it is not there."""
    by_id = {message.id: message for message in messages}
    path: list[Message] = []
    while message_id is not None and (message := by_id.pop(message_id, None)) is not None:
        path.append(message)
        message_id = message.parent_id
    return tuple(reversed(path))


def last_below(messages: Sequence[Message], message_id: str) -> str:
    """Where the newest branch through a message ends: the id of the last message of it."""
    last_child = {message.parent_id: message.id for message in messages if message.id != message.parent_id}
    seen = {message_id}
    while (child := last_child.get(message_id)) is not None and child not in seen:
        message_id = child
        seen.add(child)
    return message_id


def siblings(messages: Sequence[Message], message_id: str) -> tuple[Message, ...]:
    """A message and those that stand beside it: other wordings of a prompt, other replies to one.

    Replies that ended before their first word are left out, except for the message itself.
    """
    return _families(messages, {message_id}).get(message_id, ())


def places(messages: Sequence[Message], branch: Iterable[Message]) -> dict[str, tuple[int, int]]:
    """Of the messages on a branch that have siblings: the place among them, from 1, and their number."""
    families = _families(messages, {message.id for message in branch})
    return {
        own: ([one.id for one in family].index(own) + 1, len(family))
        for own, family in families.items()
        if len(family) > 1
    }


def can_carry_on(message: Message) -> bool:
    """Whether a reply was cut off after its first word: stopped, failed, interrupted, or at its longest."""
    if message.role is not Role.ASSISTANT or not message.text.strip():
        return False
    if message.status is MessageStatus.COMPLETE:
        return message.finish is FinishReason.LENGTH
    return message.status is not MessageStatus.STREAMING


def overlay(messages: Iterable[Message], newer: Iterable[Message]) -> tuple[Message, ...]:
    """The messages with newer versions in their places, and new ones after them."""
    by_id = {message.id: message for message in messages}
    by_id.update((message.id, message) for message in newer)
    return tuple(by_id.values())


class OpenBranch:
    """The branch that is open, kept up to date while turns go on.

    Args:
        branch: Its messages, oldest first.
        messages: Those of every branch.
    """

    def __init__(self, branch: Sequence[Message] = (), messages: Sequence[Message] = ()) -> None:
        self._all = {message.id: message for message in (*messages, *branch)}
        self._branch = {message.id: message for message in branch}
        self._places = places(tuple(self._all.values()), branch)

    def take(self, message: Message) -> None:
        """Add a message, or a newer version of one; what followed its parent is on another branch then."""
        new = message.id not in self._branch
        if new and self.cuts(message):
            kept = path_to(tuple(self._branch.values()), message.parent_id)
            self._branch = {one.id: one for one in kept}
        self._all[message.id] = self._branch[message.id] = message
        if new and message.instead_of is not None:
            self._places.update(places(tuple(self._all.values()), (message,)))

    def cuts(self, message: Message) -> bool:
        """Whether a new message would take the place of what follows its parent."""
        if message.parent_id is None:
            return message.instead_of is not None
        return message.parent_id in self._branch

    def get(self, message_id: str) -> Message | None:
        """A message of the branch."""
        return self._branch.get(message_id)

    @property
    def tail(self) -> Message | None:
        """The last message."""
        return next(reversed(self._branch.values()), None)

    @property
    def last_with_versions(self) -> Message | None:
        """The last message that has siblings."""
        return next((one for one in reversed(self._branch.values()) if one.id in self._places), None)

    def prompt_of(self, message: Message) -> Message | None:
        """A prompt itself, or the one that a reply answers."""
        return message if message.role is Role.USER else self._branch.get(message.parent_id or "")

    def reply_of(self, message: Message) -> Message:
        """A reply itself, or the one to a prompt; the prompt where it has none."""
        if message.role is Role.ASSISTANT:
            return message
        answers = (one for one in self._branch.values() if one.parent_id == message.id)
        return next((one for one in answers if one.role is Role.ASSISTANT), message)

    def number(self, message_id: str) -> int:
        """Which prompt a message is, or answers, from 1."""
        count = 0
        for message in self._branch.values():
            count += message.role is Role.USER
            if message.id == message_id:
                break
        return count

    def place(self, message_id: str) -> tuple[int, int] | None:
        """Where a message stands among its siblings, from 1, and their number; None where it has none."""
        return self._places.get(message_id)

    def beside(self, message_id: str, step: int) -> Message | None:
        """The sibling that many places on, if there is one."""
        family = siblings(tuple(self._all.values()), message_id)
        at = [one.id for one in family].index(message_id) + step if family else -1
        return family[at] if 0 <= at < len(family) else None


def _late_head(messages: Sequence[Message], head_id: str | None, as_of: datetime) -> str | None:
    known = {message.id for message in messages}
    head = head_id if head_id in known else None
    passed = {message.id for message in path_to(messages, head)}
    for message in messages:
        if message.id in passed:
            continue
        follows = message.parent_id == head and message.created_at >= as_of
        begins_a_branch = message.instead_of is not None and message.created_at > as_of
        if follows or begins_a_branch:
            head = message.id
    return head


def _fork(messages: Sequence[Message], reply: Message, head_id: str | None) -> tuple[Message, Message] | None:
    """The first messages of the head's branch and of the reply's that the two don't share, in this order."""
    mine = {message.parent_id: message for message in (*path_to(messages, reply.parent_id), reply)}
    own_ids = {message.id for message in mine.values()}
    path = path_to(messages, head_id)
    other = next((message for message in path if message.id not in own_ids), None)
    if other is None or other.parent_id not in mine:
        return None
    return other, mine[other.parent_id]


def _families(messages: Sequence[Message], ids: set[str]) -> dict[str, tuple[Message, ...]]:
    """By id: the message with its siblings, in the order of their making."""
    wanted = {(message.parent_id, message.role) for message in messages if message.id in ids}
    groups: dict[tuple[str | None, Role], list[Message]] = {key: [] for key in wanted}
    for message in messages:
        group = groups.get((message.parent_id, message.role))
        if group is not None and (message.id in ids or _is_worth_showing(message)):
            group.append(message)
    return {one.id: tuple(group) for group in groups.values() for one in group if one.id in ids}


def _is_worth_showing(message: Message) -> bool:
    return message.role is Role.USER or bool(message.text.strip() or message.reasoning)
