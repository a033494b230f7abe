"""The chat tab: past conversations at the left, the open one beside them, and the turns of all of them."""

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.message import Message as UiMessage
from textual.reactive import reactive
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import TextArea
from textual.worker import Worker, WorkerState

from tui.core.chat import Conversation, MessageStatus, ReasoningDelta, TextDelta
from tui.core.errors import CtroomError
from tui.core.figures import TurnForecast
from tui.core.turns import ReplyEnded, ReplyStarted, TurnEvent
from tui.services.library import OpenConversation
from tui.services.services import Services
from tui.tabs.chat_entries import SENDING, WELCOME, WELCOME_DEMO, forecast_words, model_words
from tui.tabs.chat_pane import ConversationPane
from tui.tabs.chat_turns import DeltaBuffer, LiveTurn, feed
from tui.widgets.conversation_list import ConversationList
from tui.widgets.conversation_rows import conversation_rows
from tui.widgets.prompt import Prompt

FORECAST_SECONDS = 0.3
"""A forecast is made once the typing rests this long: no key ever waits for it."""
_NEW = ""
"""Stands for the id of a conversation that is being made."""


class ChatTab(Widget):
    """Sends prompts, shows replies, and opens conversations; several can stream at once.

    Args:
        services: The session's services.
        zone: Where times are shown in.
    """

    BINDINGS = [
        Binding("escape", "stop", "stop", id="chat.stop", tooltip="Stop the reply and keep what came"),
    ]

    provider: reactive[str] = reactive("", repaint=False)
    """The provider of the next turn."""
    model: reactive[str] = reactive("", repaint=False)
    """The model of the next turn."""

    @dataclass
    class ProviderChanged(UiMessage):
        """The next turn goes to another provider."""

        chat: "ChatTab"
        provider: str

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

    @dataclass
    class _ConversationLoaded(UiMessage):
        """A conversation was read from disk."""

        opened: OpenConversation

    @dataclass
    class _ConversationDeleted(UiMessage):
        """A conversation left the list."""

        conversation_id: str

    @dataclass
    class _Forecasted(UiMessage):
        """It is known what the written prompt may cost."""

        text: str
        forecast: TurnForecast

    def __init__(self, services: Services, zone: tzinfo = UTC) -> None:
        super().__init__(id="chat")
        self.services = services
        self.zone = zone
        self.conversation: Conversation | None = None
        self._wanted: str | None = None
        self._picked = False
        self._live: dict[str, LiveTurn] = {}
        self._unsent: dict[str, str] = {}
        self._forecast_timer: Timer | None = None

    def compose(self) -> ComposeResult:
        """The list, and the conversation."""
        yield ConversationList()
        yield ConversationPane(self.zone)

    def on_mount(self) -> None:
        """Begin a new conversation; the list is filled once the first frame is on the screen."""
        self.new_conversation()
        self.call_after_refresh(self.refresh_list)

    @property
    def pane(self) -> ConversationPane:
        """The open conversation."""
        return self.query_one(ConversationPane)

    @property
    def conversations(self) -> ConversationList:
        """The list."""
        return self.query_one(ConversationList)

    # What the app calls

    def new_conversation(self) -> None:
        """Show an empty transcript; the conversation is made with its first prompt."""
        if _NEW in self._live:
            return
        self.conversation = self._wanted = None
        self._picked = False
        self.conversations.current = None
        self.choose_defaults()
        self._close_list()
        self.pane.prompt.focus()
        self.refresh_bindings()

    def choose_defaults(self) -> None:
        """Follow the settings with the model of a conversation that has none yet."""
        if self.conversation is not None or self._picked or _NEW in self._live:
            return
        provider = self.services.models.default_provider()
        self.set_reactive(ChatTab.model, self.services.models.default(provider))
        self.provider = provider
        self._model_changed()
        demo = provider == "demo"
        self.pane.show_welcome(f"{WELCOME}\n\n{WELCOME_DEMO}" if demo else WELCOME)

    def choose_model(self, choice: tuple[str, str] | None) -> None:
        """Answer the next prompts with another provider and model; None changes nothing."""
        if choice is None:
            return
        self.provider, self.model = choice
        self._picked = True
        self._model_changed()
        if self.conversation is not None:
            self.run_worker(self._save_model(self.conversation.id, *choice), exit_on_error=False)
        else:
            self.pane.show_welcome(WELCOME)

    def refresh_list(self) -> None:
        """List the conversations as they are."""
        now = datetime.now(self.zone)
        rows = conversation_rows(self.services.library.conversations(), now.date(), self.zone)
        self.conversations.rows = rows

    def toggle_list(self) -> None:
        """Go to the list of conversations, or back to the prompt; a narrow screen shows it over the rest."""
        if self.conversations.has_focus:
            self._close_list()
            self.pane.prompt.focus()
        else:
            self.conversations.add_class("-open")
            self.conversations.focus()

    # Bindings

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Esc stops a reply where there is one, else it leads back to the prompt."""
        if action == "stop":
            return self.replying or not self.pane.prompt.has_focus
        return True

    def action_stop(self) -> None:
        """Stop the reply; from the list or the transcript, first go back to the prompt."""
        if not self.pane.prompt.has_focus:
            self._close_list()
            self.pane.prompt.focus()
        elif self.conversation is not None:
            self.services.turns.stop(self.conversation.id)

    @property
    def replying(self) -> bool:
        """Whether the open conversation has a turn that runs."""
        return self._key in self._live

    @property
    def _key(self) -> str:
        return self.conversation.id if self.conversation else _NEW

    # A turn

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

    def _start(self, conversation_id: str, text: str) -> None:
        turn = self._run_turn(conversation_id, text)
        self.run_worker(turn, group="turn", name=conversation_id, exit_on_error=False)

    async def _make(self, text: str) -> None:
        try:
            conversation = await self.services.library.create(self.provider, self.model)
        except CtroomError as error:
            self.post_message(self._TurnClosed(_NEW, str(error), text))
        else:
            self.post_message(self._ConversationMade(conversation, text))

    async def _run_turn(self, conversation_id: str, text: str) -> None:
        buffer = DeltaBuffer(
            lambda event: self.post_message(self._TurnAdvanced(conversation_id, event)), self.set_timer
        )
        try:
            await feed(self.services.turns.send(conversation_id, text), buffer)
        except CtroomError as error:
            self.post_message(self._TurnClosed(conversation_id, str(error), text))
        else:
            self.post_message(self._TurnClosed(conversation_id))

    @on(_ConversationMade)
    def _conversation_made(self, event: _ConversationMade) -> None:
        made = event.conversation
        self._live[made.id] = self._live.pop(_NEW)
        self.conversation = made
        self._wanted = made.id
        self.conversations.current = made.id
        self._start(made.id, event.text)

    @on(_TurnAdvanced)
    def _turn_advanced(self, message: _TurnAdvanced) -> None:
        live = self._live[message.conversation_id]
        event = message.event
        if message.conversation_id == self._key:
            self.pane.advance(event, live.reply)
        match event:
            case ReplyStarted(reply):
                live.reply = reply
                self._list_changed()
            case TextDelta(text):
                live.text.append(text)
            case ReasoningDelta(text):
                live.reasoning.append(text)
            case ReplyEnded(reply):
                live.completed = reply.status is MessageStatus.COMPLETE
                if not event.saved:
                    self.notify("This reply is not saved yet; saving is tried again.", severity="warning")

    @on(_TurnClosed)
    def _turn_closed(self, event: _TurnClosed) -> None:
        live = self._live.pop(event.conversation_id)
        here = event.conversation_id == self._key
        if event.error:
            self.notify(event.error, title="Not sent", severity="error", timeout=10, markup=False)
        if live.queued and live.completed:
            self._live[event.conversation_id] = LiveTurn(live.queued[1:])
            self._start(event.conversation_id, live.queued[0])
        else:
            unsent = "\n".join(filter(None, (event.unsent, *live.queued)))
            if unsent and here:
                self.pane.prompt.put_back(unsent)
            elif unsent:
                self._unsent[event.conversation_id] = unsent
        if here:
            now = self._live.get(event.conversation_id)
            self.pane.show_queue(now.queued if now else ())
            self.pane.show_state(SENDING if now else "")
        self._list_changed()
        self.refresh_bindings()

    @on(Worker.StateChanged)
    def _worker_failed(self, event: Worker.StateChanged) -> None:
        """A failure that nothing foresaw: say so, and let the conversation go on."""
        worker = event.worker
        if event.state is WorkerState.ERROR and worker.group == "turn" and worker.name in self._live:
            kind = type(worker.error).__name__
            self.post_message(
                self._TurnClosed(worker.name, f"The turn ended by an error of Ctroom's own ({kind}).")
            )

    # Conversations

    @on(ConversationList.Opened)
    def _conversation_opened(self, event: ConversationList.Opened) -> None:
        self._wanted = event.conversation.id
        self.conversations.current = self._wanted
        self.run_worker(self._load(self._wanted), group="load", exclusive=True, exit_on_error=False)
        self._close_list()
        self.pane.prompt.focus()

    async def _load(self, conversation_id: str) -> None:
        try:
            self.post_message(self._ConversationLoaded(await self.services.library.open(conversation_id)))
        except CtroomError as error:
            self.notify(str(error), title="Not opened", severity="error", timeout=10, markup=False)

    @on(_ConversationLoaded)
    def _conversation_loaded(self, event: _ConversationLoaded) -> None:
        opened = event.opened.conversation
        if opened.id != self._wanted:
            return
        self.conversation = opened
        live = self._live.get(opened.id)
        reply = live.message() if live else None
        messages = [m for m in event.opened.messages if reply is None or m.id != reply.id]
        self.pane.show_messages(opened.title, [*messages, *([reply] if reply else [])])
        self.pane.show_queue(live.queued if live else ())
        self.pane.show_state(SENDING if live else "")
        if unsent := self._unsent.pop(opened.id, ""):
            self.pane.prompt.put_back(unsent)
        self.provider = opened.provider or self.services.models.default_provider()
        self.model = opened.model or self.services.models.default(self.provider)
        self._model_changed()
        self.refresh_bindings()

    @on(ConversationList.DeleteRequested)
    def _delete_requested(self, event: ConversationList.DeleteRequested) -> None:
        from tui.dialogs.confirm import ConfirmDialog

        doomed = event.conversation
        question = f"Delete the conversation \u201c{doomed.title}\u201d?"

        def answered(yes: bool | None) -> None:
            if yes:
                self.run_worker(self._delete(doomed.id), exit_on_error=False)

        self.app.push_screen(ConfirmDialog(question, "Its tokens stay counted.", yes="Delete"), answered)

    async def _delete(self, conversation_id: str) -> None:
        self.services.turns.stop(conversation_id)
        try:
            await self.services.library.delete(conversation_id)
        except CtroomError as error:
            self.notify(str(error), title="Not deleted", severity="error", markup=False)
        else:
            self.post_message(self._ConversationDeleted(conversation_id))

    @on(_ConversationDeleted)
    def _conversation_deleted(self, event: _ConversationDeleted) -> None:
        if self._wanted == event.conversation_id:
            self.new_conversation()
        self.refresh_list()

    async def _save_model(self, conversation_id: str, provider: str, model: str) -> None:
        try:
            await self.services.library.choose_model(conversation_id, provider, model)
        except CtroomError as error:
            self.notify(str(error), title="Model not changed", severity="error", markup=False)

    def _model_changed(self) -> None:
        self.pane.title_line.model = model_words(self.provider, self.model)
        self.post_message(self.ProviderChanged(self, self.provider))
        self._forecast_soon()

    def _list_changed(self) -> None:
        self.refresh_list()
        if self.conversation is not None:
            entry = self.services.library.get(self.conversation.id)
            self.conversation = entry
            self.pane.title_line.title = entry.title

    def _close_list(self) -> None:
        self.conversations.remove_class("-open")

    # The forecast

    @on(TextArea.Changed)
    def _forecast_soon(self) -> None:
        if self._forecast_timer is not None:
            self._forecast_timer.stop()
        self._forecast_timer = self.set_timer(FORECAST_SECONDS, self._forecast)

    def _forecast(self) -> None:
        text = self.pane.prompt.text
        if not text.strip():
            self.pane.show_forecast("")
            return
        self.run_worker(self._fetch_forecast(text), group="forecast", exclusive=True, exit_on_error=False)

    async def _fetch_forecast(self, text: str) -> None:
        conversation_id = self.conversation.id if self.conversation else None
        turns = self.services.turns
        forecast = await turns.forecast(conversation_id, self.provider, self.model, text)
        self.post_message(self._Forecasted(text, forecast))

    @on(_Forecasted)
    def _forecasted(self, event: _Forecasted) -> None:
        if event.text == self.pane.prompt.text:
            forecast = event.forecast
            self.pane.show_forecast(forecast_words(forecast), refused=forecast.refused is not None)
