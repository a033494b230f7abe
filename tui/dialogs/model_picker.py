"""The dialog that chooses who answers: a provider and one of its models."""

from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from tui.core.chat import ModelInfo
from tui.core.quota import KeySource
from tui.core.settings import provider_name
from tui.core.text import sanitize_line
from tui.dialogs.dialog import Dialog
from tui.services.services import Services
from tui.widgets.muted import MUTED

MOST_SHOWN = 60
"""Models listed per provider; the filter reaches the others."""
CONTEXT, CONTEXT_WIDTH = (" tokens of context", " tokens", ""), 11
"""What the figure of a model's context is of, from the longest; and the cells of the figure."""
BESIDE_NAME = 8
"""Cells of a row before the name of a model, after it, and for the scrollbar."""
MOST_NAME = 34
"""Characters of a model's name, so that its context has room at 80 columns."""


class ModelPicker(Dialog[tuple[str, str]]):
    """A filter over the models of every provider; lists come from the providers, the offline ones first.

    Args:
        services: The session's services.
        provider: The provider in use.
        model: The model in use.
    """

    BINDINGS = [
        Binding("down", "move(1)", "down", show=False, id="models.down", tooltip="The model below"),
        Binding("up", "move(-1)", "up", show=False, id="models.up", tooltip="The model above"),
        Binding("pagedown", "page(1)", "page down", show=False, id="models.page_down", tooltip="A page down"),
        Binding("pageup", "page(-1)", "page up", show=False, id="models.page_up", tooltip="A page up"),
    ]
    AUTO_FOCUS = "Input"

    @dataclass
    class _Listed(Message):
        """A provider said which models it has."""

        provider: str

    def __init__(self, services: Services, provider: str, model: str) -> None:
        super().__init__()
        self._services = services
        self._models = services.models
        self._current = (provider, model)
        self._choices: dict[str, tuple[str, str]] = {}

    def compose(self) -> ComposeResult:
        """The filter over the list."""
        with Vertical(classes="dialog", id="models-frame") as frame:
            frame.border_title = "Provider and model"
            frame.border_subtitle = "Enter choose · Esc close"
            yield Input(placeholder="Filter, or the name of a model", id="model-filter", compact=True)
            options = OptionList(id="models", markup=False, compact=True)
            options.can_focus = False
            yield options

    def on_mount(self) -> None:
        """Show what is known, and ask the providers that have a key."""
        self._show("")
        for provider in self._models.providers():
            if not self._services.keys.status(provider).missing:
                self.run_worker(self._fetch(provider), group="models", exit_on_error=False)

    def on_resize(self) -> None:
        """As much is said of a model as there is room for."""
        self.call_after_refresh(self._listed)

    def action_move(self, step: int) -> None:
        """Move the highlight."""
        options = self.query_one(OptionList)
        if step > 0:
            options.action_cursor_down()
        else:
            options.action_cursor_up()

    def action_page(self, step: int) -> None:
        """Move the highlight by a page."""
        for _ in range(max(1, self.query_one(OptionList).size.height - 1)):
            self.action_move(step)

    async def _fetch(self, provider: str) -> None:
        await self._models.list(provider)
        self.post_message(self._Listed(provider))

    @on(_Listed)
    def _listed(self) -> None:
        self._show(self.query_one(Input).value)

    @on(Input.Changed)
    def _filtered(self, event: Input.Changed) -> None:
        self._show(event.value)

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self.query_one(OptionList).action_select()

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._choices.get(event.option_id or ""))

    def _show(self, wanted: str) -> None:
        """List what matches; the highlight stays on its model, else goes to the first."""
        options = self.query_one(OptionList)
        kept = options.highlighted_option.id if options.highlighted_option else None
        rows, self._choices = self._rows(wanted.strip())
        options.set_options(rows)
        current = next((key for key, choice in self._choices.items() if choice == self._current), None)
        for key in (kept, current, next(iter(self._choices), None)):
            if key in self._choices:
                options.highlighted = options.get_option_index(key)
                self.call_after_refresh(options.scroll_to_highlight)
                break

    def _rows(self, wanted: str) -> tuple[list[Option], dict[str, tuple[str, str]]]:
        """The rows, and what each stands for: models that match, then the written name itself."""
        rows: list[Option] = []
        choices: dict[str, tuple[str, str]] = {}
        words = wanted.lower().split()
        unlisted = []
        for provider in self._models.providers():
            models = [m for m in self._models.known(provider) if _matches(words, provider, m)][:MOST_SHOWN]
            if not models:
                unlisted.append(provider)
                continue
            rows.append(Option(self._heading(provider), disabled=True))
            column = min(MOST_NAME, max(cell_len(model.id) for model in models))
            room = self.query_one(OptionList).size.width - column - BESIDE_NAME
            unit = next((unit for unit in CONTEXT if CONTEXT_WIDTH + len(unit) <= room), None)
            for model in models:
                choices[f"{provider}/{model.id}"] = (provider, model.id)
                rows.append(Option(self._row(provider, model, column, unit), id=f"{provider}/{model.id}"))
        for provider in unlisted:
            if len(words) == 1 and provider != "demo":
                choices[f"{provider}/{wanted}"] = (provider, wanted)
                label = f"  Ask {provider_name(provider)} for \u201c{sanitize_line(wanted, MOST_NAME)}\u201d"
                rows.append(Option(Content(label), id=f"{provider}/{wanted}"))
        return rows, choices

    def _heading(self, provider: str) -> Content:
        status = self._services.keys.status(provider)
        state = "no key yet" if status.missing else _SOURCES[status.source]
        return Content.assemble((provider_name(provider), "bold"), f"  {state}")

    def _row(self, provider: str, model: ModelInfo, column: int, unit: str | None) -> Content:
        """A model; its context only where there is a unit for it."""
        mark = "▌ " if (provider, model.id) == self._current else "  "
        name = set_cell_size(sanitize_line(model.id, MOST_NAME), column)
        said = model.context and unit is not None
        context = f"  {model.context:>{CONTEXT_WIDTH},}{unit}" if said else ""
        return Content.assemble(f"  {mark}{name}", (context, MUTED))


_SOURCES = {KeySource.DEFAULT: "default key", KeySource.OWN: "your key", KeySource.NONE: "no key needed"}


def _matches(words: list[str], provider: str, model: ModelInfo) -> bool:
    text = f"{provider} {provider_name(provider)} {model.id} {model.name or ''}".lower()
    return all(word in text for word in words)
