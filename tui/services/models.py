"""The models on offer: asked from each provider once, with an offline list where it can't be asked."""

from typing import Protocol

from tui.core.chat import ModelInfo
from tui.core.errors import CtroomError
from tui.core.quota import KeySource
from tui.core.settings import DEFAULT_MODELS, POOLED
from tui.services.keys import Connect, Keys
from tui.services.settings import SettingsService


class Catalog(Protocol):
    """What is known of models without asking anyone, as `tui.providers` knows it."""

    def offline_models(self, kind: str) -> tuple[ModelInfo, ...]:
        """The models of a kind of provider."""
        ...

    def model_info(self, kind: str, model: str) -> ModelInfo:
        """The limits of one model, as far as they are known."""
        ...

    def efforts(self, kind: str, model: str) -> tuple[str, ...]:
        """How much a model can be told to think, least first."""
        ...


class Models:
    """Models by provider, and the choices that a new conversation starts with.

    Args:
        settings: The user's choices and the endpoints.
        keys: Credentials to ask providers with.
        connect: Makes providers.
        catalog: The offline lists.
    """

    def __init__(self, settings: SettingsService, keys: Keys, connect: Connect, catalog: Catalog) -> None:
        self._settings = settings
        self._keys = keys
        self._connect = connect
        self._catalog = catalog
        self._listed: dict[str, tuple[ModelInfo, ...]] = {}
        self._problems: dict[str, str] = {}

    async def list(self, provider: str, refresh: bool = False) -> tuple[ModelInfo, ...]:
        """The provider's models: from itself, once; the offline list where it can't be asked.

        Args:
            provider: Whose.
            refresh: Ask again even where they are known.
        """
        if not refresh and provider in self._listed:
            return self._listed[provider]
        try:
            self._listed[provider] = await self._ask(provider)
            self._problems.pop(provider, None)
        except CtroomError as error:
            self._problems[provider] = str(error)
        return self.known(provider)

    def known(self, provider: str) -> tuple[ModelInfo, ...]:
        """The provider's models without asking it: what it last said, else the offline list."""
        return self._listed.get(provider) or self._offline(provider)

    def problem(self, provider: str) -> str | None:
        """Why the provider's own list could not be had at the last try, in one sentence; None if it was."""
        return self._problems.get(provider)

    def info(self, provider: str, model: str) -> ModelInfo:
        """What is known of a model; an endpoint's context is what its owner set."""
        said = next((info for info in self._listed.get(provider, ()) if info.id == model), None)
        endpoint = self._settings.host().endpoint(provider)
        if endpoint is not None:
            return ModelInfo(
                model,
                endpoint.context or (said.context if said else None),
                said.max_output if said else None,
                said.name if said else None,
            )
        known = self._catalog.model_info(self.kind(provider), model)
        if said is None:
            return known
        return ModelInfo(
            model,
            said.context or known.context,
            said.max_output or known.max_output,
            said.name or known.name,
        )

    def efforts(self, provider: str, model: str) -> tuple[str, ...]:
        """How much a model can be told to think, least first; empty where it can't be told."""
        return self._catalog.efforts(self.kind(provider), model)

    def default(self, provider: str) -> str:
        """The model of a new conversation with a provider; empty where an endpoint has not been asked yet."""
        if chosen := self._settings.user().models.get(provider):
            return chosen
        if provider in DEFAULT_MODELS:
            return DEFAULT_MODELS[provider]
        endpoint = self._settings.host().endpoint(provider)
        if endpoint and endpoint.model:
            return endpoint.model
        return next((info.id for info in self.known(provider)), "")

    def providers(self) -> tuple[str, ...]:
        """Every provider that can be chosen, the demo last."""
        return self._settings.providers()

    def default_provider(self) -> str:
        """The provider of a new conversation: the chosen one, else the first with a key, else the demo.

        Whoever chose their own keys is not given the demo for want of one: a turn then says what is missing.
        """
        offered = self.providers()
        chosen = self._settings.user().provider
        if chosen in offered:
            return chosen
        statuses = [self._keys.status(name) for name in offered]
        found = next(status.provider for status in statuses if not status.missing)
        if found != "demo" or not self._settings.user().api_keys.use_custom:
            return found
        return next((status.provider for status in statuses if status.source is KeySource.OWN), POOLED[0])

    async def _ask(self, provider: str) -> tuple[ModelInfo, ...]:
        credential = await self._keys.credential(provider)
        connection = self._connect(
            credential.kind,
            api_key=credential.key,
            base_url=credential.base_url,
            name=credential.name,
        )
        try:
            return await connection.models()
        finally:
            await connection.aclose()

    def _offline(self, provider: str) -> tuple[ModelInfo, ...]:
        endpoint = self._settings.host().endpoint(provider)
        if endpoint is None:
            return self._catalog.offline_models(self.kind(provider))
        return (ModelInfo(endpoint.model, endpoint.context),) if endpoint.model else ()

    def kind(self, provider: str) -> str:
        """The kind of adapter that a provider is spoken to with."""
        return provider if provider in DEFAULT_MODELS else "openai"
