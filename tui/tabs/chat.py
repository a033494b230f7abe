"""The chat tab: past conversations at the left, the open one beside them, and the turns of all of them."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.message import Message as UiMessage
from textual.reactive import reactive

from tui.core.chat import Conversation, Message, TurnOptions
from tui.core.errors import CtroomError
from tui.core.quota import KeySource
from tui.core.settings import POOLED
from tui.services.library import OpenConversation
from tui.services.services import Services
from tui.tabs.attaching import Attaching
from tui.tabs.chat_entries import welcome_words
from tui.tabs.chat_list import ChatList, deeds_bindings
from tui.tabs.chat_pane import ConversationPane, Target
from tui.tabs.chat_turns import NEW

if TYPE_CHECKING:
    from tui.services.search import SearchHit


class ChatTab(Attaching):
    """Sends prompts, shows replies, and opens conversations; several can stream at once.

    Args:
        services: The session's services.
    """

    BINDINGS = [
        Binding(
            "escape",
            "to_prompt",
            "prompt",
            id="chat.prompt",
            tooltip="Go back to the prompt",
        ),
        Binding(
            "escape",
            "cancel_edit",
            "cancel edit",
            id="chat.cancel_edit",
            tooltip="Leave the earlier prompt as it is",
        ),
        Binding("escape", "stop", "stop", id="chat.stop", tooltip="Stop the reply and keep what came"),
        *deeds_bindings(),
    ]

    zone: reactive[tzinfo] = reactive[tzinfo](UTC, repaint=False)
    """Where times are shown in."""

    @dataclass(repr=False, eq=False)
    class _VersionChosen(UiMessage):
        """Another branch is the active one."""

        opened: OpenConversation
        message_id: str

    @dataclass(repr=False, eq=False)
    class ProviderChanged(UiMessage):
        """The next turn goes to another provider."""

        chat: "ChatTab"
        provider: str

        @property
        def control(self) -> "ChatTab":
            """The tab."""
            return self.chat

    def __init__(self, services: Services) -> None:
        super().__init__(services, ConversationPane(services.turns, services.library))
        self.conversations = ChatList(services.library, services.store.load_attachment)
        self._chosen = False
        self._listed: tuple[Conversation, ...] | None = None

    def compose(self) -> ComposeResult:
        """The list, and the conversation."""
        yield self.conversations
        yield self.pane

    def on_mount(self) -> None:
        """Begin a new conversation; the list is filled once the first frame is on the screen."""
        self.new_conversation()
        self.call_after_refresh(self._list_conversations)

    @property
    def wanted_key(self) -> str | None:
        """The provider whose key would let the user go on, where a prompt was or would be refused."""
        return self.target.provider if self.pane.refused and self.target.provider in POOLED else None

    def watch_zone(self, zone: tzinfo) -> None:
        """Show what comes from now on in another zone."""
        self.pane.zone = self.conversations.zone = zone
        if self.is_mounted:
            self.conversations.fill()

    # What the app calls

    def new_conversation(self) -> None:
        """Show an empty transcript; the conversation is made with its first prompt."""
        if NEW in self.live:
            return
        self.conversation = None
        self.new_options = TurnOptions()
        self._chosen = False
        self.conversations.current = None
        self.follow_settings()
        self.drafts.show(None)
        self._welcome()
        self.to_prompt()

    def follow_settings(self) -> None:
        """Take the model of a conversation that has none yet from the settings, and forecast anew."""
        self.pane.follow_usage()
        if self.conversation is None and not self._chosen and not self.replying:
            before = self.target.provider
            provider = self.services.models.default_provider()
            self.aim(provider, self.services.models.default(provider))
            if provider != before:
                self._welcome()

    def follow_conversations(self) -> None:
        """Show what other processes did to the conversations: in the list, and in the one that is open."""
        if self._listed is None or self._listed == (entries := self.services.library.conversations()):
            return
        self._listed = entries
        self.entry_changed()

    def choose_model(self, choice: tuple[str, str] | None) -> None:
        """Answer the next prompts with another provider and model; None changes nothing."""
        if choice is None:
            return
        self._chosen = True
        self.aim(*choice)
        if self.conversation is None:
            self._welcome()
        else:
            self.run_worker(self._save_model(self.conversation.id, *choice), exit_on_error=False)

    def find(self) -> None:
        """Find messages in all conversations, and go to the one that is chosen."""
        from tui.dialogs.search import SearchDialog
        from tui.services.search import Search

        search = Search(self.services.library, self.services.store)

        def chosen(answer: "tuple[Conversation, SearchHit | None] | None") -> None:
            if answer is not None:
                self.conversations.show(*answer)

        self.app.push_screen(SearchDialog(search, self.zone), chosen)

    def toggle_list(self) -> None:
        """Go to the list of conversations, or back to the prompt; a narrow screen shows it over the rest."""
        if self.conversations.has_focus:
            self.to_prompt()
        else:
            self._to_list()

    # Bindings

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Esc leads back to the prompt; there it ends an edit, or stops the reply."""
        if action == "do":
            return self.conversation is not None
        if action == "to_prompt":
            return not self.pane.prompt.has_focus
        if action == "cancel_edit":
            return self.pane.editing is not None
        if action == "detach":
            return bool(self.pane.prompt.attached)
        return action != "stop" or self.replying

    def action_to_prompt(self) -> None:
        """Go back to the prompt; in the transcript, first end the search."""
        if not (self.pane.transcript.has_focus and self.pane.end_find()):
            self.to_prompt()

    def action_cancel_edit(self) -> None:
        """Leave the earlier prompt as it is, and bring back what was written before."""
        self.pane.end_editing(restore=True)

    def action_stop(self) -> None:
        """Stop the reply and keep what came."""
        if self.conversation is not None:
            self.services.turns.stop(self.conversation.id)

    def action_do(self, deed: str) -> None:
        """Do something to the open conversation."""
        if self.conversation is not None:
            with suppress(CtroomError):
                self.conversations.do(deed, self.services.library.get(self.conversation.id))

    def action_undo_delete(self) -> None:
        """Bring back the conversation that was deleted last."""
        self.conversations.undo()

    # Conversations

    @on(ChatList.Opened)
    def _conversation_opened(self, event: ChatList.Opened) -> None:
        self.conversations.show(event.conversation)
        self.drafts.show(event.conversation.id)
        self.to_prompt()

    @on(ChatList.Loaded)
    async def _conversation_loaded(self, event: ChatList.Loaded) -> None:
        opened = event.opened.conversation
        if opened.id != self.conversations.current:
            return
        live = self.live.get(opened.id)
        reply = live.message() if live else None
        messages = [message for message in event.opened.messages if reply is None or message.id != reply.id]
        if reply or not self._append(opened, messages):
            shown = [*messages, reply] if reply else messages
            self.pane.show_messages(opened.title, shown, event.opened.all_messages)
        self.conversation = opened
        self.look_for_files(opened.id, messages)
        self.drafts.show(opened.id)
        if live:
            self.pane.transcript.set_marker(live.sent_from, live.fits)
        self.show_turn()
        provider = opened.provider or self.services.models.default_provider()
        self.aim(provider, opened.model or self.services.models.default(provider))
        self.refresh_bindings()
        if event.hit is not None:
            await self.pane.land(event.hit.message_id, event.hit.found)

    def _list_conversations(self) -> None:
        self._listed = self.services.library.conversations()
        self.conversations.fill()

    def _catch_up(self) -> None:
        """Read the open conversation again where another process went on with it."""
        if self.conversation is None or self.replying:
            return
        with suppress(CtroomError):
            entry = self.services.library.get(self.conversation.id)
            if entry.head_id is not None and not self.pane.transcript.shows_whole(entry.head_id):
                self.conversations.show(entry)

    def _append(self, opened: Conversation, messages: Sequence[Message]) -> bool:
        """Add what is new below what is shown, if that is all; a reader stays where they are."""
        shown = self.pane.transcript.keys
        known = [message.id for message in messages[: len(shown)]]
        if self.conversation is None or self.conversation.id != opened.id or not shown or known != shown:
            return False
        if not self.pane.transcript.shows_whole(shown[-1]):
            return False
        for message in messages[len(shown) :]:
            self.pane.add(message)
        return True

    @on(ConversationPane.VersionRequested)
    def _version_requested(self, event: ConversationPane.VersionRequested) -> None:
        if self.conversation is not None and not self.replying:
            work = self._choose_version(self.conversation.id, event.message_id)
            self.run_worker(work, group="load", exclusive=True, exit_on_error=False)

    async def _choose_version(self, conversation_id: str, message_id: str) -> None:
        try:
            opened = await self.services.library.choose_branch(conversation_id, message_id)
        except CtroomError as error:
            self.notify(str(error), title="Not shown", severity="error", timeout=10, markup=False)
        else:
            self.post_message(self._VersionChosen(opened, message_id))

    @on(_VersionChosen)
    def _version_chosen(self, event: _VersionChosen) -> None:
        opened = event.opened
        if self.conversation is not None and self.conversation.id == opened.conversation.id:
            self.conversation = opened.conversation
            self.pane.show_version(opened.messages, opened.all_messages, event.message_id)
            self.refresh_bindings()

    @on(ChatList.Deleted)
    def _conversation_deleted(self, event: ChatList.Deleted) -> None:
        self.services.turns.stop(event.conversation_id)
        if self.conversations.current == event.conversation_id:
            from_list = self.conversations.has_focus
            self.new_conversation()
            if from_list:  # where the next key may bring it back
                self._to_list()

    @on(ChatList.Changed)
    def _conversation_changed(self, event: ChatList.Changed) -> None:
        if self.conversations.current == event.conversation.id:
            self.pane.title_line.title = event.conversation.title

    async def _save_model(self, conversation_id: str, provider: str, model: str) -> None:
        try:
            await self.services.library.choose_model(conversation_id, provider, model)
        except CtroomError as error:
            self.notify(str(error), title="Model not changed", severity="error", markup=False)

    def _welcome(self) -> None:
        status = self.services.keys.status(self.target.provider)
        self.pane.show_welcome(
            welcome_words(
                self.target.provider,
                first=not self.services.library.conversations(),
                keyless=status.missing and status.source is KeySource.OWN,
            )
        )

    def aim(self, provider: str, model: str) -> None:
        """Send the next prompt there."""
        changed = provider != self.target.provider
        conversation_id = self.conversation.id if self.conversation else None
        self.target = Target(conversation_id, provider, model, self.options)
        self.pane.target = self.target
        self.aim_files(self.target)
        if changed:
            self.post_message(self.ProviderChanged(self, provider))

    def adopt(self, made: Conversation) -> None:
        """The open conversation got its id."""
        self.conversation = made
        self.drafts.moved(made.id)
        self.conversations.current = made.id
        self.aim(self.target.provider, self.target.model)

    def entry_changed(self) -> None:
        """Turns move a conversation up the list; the first gives it a title, and a model may another."""
        self.conversations.fill()
        self._catch_up()
        if self.conversation is not None:
            with suppress(CtroomError):
                self.pane.title_line.title = self.services.library.get(self.conversation.id).title

    def _to_list(self) -> None:
        self.conversations.add_class("-open")
        self.conversations.focus()

    def to_prompt(self) -> None:
        """Go to the prompt; a list that lies over the conversation closes."""
        self.conversations.remove_class("-open")
        self.pane.prompt.focus()
        self.refresh_bindings()
