"""The open conversation: title, transcript, what waits, and the prompt."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import tzinfo

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from tui.core.chat import Message, ReasoningDelta, Role, TextDelta
from tui.core.text import sanitize_line
from tui.core.turns import PromptSaved, ReplyEnded, ReplyStarted, Retrying, TurnEvent, UsageProgress
from tui.tabs.chat_entries import REPLYING, SENDING, entry_of, progress_meta, retry_words, ways_out
from tui.widgets.prompt import Prompt
from tui.widgets.title_line import TitleLine
from tui.widgets.transcript import Entry, EntryRole, Transcript

PROMPT_KEYS = "Enter sends · Ctrl+J new line"


class ConversationPane(Vertical):
    """Shows one conversation, and applies the events of its turns to what is shown."""

    def __init__(self, zone: tzinfo) -> None:
        super().__init__(id="conversation")
        self.zone = zone
        self._retrying = False

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield TitleLine()
        yield Transcript()
        yield Static(id="queue", markup=False)
        prompt = Prompt()
        prompt.border_subtitle = PROMPT_KEYS
        yield prompt

    @property
    def title_line(self) -> TitleLine:
        """The line over the transcript."""
        return self.query_one(TitleLine)

    @property
    def transcript(self) -> Transcript:
        """The messages."""
        return self.query_one(Transcript)

    @property
    def prompt(self) -> Prompt:
        """Where the user writes."""
        return self.query_one(Prompt)

    def show_welcome(self, words: str) -> None:
        """Empty the transcript, for a new conversation."""
        self.transcript.clear()
        self.transcript.placeholder = words
        self.title_line.title = "New conversation"
        self.show_state("")
        self.show_queue(())

    def show_messages(self, title: str, messages: Sequence[Message]) -> None:
        """Show a conversation from its messages, oldest first."""
        self.title_line.title = title
        self.transcript.load([entry_of(message, self.zone) for message in messages])
        self.prompt.remember([message.text for message in messages if message.role is Role.USER])

    def show_notice(self, key: str, words: str) -> None:
        """Say something in the conversation, that is no part of it."""
        self.transcript.append(Entry(key=key, role=EntryRole.NOTICE, body=words))

    def show_queue(self, prompts: Sequence[str]) -> None:
        """Show the prompts that wait for the reply to end."""
        queue = self.query_one("#queue", Static)
        queue.set_class(bool(prompts), "-shown")
        lines = (f"queued  {sanitize_line(text)}" for text in prompts)
        queue.update(Content("\n").join(Content(line) for line in lines))

    def show_state(self, words: str) -> None:
        """Say over the prompt what the turn is doing; empty: nothing runs."""
        if (self.prompt.border_title or "") != words:
            self.prompt.border_title = Content(words) if words else None
        self.prompt.set_class(bool(words), "-busy")

    def show_forecast(self, words: str, *, refused: bool = False) -> None:
        """Say under the prompt what sending it may cost."""
        self.prompt.border_subtitle = Content(f"{words} · Enter") if words and not refused else words
        if not words:
            self.prompt.border_subtitle = PROMPT_KEYS
        self.prompt.set_class(refused, "-refused")

    def advance(self, event: TurnEvent, reply: Message | None) -> None:
        """Apply an event of this conversation's turn.

        Args:
            event: What happened.
            reply: The reply with all that has come so far, once it has started.
        """
        match event:
            case PromptSaved(prompt):
                self.transcript.append(entry_of(prompt, self.zone))
                self.show_state(SENDING)
            case ReplyStarted(started, sent_from):
                self.transcript.set_marker(sent_from)
                self.transcript.append(entry_of(started, self.zone))
                self.show_state(REPLYING)
            case ReplyEnded():
                self._end(event, started=reply is not None)
            case _ if reply is not None:
                self._stream(event, reply)

    def _stream(self, event: TurnEvent, reply: Message) -> None:
        match event:
            case TextDelta(text):
                self.transcript.stream(reply.id, text)
                self._clear_retry(reply.id)
            case ReasoningDelta(text):
                self.transcript.stream_reasoning(reply.id, text)
            case UsageProgress(measured):
                self.transcript.update_entry(reply.id, meta=progress_meta(measured))
            case Retrying(reason, seconds, attempt):
                words = retry_words(reason, seconds, attempt)
                self.transcript.update_entry(reply.id, error=words)
                self._retrying = True

    def _end(self, event: ReplyEnded, *, started: bool) -> None:
        entry = entry_of(event.reply, self.zone)
        if started:
            changes = {f.name: getattr(entry, f.name) for f in fields(entry) if f.name not in ("key", "role")}
            self.transcript.finish(entry.key, **changes)
        else:
            self.transcript.append(entry)
        if ways := ways_out(event):
            self.show_notice(f"{entry.key}/ways", ways)
        self.show_state("")

    def _clear_retry(self, key: str) -> None:
        if self._retrying:
            self._retrying = False
            self.transcript.update_entry(key, error="")
