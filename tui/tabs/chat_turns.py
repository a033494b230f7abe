"""The turns of the chat tab: what streams in which conversation, and what waits behind it."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from textual import on
from textual.message import Message as UiMessage
from textual.widget import Widget
from textual.worker import Worker, WorkerState

from tui.core.chat import (
    NOTHING,
    Asked,
    Attachment,
    Conversation,
    Message,
    MessageStatus,
    ReasoningDelta,
    TextDelta,
    joined,
)
from tui.core.errors import CtroomError
from tui.core.pace import Pace
from tui.core.settings import TitleSource
from tui.core.turns import PromptSaved, ReplyEnded, ReplyStarted, TurnEvent
from tui.services.services import Services
from tui.tabs.chat_entries import SENDING
from tui.tabs.chat_pane import ConversationPane, Target
from tui.widgets.prompt import Prompt

NEW = ""
"""Stands for the id of a conversation that is being made."""


@dataclass(slots=True)
class LiveTurn:
    """A turn that runs, in whichever conversation; its reply can be shown again after going elsewhere."""

    queued: list[Asked] = field(default_factory=list)
    """Prompts that were sent meanwhile, oldest first."""
    sending: Asked = NOTHING
    """The turn's own prompt, until it is on disk."""
    reply: Message | None = None
    """The reply as it started; its text is in `text`."""
    text: list[str] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)
    sent_from: str | None = None
    """The id of the oldest message that was sent along; None: all were."""
    fits: int | None = None
    """The most tokens of input that could be sent."""
    completed: bool = False
    """Whether the reply came whole; only then does what is queued follow by itself."""

    def message(self) -> Message | None:
        """The reply with all that has come so far."""
        if self.reply is None:
            return None
        text, reasoning = self.reply.text + "".join(self.text), self.reply.reasoning + "".join(self.reasoning)
        return replace(self.reply, text=text, reasoning=reasoning)


class DeltaBuffer:
    """Gathers deltas, and hands them on joined: the first at once, then as the pace has it.

    Args:
        publish: Takes each event that is handed on.
        later: Calls a function after some seconds.
        pace: How long deltas are gathered before they reach the screen.
    """

    def __init__(
        self,
        publish: Callable[[TurnEvent], object],
        later: Callable[[float, Callable[[], None]], object],
        pace: Pace,
    ) -> None:
        self._publish = publish
        self._later = later
        self._pace = pace
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._waiting = False

    def add(self, event: TurnEvent) -> None:
        """Take one event; any that is not a delta comes after all deltas before it."""
        if isinstance(event, TextDelta):
            self._text.append(event.text)
        elif isinstance(event, ReasoningDelta):
            self._reasoning.append(event.text)
        else:
            self.flush()
            self._publish(event)
            return
        if not self._waiting:
            self.flush()
            self._waiting = True
            self._later(self._pace.flush_seconds, self._due)

    def flush(self) -> None:
        """Hand on what was gathered."""
        if self._reasoning:
            self._publish(ReasoningDelta("".join(self._reasoning)))
            self._reasoning.clear()
        if self._text:
            self._publish(TextDelta("".join(self._text)))
            self._text.clear()

    def _due(self) -> None:
        self._waiting = False
        if self._text or self._reasoning:
            self.flush()
            self._waiting = True
            self._later(self._pace.flush_seconds, self._due)


async def feed(events: AsyncGenerator[TurnEvent, None], buffer: DeltaBuffer) -> None:
    """Run a turn to its end; cancelling this closes it, which stops the reply.

    Args:
        events: The turn.
        buffer: Where its events go.
    """
    async with aclosing(events) as turn:
        async for event in turn:
            buffer.add(event)
    buffer.flush()


