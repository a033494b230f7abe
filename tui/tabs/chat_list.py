"""The list of the chat tab: fills itself from the library, opens and deletes."""

from dataclasses import dataclass
from datetime import UTC, tzinfo

from textual import on
from textual.message import Message

from tui.core.chat import Conversation
from tui.core.errors import CtroomError
from tui.services.library import Library, OpenConversation
from tui.widgets.conversation_list import ConversationList
from tui.widgets.conversation_rows import conversation_rows


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
        self.zone: tzinfo = UTC
        """Where the reader's days begin."""

    def fill(self) -> None:
        """List the conversations as they are."""
        today = self._library.today(self.zone)
        self.rows = conversation_rows(self._library.conversations(), today, self.zone)

    def show(self, conversation: Conversation) -> None:
        """Open a conversation; `Loaded` follows unless it can't be read."""
        self.current = conversation.id
        self.run_worker(self._load(conversation.id), group="load", exclusive=True, exit_on_error=False)

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
