"""Models by provider: asked once, offline where nobody answers; and what a new conversation starts with."""

import pytest

from tests.support.memory_store import MemoryStore
from tests.support.session import Session, session
from tui import providers
from tui.core.chat import ModelInfo
from tui.core.errors import ProviderError, ProviderErrorKind
from tui.core.settings import Endpoint
from tui.services.models import Models


def models_of(local: Session) -> Models:
    return Models(local.settings, local.keys, local.connections, providers)


async def test_a_provider_is_asked_once(local: Session) -> None:
    models = models_of(local)
    local.connections.provider.offered = (ModelInfo("gpt-x"),)
    assert [info.id for info in await models.list("openai")] == ["gpt-x"]
    local.connections.provider.offered = (ModelInfo("gpt-y"),)
    assert [info.id for info in await models.list("openai")] == ["gpt-x"]
    assert [info.id for info in await models.list("openai", refresh=True)] == ["gpt-y"]
    assert (local.connections.provider.asked, local.connections.provider.closed) == (2, 2)


async def test_out_of_reach_falls_back_to_what_is_known_and_says_why(local: Session) -> None:
    models = models_of(local)
    local.connections.provider.error = ProviderError(ProviderErrorKind.NETWORK, "OpenAI can't be reached.")
    assert await models.list("openai") == providers.offline_models("openai") == models.known("openai")
    assert models.problem("openai") == "OpenAI can't be reached."
    local.connections.provider.error = None
    local.connections.provider.offered = (ModelInfo("gpt-x"),)
    assert [info.id for info in await models.list("openai")] == ["gpt-x"]
    assert models.problem("openai") is None


async def test_without_a_key_the_offline_list_is_offered() -> None:
    bare = session(MemoryStore(), environment={})
    models = models_of(bare)
    assert await models.list("google") == providers.offline_models("google")
    assert "no default key for Google" in (models.problem("google") or "")
    assert bare.connections.made == []


async def test_what_a_provider_leaves_open_is_filled_from_the_catalog(local: Session) -> None:
    models = models_of(local)
    local.connections.provider.offered = (ModelInfo("gpt-5.1", name="GPT-5.1"),)
    await models.list("openai")
    info = models.info("openai", "gpt-5.1")
    assert (info.name, info.context) == ("GPT-5.1", providers.model_info("openai", "gpt-5.1").context)
    assert info.context is not None


async def test_the_chosen_model_then_the_default(local: Session) -> None:
    models = models_of(local)
    assert models.default("openai") == "gpt-5.1"
    await local.settings.set("openai.model", "gpt-4.1")
    assert models.default("openai") == "gpt-4.1"


async def test_an_endpoint_starts_with_its_own_model_or_the_first_it_lists(local: Session) -> None:
    models = models_of(local)
    await local.settings.put_endpoint(Endpoint("ollama", "http://127.0.0.1:11434/v1", context=8_192))
    assert models.default("ollama") == ""
    local.connections.provider.offered = (ModelInfo("llama3"), ModelInfo("qwen3"))
    await models.list("ollama")
    assert models.default("ollama") == "llama3"
    assert models.info("ollama", "llama3").context == 8_192
    await local.settings.set("endpoints.ollama.model", "qwen3")
    assert models.default("ollama") == "qwen3"


@pytest.mark.parametrize(
    ("keys", "provider"),
    [((), "demo"), (("google",), "google"), (("openai", "google"), "openai")],
)
def test_new_conversations_go_to_the_first_provider_with_a_key(keys: tuple[str, ...], provider: str) -> None:
    some = session(MemoryStore(), environment={name: ("k-0123456789", "X") for name in keys})
    assert models_of(some).default_provider() == provider


async def test_the_chosen_provider_comes_first_while_it_is_there(local: Session) -> None:
    models = models_of(local)
    await local.settings.put_endpoint(Endpoint("ollama", "http://127.0.0.1:11434/v1"))
    await local.settings.set("provider", "ollama")
    assert models.default_provider() == "ollama"
    await local.settings.remove_endpoint("ollama")
    assert models.default_provider() == "openai"


async def test_own_keys_without_a_key_are_not_answered_by_the_demo() -> None:
    bare = session(MemoryStore(), environment={})
    await bare.settings.set("keys.use_custom", "true")
    assert models_of(bare).default_provider() == "openai"
    await bare.settings.set("google.use_own_key", "true")
    assert models_of(bare).default_provider() == "google"
    both = session(MemoryStore())
    await both.settings.set("keys.use_custom", "true")
    for provider in ("openai", "google"):
        await both.settings.set(f"{provider}.use_own_key", "true")
    assert models_of(both).default_provider() == "openai"
    await both.settings.set("provider", "demo")
    assert models_of(both).default_provider() == "demo", "chosen by name"
