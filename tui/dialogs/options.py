"""The dialog of a conversation's own options: who it talks as, and how its turns are asked for."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from textual import on
from textual.actions import SkipAction
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.widgets import Static, TextArea

from tui.core.chat import Persona, TurnOptions
from tui.core.errors import InvalidValueError
from tui.core.settings import UserSettings
from tui.core.text import sanitize, sanitize_line
from tui.dialogs.dialog import Dialog
from tui.services import parsing
from tui.services.personas import MOST_NAME
from tui.widgets.checked_field import Check, CheckedField, Choice

NO_PERSONA = "none"
"""Chosen as a persona: no system prompt at all."""
AS_SET = "as in Settings"


class OptionsDialog(Dialog[TurnOptions]):
    """What a conversation does in its own way; what is left empty is as in Settings. Closing keeps it.

    Args:
        options: Those of the conversation.
        user: The user's settings, which hold where an option is empty.
        personas: Those to choose from.
        efforts: The reasoning efforts that the model knows.
    """

    BINDINGS = [
        Binding("down", "step(1)", "down", show=False, id="options.down", tooltip="The field below"),
        Binding("up", "step(-1)", "up", show=False, id="options.up", tooltip="The field above"),
    ]
    AUTO_FOCUS = "#option-persona"

    def __init__(
        self, options: TurnOptions, user: UserSettings, personas: Sequence[Persona], efforts: Sequence[str]
    ) -> None:
        super().__init__()
        self._options = options
        self._user = user
        self._personas = {persona.name: persona for persona in personas}
        self._efforts = tuple(efforts)
        self._named = ""
        """The name that a new persona was given here."""

    def compose(self) -> ComposeResult:
        """A field for each option."""
        options, user = self._options, self._user
        with Vertical(classes="dialog") as frame:
            frame.border_title = "This conversation"
            frame.border_subtitle = "Tab next · Esc close and keep"
            with VerticalScroll(id="options-body", can_focus=False):
                yield _OptionField(
                    "Persona",
                    self._persona_shown(),
                    check=self._check_persona,
                    choices=[Choice(NO_PERSONA, "no system prompt"), *map(_choice, self._personas.values())],
                    placeholder=AS_SET,
                    hint="" if self._personas else "A name keeps the prompt below.",
                    id="option-persona",
                )
                yield Static("System prompt", classes="field-title")
                prompt = TextArea(
                    options.system_prompt or "",
                    id="option-prompt",
                    compact=True,
                    highlight_cursor_line=False,
                    tab_behavior="focus",
                    placeholder=sanitize(user.system_prompt) or "none",
                )
                prompt.cursor_blink = False
                yield prompt
                yield _OptionField(
                    "Temperature",
                    "" if options.temperature is None else f"{options.temperature:g}",
                    check=_checked(parsing.temperature),
                    placeholder="the model's" if user.temperature is None else f"{user.temperature:g}",
                    suffix="0 to 2",
                    id="option-temperature",
                    classes="short",
                )
                yield _OptionField(
                    "Longest reply",
                    "" if options.max_output is None else f"{options.max_output:,}",
                    check=_checked(_optional_output),
                    placeholder=f"{user.max_output:,}",
                    suffix="tokens",
                    id="option-output",
                    classes="short",
                )
                yield _OptionField(
                    "Reasoning",
                    options.reasoning_effort or "",
                    check=_checked(parsing.effort),
                    choices=[Choice(effort) for effort in self._efforts],
                    placeholder=user.reasoning_effort or "the model's",
                    suffix="more effort costs more" if self._efforts else "this model has none",
                    id="option-effort",
                    classes="short",
                )

    def action_step(self, step: int) -> None:
        """Go to the field before or after."""
        if step < 0:
            self.focus_previous()
        else:
            self.focus_next()

    def action_close(self) -> None:
        """Close with what was entered; what can't be taken is said, and keeps the dialog open."""
        prompt = self.query_one("#option-prompt", TextArea)
        try:
            self._take_prompt(parsing.prompt(prompt.text))
        except InvalidValueError as error:
            prompt.focus()
            self.notify(str(error), severity="error", markup=False)
            return
        for field in self.query(CheckedField):
            if not field.judge():
                field.focus()
                field.refuse(f"{field.note} Esc takes it back.")
                return
            if field.dirty:  # it was not left yet
                self._take(field, field.value.strip())
        self.dismiss(self._options)

    @on(TextArea.Changed, "#option-prompt")
    def _prompt_changed(self) -> None:
        """A name that nothing was written for may have its prompt now, or have lost it."""
        if (field := self.query_one("#option-persona", CheckedField)).dirty:
            field.judge()

    @on(CheckedField.Committed)
    def _committed(self, event: CheckedField.Committed) -> None:
        event.stop()
        if event.control.dirty:
            self._take(event.control, event.value.strip())

    def _take(self, field: CheckedField, value: str) -> None:
        """Take over the value of a field, which was checked."""
        match field.id:
            case "option-persona":
                self._choose_persona(value)
                value = self._persona_shown()
            case "option-temperature":
                self._options = replace(self._options, temperature=parsing.temperature(value))
            case "option-output":
                self._options = replace(self._options, max_output=_optional_output(value))
                value = f"{self._options.max_output:,}" if self._options.max_output else ""
            case "option-effort":
                self._options = replace(self._options, reasoning_effort=parsing.effort(value))
                value = self._options.reasoning_effort or ""
        field.settle(value)

    def _choose_persona(self, name: str) -> None:
        """Take over what a persona says; without one, the system prompt is that of the settings."""
        if name == NO_PERSONA:
            chosen, said = "", ""
        elif persona := self._personas.get(name):
            chosen, said = persona.name, persona.system_prompt
        elif name:
            chosen, said = (
                parsing.line(name, MOST_NAME),
                self.query_one("#option-prompt", TextArea).text.strip(),
            )
        else:
            self._options = replace(self._options, persona="", system_prompt=None)
            self.query_one("#option-prompt", TextArea).load_text("")
            return
        self._named = "" if chosen in self._personas else chosen
        self._options = replace(self._options, persona=chosen, system_prompt=said)
        self.query_one("#option-prompt", TextArea).load_text(said)

    def _take_prompt(self, written: str) -> None:
        """Take over what is written; a persona whose words were changed is that persona no longer.

        A new one, which was named here, is whatever is written at the end.
        """
        options = self._options
        if written == (options.system_prompt or ""):
            return
        persona = self._named if written and options.persona == self._named else ""
        self._options = replace(options, persona=persona, system_prompt=written or None)

    def _persona_shown(self) -> str:
        options = self._options
        return NO_PERSONA if options.system_prompt == "" else options.persona

    def _check_persona(self, text: str) -> str | None:
        if (name := text.strip()) in ("", NO_PERSONA, *self._personas):
            return None
        parsing.line(name, MOST_NAME)
        if not self.query_one("#option-prompt", TextArea).text.strip():
            raise InvalidValueError("Choose a persona from the list, or first write what a new one says.")
        return "The system prompt below is kept as a persona of this name."


class _OptionField(CheckedField):
    """A field of a dialog that Escape closes with what was entered; what can't be taken is taken back."""

    def action_restore(self) -> None:
        """Close the list, or take back what can't be taken; where there is neither, close the dialog."""
        listed = self.list_open and bool(self._matching())
        self._close()
        if not self.judge():
            super().action_restore()
        elif not listed:
            raise SkipAction


def _choice(persona: Persona) -> Choice:
    return Choice(persona.name, sanitize_line(persona.system_prompt, 60))


def _optional_output(text: str) -> int | None:
    return parsing.output_tokens(text) if text.strip() else None


def _checked(parse: Callable[[str], object]) -> Check:
    """A check that says nothing of what can be taken."""

    def check(text: str) -> None:
        parse(text)

    return check
