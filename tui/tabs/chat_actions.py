"""What can be done to a message: edit it, have it anew, continue it, go to another version of it."""

from dataclasses import dataclass
from typing import Any, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message as UiMessage

from tui.core.chat import Message
from tui.services.branches import OpenBranch, can_carry_on
from tui.tabs.chat_entries import BUSY
from tui.widgets.prompt import Prompt
from tui.widgets.transcript import Transcript


class MessageActions(Vertical):
    """A transcript over a prompt, and what acts on a message.

    That is the message in focus in the transcript, else the last.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "edit", "edit", show=False, id="chat.edit", tooltip="Edit the prompt and send it again"),
        Binding(
            "ctrl+r,g",
            "again",
            "again",
            show=False,
            id="chat.again",
            tooltip="Have the reply anew; try again after a failure",
        ),
        Binding(
            "ctrl+l,c",
            "carry_on",
            "continue",
            id="chat.continue",
            tooltip="Continue a reply that was cut off",
        ),
        Binding(
            "left_square_bracket",
            "switch(-1)",
            "previous version",
            show=False,
            key_display="[",
            id="chat.previous_version",
            tooltip="Go to the previous version of the message, on its branch",
        ),
        Binding(
            "right_square_bracket",
            "switch(1)",
            "next version",
            show=False,
            key_display="]",
            id="chat.next_version",
            tooltip="Go to the next version of the message, on its branch",
        ),
        Binding(
            "ctrl+end",
            "follow",
            "newest",
            show=False,
            id="chat.follow",
            tooltip="Go to the end of the conversation and stay there",
        ),
    ]

    @dataclass(repr=False, eq=False)
    class ReplyRequested(UiMessage):
        """A reply is to be had anew, or continued."""

        pane: "MessageActions"
        message_id: str
        """The reply; or the prompt, where it has none."""
        carry_on: bool

        @property
        def control(self) -> "MessageActions":
            """The pane."""
            return self.pane

    @dataclass(repr=False, eq=False)
    class VersionRequested(UiMessage):
        """Another version of a message is to be shown, with what follows it."""

        pane: "MessageActions"
        message_id: str

        @property
        def control(self) -> "MessageActions":
            """The pane."""
            return self.pane

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.transcript = Transcript()
        self.prompt = Prompt()
        self.branch = OpenBranch()
        """The messages that are shown."""
        self.editing: Message | None = None
        """The prompt that what is written would stand in place of."""
        self._written = ""
        self.state = ""
        """What the turn is doing, in words; empty where none runs."""
        self._below = 0

    @property
    def busy(self) -> bool:
        """Whether a turn of this conversation runs."""
        return bool(self.state)

    def state_words(self) -> str:
        """What the turn is doing, at this moment."""
        return self.state

    def show_border(self) -> None:
        """Say over the prompt what the turn is doing, what is edited, and what came below."""
        words = [self.state_words()]
        if self.editing is not None:
            words.append(f"Editing prompt {self.branch.number(self.editing.id)} · Esc cancels")
        if self._below:
            lines = "1 new line" if self._below == 1 else f"{self._below:,} new lines"
            words.append(f"↓ {lines} · Ctrl+End")
        shown = " · ".join(filter(None, words))
        self.prompt.border_title = Content(shown) if shown else None

    @on(Transcript.FollowingChanged)
    def _following_changed(self, event: Transcript.FollowingChanged) -> None:
        self._below = 0 if event.following else event.new_lines
        self.show_border()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What acts on a message needs one that it can act on."""
        if action not in ("edit", "again", "carry_on", "switch"):
            return True
        if (message := self._message_meant()) is None:
            return False
        if action == "edit":
            return self.branch.prompt_of(message) is not None
        if action == "carry_on":
            return not self.busy and can_carry_on(self.branch.reply_of(message))
        if action == "switch":
            return self._version(int(str(parameters[0]))) is not None
        return True

    def _message_meant(self) -> Message | None:
        """The message in focus in the transcript, else the last."""
        at = self.transcript.cursor
        if self.screen.focused is self.transcript and 0 <= at < len(self.transcript.keys):
            return self.branch.get(self.transcript.keys[at].partition("/")[0])
        return self.branch.tail

    def _version(self, step: int) -> Message | None:
        """Another version of the message in focus, or of its prompt; else of the last that has any."""
        message = self._message_meant()
        if message is not None and self.screen.focused is self.transcript:
            prompt = self.branch.prompt_of(message)
            candidates = [message, *([prompt] if prompt else [])]
            message = next((one for one in candidates if self.branch.place(one.id)), None)
        else:
            message = self.branch.last_with_versions
        return self.branch.beside(message.id, step) if message else None

    def action_edit(self) -> None:
        """Bring a prompt back to be written anew; the old one is kept, with what followed it."""
        message = self._message_meant()
        prompt = self.branch.prompt_of(message) if message else None
        if prompt is None or self._is_busy():
            return
        if self.editing is None:
            self._written = self.prompt.text
        self.editing = prompt
        self.prompt.show(prompt.text)
        self.prompt.focus()
        self.transcript.scroll_to_entry(prompt.id)
        self.prompt.add_class("-editing")
        self.show_border()
        self.refresh_bindings()

    def end_editing(self, *, restore: bool = False) -> Message | None:
        """End the editing of an earlier prompt, if one is edited.

        Args:
            restore: Whether what was written before comes back.

        Returns:
            The prompt that was edited.
        """
        edited, self.editing = self.editing, None
        if edited is None:
            return None
        if restore:
            self.prompt.show(self._written)
        self._written = ""
        self.prompt.remove_class("-editing")
        self.show_border()
        self.refresh_bindings()
        return edited

    def action_again(self) -> None:
        """Ask for the reply anew."""
        if (message := self._message_meant()) is not None and not self._is_busy():
            self.post_message(self.ReplyRequested(self, self.branch.reply_of(message).id, carry_on=False))

    def action_carry_on(self) -> None:
        """Ask for the rest of a reply that was cut off."""
        if (message := self._message_meant()) is not None:
            self.post_message(self.ReplyRequested(self, self.branch.reply_of(message).id, carry_on=True))

    def action_switch(self, step: int) -> None:
        """Go to another version of a message."""
        if (other := self._version(step)) is not None and not self._is_busy():
            self.post_message(self.VersionRequested(self, other.id))

    def action_follow(self) -> None:
        """Go to the end of the conversation and stay there."""
        self.transcript.action_follow()

    def _is_busy(self) -> bool:
        if self.busy:
            self.notify(BUSY, timeout=4, markup=False)
        return self.busy
