"""The list of the chat tab: fills itself from the library, opens and deletes."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, tzinfo

from textual import on
from textual.message import Message

from tui.core.chat import Conversation
from tui.core.errors import CtroomError
from tui.services.library import Library, OpenConversation, newest_first
from tui.widgets.conversation_list import ConversationList
from tui.widgets.conversation_rows import Row, conversation_rows, joined


class ChatList(ConversationList):
    """The conversations of one user.

    Args:
        library: Where they are kept.
    """

    @dataclass
    class Loaded(Message):
        """A conversation that was chosen is read from disk."""

        chat_list: "ChatList"
        opened: OpenConversation

        @property
        def control(self) -> "ChatList":
            """The list."""
            return self.chat_list

    @dataclass
    class Deleted(Message):
        """A conversation left the list."""

        chat_list: "ChatList"
        conversation_id: str

        @property
        def control(self) -> "ChatList":
            """The list."""
            return self.chat_list

    def __init__(self, library: Library) -> None:
        super().__init__()
        self._library = library
        self._reaches_older = False
        self._older: tuple[Conversation, ...] = ()
        self._rest: tuple[object, ...] = ()
        self._rest_rows: tuple[Row, ...] = ()
        self._problem = ""
        self.zone: tzinfo = UTC
        """Where the reader's days begin."""

    def fill(self) -> None:
        """List the conversations as they are: recent ones at once, older ones once their end came near."""
        if not self._older:
            self.rows = self._rows_of(self._library.conversations())
        if self._reaches_older:
            self.run_worker(self._fill_whole(), group="older", exclusive=True, exit_on_error=False)

    def show(self, conversation: Conversation) -> None:
        """Open a conversation; `Loaded` follows unless it can't be read."""
        self.current = conversation.id
        self.run_worker(self._load(conversation.id), group="load", exclusive=True, exit_on_error=False)

    @on(ConversationList.EndNeared)
    def _end_neared(self) -> None:
        if not self._reaches_older:
            self._reaches_older = True
            self.fill()

    async def _fill_whole(self) -> None:
        """List recent and older conversations; the rows of years are made on a thread, and kept."""
        try:
            older = await self._library.older()
        except CtroomError as error:
            self._older_failed(str(error))
            return
        known, self._older = self._older, older
        recent = self._library.conversations()
        if older:
            newest = older[0].updated_at
            first = tuple(entry for entry in recent if entry.pinned or entry.updated_at > newest)
            between = tuple(entry for entry in recent if not entry.pinned and entry.updated_at <= newest)
            rest = (older, between, self._library.today(self.zone), self.zone)
            if rest != self._rest:
                entries = older + between
                self._rest_rows = await asyncio.to_thread(lambda: self._rows_of(newest_first(entries)))
                self._rest = rest
            self.rows = joined(self._rows_of(first), self._rest_rows)
        elif known:
            self.rows = self._rows_of(recent)

    def _older_failed(self, problem: str) -> None:
        if problem != self._problem:
            self._problem = problem
            self.notify(problem, title="Older ones not listed", severity="error", timeout=10, markup=False)

    def _rows_of(self, conversations: Iterable[Conversation]) -> tuple[Row, ...]:
        return conversation_rows(conversations, self._library.today(self.zone), self.zone)

    async def _load(self, conversation_id: str) -> None:
        try:
            self.post_message(self.Loaded(self, await self._library.open(conversation_id)))
        except CtroomError as error:
            self.notify(str(error), title="Not opened", severity="error", timeout=10, markup=False)

    @on(ConversationList.DeleteRequested)
    def _delete_requested(self, event: ConversationList.DeleteRequested) -> None:
        from tui.dialogs.confirm import ConfirmDialog

        doomed = event.conversation

        def answered(yes: bool | None) -> None:
            if yes:
                self.run_worker(self._delete(doomed.id), exit_on_error=False)

        question = f"Delete the conversation “{doomed.title}”?"
        self.app.push_screen(ConfirmDialog(question, "Its tokens stay counted.", yes="Delete"), answered)

    async def _delete(self, conversation_id: str) -> None:
        try:
            await self._library.delete(conversation_id)
        except CtroomError as error:
            self.notify(str(error), title="Not deleted", severity="error", timeout=10, markup=False)
        else:
            self.fill()
            self.post_message(self.Deleted(self, conversation_id))
