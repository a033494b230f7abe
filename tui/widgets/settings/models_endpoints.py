"""Section 3: which models new conversations start with, and the servers besides the two providers."""

import asyncio
from importlib import metadata

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from tui.core.settings import POOLED, Endpoint, GoogleSdk, provider_name
from tui.services.services import Services
from tui.widgets.checked_field import CheckedField, Choice
from tui.widgets.settings.endpoints import EndpointBlock, parse_endpoint
from tui.widgets.settings.section import Section
from tui.widgets.settings.setting_fields import setting_field
from tui.widgets.settings.titles import MODELS
from tui.widgets.text_button import TextButton


class ModelsEndpointsSection(Section):
    """Default provider and models, the Google SDK, addresses, and OpenAI-compatible servers.

    Args:
        services: What reads and changes them, and lists models.
    """

    class SdksFound(Message):
        """It was found out which of Google's SDKs are installed."""

        def __init__(self, choices: tuple[Choice, ...]) -> None:
            super().__init__()
            self.choices = choices

    class Listed(Message):
        """A provider was asked for its models."""

        def __init__(self, provider: str) -> None:
            super().__init__()
            self.provider = provider

    def __init__(self, services: Services) -> None:
        super().__init__(services, MODELS, id="settings-models")
        self._admin = services.settings.is_admin()
        self._asked: set[str] = set()

    def compose(self) -> ComposeResult:
        """The models, what an admin decides, and a block for each endpoint."""
        yield setting_field(
            self.services,
            "provider",
            "Provider",
            choices=self._providers(),
            placeholder="the first with a key",
            hint="New conversations start with it.",
        )
        for provider in POOLED:
            yield setting_field(
                self.services,
                f"{provider}.model",
                f"{provider_name(provider)} model",
                choices=self._models(provider),
                placeholder="choose or type",
            )
        if self._admin:
            yield setting_field(self.services, "google.sdk", "Google SDK", choices=_sdks(), strict=True)
            for provider in POOLED:
                yield setting_field(
                    self.services,
                    f"{provider}.base_url",
                    f"{provider_name(provider)} URL",
                    placeholder="the provider's own",
                )
        yield Static("Endpoints: other OpenAI-compatible servers", classes="settings-subtitle")
        yield Vertical(*self._blocks(), id="endpoints")
        if self._admin:
            yield CheckedField(
                "Add endpoint",
                check=self._check_endpoint,
                placeholder="ollama http://127.0.0.1:11434/v1",
                id="new-endpoint",
            )

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Find out what a list needs once its field is reached; until then what is known offline serves."""
        match (event.widget.name or "").split("."):
            case ["google", "sdk"]:
                self.run_worker(self._find_sdks(), group="sdks", exclusive=True, exit_on_error=False)
            case ["endpoints", provider, "model"] | [provider, "model"] if provider not in self._asked:
                self._asked.add(provider)
                self.run_worker(self._list(provider), group=f"models {provider}", exit_on_error=False)

    def reload(self) -> None:
        """Take over values, and endpoints that came or went."""
        super().reload()
        shown = [block.endpoint for block in self.query(EndpointBlock)]
        endpoints = self.services.settings.host().endpoints
        if shown != [endpoint.name for endpoint in endpoints]:
            self.run_worker(self._mount_endpoints(), group="endpoints", exclusive=True, exit_on_error=False)
        for field in self.query(CheckedField):
            if field.name == "provider":
                field.set_choices(self._providers())

    def ended(self, field: Widget, words: str, *, ok: bool) -> None:
        """A button says nothing but its failure."""
        if isinstance(field, TextButton) and not ok:
            self.notify(words, severity="error", markup=False)
        super().ended(field, words, ok=ok)

    def _check_endpoint(self, text: str) -> str:
        endpoint = parse_endpoint(text)
        self.services.settings.check(f"endpoints.{endpoint.name}.base_url", endpoint.base_url)
        return "Enter adds it."

    async def _add(self, endpoint: Endpoint) -> str:
        await self.services.settings.put_endpoint(endpoint)
        return f"{endpoint.name} added: give it a key above, if it needs one."

    async def _remove(self, name: str) -> str:
        await self.services.settings.remove_endpoint(name)
        return ""

    @on(CheckedField.Committed, "#new-endpoint")
    def _on_new_endpoint(self, event: CheckedField.Committed) -> None:
        event.stop()
        self.attempt(event.control, self._add(parse_endpoint(event.value)))

    @on(TextButton.Pressed, ".endpoint-remove")
    def _on_remove(self, event: TextButton.Pressed) -> None:
        event.stop()
        block = event.control.parent
        if not isinstance(block, EndpointBlock):
            return
        if event.control.word == "remove endpoint":
            event.control.word = "press again to remove"
            return
        self.attempt(event.control, self._remove(block.endpoint))

    def _providers(self) -> tuple[Choice, ...]:
        return tuple(Choice(name, _kind(name)) for name in self.services.models.providers())

    def _models(self, provider: str) -> tuple[Choice, ...]:
        return tuple(
            Choice(info.id, f"{info.context:,} tokens" if info.context else "")
            for info in self.services.models.known(provider)
        )

    def _blocks(self) -> list[EndpointBlock]:
        return [EndpointBlock(self.services, e.name) for e in self.services.settings.host().endpoints]

    async def _mount_endpoints(self) -> None:
        holder = self.query_one("#endpoints", Vertical)
        await holder.remove_children()
        await holder.mount_all(self._blocks())

    async def _find_sdks(self) -> None:
        self.post_message(self.SdksFound(await asyncio.to_thread(_sdks, ask=True)))

    async def _list(self, provider: str) -> None:
        if not self.services.keys.status(provider).missing:
            await self.services.models.list(provider)
            self.post_message(self.Listed(provider))

    @on(SdksFound)
    def _on_sdks_found(self, event: SdksFound) -> None:
        event.stop()
        for field in self.query(CheckedField):
            if field.name == "google.sdk":
                field.set_choices(event.choices)

    @on(Listed)
    def _on_listed(self, event: Listed) -> None:
        event.stop()
        name = f"{event.provider}.model" if event.provider in POOLED else f"endpoints.{event.provider}.model"
        problem = self.services.models.problem(event.provider)
        for field in self.query(CheckedField):
            if field.name == name:
                field.set_choices(self._models(event.provider))
                field.set_hint(f"Offline list. {problem}" if problem else "")


def _kind(provider: str) -> str:
    if provider in POOLED:
        return provider_name(provider)
    return "offline, made of words we wrote" if provider == "demo" else "endpoint"


def _sdks(*, ask: bool = False) -> tuple[Choice, ...]:
    """The SDKs with what speaks for each; `ask` looks for the installed one, which reads the disk."""
    retired = "retired since 2025-11-30"
    return (
        Choice(GoogleSdk.GENAI.value, "recommended: maintained, stops at once, reports thoughts"),
        Choice(GoogleSdk.LEGACY.value, f"{retired}; {_legacy_version()}" if ask else retired),
    )


def _legacy_version() -> str:
    try:
        return f"{metadata.version('google-generativeai')} is installed"
    except metadata.PackageNotFoundError:
        return "not installed: pip install 'ctroom[google-legacy]'"
