"""The chat tab: past conversations at the left, the open one beside them, and the turns of all of them."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, tzinfo

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.message import Message as UiMessage
from textual.reactive import reactive
from textual.widget import Widget
from textual.worker import Worker, WorkerState

from tui.core.chat import Conversation, MessageStatus, ReasoningDelta, TextDelta
from tui.core.errors import CtroomError
from tui.core.turns import ReplyEnded, ReplyStarted, TurnEvent
from tui.services.services import Services
from tui.tabs.chat_entries import SENDING, WELCOME, WELCOME_DEMO
from tui.tabs.chat_list import ChatList
from tui.tabs.chat_pane import ConversationPane, Target
from tui.tabs.chat_turns import DeltaBuffer, LiveTurn, feed
from tui.widgets.prompt import Prompt

_NEW = ""
"""Stands for the id of a conversation that is being made."""


class ChatTab(Widget):
    """Sends prompts, shows replies, and opens conversations; several can stream at once.

    Args:
        services: The session's services.
    """

    BINDINGS = [
        Binding("escape", "stop", "stop", id="chat.stop", tooltip="Stop the reply and keep what came"),
    ]

    zone: reactive[tzinfo] = reactive[tzinfo](UTC, repaint=False)
    """Where times are shown in."""

    @dataclass
    class ProviderChanged(UiMessage):
        """The next turn goes to another provider."""

        chat: "ChatTab"
        provider: str

        @property
        def control(self) -> "ChatTab":
            """The tab."""
            return self.chat

    @dataclass
    class _TurnAdvanced(UiMessage):
        """A turn made an event."""

        conversation_id: str
        event: TurnEvent

    @dataclass
    class _TurnClosed(UiMessage):
        """A turn is over; `error` says so where its own events could not."""

        conversation_id: str
        error: str = ""
        unsent: str = ""

    @dataclass
    class _ConversationMade(UiMessage):
        """The conversation of a first prompt is on disk."""

        conversation: Conversation
        text: str

    def __init__(self, services: Services) -> None:
        super().__init__(id="chat")
        self.services = services
        self.conversations = ChatList(services.library)
        self.pane = ConversationPane(services.turns)
        self.conversation: Conversation | None = None
        """The one that is open; None before its first prompt."""
        self.target = Target(None, "", "")
        self._chosen = False
        self._live: dict[str, LiveTurn] = {}
        self._unsent: dict[str, str] = {}

    def compose(self) -> ComposeResult:
        """The list, and the conversation."""
        yield self.conversations
        yield self.pane

    def on_mount(self) -> None:
        """Begin a new conversation; the list is filled once the first frame is on the screen."""
        self.new_conversation()
        self.call_after_refresh(self.conversations.fill)

    @property
    def replying(self) -> bool:
        """Whether the open conversation has a turn that runs."""
        return self._key in self._live

    def watch_zone(self, zone: tzinfo) -> None:
        """Show what comes from now on in another zone."""
        self.pane.zone = self.conversations.zone = zone
        if self.is_mounted:
            self.conversations.fill()

    # What the app calls

    def new_conversation(self) -> None:
        """Show an empty transcript; the conversation is made with its first prompt."""
        if _NEW in self._live:
            return
        self.conversation = None
        self._chosen = False
        self.conversations.current = None
        self.follow_settings()
        self._welcome()
        self.to_prompt()

    def follow_settings(self) -> None:
        """Take the model of a conversation that has none yet from the settings."""
        if self.conversation is None and not self._chosen and not self.replying:
            before = self.target.provider
            provider = self.services.models.default_provider()
            self._aim(provider, self.services.models.default(provider))
            if provider != before:
                self._welcome()

    def choose_model(self, choice: tuple[str, str] | None) -> None:
        """Answer the next prompts with another provider and model; None changes nothing."""
        if choice is None:
            return
        self._chosen = True
        self._aim(*choice)
        if self.conversation is None:
            self._welcome()
        else:
            self.run_worker(self._save_model(self.conversation.id, *choice), exit_on_error=False)

    def toggle_list(self) -> None:
        """Go to the list of conversations, or back to the prompt; a narrow screen shows it over the rest."""
        if self.conversations.has_focus:
            self.to_prompt()
        else:
            self.conversations.add_class("-open")
            self.conversations.focus()

    # Bindings

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Esc stops a reply where there is one, else it leads back to the prompt."""
        return action != "stop" or self.replying or not self.pane.prompt.has_focus

    def action_stop(self) -> None:
        """Stop the reply; from the list or the transcript, first go back to the prompt."""
        if not self.pane.prompt.has_focus:
            self.to_prompt()
        elif self.conversation is not None:
            self.services.turns.stop(self.conversation.id)

    # A turn

    @property
    def _key(self) -> str:
        return self.conversation.id if self.conversation else _NEW

    @on(Prompt.Submitted)
    def _prompt_submitted(self, event: Prompt.Submitted) -> None:
        if (live := self._live.get(self._key)) is not None:
            live.queued.append(event.text)
            self.pane.show_queue(live.queued)
            return
        self._live[self._key] = LiveTurn()
        self.pane.show_state(SENDING)
        if self.conversation is None:
            self.run_worker(self._make(event.text), group="turn", name=_NEW, exit_on_error=False)
        else:
            self._start(self.conversation.id, event.text)
        self.refresh_bindings()

    async def _make(self, text: str) -> None:
        try:
            made = await self.services.library.create(self.target.provider, self.target.model)
        except CtroomError as error:
            self.post_message(self._TurnClosed(_NEW, str(error), text))
        else:
            self.post_message(self._ConversationMade(made, text))

    @on(_ConversationMade)
    def _conversation_made(self, event: _ConversationMade) -> None:
        made = event.conversation
        self._live[made.id] = self._live.pop(_NEW)
        if self.conversation is None:
            self.conversation = made
            self.conversations.current = made.id
            self._aim(self.target.provider, self.target.model)
        self._start(made.id, event.text)

    def _start(self, conversation_id: str, text: str) -> None:
        turn = self._run_turn(conversation_id, text)
        self.run_worker(turn, group="turn", name=conversation_id, exit_on_error=False)

    async def _run_turn(self, conversation_id: str, text: str) -> None:
        def publish(event: TurnEvent) -> None:
            self.post_message(self._TurnAdvanced(conversation_id, event))

        try:
            await feed(self.services.turns.send(conversation_id, text), DeltaBuffer(publish, self.set_timer))
        except CtroomError as error:
            self.post_message(self._TurnClosed(conversation_id, str(error), text))
        else:
            self.post_message(self._TurnClosed(conversation_id))

    @on(_TurnAdvanced)
    def _turn_advanced(self, message: _TurnAdvanced) -> None:
        if (live := self._live.get(message.conversation_id)) is None:
            return
        if message.conversation_id == self._key:
            self.pane.advance(message.event, live.reply)
        match message.event:
            case ReplyStarted(reply):
                live.reply = reply
                self._entry_changed()
            case TextDelta(text):
                live.text.append(text)
            case ReasoningDelta(text):
                live.reasoning.append(text)
            case ReplyEnded(reply, _, saved):
                live.completed = reply.status is MessageStatus.COMPLETE
                if not saved:
                    words = (
                        "The reply could not be saved yet. It is kept in memory and saving is tried again."
                    )
                    self.notify(words, severity="warning", timeout=10, markup=False)

    @on(_TurnClosed)
    def _turn_closed(self, event: _TurnClosed) -> None:
        if (live := self._live.pop(event.conversation_id, None)) is None:
            return
        if event.error:
            self.notify(event.error, title="Not sent", severity="error", timeout=10, markup=False)
        if live.queued and live.completed:
            self._live[event.conversation_id] = LiveTurn(live.queued[1:])
            self._start(event.conversation_id, live.queued[0])
        elif unsent := "\n".join(filter(None, (event.unsent, *live.queued))):
            self._unsent[event.conversation_id] = unsent
        if event.conversation_id == self._key:
            self._show_turn()
        self._entry_changed()
        self.refresh_bindings()

    @on(Worker.StateChanged)
    def _worker_changed(self, event: Worker.StateChanged) -> None:
        """A turn that ended in a way that nothing foresaw: say so, and let the conversation go on."""
        worker = event.worker
        if event.state is WorkerState.ERROR and worker.group == "turn":
            words = f"The turn ended by an error of Ctroom's own ({type(worker.error).__name__})."
            self.post_message(self._TurnClosed(worker.name, words))

    def _show_turn(self) -> None:
        """Show what runs and what waits in the open conversation; what was not sent returns to the prompt."""
        live = self._live.get(self._key)
        self.pane.show_queue(live.queued if live else ())
        self.pane.show_state(SENDING if live else "")
        if unsent := self._unsent.pop(self._key, ""):
            self.pane.prompt.put_back(unsent)

    # Conversations

    @on(ChatList.Opened)
    def _conversation_opened(self, event: ChatList.Opened) -> None:
        self.conversations.show(event.conversation)
        self.to_prompt()

    @on(ChatList.Loaded)
    def _conversation_loaded(self, event: ChatList.Loaded) -> None:
        opened = event.opened.conversation
        if opened.id != self.conversations.current:
            return
        self.conversation = opened
        live = self._live.get(opened.id)
        reply = live.message() if live else None
        messages = [message for message in event.opened.messages if reply is None or message.id != reply.id]
        self.pane.show_messages(opened.title, [*messages, reply] if reply else messages)
        self._show_turn()
        provider = opened.provider or self.services.models.default_provider()
        self._aim(provider, opened.model or self.services.models.default(provider))
        self.refresh_bindings()

    @on(ChatList.Deleted)
    def _conversation_deleted(self, event: ChatList.Deleted) -> None:
        self.services.turns.stop(event.conversation_id)
        if self.conversations.current == event.conversation_id:
            self.new_conversation()

    async def _save_model(self, conversation_id: str, provider: str, model: str) -> None:
        try:
            await self.services.library.choose_model(conversation_id, provider, model)
        except CtroomError as error:
            self.notify(str(error), title="Model not changed", severity="error", markup=False)

    def _welcome(self) -> None:
        demo = self.target.provider == "demo"
        self.pane.show_welcome(f"{WELCOME}\n\n{WELCOME_DEMO}" if demo else WELCOME)

    def _aim(self, provider: str, model: str) -> None:
        """Send the next prompt there."""
        changed = provider != self.target.provider
        self.target = Target(self.conversation.id if self.conversation else None, provider, model)
        self.pane.target = self.target
        if changed:
            self.post_message(self.ProviderChanged(self, provider))

    def _entry_changed(self) -> None:
        """Turns move a conversation up the list, and the first gives it a title."""
        self.conversations.fill()
        if self.conversation is not None:
            with suppress(CtroomError):
                self.pane.title_line.title = self.services.library.get(self.conversation.id).title

    def to_prompt(self) -> None:
        """Go to the prompt; a list that lies over the conversation closes."""
        self.conversations.remove_class("-open")
        self.pane.prompt.focus()
        self.refresh_bindings()
