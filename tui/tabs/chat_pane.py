"""The open conversation: title, transcript, what waits, and the prompt with its forecast."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.message import Message as UiMessage
from textual.reactive import reactive
from textual.timer import Timer
from textual.widgets import Static, TextArea

from tui.core.chat import Message, ReasoningDelta, Role, TextDelta, TurnOptions
from tui.core.figures import TurnForecast
from tui.core.frozen import frozen
from tui.core.text import sanitize_line
from tui.core.turns import PromptSaved, ReplyEnded, ReplyStarted, Retrying, TurnEvent, UsageProgress
from tui.services.branches import OpenBranch
from tui.services.conversation import Turns
from tui.services.library import Library
from tui.tabs.chat_actions import MessageActions
from tui.tabs.chat_entries import (
    REPLYING,
    SENDING,
    entry_of,
    forecast_words,
    model_words,
    notes_of,
    placed,
    progress_meta,
    refusal_words,
    retry_words,
    ways_out,
)
from tui.widgets.prompt import Prompt
from tui.widgets.title_line import TitleLine
from tui.widgets.transcript import Entry, EntryRole, Transcript

if TYPE_CHECKING:
    from tui.tabs.turn_state import TurnState

PROMPT_KEYS = "Enter sends · Ctrl+J new line"
FORECAST_SECONDS = 0.3
"""A forecast is made once the typing rests this long: no key ever waits for it."""


@frozen
class Target:
    """What the prompt would be sent to."""

    conversation_id: str | None
    """None: a conversation that is not made yet."""
    provider: str
    model: str
    options: TurnOptions = TurnOptions()
    """How its turns are asked for, where that differs from the settings."""


class ConversationPane(MessageActions):
    """Shows one conversation, and applies the events of its turns to what is shown.

    Args:
        turns: Makes forecasts.
        library: Knows which day it is.
    """

    target: reactive[Target | None] = reactive(None, repaint=False)
    """What the prompt would be sent to."""

    @dataclass(repr=False, eq=False)
    class _Forecasted(UiMessage):
        """It is known what the written prompt may cost."""

        text: str
        forecast: TurnForecast

    def __init__(self, turns: Turns, library: Library) -> None:
        super().__init__(id="conversation")
        self.title_line = TitleLine()
        self.queue = Static(id="queue", classes="notice", markup=False)
        self.refusal = Static(id="refusal", classes="notice", markup=False)
        self.prompt.border_subtitle = PROMPT_KEYS
        self._turns = turns
        self._library = library
        self.zone: tzinfo = UTC
        """Where times are shown in."""
        self._turn_state: TurnState | None = None
        self._retrying = False
        self._turned_away = False
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield self.title_line
        yield self.transcript
        yield self.queue
        yield self.refusal
        yield self.prompt

    def show_welcome(self, words: str) -> None:
        """Empty the transcript, for a new conversation."""
        self.transcript.placeholder = words
        self.transcript.clear()
        self.title_line.title = "New conversation"
        self.branch = OpenBranch()
        self.end_editing()
        self.show_state("")
        self.show_queue(())

    def show_messages(
        self, title: str, messages: Sequence[Message], everything: Sequence[Message] = ()
    ) -> None:
        """Show a conversation from its end.

        Args:
            title: Its title.
            messages: Those of the active branch, oldest first.
            everything: Those of every branch.
        """
        self._turned_away = False
        self.branch = OpenBranch(messages, everything)
        self.end_editing()
        self.title_line.title = title
        self.transcript.placeholder = ""
        self.transcript.load([self._entry(message) for message in messages])
        self.prompt.remember([message.text for message in messages if message.role is Role.USER])

    def show_version(
        self, messages: Sequence[Message], everything: Sequence[Message], message_id: str
    ) -> None:
        """Show another branch of the conversation, at the message where it parts from the one before.

        Args:
            messages: Those of the branch, oldest first.
            everything: Those of every branch.
            message_id: The message.
        """
        self.branch = OpenBranch(messages, everything)
        parts = next((n for n, message in enumerate(messages) if message.id == message_id), 0)
        stays = messages[parts - 1].id if parts else None
        self.transcript.replace_after(stays, [self._entry(message) for message in messages[parts:]])
        self.transcript.scroll_to_entry(message_id)
        self.prompt.remember([message.text for message in messages if message.role is Role.USER])

    def add(self, message: Message) -> None:
        """Show a message after its parent: whatever followed that is on another branch."""
        if self.branch.cuts(message) and (message.parent_id in (None, *self.transcript.keys)):
            self.transcript.cut_after(message.parent_id)
        self.branch.take(message)
        self.transcript.append(self._entry(message))

    def show_gone(self, digests: Collection[str]) -> None:
        """Say under the messages that they went with that files are not there any more.

        Args:
            digests: Those of the files.
        """
        for key in self.transcript.keys:
            message = self.branch.get(key)
            if message is not None and any(one.digest in digests for one in message.attachments):
                self.transcript.update_entry(key, notes=notes_of(message, digests))

    def _entry(self, message: Message) -> Entry:
        today = self._library.today(self.zone)
        return entry_of(message, self.zone, self.branch.place(message.id), today)

    # Finding

    async def find(self, texts: tuple[str, ...] = ()) -> None:
        """Find words in the conversation: ask for them, or mark those that are given."""
        from tui.widgets.find_bar import FindBar

        bars = self.query(FindBar)
        bar = bars.first() if bars else FindBar(self.transcript)
        if not bars:
            await self.mount(bar, after=self.transcript)
        if texts:
            bar.show(texts)
        else:
            bar.begin()

    async def land(self, message_id: str, texts: tuple[str, ...]) -> None:
        """Go to a message that was found, with what was sought marked."""
        if message_id in self.transcript.keys:
            await self.find(texts)
            # The line of what is sought takes one of the transcript's: where it ends is known after that.
            self.call_after_refresh(self._land_on, message_id)
            self.transcript.focus()

    def _land_on(self, message_id: str) -> None:
        if message_id in self.transcript.keys:
            self.transcript.scroll_to_entry(message_id)

    def end_find(self) -> bool:
        """Mark nothing any more; whether anything was."""
        if not self.transcript.highlighted and not self.query("#find"):
            return False
        from tui.widgets.find_bar import FindBar

        for bar in self.query(FindBar):
            bar.close()
        self.transcript.highlight()
        return True

    @on(Transcript.FindRequested)
    async def _find_requested(self) -> None:
        await self.find()

    def show_queue(self, prompts: Sequence[str]) -> None:
        """Show the prompts that wait for the reply to end."""
        self.queue.set_class(bool(prompts), "-shown")
        lines = (Content(f"queued  {sanitize_line(text)}") for text in prompts)
        self.queue.update(Content("\n").join(lines))

    def show_state(self, words: str) -> None:
        """Say over the prompt what the turn is doing; empty: nothing runs."""
        self.state = words
        self.prompt.set_class(bool(words), "-busy")
        if self._turn_state is None and not words:
            self.show_border()
        else:
            self.turn_state.show(words, self.target.provider if self.target else "")

    def state_words(self) -> str:
        """What the turn is doing, how long it takes, what it waits for."""
        return self.state if self._turn_state is None else self._turn_state.text

    @property
    def turn_state(self) -> "TurnState":
        """Keeps the time of the turn; made with the first."""
        if self._turn_state is None:
            from tui.tabs.turn_state import TurnState

            self._turn_state = TurnState(self.prompt, self.show_border)
        return self._turn_state

    # The forecast

    @property
    def refused(self) -> bool:
        """Whether the last turn was refused, or what is written would be."""
        return self._turned_away or self.prompt.has_class("-refused")

    def follow_usage(self) -> None:
        """Forecast anew: limits, figures or what another process holds are others."""
        if self.prompt.text or self.prompt.attached:
            self._forecast_soon()

    def follow_files(self) -> None:
        """Forecast anew: what is attached is other."""
        self._forecast_soon()

    def watch_target(self, target: Target | None) -> None:
        """Name the model, and forecast for it."""
        if target is not None:
            self.title_line.model = model_words(target.provider, target.model)
            self.title_line.options = ""
            if target.options != TurnOptions():
                from tui.services.options import option_words

                self.title_line.options = option_words(target.options)
            self._forecast_soon()

    @on(TextArea.Changed)
    def _forecast_soon(self) -> None:
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(FORECAST_SECONDS, self._forecast)

    def _forecast(self) -> None:
        text = self.prompt.text
        if (text.strip() or self.prompt.attached) and self.target is not None:
            work = self._fetch_forecast(text, self.target)
            self.run_worker(work, group="forecast", exclusive=True, exit_on_error=False)
        else:
            self.prompt.border_subtitle = PROMPT_KEYS
            self._show_refusal("")

    async def _fetch_forecast(self, text: str, target: Target) -> None:
        forecast = await self._turns.forecast(
            target.conversation_id,
            target.provider,
            target.model,
            text,
            instead_of=self.editing.id if self.editing else None,
            attachments=(*(self.editing.attachments if self.editing else ()), *self.prompt.attached),
            options=target.options,
        )
        self.post_message(self._Forecasted(text, forecast))

    @on(_Forecasted)
    def _forecasted(self, event: _Forecasted) -> None:
        if event.text != self.prompt.text:
            return
        forecast = event.forecast
        self.prompt.border_subtitle = Content(forecast_words(forecast, self.prompt.size.width - 2))
        self._show_refusal(refusal_words(forecast))
        if not self.prompt.has_class("-busy"):  # while a reply streams, the marker is that of its turn
            self.transcript.set_marker(forecast.sent_from, forecast.fits)

    def _show_refusal(self, words: str) -> None:
        """Say over the prompt why it would be refused, and the ways out."""
        self.prompt.set_class(bool(words), "-refused")
        self.refusal.set_class(bool(words), "-shown")
        self.refusal.update(words)

    @on(Prompt.Paged)
    def _page(self, event: Prompt.Paged) -> None:
        """Read on or back while writing."""
        self.transcript.scroll_relative(y=event.step * max(1, self.transcript.size.height - 1), animate=False)

    # A turn

    def advance(self, event: TurnEvent, reply: Message | None) -> None:
        """Apply an event of this conversation's turn.

        Args:
            event: What happened.
            reply: The reply as it started; None before that.
        """
        match event:
            case PromptSaved(prompt):
                if self.branch.get(prompt.id) is None:
                    self.add(prompt)
                self.show_state(SENDING)
            case ReplyStarted(started, sent_from, fits):
                self._turned_away = False
                self.transcript.set_marker(sent_from, fits)
                self.add(started)
                self.show_state(REPLYING)
            case ReplyEnded():
                self._end(event, started=reply is not None)
            case _ if reply is not None:
                self._stream(event, reply.id)
        self.turn_state.take(event, reply)

    def _stream(self, event: TurnEvent, key: str) -> None:
        match event:
            case TextDelta(text):
                self._retry_over(key)
                self.transcript.stream(key, text)
            case ReasoningDelta(text):
                self._retry_over(key)
                self.transcript.stream_reasoning(key, text)
            case UsageProgress(measured):
                meta = placed(progress_meta(measured), self.branch.place(key))
                self.transcript.update_entry(key, meta=meta)
            case Retrying(reason, _, attempt):
                self._retrying = True
                self.transcript.update_entry(key, error=retry_words(reason, attempt))

    def _retry_over(self, key: str) -> None:
        if self._retrying:
            self._retrying = False
            self.transcript.update_entry(key, error="")

    def _end(self, event: ReplyEnded, *, started: bool) -> None:
        reply, ways = event.reply, ways_out(event)
        entry = self._entry(reply)
        if started:
            self.branch.take(reply)
            changes = {f.name: getattr(entry, f.name) for f in fields(entry) if f.name not in ("key", "role")}
            self.transcript.finish(entry.key, **changes)
        elif reply.instead_of is not None:  # the one that it would have stood beside is still shown
            ways = "\n".join(filter(None, (reply.error, ways)))
        else:
            self.add(reply)
        notice = f"{entry.key}/ways"
        if ways:
            self.transcript.append(Entry(key=notice, role=EntryRole.NOTICE, body=ways))
        self._retrying = False
        self._turned_away = event.refusal is not None or event.no_key
        self.show_state("")
