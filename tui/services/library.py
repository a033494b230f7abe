"""A user's conversations: the index, and the messages of each as a tree with one active branch.

The entries of recent conversations are in the store's view. Whatever is done to an older one brings its entry
back there first, so that nothing else needs to tell them apart.
"""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import date, tzinfo

from tui.core.chat import Conversation, Message, MessageStatus, Role, TurnOptions, new_id
from tui.core.errors import InvalidValueError, StorageError
from tui.core.frozen import frozen
from tui.core.ports import Clock, State, Store
from tui.core.text import sanitize_line
from tui.services.branches import active_branch, last_below, lies_after, overlay, said_beside
from tui.services.entries import TITLE_LENGTH, UNTITLED, newest_first, tags_of, title_of


@frozen
class OpenConversation:
    """A conversation with its messages."""

    conversation: Conversation
    messages: tuple[Message, ...]
    """The active branch, oldest first."""
    all_messages: tuple[Message, ...]
    """Every branch, in the order of their making."""


class Library:
    """One user's conversations; those of other users are out of reach.

    Args:
        store: Where they are kept.
        user: Whose they are.
        clock: Dates what is made and changed.
    """

    def __init__(self, store: Store, user: str, clock: Clock) -> None:
        self.user = user
        """Whose conversations they are."""
        self._store = store
        self._clock = clock
        self._older_entries: tuple[Conversation, ...] = ()
        self._older: tuple[Conversation, ...] = ()
        self._older_ids: frozenset[str] = frozenset()

    def conversations(self) -> tuple[Conversation, ...]:
        """This user's recent conversations, the latest used first, without deleted ones."""
        return self._listed(entry for _, entry in self._store.view.conversations)

    async def older(self) -> tuple[Conversation, ...]:
        """This user's other conversations, in the same order; the same tuple again where none changed.

        Raises:
            StorageError: They can't be read.
        """
        entries = await self._store.load_older_conversations()
        if entries is not self._older_entries:
            self._older = await asyncio.to_thread(self._listed, entries)
            self._older_ids = frozenset(entry.id for entry in self._older)
            self._older_entries = entries
        doubled = {entry.id for _, entry in self._store.view.conversations} & self._older_ids
        if doubled:
            return tuple(entry for entry in self._older if entry.id not in doubled)
        return self._older

    def today(self, zone: tzinfo) -> date:
        """The day it is where the reader is, by the clock that dates the conversations."""
        return self._clock().astimezone(zone).date()

    def get(self, conversation_id: str) -> Conversation:
        """The index entry of a recent conversation, or of one that was opened; from the view.

        Raises:
            InvalidValueError: This user has no such conversation.
        """
        return self._find(self._store.view, conversation_id)[1]

    async def find(self, conversation_id: str) -> Conversation:
        """The index entry of any conversation; an older one is recent from then on, where that can be saved.

        Raises:
            InvalidValueError: This user has no such conversation.
            StorageError: The entries of older ones can't be read.
        """
        with suppress(InvalidValueError):
            return self.get(conversation_id)
        try:
            await self._store.recall_conversation(conversation_id)
        except StorageError:  # on a full or read-only disk it can still be read
            for entry in await self.older():
                if entry.id == conversation_id:
                    return entry
            raise
        return self.get(conversation_id)

    async def create(self, provider: str, model: str, options: TurnOptions | None = None) -> Conversation:
        """Begin a conversation.

        Args:
            provider: Whom it is with.
            model: The model.
            options: How its turns are asked for, where that differs from the settings.

        Raises:
            StorageError: It could not be saved.
        """
        now = self._clock()
        conversation = Conversation(
            new_id(), self.user, UNTITLED, now, now, provider, model, options=options or TurnOptions()
        )
        await self._store.transaction(lambda state: state.conversations.insert(conversation))
        return conversation

    async def open(self, conversation_id: str) -> OpenConversation:
        """A conversation with its messages; without any where its file is missing.

        A reply that streamed in a process that is gone is marked as interrupted.

        Raises:
            InvalidValueError: This user has no such conversation.
            StorageError: Its file can't be read.
        """
        conversation = await self.find(conversation_id)
        messages = await self._store.load_messages(conversation_id)
        if any(message.status is MessageStatus.STREAMING for message in messages):
            messages = await self._mend(conversation_id, messages)
        branch = active_branch(messages, conversation.head_id, conversation.updated_at)
        return OpenConversation(conversation, branch, messages)

    async def rename(self, conversation_id: str, title: str) -> Conversation:
        """Give a conversation a title of the user's own; an empty one lets the next prompt give it.

        Raises:
            InvalidValueError: This user has no such conversation.
            StorageError: It could not be saved.
        """
        line = sanitize_line(title, TITLE_LENGTH)
        return await self._change(
            conversation_id,
            lambda entry: replace(entry, title=line or UNTITLED, titled_by_user=bool(line)),
        )

    async def give_title(self, conversation_id: str, title: str) -> Conversation:
        """Give a conversation an automatic title; one of the user's own stays.

        Raises:
            InvalidValueError: This user has no such conversation.
            StorageError: It could not be saved.
        """
        line = sanitize_line(title, TITLE_LENGTH) or UNTITLED
        return await self._change(
            conversation_id, lambda entry: entry if entry.titled_by_user else replace(entry, title=line)
        )

    async def pin(self, conversation_id: str, *, pinned: bool) -> Conversation:
        """Keep a conversation on top of the list and among the recent ones, or let it go its way again.

        Raises:
            InvalidValueError: This user has no such conversation.
            StorageError: It could not be saved.
        """
        return await self._change(conversation_id, lambda entry: replace(entry, pinned=pinned))

    async def tag(self, conversation_id: str, tags: Iterable[str]) -> Conversation:
        """Give a conversation these tags in the place of those it has.

        Raises:
            InvalidValueError: This user has no such conversation.
            StorageError: It could not be saved.
        """
        kept = tags_of(tags)
        return await self._change(conversation_id, lambda entry: replace(entry, tags=kept))

    async def choose_model(self, conversation_id: str, provider: str, model: str) -> Conversation:
        """Answer a conversation's next prompts with another model.

        Raises:
            InvalidValueError: This user has no such conversation.
            StorageError: It could not be saved.
        """
        return await self._change(
            conversation_id, lambda entry: replace(entry, provider=provider, model=model)
        )

    async def choose_options(self, conversation_id: str, options: TurnOptions) -> Conversation:
        """Ask for a conversation's next turns in another way.

        Raises:
            InvalidValueError: This user has no such conversation.
            StorageError: It could not be saved.
        """
        return await self._change(conversation_id, lambda entry: replace(entry, options=options))

    async def delete(self, conversation_id: str) -> None:
        """Take a conversation out of the list; `restore` brings it back until it is purged.

        Raises:
            InvalidValueError: This user has no such conversation.
            StorageError: It could not be saved.
        """
        now = self._clock()
        await self._change(conversation_id, lambda entry: replace(entry, deleted_at=now))

    async def restore(self, conversation_id: str) -> Conversation:
        """Bring a deleted conversation back.

        Raises:
            InvalidValueError: This user has no such conversation.
            StorageError: It could not be saved.
        """
        return await self._change(
            conversation_id, lambda entry: replace(entry, deleted_at=None), deleted=True
        )

    def last_deleted(self) -> Conversation | None:
        """What was deleted last and is not purged: `restore` brings it back, also after a restart."""
        entries = (entry for _, entry in self._store.view.conversations if self._is_mine(entry, deleted=True))
        dated = [(entry.deleted_at, entry.id, entry) for entry in entries if entry.deleted_at is not None]
        return max(dated)[2] if dated else None

    async def purge(self, conversation_id: str) -> None:
        """Remove a deleted conversation for good, with its messages and drafts.

        Raises:
            InvalidValueError: This user has no such deleted conversation.
            StorageError: It could not be removed.
        """
        await self._remove(conversation_id, deleted=True)

    async def discard(self, conversation_id: str) -> None:
        """Remove a conversation that was made for a turn which came to nothing, as if it had never been.

        Raises:
            InvalidValueError: This user has no such conversation.
            StorageError: It could not be removed.
        """
        await self._remove(conversation_id, deleted=False)

    async def _remove(self, conversation_id: str, *, deleted: bool) -> None:
        def work(state: State) -> None:
            doc_id, entry = self._find(state, conversation_id, deleted=deleted)
            if deleted and entry.deleted_at is None:
                raise InvalidValueError("Only a deleted conversation can be removed: delete it first.")
            state.conversations.remove(doc_id)
            for draft_id, draft in list(state.drafts):
                if (draft.user, draft.conversation_id) == (self.user, conversation_id):
                    state.drafts.remove(draft_id)

        await self._store.recall_conversation(conversation_id)
        await self._store.transaction(work)
        await self._store.remove_messages(conversation_id)

    async def save(self, conversation_id: str, message: Message) -> None:
        """Save a message and make it the head: the message first, then the index.

        The first prompt's first line becomes the title, unless the user gave one. What another process said
        while a reply streamed follows the reply. Nothing of it is left on disk where the conversation
        is gone.

        Raises:
            InvalidValueError: This user has no such conversation.
            StorageError: The message or the index could not be saved; saving both again is safe.
        """
        now = self._clock()

        def enter(entry: Conversation) -> Conversation:
            count = entry.message_count + (entry.head_id != message.id)
            on_top = message.role is Role.USER or entry.head_id in (None, message.id, message.parent_id)
            head = message.id if on_top else entry.head_id
            entry = replace(entry, head_id=head, updated_at=now, message_count=count)
            if message.role is Role.USER and entry.title == UNTITLED and not entry.titled_by_user:
                entry = replace(entry, title=title_of(message.text))
            if message.provider and message.role is Role.ASSISTANT:
                entry = replace(entry, provider=message.provider, model=message.model)
            return entry

        try:
            await self.save_partial(conversation_id, message)
            entered = await self._change(conversation_id, enter, deleted=True)
        except InvalidValueError:
            from tui.services.orphans import remove_orphan

            await remove_orphan(self._store, conversation_id, message.id)
            raise
        if entered.head_id != message.id:
            await self._rejoin(entered, message)

    async def save_partial(self, conversation_id: str, message: Message) -> None:
        """Save a message alone, such as what has come of a reply; the index learns of it when it ends.

        Raises:
            InvalidValueError: This user has no such conversation.
            StorageError: It could not be saved.
        """
        await self._check_ours(conversation_id)
        await self._store.save_messages(conversation_id, [message])

    async def branch_off(self, conversation_id: str, reply: Message) -> None:
        """Begin a branch with a reply that is about to stream: it is the head, whatever was it before.

        Raises:
            InvalidValueError: This user has no such conversation.
            StorageError: It could not be saved.
        """
        await self.save_partial(conversation_id, reply)
        now = self._clock()
        await self._change(
            conversation_id,
            lambda entry: replace(
                entry, head_id=reply.id, updated_at=now, message_count=entry.message_count + 1
            ),
        )

    async def choose_branch(self, conversation_id: str, message_id: str) -> OpenConversation:
        """Go on where the newest branch through a message ends; the other branches are kept.

        Raises:
            InvalidValueError: This user has no such conversation, or it has no such message.
            StorageError: It can't be read, or the choice could not be saved.
        """
        await self.find(conversation_id)
        messages = await self._store.load_messages(conversation_id)
        if all(message.id != message_id for message in messages):
            raise InvalidValueError("This version is gone: open the conversation again.")
        head, now = last_below(messages, message_id), self._clock()
        # Never earlier than before, even by a clock set back: what is newer than that counts as unindexed.
        await self._change(
            conversation_id,
            lambda entry: replace(entry, head_id=head, updated_at=max(now, entry.updated_at)),
        )
        return await self.open(conversation_id)

    async def _check_ours(self, conversation_id: str) -> None:
        """Nothing is ever written beside another user's messages, nor for a conversation that was removed."""
        from tui.services.orphans import entry_of

        found = await entry_of(self._store, conversation_id)
        if found is None or found.user != self.user:
            raise _gone()

    async def _rejoin(self, entry: Conversation, reply: Message) -> None:
        """Let what was said beside a reply follow it, so that one branch has it all."""
        messages = await self._store.load_messages(entry.id)
        if (prompt := said_beside(messages, reply, entry.head_id)) is not None:
            await self._store.save_messages(entry.id, [replace(prompt, parent_id=reply.id)])
        elif lies_after(messages, reply, entry.head_id):
            await self._change(entry.id, lambda other: replace(other, head_id=reply.id), deleted=True)

    async def _mend(self, conversation_id: str, messages: tuple[Message, ...]) -> tuple[Message, ...]:
        from tui.services.mending import mended_replies, with_tail

        mended = mended_replies(self._store.view, messages, self._clock())
        if not mended:
            return messages
        await self._store.save_messages(conversation_id, mended)
        messages = overlay(messages, mended)
        await self._change(conversation_id, lambda entry: with_tail(entry, messages))
        return messages

    async def _change(
        self, conversation_id: str, change: Callable[[Conversation], Conversation], *, deleted: bool = False
    ) -> Conversation:
        def work(state: State) -> Conversation:
            doc_id, entry = self._find(state, conversation_id, deleted=deleted)
            changed = change(entry)
            if changed != entry:
                state.conversations.replace(doc_id, changed)
            return changed

        with suppress(InvalidValueError):
            return await self._store.transaction(work)
        await self._store.recall_conversation(conversation_id)
        return await self._store.transaction(work)

    def _listed(self, entries: Iterable[Conversation]) -> tuple[Conversation, ...]:
        return newest_first(entry for entry in entries if self._is_mine(entry))

    def _find(self, state: State, conversation_id: str, *, deleted: bool = False) -> tuple[int, Conversation]:
        found = state.conversations.find(lambda entry: entry.id == conversation_id)
        if found is None or not self._is_mine(found[1], deleted=deleted):
            raise _gone()
        return found

    def _is_mine(self, entry: Conversation, *, deleted: bool = False) -> bool:
        return entry.user == self.user and (deleted or entry.deleted_at is None)


def _gone() -> InvalidValueError:
    return InvalidValueError("This conversation is gone: choose another one or begin a new one.")
