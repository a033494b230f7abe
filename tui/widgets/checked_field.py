"""A field that is checked as it is typed, saved on Enter or on leaving it, and restored by Escape."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual.actions import SkipAction
from textual.binding import Binding, BindingType
from textual.message import Message

from tui.core.errors import InvalidValueError
from tui.core.frozen import frozen
from tui.core.text import sanitize_line
from tui.widgets.field_row import CHOICE, CHOICE_ON, NOTE, FieldRow, fit
from tui.widgets.wrapping import wrap

MOST_CHOICES_SHOWN = 6
LEAST_WORDS = 6
"""Cells for the words about a choice; with fewer they are left out."""
ON = "\u25b8"

Check = Callable[[str], str | None]
"""Raises InvalidValueError for a text that cannot be taken; may return a remark about one that can."""


@frozen
class Choice:
    """A value to choose, with words about it."""

    value: str
    words: str = ""


class CheckedField(FieldRow):
    """One value, typed or chosen from a list.

    Args:
        label: In front of the box.
        value: What is saved now.
        check: Says whether a text can be taken.
        choices: Values offered in a list under the box; Down opens it, typing narrows it.
        strict: Only a value of the list can be taken.
        hint: A note shown while there is nothing more important to say.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter", "commit", "Save", id="field.commit", tooltip="Save what was typed or chosen", show=False
        ),
        Binding(
            "escape", "restore", "Undo", id="field.restore", tooltip="Restore the saved value", show=False
        ),
        Binding(
            "down", "next_choice", "Choose", id="field.next", tooltip="Open the list, or go down", show=False
        ),
        Binding("up", "previous_choice", "Choose", id="field.previous", tooltip="Go up the list", show=False),
    ]

    class Committed(Message):
        """The user wants the value saved."""

        def __init__(self, control: "CheckedField", value: str, *, accepted: bool) -> None:
            super().__init__()
            self._control = control
            self.value = value
            self.accepted = accepted
            """What `ask` asked of this very value was answered with Enter."""

        @property
        def control(self) -> "CheckedField":
            """The field."""
            return self._control

    def __init__(
        self,
        label: str,
        value: str = "",
        *,
        check: Check | None = None,
        choices: Sequence[Choice] = (),
        strict: bool = False,
        hint: str = "",
        placeholder: str = "",
        suffix: str = "",
        lines: bool = False,
        name: str | None = None,
        id: str | None = None,  # noqa: A002 - Textual's own name for it
        classes: str | None = None,
    ) -> None:
        super().__init__(label, placeholder=placeholder, suffix=suffix, name=name, id=id, classes=classes)
        self._saved = value
        self._check = check
        self._choices = tuple(choices)
        self._strict, self._lines = strict, lines
        self._hint = hint
        self._open = False
        self._highlight: int | None = None
        self._asked = ""
        self._sent: str | None = None
        self._buffer.load(value)
        self.show_note(hint)

    @property
    def value(self) -> str:
        """The text in the box."""
        return self._buffer.text

    @property
    def saved(self) -> str:
        """The value that Escape restores."""
        return self._saved

    @property
    def dirty(self) -> bool:
        """Whether the box holds something that is not saved."""
        return self._buffer.text != self._saved

    def load(self, value: str) -> None:
        """Take over a saved value, unless the user is typing another."""
        typing = self.dirty and self._sent is None
        self._saved = value
        if not typing:
            self._buffer.load(value)
            self.refresh()

    def settle(self, value: str, words: str = "") -> None:
        """The value was saved; `words` say so, or what follows from it."""
        self._sent, self._asked = None, ""
        self._saved = value
        self._buffer.load(value)
        self._close()
        self.show_note(words or self._hint, "-saved" if words else "")

    def refuse(self, sentence: str) -> None:
        """The value could not be saved: say why and keep what was typed."""
        self._sent, self._asked = None, ""
        self.show_note(sentence, "-invalid")

    def ask(self, question: str) -> None:
        """Show what the value comes to; only another Enter commits it."""
        self._sent, self._asked = None, self.value
        self.show_note(f"{question}. Enter accepts, Escape undoes.", "-asking")

    def judge(self) -> bool:
        """Say what is wrong with the text, or what it comes to; False where it can't be taken."""
        remark: str | None = None
        try:
            if self.dirty and self._check is not None:
                remark = self._check(self.value)
            if self.dirty and self._strict and not self._open:
                self._need_choice()
        except InvalidValueError as problem:
            self.show_note(str(problem), "-invalid")
            return False
        self.show_note(remark or self._hint)
        return True

    def set_choices(self, choices: Sequence[Choice]) -> None:
        """Offer other values."""
        self._choices = tuple(choices)
        if self._open:
            self.grow()
        else:
            self.refresh()

    def set_hint(self, hint: str) -> None:
        """Change the note that is shown while there is nothing more important to say."""
        if self._note == self._hint:
            self.show_note(hint)
        self._hint = hint

    def consume(self, key: str, character: str | None) -> bool:
        """Type, edit, or break the line where the value may have lines."""
        if key == "ctrl+j" and self._lines:
            self.insert("\n")
            return True
        return super().consume(key, character)

    def edited(self) -> None:
        """Check what was typed, and narrow the list."""
        self._asked, self._highlight = "", None
        if self._choices and self.dirty:
            self._open = True
        self.judge()
        super().edited()

    @property
    def list_open(self) -> bool:
        """Whether the list is open."""
        return self._open

    def mark_text(self) -> str:
        """A sign that there is a list."""
        return "\u25be" if self._choices else " "

    def lines_below(self, width: int) -> list[tuple[str, str]]:
        """The list where it is open, then the note."""
        if not self._open:
            return super().lines_below(width)
        found = self._matching()
        at = self._highlight or 0
        first = max(0, min(at - MOST_CHOICES_SHOWN // 2, len(found) - MOST_CHOICES_SHOWN))
        shown = found[first : first + MOST_CHOICES_SHOWN]
        wide = max((cell_len(choice.value) for choice in shown), default=0)
        roomy = width - wide - 4 >= LEAST_WORDS
        lines = []
        for index, choice in enumerate(shown, first):
            on = index == self._highlight
            value = sanitize_line(choice.value, max(2, width - 2))
            text = f"{value:<{wide}}  {sanitize_line(choice.words)}" if choice.words and roomy else value
            lines.append((fit(f"{ON if on else ' '} {text}", width), CHOICE_ON if on else CHOICE))
        if left := len(found) - first - len(shown):
            lines.append((f"  {left} more \u2193", NOTE))
        if self._note:
            lines += [(line, NOTE) for line in wrap(self._note, width)]
        return lines

    def action_commit(self) -> None:
        """Save: what is chosen in the list, else what was typed."""
        if self._open and (chosen := self._chosen()) is not None:
            self._buffer.load(chosen)
        elif not self._open and self._strict and not self.dirty:
            self.action_next_choice()
            return
        self._close()
        self._commit(entered=True)

    def action_restore(self) -> None:
        """Put back the saved value and close the list."""
        if not (self._open or self.dirty or self._asked):
            raise SkipAction
        self._asked = ""
        self._buffer.load(self._saved)
        self._close()
        self.show_note(self._hint)

    def action_next_choice(self) -> None:
        """Open the list, or go to its next value."""
        if not self._choices:
            raise SkipAction
        found = self._matching()
        if not self._open:
            self._open = True
            values = [choice.value for choice in found]
            self._highlight = values.index(self.value) if self.value in values else None
        elif found:
            self._highlight = 0 if self._highlight is None else min(self._highlight + 1, len(found) - 1)
        self.grow()

    def action_previous_choice(self) -> None:
        """Go to the list's previous value."""
        if not self._open:
            raise SkipAction
        if self._matching():
            self._highlight = max(0, (self._highlight or 0) - 1)
            self.grow()

    def on_click(self, event: events.Click) -> None:
        """Choose the value that was clicked, or open the list."""
        if event.y == 0:
            if self._choices and not self._open:
                self.action_next_choice()
            return
        found = self._matching() if self._open else ()
        first = max(0, min((self._highlight or 0) - MOST_CHOICES_SHOWN // 2, len(found) - MOST_CHOICES_SHOWN))
        if 0 < event.y <= min(MOST_CHOICES_SHOWN, len(found)):
            self._highlight = first + event.y - 1
            self.action_commit()

    async def on_event(self, event: events.Event) -> None:
        """Type before anything else sees the key."""
        if isinstance(event, events.Key) and self.consume(event.key, event.character):
            event.stop()
            return
        if isinstance(event, events.Paste):
            text = event.text if self._lines else " ".join(event.text.split())
            self.insert(text)
            event.stop()
            return
        await super().on_event(event)

    def on_focus(self) -> None:
        """Draw the cursor, and forget what was said of an earlier save."""
        self.refresh()
        if self.has_class("-saved"):
            self.show_note(self._hint)

    def on_blur(self) -> None:
        """Save what was typed, unless it was the whole terminal that lost the focus."""
        self.refresh()
        if not self.app.app_focus:
            return
        self._close()
        self._commit(entered=False)

    def _commit(self, *, entered: bool) -> None:
        accepted = bool(self._asked) and self._asked == self.value
        if not self.dirty or self._sent == self.value or (accepted and not entered) or not self.judge():
            return
        self._sent = self.value
        self.post_message(self.Committed(self, self.value, accepted=accepted))

    def _need_choice(self) -> None:
        values = [choice.value for choice in self._choices]
        if self.value not in values:
            raise InvalidValueError(f"Choose one of: {', '.join(values)}.")

    def _matching(self) -> tuple[Choice, ...]:
        """The values that hold what was typed, those that begin with it first; all before typing."""
        typed = self.value.strip().casefold()
        if not self.dirty or not typed:
            return self._choices
        found = [choice for choice in self._choices if typed in choice.value.casefold()]
        return tuple(sorted(found, key=lambda choice: not choice.value.casefold().startswith(typed)))

    def _chosen(self) -> str | None:
        found = self._matching()
        if self._highlight is not None and self._highlight < len(found):
            return found[self._highlight].value
        return found[0].value if self._strict and self.dirty and found else None

    def _close(self) -> None:
        if not self._open:
            return
        self._open, self._highlight = False, None
        self.refresh(layout=True)
