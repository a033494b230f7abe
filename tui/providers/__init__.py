"""Providers: one small adapter for each kind, loaded only when it is asked for."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.core.chat import ModelInfo
    from tui.core.ports import Provider

KINDS = ("openai", "google", "google-legacy", "demo")
"""Every kind of adapter. A named endpoint is of kind `openai`."""

_MODULES = {kind: f"tui.providers.{kind.replace('-', '_')}" for kind in KINDS}


def connect(kind: str, *, api_key: str | None, base_url: str | None, name: str) -> "Provider":
    """A provider with one credential. Cheap: no SDK is imported and nothing is sent before the first call.

    Args:
        kind: One of `KINDS`.
        api_key: None for an endpoint without a key, and for the demo.
        base_url: None for the provider's own address. For the demo, `demo.INSTANT` removes its pauses.
        name: The provider's name for people, for its error sentences.

    Raises:
        KeyError: There is no such kind.
    """
    provider: Provider = import_module(_MODULES[kind]).connect(api_key=api_key, base_url=base_url, name=name)
    return provider


def warm(kind: str) -> None:
    """Import the SDK of a kind, which takes 1 to 2 s of CPU. Call it in a thread, after the first frame.

    A missing SDK is not reported here but at the first call.
    """
    import_module(_MODULES[kind]).warm()


def efforts(kind: str, model: str) -> tuple[str, ...]:
    """How much a model can be told to think, least first; empty where it can't be told."""
    from tui.providers import catalog

    return catalog.efforts(kind, model)


def offline_models(kind: str) -> "tuple[ModelInfo, ...]":
    """The models known without asking anyone. Not for named endpoints, which serve what they like."""
    from tui.providers import catalog

    return catalog.offline_models(kind)


def model_info(kind: str, model: str) -> "ModelInfo":
    """What is known of a model without asking anyone: its context and output limits, where it is known."""
    from tui.providers import catalog

    return catalog.model_info(kind, model)
