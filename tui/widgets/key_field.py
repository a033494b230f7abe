"""The field for an API key. Its text reaches the screen masked, and nothing else at all.

Textual's own Input gave a key to copy, to cut, and six times to the file that TEXTUAL_LOG names. Here typed
and pasted text is taken before Textual writes an event to its log, no message carries it, and there is no
selection; the one way out is `take`.
"""

import re
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.actions import SkipAction
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import var
from textual.selection import Selection

from tui.core.text import last_four
from tui.widgets.field_row import REVERSE, FieldRow

BULLET = "\u2022"
BULLETS = BULLET * 16
"""A masked key always has as many: its length is nobody's business."""
FEWEST_BULLETS = 4
LONGEST_KEY = 512
_PREFIX = re.compile(r"sk-(?:[a-z]{2,8}\d{0,2}-)?|AIza|AQ\.|[a-z]{2,5}[_-]")


def key_prefix(key: str) -> str:
    """The public beginning of a key that says whose and which kind it is: `sk-proj-`, `AIza`."""
    match = _PREFIX.match(key)
    return match[0] if match and len(key) >= len(match[0]) + 12 else ""


def mask(key: str) -> str:
    """The key as it may be shown: its prefix, bullets, its last four characters."""
    return f"{key_prefix(key)}{BULLETS}{last_four(key)}" if key else ""


def key_problem(text: str) -> str | None:
    """What makes a text impossible as a key, in words; None where nothing does."""
    if len(text) >= LONGEST_KEY:
        return "That is too long to be a key."
    if re.search(r"\s", text):
        return "A key has no spaces: paste the key alone."
    if not text.isascii() or not text.isprintable():
        return "A key has only plain letters, digits and signs: copy it again from the provider."
    return None


class KeyField(FieldRow):
    """A box for a key, masked unless it is revealed.

    Args:
        label: In front of the box.
        kept: A key that is kept already, masked; empty where none is.
        placeholder: In the box while no key is kept.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Save", id="key.submit", tooltip="Test the key and keep it", show=False),
        Binding("escape", "discard", "Undo", id="key.discard", tooltip="Discard what was typed", show=False),
        Binding(
            "ctrl+r", "reveal", "Show", id="key.reveal", tooltip="Show or hide the typed key", show=False
        ),
        Binding(
            "ctrl+c,super+c,ctrl+x",
            "refuse_copy",
            "Copy",
            id="key.copy",
            tooltip="Say that a key is never copied",
            show=False,
            priority=True,
        ),
    ]

    revealed: var[bool] = var(False)
    """Whether what was typed is shown in full. Hidden again when the field and its buttons are left."""
    kept: var[str] = var("")
    """The key that is kept, masked."""

    class Submitted(Message):
        """The user wants the typed key tested and kept. The key is asked of the `control` by `take`."""

        def __init__(self, control: "KeyField") -> None:
            super().__init__()
            self._control = control

        @property
        def control(self) -> "KeyField":
            """The field."""
            return self._control

    def __init__(
        self,
        label: str,
        *,
        kept: str = "",
        placeholder: str = "paste or type a key",
        name: str | None = None,
        id: str | None = None,  # noqa: A002 - Textual's own name for it
        classes: str | None = None,
    ) -> None:
        super().__init__(label, placeholder=placeholder, limit=LONGEST_KEY, name=name, id=id, classes=classes)
        self.set_reactive(KeyField.kept, kept)
        self._whole = False
        """Whether the text came in one piece, as a paste, and was not edited since."""

    @property
    def filled(self) -> bool:
        """Whether a key was typed that is not kept yet."""
        return bool(self._buffer.text)

    @property
    def problem(self) -> str | None:
        """What is wrong with what was typed, in words."""
        return key_problem(self._buffer.text) if self.filled else None

    def take(self) -> str:
        """The typed key; the field is empty after it."""
        key = self._buffer.text
        self._buffer.load("")
        self.revealed = False
        self.refresh()
        return key

    def put_back(self, key: str) -> None:
        """Return a key that was not kept, so that it can be corrected; what was typed meanwhile stands."""
        if not self.filled:
            self._buffer.load(key)
            self._whole = True
            self.refresh()

    def consume(self, key: str, character: str | None) -> bool:
        """Type or edit; the end of a text that was edited stays hidden."""
        before = self._buffer.text
        consumed = super().consume(key, character)
        self._whole = self._whole and self._buffer.text == before
        return consumed

    def fitted(self, text: str, width: int) -> str:
        """Bullets make room: both ends of a masked key are to be seen."""
        surplus = max(0, len(text) - width)
        shortened = re.sub(
            f"{BULLET}+", lambda run: BULLET * max(FEWEST_BULLETS, len(run[0]) - surplus), text
        )
        return super().fitted(shortened, width)

    def box_text(self) -> str:
        """The typed key, masked one for one so that the cursor stands right; else the kept one."""
        text = self._buffer.text
        if not text:
            return "" if self.has_focus else self.kept
        if self.revealed:
            return text
        # While a key is typed, its last four would be every character of it, one after the other.
        prefix, last = len(key_prefix(text)), len(last_four(text)) if self._whole else 0
        return text[:prefix] + BULLET * (len(text) - prefix - last) + text[len(text) - last :]

    def edited(self) -> None:
        """Check what was typed."""
        problem = self.problem
        if problem or self.note:
            self.show_note(problem or "", "-invalid" if problem else "")
        super().edited()

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:  # noqa: ARG002 - Textual's signature
        """Nothing of a key can be selected."""
        return None

    def action_submit(self) -> None:
        """Hand the typed key over, if there is one and it can be a key."""
        if self.filled and not self.problem:
            self.post_message(self.Submitted(self))

    def action_discard(self) -> None:
        """Forget what was typed."""
        if not self.filled:
            raise SkipAction
        self.take()
        self.show_note("")

    def action_reveal(self) -> None:
        """Show what was typed, or hide it."""
        if self.filled:
            self.revealed = not self.revealed
        elif self.kept:
            self.show_note("A kept key is never shown again. Paste another to replace it.")

    def action_refuse_copy(self) -> None:
        """Say that a key is never copied from here."""
        self.show_note("A key can't be copied or cut from here.")

    def watch_revealed(self) -> None:
        """Draw it the other way."""
        self.refresh()

    def watch_kept(self) -> None:
        """Draw the other key."""
        self.refresh()

    async def on_event(self, event: events.Event) -> None:
        """Take keys and pastes here: what reaches Textual's handlers is written to its log."""
        if isinstance(event, events.Key) and self.consume(event.key, event.character):
            event.stop()
            return
        if isinstance(event, events.Paste):
            pasted = event.text.strip()[:LONGEST_KEY]
            self.insert(pasted)
            self._whole = self._buffer.text == pasted
            event.text = ""
            event.stop()
            return
        await super().on_event(event)

    def on_focus(self) -> None:
        """Draw the cursor."""
        self.refresh()

    def on_blur(self) -> None:
        """Hide the key, unless the focus went to a button beside the field."""
        focused = self.screen.focused
        if focused is None or focused.parent is not self.parent:
            self.revealed = False
        self.refresh()

    def _box(self, width: int) -> list[Segment]:
        if self.has_focus and not self.filled and self.kept:
            shown, style = self.kept[: width - 1], self._style("field--box")
            return [
                Segment(shown[:1], style + REVERSE),
                Segment(f"{shown[1:]:<{width - 1}}", style),
            ]
        return super()._box(width)
