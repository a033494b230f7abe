"""The models known offline."""

import typing

import pytest
from openai.types.shared.chat_model import ChatModel

from tui.core.chat import REASONING_EFFORTS
from tui.core.settings import DEFAULT_MODELS
from tui.providers import catalog, model_info, offline_models


def test_every_openai_model_on_offer_is_known_to_the_sdk_and_chats() -> None:
    known = set(typing.get_args(ChatModel))
    for model in offline_models("openai"):
        assert model.id in known
        assert catalog.chats(model.id)


@pytest.mark.parametrize("kind", ["openai", "google", "google-legacy", "demo"])
def test_every_model_on_offer_has_its_limits(kind: str) -> None:
    models = offline_models(kind)
    assert models
    for model in models:
        assert model.context is not None
        assert model.max_output is not None
        assert model.max_output <= model.context


@pytest.mark.parametrize("kind", ["openai", "google", "demo"])
def test_the_default_model_is_on_offer(kind: str) -> None:
    assert DEFAULT_MODELS[kind] in [model.id for model in offline_models(kind)]


@pytest.mark.parametrize(
    ("kind", "model", "context"),
    [
        ("openai", "gpt-4o-2024-08-06", 128_000),
        ("openai", "gpt-4", 8_192),
        ("openai", "gpt-4.1-mini", 1_047_576),
        ("openai", "gpt-5.4-mini-2026-03-17", 400_000),
        ("openai", "gpt-5.4", 1_050_000),
        ("openai", "openai/gpt-5.4", 1_050_000),
        ("openai", "ft:gpt-4o:acme::abc", 128_000),
        ("openai", "smollm2-135m", None),
        ("google", "models/gemini-2.5-pro", 1_048_576),
        ("google-legacy", "gemini-3.8-flash", 1_048_576),
    ],
)
def test_the_context_of_a_model(kind: str, model: str, context: int | None) -> None:
    info = model_info(kind, model)
    assert info.id == model
    assert info.context == context


@pytest.mark.parametrize(
    ("model", "chats"),
    [
        ("gpt-6-luna", True),
        ("gpt-4o-mini", True),
        ("chatgpt-4o-latest", True),
        ("o3", True),
        ("ft:gpt-4o-mini:acme::abc", True),
        ("gpt-4o-realtime-preview", False),
        ("gpt-4o-mini-tts", False),
        ("gpt-image-2", False),
        ("gpt-3.5-turbo-instruct", False),
        ("gpt-5-pro", False),
        ("gpt-5.1-codex", False),
        ("text-embedding-3-small", False),
        ("whisper-1", False),
        ("omni-moderation-latest", False),
        ("babbage-002", False),
    ],
)
def test_which_of_openais_models_chat(model: str, chats: bool) -> None:
    assert catalog.chats(model) is chats


@pytest.mark.parametrize(
    ("kind", "model", "efforts"),
    [
        ("openai", "gpt-4o", ()),
        ("openai", "gpt-5-mini", ("minimal", "low", "medium", "high")),
        ("openai", "openai/gpt-5.1", ("none", "low", "medium", "high")),
        ("openai", "gpt-5.4-nano", ("none", "low", "medium", "high", "xhigh")),
        ("openai", "gpt-5.3-chat-latest", ()),
        ("openai", "o4-mini", ("low", "medium", "high")),
        ("openai", "qwen3:8b", REASONING_EFFORTS),
        ("google", "gemini-2.5-pro", ("low", "medium", "high")),
        ("google", "gemini-2.5-flash", ("none", "low", "medium", "high")),
        ("google-legacy", "gemini-3.5-flash", ("minimal", "low", "medium", "high")),
        ("google", "gemma-3-27b-it", ()),
        ("demo", "demo", ()),
    ],
)
def test_the_efforts_of_a_model(kind: str, model: str, efforts: tuple[str, ...]) -> None:
    assert catalog.efforts(kind, model) == efforts


def test_no_model_has_an_effort_that_can_not_be_chosen() -> None:
    for kind in ("openai", "google"):
        for model in offline_models(kind):
            assert set(catalog.efforts(kind, model.id)) <= set(REASONING_EFFORTS)
