"""What the chat tab does about turns: runs them, several conversations' at once, and shows the open one's."""

from dataclasses import dataclass

from textual import on
from textual.message import Message as UiMessage
from textual.widget import Widget
from textual.worker import Worker, WorkerState

from tui.core.chat import Conversation, MessageStatus, ReasoningDelta, TextDelta
from tui.core.errors import CtroomError
from tui.core.turns import ReplyEnded, ReplyStarted, TurnEvent
from tui.services.services import Services
from tui.tabs.chat_entries import SENDING
from tui.tabs.chat_pane import ConversationPane, Target
from tui.tabs.chat_turns import DeltaBuffer, LiveTurn, feed
from tui.widgets.prompt import Prompt

NEW = ""
"""Stands for the id of a conversation that is being made."""


class TurnRunner(Widget):
    """The part of the chat tab that sends prompts; which conversation is open is its subclass's to say.

    Args:
        services: The session's services.
        pane: Shows the open conversation.
    """

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

    def __init__(self, services: Services, pane: ConversationPane) -> None:
        super().__init__(id="chat")
        self.services = services
        self.pane = pane
        self.conversation: Conversation | None = None
        """The one that is open; None before its first prompt."""
        self.target = Target(None, "", "")
        self.live: dict[str, LiveTurn] = {}
        """The turns that run, by conversation."""
        self._unsent: dict[str, str] = {}

    @property
    def replying(self) -> bool:
        """Whether the open conversation has a turn that runs."""
        return self._key in self.live

    def adopt(self, made: Conversation) -> None:
        """The open conversation got its id; for the subclass."""
        raise NotImplementedError

    def entry_changed(self) -> None:
        """A turn may have moved or named a conversation; for the subclass."""
        raise NotImplementedError

    @property
    def _key(self) -> str:
        return self.conversation.id if self.conversation else NEW

    @on(Prompt.Submitted)
    def _prompt_submitted(self, event: Prompt.Submitted) -> None:
        if (live := self.live.get(self._key)) is not None:
            live.queued.append(event.text)
            self.pane.show_queue(live.queued)
            return
        self.live[self._key] = LiveTurn()
        self.pane.show_state(SENDING)
        if self.conversation is None:
            self.run_worker(self._make(event.text), group="turn", name=NEW, exit_on_error=False)
        else:
            self._start(self.conversation.id, event.text)
        self.refresh_bindings()

    async def _make(self, text: str) -> None:
        try:
            made = await self.services.library.create(self.target.provider, self.target.model)
        except CtroomError as error:
            self.post_message(self._TurnClosed(NEW, str(error), text))
        else:
            self.post_message(self._ConversationMade(made, text))

    @on(_ConversationMade)
    def _conversation_made(self, event: _ConversationMade) -> None:
        made = event.conversation
        self.live[made.id] = self.live.pop(NEW)
        if self.conversation is None:
            self.adopt(made)
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
        if (live := self.live.get(message.conversation_id)) is None:
            return
        if message.conversation_id == self._key:
            self.pane.advance(message.event, live.reply)
        match message.event:
            case ReplyStarted(reply, sent_from, fits):
                live.reply, live.sent_from, live.fits = reply, sent_from, fits
                self.entry_changed()
            case TextDelta(text):
                live.text.append(text)
            case ReasoningDelta(text):
                live.reasoning.append(text)
            case ReplyEnded(reply):
                live.completed = reply.status is MessageStatus.COMPLETE

    @on(_TurnClosed)
    def _turn_closed(self, event: _TurnClosed) -> None:
        if (live := self.live.pop(event.conversation_id, None)) is None:
            return
        if event.error:
            self.notify(event.error, title="Not sent", severity="error", timeout=10, markup=False)
        if live.queued and live.completed:
            self.live[event.conversation_id] = LiveTurn(live.queued[1:])
            self._start(event.conversation_id, live.queued[0])
        elif unsent := "\n".join(filter(None, (event.unsent, *live.queued))):
            self._unsent[event.conversation_id] = unsent
        if event.conversation_id == self._key:
            self.show_turn()
        self.entry_changed()
        self.refresh_bindings()

    @on(Worker.StateChanged)
    def _worker_changed(self, event: Worker.StateChanged) -> None:
        """A turn that ended in a way that nothing foresaw: say so, and let the conversation go on."""
        worker = event.worker
        if event.state is WorkerState.ERROR and worker.group == "turn":
            words = f"The turn ended by an error of Ctroom's own ({type(worker.error).__name__})."
            self.post_message(self._TurnClosed(worker.name, words))

    def show_turn(self) -> None:
        """Show what runs and what waits in the open conversation; what was not sent returns to the prompt."""
        live = self.live.get(self._key)
        self.pane.show_queue(live.queued if live else ())
        self.pane.show_state(SENDING if live else "")
        if unsent := self._unsent.pop(self._key, ""):
            self.pane.prompt.put_back(unsent)
