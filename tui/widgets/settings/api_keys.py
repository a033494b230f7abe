"""Section 1: whose keys are used, and the keys themselves."""

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import Static

from tui.core.settings import POOLED, provider_name
from tui.services.keys import USE_CUSTOM
from tui.services.services import Services
from tui.widgets.radio_group import RadioGroup, RadioOption
from tui.widgets.settings.key_row import KeyRow
from tui.widgets.settings.key_slots import DefaultKey, OwnKey, kept_words
from tui.widgets.settings.section import Section
from tui.widgets.settings.titles import KEYS
from tui.widgets.toggle import Toggle


class ApiKeysSection(Section):
    """The choice between the host's keys and the user's own, and the fields for both.

    Args:
        services: What reads and changes keys and settings.
    """

    def __init__(self, services: Services) -> None:
        super().__init__(services, KEYS, id="settings-keys")
        self._own = {provider: OwnKey(services, provider) for provider in POOLED}

    def compose(self) -> ComposeResult:
        """The radio, a block for each provider, and the host's keys for an admin."""
        yield RadioGroup(self._options(), self._chosen(), id="key-choice")
        with Vertical(id="own-keys", classes="" if self._chosen() == "own" else "-idle"):
            for provider in POOLED:
                label = f"{provider_name(provider):<8}"
                yield self.switch(f"{provider}.use_own_key", "use my key", label=label)
                yield KeyRow(self._own[provider], id=f"own-key-{provider}")
            yield Toggle("keep new keys for this session only", id="session-only")
            yield Static(self._where(), id="key-place", markup=False)
        if self.services.settings.is_admin():
            with Vertical(id="default-keys"):
                yield Static("Default keys, for everyone who has none", classes="settings-subtitle")
                for provider in POOLED:
                    yield KeyRow(DefaultKey(self.services, provider), id=f"default-key-{provider}")

    def reload(self) -> None:
        """Take over the mode, the toggles and what is known of the keys."""
        super().reload()
        radio = self.query_one(RadioGroup)
        radio.set_options(self._options())
        radio.chosen = self._chosen()
        for row in self.query(KeyRow):
            row.reload()
        self.query_one("#own-keys").set_class(self._chosen() != "own", "-idle")

    def focus_key(self, provider: str) -> None:
        """Put the focus on the field of the user's own key for a provider."""
        self.query_one(f"#own-key-{provider}", KeyRow).field.focus()

    def ended(self, field: Widget, words: str, *, ok: bool) -> None:
        """Put the radio back where the choice could not be saved."""
        if isinstance(field, RadioGroup) and not ok:
            field.chosen = self._chosen()
            field.note = words
        super().ended(field, words, ok=ok)

    @on(RadioGroup.Chosen)
    def _on_chosen(self, event: RadioGroup.Chosen) -> None:
        event.stop()
        self.attempt(event.control, self._set(USE_CUSTOM, "true" if event.value == "own" else "false"))

    @on(Toggle.Flipped, "#session-only")
    def _on_session_only(self, event: Toggle.Flipped) -> None:
        event.stop()
        for slot in self._own.values():
            slot.session_only = event.on
        self.query_one("#key-place", Static).update(self._where())

    def _chosen(self) -> str:
        return "own" if self.services.settings.user().api_keys.use_custom else "default"

    def _options(self) -> tuple[RadioOption, ...]:
        host = self.services.settings.host().host_name
        limit = self.services.settings.tier_limit()
        allowance = "unlimited by tier" if limit is None else f"limited to {limit:,} tokens/day"
        return (
            RadioOption(
                "default",
                f"Use default keys ({host})" if host else "Use default keys",
                f"No setup required \u00b7 {allowance}",
            ),
            RadioOption("own", "Use my own keys", "Unlimited usage \u00b7 you pay for your own API calls"),
        )

    def _where(self) -> str:
        here = any(slot.session_only for slot in self._own.values())
        place = "this session only" if here else self.services.keys.where_new_keys_go()
        return f"A new key is tested first, then {kept_words(place)}."
