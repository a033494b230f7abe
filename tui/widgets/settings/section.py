"""What every section of the settings shares: its number and title, and how a field's value is saved."""

from collections.abc import Coroutine

from textual import events, on
from textual.containers import Vertical
from textual.message import Message
from textual.widget import Widget

from tui.core.errors import CtroomError
from tui.services.services import Services
from tui.widgets.checked_field import CheckedField
from tui.widgets.settings.setting_fields import shown_value
from tui.widgets.settings.titles import TITLES
from tui.widgets.toggle import Toggle

SAVED = "saved"
HERE = "\u25b8"


class Section(Vertical):
    """A numbered part of the settings.

    Fields whose `name` is a setting's dotted name are saved, refused and reloaded here.

    Args:
        services: What reads and changes the settings.
        number: Its number, which is also the key that jumps to it.
    """

    class Ended(Message):
        """An attempt to save came to its end."""

        def __init__(self, control: Widget, words: str, *, ok: bool) -> None:
            super().__init__()
            self._control = control
            self.words = words
            self.ok = ok

        @property
        def control(self) -> Widget:
            """The field whose value was to be saved."""
            return self._control

    def __init__(self, services: Services, number: int, *, id: str) -> None:  # noqa: A002
        super().__init__(id=id, classes="settings-section")
        self.services = services
        self.number = number
        self._title = f"{number} {TITLES[number]}"
        self.border_title = self._title

    def reload(self) -> None:
        """Take over what was changed elsewhere; a field that is being typed in is left alone."""
        known = self.services.settings.names()
        for field in self.query(CheckedField):
            if field.name in known:
                field.load(shown_value(self.services, field.name))
        for toggle in self.query(Toggle):
            if toggle.name in known:
                toggle.on = self.services.settings.get(toggle.name) == "true"

    @on(events.DescendantFocus)
    def _mark(self) -> None:
        """Mark the section. The pseudo-class `:focus-within` would restyle all its fields at each Tab."""
        self.border_title = f"{HERE} {self._title}"

    @on(events.DescendantBlur)
    def _unmark(self) -> None:
        """Take the mark away."""
        self.border_title = self._title

    def focus_first(self) -> None:
        """Put the focus on the section's first field; whoever calls brings the section into view."""
        for widget in self.query("*"):
            if widget.focusable:
                widget.focus(scroll_visible=False)
                return

    def switch(self, name: str, words: str, *, label: str = "") -> Toggle:
        """A toggle for the setting of that dotted name."""
        return Toggle(words, self.services.settings.get(name) == "true", label=label, name=name)

    def attempt(self, field: Widget, work: Coroutine[object, object, str]) -> None:
        """Run work that saves a field's value; the words it returns, or its failure, go beside the field."""
        self.run_worker(self._attempt(field, work), group="save", exit_on_error=False)

    def ended(self, field: Widget, words: str, *, ok: bool) -> None:
        """Show how an attempt ended; sections with fields of their own say more."""
        match field:
            case CheckedField() if not ok:
                field.refuse(words)
            case CheckedField():
                there = field.name in self.services.settings.names()  # a tier may just have been removed
                field.settle(shown_value(self.services, field.name) if there and field.name else "", words)
            case Toggle() if not ok:
                field.refuse(words)

    async def _attempt(self, field: Widget, work: Coroutine[object, object, str]) -> None:
        try:
            words = await work
        except CtroomError as error:
            self.post_message(self.Ended(field, str(error), ok=False))
        else:
            self.post_message(self.Ended(field, words, ok=True))

    async def _set(self, name: str, text: str) -> str:
        await self.services.settings.set(name, text)
        return SAVED

    @on(Ended)
    def _on_ended(self, event: Ended) -> None:
        event.stop()
        self.ended(event.control, event.words, ok=event.ok)

    @on(CheckedField.Committed)
    def _on_committed(self, event: CheckedField.Committed) -> None:
        event.stop()
        if event.control.name:
            self.attempt(event.control, self._set(event.control.name, event.value))

    @on(Toggle.Flipped)
    def _on_flipped(self, event: Toggle.Flipped) -> None:
        event.stop()
        if event.control.name:
            self.attempt(event.control, self._set(event.control.name, "true" if event.on else "false"))