class TurnRunner(Widget):
    """The part of the chat tab that sends prompts; which conversation is open is its subclass's to say.

    Args:
        services: The session's services.
        pane: Shows the open conversation.
    """

    @dataclass(repr=False, eq=False)
    class Replied(UiMessage):
        """A reply ended, in whichever conversation and however."""

        chat: "TurnRunner"
        reply: Message

        @property
        def control(self) -> "TurnRunner":
            """The tab."""
            return self.chat

    @dataclass(repr=False, eq=False)
    class _TurnAdvanced(UiMessage):
        """A turn made an event."""

        conversation_id: str
        event: TurnEvent

    @dataclass(repr=False, eq=False)
    class _TurnClosed(UiMessage):
        """A turn is over; `error` says so where its own events could not."""

        conversation_id: str
        error: str = ""
        unsent: Asked = NOTHING

    @dataclass(repr=False, eq=False)
    class _ConversationMade(UiMessage):
        """The conversation of a first prompt is on disk."""

        conversation: Conversation
        asked: Asked

    def __init__(self, services: Services, pane: ConversationPane) -> None:
        super().__init__(id="chat")
        self.services = services
        self.pane = pane
        self.conversation: Conversation | None = None
        """The one that is open; None before its first prompt."""
        self.target = Target(None, "", "")
        self.live: dict[str, LiveTurn] = {}
        """The turns that run, by conversation."""
        self._unsent: dict[str, Asked] = {}

    @property
    def replying(self) -> bool:
        """Whether the open conversation has a turn that runs."""
        return self._key in self.live

    @property
    def busy(self) -> list[str | None]:
        """The conversations that have a turn, or prompts that came back from one."""
        return [key or None for key in {*self.live, *self._unsent}]

    def waiting(self, conversation_id: str | None) -> list[Asked]:
        """The prompts of a conversation that are on no disk yet, oldest first."""
        key = conversation_id or NEW
        live = self.live.get(key)
        asked = [self._unsent.get(key, NOTHING), *([live.sending, *live.queued] if live else ())]
        return [one for one in asked if one]

    def moved_on(self, conversation_id: str | None) -> None:
        """Another of a conversation's prompts is on disk, or they belong to another; for the subclass."""
        raise NotImplementedError

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
        asked = Asked(event.text, event.attached)
        event.prompt.taken(asked)
        if (live := self.live.get(self._key)) is not None:
            live.queued.append(asked)
            self._show_queue(live)
            return
        edited = self.pane.end_editing()
        self.pane.transcript.follow()
        self.live[self._key] = LiveTurn(sending=asked)
        self.pane.show_state(SENDING)
        if self.conversation is None:
            self.run_worker(self._make(asked), group="turn", name=NEW, exit_on_error=False)
        else:
            self._start(self.conversation.id, asked, edited)
        self.refresh_bindings()

    @on(ConversationPane.ReplyRequested)
    def _reply_requested(self, event: ConversationPane.ReplyRequested) -> None:
        if self.conversation is None or self._key in self.live:
            return
        ask = self.services.turns.carry_on if event.carry_on else self.services.turns.again
        self.live[self._key] = LiveTurn()
        self.pane.show_state(SENDING)
        self._follow(self.conversation.id, ask(self.conversation.id, event.message_id))
        self.refresh_bindings()

    async def _make(self, asked: Asked) -> None:
        try:
            made = await self.services.library.create(
                self.target.provider, self.target.model, self.target.options
            )
        except CtroomError as error:
            self.post_message(self._TurnClosed(NEW, str(error), asked))
        else:
            self.post_message(self._ConversationMade(made, asked))

    @on(_ConversationMade)
    def _conversation_made(self, event: _ConversationMade) -> None:
        made = event.conversation
        self.live[made.id] = self.live.pop(NEW)
        if self.conversation is None:
            self.adopt(made)
        else:  # another was opened meanwhile
            self.moved_on(made.id)
            self.moved_on(None)
        self._start(made.id, event.asked)

    def _start(self, conversation_id: str, asked: Asked, edited: Message | None = None) -> None:
        events = self.services.turns.send(
            conversation_id,
            asked.text,
            attachments=(*(edited.attachments if edited else ()), *asked.attached),
            instead_of=edited.id if edited else None,
        )
        self._follow(conversation_id, events, asked)

    def _follow(
        self, conversation_id: str, events: AsyncGenerator[TurnEvent, None], asked: Asked = NOTHING
    ) -> None:
        turn = self._run_turn(conversation_id, events, asked)
        self.run_worker(turn, group="turn", name=conversation_id, exit_on_error=False)

    async def _run_turn(
        self, conversation_id: str, events: AsyncGenerator[TurnEvent, None], asked: Asked
    ) -> None:
        def publish(event: TurnEvent) -> None:
            self.post_message(self._TurnAdvanced(conversation_id, event))

        try:
            await feed(events, DeltaBuffer(publish, self.set_timer, self.services.pace))
        except CtroomError as error:
            self.post_message(self._TurnClosed(conversation_id, str(error), asked))
        else:
            self.post_message(self._TurnClosed(conversation_id))

    @on(_TurnAdvanced)
    def _turn_advanced(self, message: _TurnAdvanced) -> None:
        if (live := self.live.get(message.conversation_id)) is None:
            return
        if message.conversation_id == self._key:
            self.pane.advance(message.event, live.reply)
        match message.event:
            case PromptSaved(saved=True):
                self._kept(message.conversation_id, live)
            case ReplyStarted(reply, sent_from, fits):
                live.reply, live.sent_from, live.fits = reply, sent_from, fits
                self._kept(message.conversation_id, live)
                self.entry_changed()
            case TextDelta(text):
                live.text.append(text)
            case ReasoningDelta(text):
                live.reasoning.append(text)
            case ReplyEnded(reply):
                live.completed = reply.status is MessageStatus.COMPLETE
                self._kept(message.conversation_id, live)
                self.post_message(self.Replied(self, reply))
                if live.completed:
                    self._ask_for_title(message.conversation_id)

    def _kept(self, conversation_id: str, live: LiveTurn) -> None:
        """A turn that says anything of its reply has its prompt on disk, also one that was refused."""
        if live.sending:
            live.sending = NOTHING
            self.moved_on(conversation_id)

    def _ask_for_title(self, conversation_id: str) -> None:
        """Where the user wants a model's titles; the next prompt does not wait for it."""
        if self.services.settings.user().titles is TitleSource.MODEL:
            work = self.services.turns.give_title(conversation_id)
            self.run_worker(work, group="title", exit_on_error=False)

    @on(_TurnClosed)
    def _turn_closed(self, event: _TurnClosed) -> None:
        if (live := self.live.pop(event.conversation_id, None)) is None:
            return
        if event.error:
            self.notify(event.error, title="Not sent", severity="error", timeout=10, markup=False)
        if live.queued and live.completed:
            self.live[event.conversation_id] = LiveTurn(live.queued[1:], live.queued[0])
            self._start(event.conversation_id, live.queued[0])
        elif unsent := [one for one in (event.unsent or live.sending, *live.queued) if one]:
            self._unsent[event.conversation_id] = joined(unsent)
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
        self._show_queue(live)
        self.pane.show_state(SENDING if live else "")
        if unsent := self._unsent.pop(self._key, None):
            if unsent.text:
                self.pane.prompt.put_back(unsent.text)
            self.attach_again(unsent.attached)

    def attach_again(self, attached: tuple[Attachment, ...]) -> None:
        """Put files that were not sent back to the prompt; for the subclass."""
        raise NotImplementedError

    def _show_queue(self, live: LiveTurn | None) -> None:
        queued = live.queued if live else ()
        self.pane.show_queue([one.text or ", ".join(file.name for file in one.attached) for one in queued])
