"""The prompt: where the user writes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import TextArea

from tui.core.chat import Asked, Attachment
from tui.core.text import sanitize
from tui.widgets.hint_bar import bindings_of

MOST_CHARACTERS = 1_000_000
"""Of a prompt: what no context on offer in 2026 holds. In a long line each key costs more."""
MOST_RECALLED = 100
"""Prompts that the Up key remembers."""


class Prompt(TextArea):
    """A text area that grows with its text up to a bound; Enter sends, Ctrl+J is a newline.

    A paste is only ever inserted: a newline in it never sends.
    """

    HELP: ClassVar[str] = (
        "Write your prompt here. Enter sends it, Ctrl+J starts a new line; a paste is never sent by itself. "
        "Up on the first line brings earlier prompts back, Down returns to what you were writing; what you "
        "write and attach is kept, also when Ctroom ends. F10 opens it in your own editor ($VISUAL or "
        "$EDITOR). Ctrl+Z undoes, Ctrl+Y redoes, Ctrl+W takes the word before the cursor, Ctrl+U and Ctrl+K "
        "what is left and right of it in the line. Under the prompt stands what the turn may cost "
        "and what that leaves of today or of the pool; where it would be refused, why, and the ways out. "
        "What you send while a reply streams waits for its turn."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter",
            "submit",
            "send",
            show=False,
            id="prompt.submit",
            tooltip="Send the prompt",
        ),
        Binding(
            "ctrl+j,shift+enter,alt+enter",
            "newline",
            "new line",
            show=False,
            id="prompt.newline",
            tooltip="Start a new line in the prompt",
        ),
        Binding(
            "f10",
            "edit_outside",
            "editor",
            show=False,
            id="prompt.editor",
            tooltip="Write the prompt in your own editor",
        ),
        Binding(
            "pageup",
            "page(-1)",
            "page up",
            show=False,
            id="prompt.page_up",
            tooltip="A page up in the messages, or in a prompt longer than its box",
        ),
        Binding(
            "pagedown",
            "page(1)",
            "page down",
            show=False,
            id="prompt.page_down",
            tooltip="A page down in the messages, or in a prompt longer than its box",
        ),
    ]

    @dataclass(repr=False, eq=False)
    class Submitted(Message):
        """The user sent a prompt."""

        prompt: "Prompt"
        text: str
        attached: tuple[Attachment, ...] = ()

        @property
        def control(self) -> "Prompt":
            """The prompt that it was written in."""
            return self.prompt

    @dataclass(repr=False, eq=False)
    class Pasted(Message):
        """The user pasted a text, which is in the prompt by now."""

        prompt: "Prompt"
        text: str

        @property
        def control(self) -> "Prompt":
            """The prompt that it was pasted into."""
            return self.prompt

    @dataclass(repr=False, eq=False)
    class Paged(Message):
        """The user wants to read on, or back: the whole prompt is in view."""

        prompt: "Prompt"
        step: int
        """Pages down; negative: up."""

        @property
        def control(self) -> "Prompt":
            """The prompt."""
            return self.prompt

    @dataclass(repr=False, eq=False)
    class EditorWanted(Message):
        """The user wants to write in an editor of their own."""

        prompt: "Prompt"

        @property
        def control(self) -> "Prompt":
            """The prompt."""
            return self.prompt

    def __init__(self) -> None:
        super().__init__(
            id="prompt",
            soft_wrap=True,
            tab_behavior="focus",
            placeholder="Ask anything",
            highlight_cursor_line=False,
        )
        self.cursor_blink = False
        self.most = MOST_CHARACTERS
        """Characters that a paste may fill it up to."""
        self.attached: tuple[Attachment, ...] = ()
        """The files that go with what is written."""
        self.untaken: list[Asked] = []
        """Prompts that were sent, of which nobody has heard yet."""
        self.take_first: Callable[[str], bool] | None = None
        """Is asked about each key before the prompt; True where it took it."""
        self._recall: list[str] = []
        self._at = 0
        """Which of them is shown; behind the last stands what is being written."""
        self._edits: dict[int, str] = {}
        """Texts that were written or changed, by their place, until one is sent."""

    def remember(self, texts: list[str]) -> None:
        """Replace what the Up key brings back.

        Args:
            texts: Prompts, oldest first.
        """
        self._recall = texts[-MOST_RECALLED:]
        self._at = len(self._recall)
        self._edits = {}

    def show(self, text: str) -> None:
        """Replace what is written, and go to its end."""
        self.load_text(text)
        self._at = len(self._recall)
        self._edits = {}
        self.move_cursor(self.document.end)

    def rewrite(self, before: str, written: str) -> None:
        """Take over what was written elsewhere, as an edit that can be undone.

        Args:
            before: The text that it began with; what the prompt has come to hold since then is kept below it.
            written: What it is to be.
        """
        if self.text not in (before, ""):
            written = f"{written}\n{self.text}"
        if written != self.text:
            self.replace(written, (0, 0), self.document.end)
        self.move_cursor(self.document.end)

    def put_back(self, text: str) -> None:
        """Place a text that was not sent before whatever is written."""
        written = self.text
        self.load_text(f"{text}\n{written}" if written else text)
        self.move_cursor(self.document.end)

    def action_submit(self) -> None:
        """Send what is written and attached, if there is anything."""
        text, attached = self.text.strip(), self.attached
        if not text and not attached:
            return
        if text:
            self.remember([*self._recall, text])
        self.load_text("")
        self.attached = ()
        self.untaken.append(Asked(text, attached))
        self.post_message(self.Submitted(self, text, attached))

    def taken(self, asked: Asked) -> None:
        """Somebody has a prompt that was sent, and answers for it."""
        if asked in self.untaken:
            self.untaken.remove(asked)

    def action_newline(self) -> None:
        """Start a new line."""
        start, end = self.selection
        if result := self._replace_via_keyboard("\n", start, end):
            self.move_cursor(result.end_location)

    def action_edit_outside(self) -> None:
        """Write in an editor of the user's own."""
        self.post_message(self.EditorWanted(self))

    def action_page(self, step: int) -> None:
        """Read on or back, in the prompt where that has more than is in view."""
        if self.virtual_size.height <= self.size.height:
            self.post_message(self.Paged(self, step))
        elif step < 0:
            self.action_cursor_page_up()
        else:
            self.action_cursor_page_down()

    def action_undo(self) -> None:
        """Take back what was typed last; where there is nothing, say what the key is for."""
        before = self.text
        super().action_undo()
        if self.text == before:
            self.notify("Ctrl+Z takes back typing: there is nothing to take back.", timeout=3)

    def action_cursor_up(self, select: bool = False) -> None:
        """Move up; on the first line, bring back an earlier prompt."""
        if select or not self.cursor_at_first_line or not self._step_recall(-1):
            super().action_cursor_up(select)

    def action_cursor_down(self, select: bool = False) -> None:
        """Move down; on the last line of a prompt that was brought back, go on to a later one."""
        if select or not self.cursor_at_last_line or not self._step_recall(1):
            super().action_cursor_down(select)

    async def _on_key(self, event: events.Key) -> None:
        """Send or break the line, in the order of typing: a priority binding would overtake earlier keys."""
        if self.take_first is not None and self.take_first(event.key):
            event.stop()
            event.prevent_default()
            return
        for binding in bindings_of(self).get(event.key, ()):
            if binding.action in ("submit", "newline"):
                event.stop()
                event.prevent_default()
                await self.run_action(binding.action)
                return
        if event.key.startswith("alt+"):
            event.prevent_default()  # a text area would write the letter, whatever the key is bound to

    async def _on_paste(self, event: events.Paste) -> None:
        """Insert a paste, without anything that could act on the terminal."""
        event.prevent_default()
        event.stop()
        pasted = sanitize(event.text)
        room = max(0, self.most - len(self.text) + len(self.selected_text))
        if len(pasted) > room:
            words = f"A prompt holds {self.most:,} characters: of what was pasted it took {room:,}."
            self.notify(words, severity="warning", timeout=8, markup=False)
        if (taken := pasted[:room]) and (result := self._replace_via_keyboard(taken, *self.selection)):
            self.move_cursor(result.end_location)
            self.post_message(self.Pasted(self, event.text))

    def _step_recall(self, step: int) -> bool:
        """Show the prompt `step` away in the memory; False where that is not what the key means.

        In a text that was changed, the cursor first goes to its beginning or end.
        """
        to, text = self._at + step, self.text
        if not 0 <= to <= len(self._recall):
            return False
        if text != self._remembered(self._at):
            if self.cursor_location != ((0, 0) if step < 0 else self.document.end):
                return False
            self._edits[self._at] = text
        self._at = to
        self.load_text(self._remembered(to))
        self.move_cursor(self.document.end)
        return True

    def _remembered(self, at: int) -> str:
        """The text at a place of the memory, as it was last changed there."""
        return self._edits.get(at, self._recall[at] if at < len(self._recall) else "")
