"""The models known offline, and their limits.

Sources, read in November 2026. Names: `openai/types/shared/chat_model.py` of the `openai` SDK 3.54, without
those whose announced shutdown has passed, and Google's deprecations page
(https://ai.google.dev/gemini-api/docs/deprecations). Context sizes: the bundled data of genai-prices 0.2.3.
Output limits: the model pages of OpenAI (https://developers.openai.com/api/docs/models) and Google
(https://ai.google.dev/gemini-api/docs/models).
"""

import re
from collections.abc import Mapping

from tui.core.chat import REASONING_EFFORTS, ModelInfo

_OFFERED: Mapping[str, tuple[str, ...]] = {
    "openai": (
        "gpt-6.1-sol",
        "gpt-6.1-terra",
        "gpt-6-astra",
        "gpt-6-sol",
        "gpt-6-luna",
        "gpt-5.6-sol",
        "gpt-5.6-terra",
        "gpt-5.6-luna",
        "gpt-5.5",
        "gpt-5.4",
        "gpt-5.4-mini",
        "gpt-5.4-nano",
        "gpt-5.2",
        "gpt-5.1",
        "gpt-4.1",
        "gpt-4.1-mini",
        "gpt-4o",
        "gpt-4o-mini",
    ),
    "google": (
        "gemini-3.8-flash",
        "gemini-3.6-flash",
        "gemini-3.5-flash",
        "gemini-3.5-flash-lite",
        "gemini-3.1-pro-preview",
        "gemini-3.1-flash-lite",
        "gemini-2.5-flash-lite",
        "gemini-2.5-pro",
        "gemini-2.5-flash",
    ),
}
"""Models to choose from before the provider has been asked, newest first."""

_LIMITS: Mapping[str, tuple[tuple[str, int, int], ...]] = {
    "openai": (
        ("gpt-6", 1_050_000, 128_000),
        ("gpt-5.6", 1_050_000, 128_000),
        ("gpt-5.5", 1_000_000, 128_000),
        ("gpt-5.4-mini", 400_000, 128_000),
        ("gpt-5.4-nano", 400_000, 128_000),
        ("gpt-5.4", 1_050_000, 128_000),
        ("gpt-5.3", 128_000, 16_384),
        ("gpt-5-chat", 128_000, 16_384),
        ("gpt-5", 400_000, 128_000),
        ("gpt-oss", 131_072, 131_072),
        ("gpt-4.1", 1_047_576, 32_768),
        ("gpt-4o", 128_000, 16_384),
        ("chatgpt-4o", 128_000, 16_384),
        ("gpt-4-turbo", 128_000, 4_096),
        ("gpt-4", 8_192, 8_192),
        ("gpt-3.5-turbo", 16_385, 4_096),
        ("o1-mini", 128_000, 65_536),
        ("o1", 200_000, 100_000),
        ("o3", 200_000, 100_000),
        ("o4-mini", 200_000, 100_000),
    ),
    "google": (
        ("gemini-2.0", 1_048_576, 8_192),
        ("gemini-1.5", 1_048_576, 8_192),
        ("gemini-4", 1_048_576, 65_536),
        ("gemini-3", 1_048_576, 65_536),
        ("gemini-2.5", 1_048_576, 65_536),
        ("gemma-4", 262_144, 32_768),
        ("gemma-3", 131_072, 8_192),
    ),
}
"""Context and output tokens by the beginning of a name; the first that fits holds."""

_EFFORTS: Mapping[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "openai": (
        (r"gpt-5(\.\d)?-chat|chatgpt|gpt-[34]|o1-mini", ()),
        (r"gpt-5(-|$)", ("minimal", "low", "medium", "high")),
        (r"gpt-5\.1", ("none", "low", "medium", "high")),
        (r"gpt-5\.\d", ("none", "low", "medium", "high", "xhigh")),
        (r"gpt-[6-9]", ("none", "low", "medium", "high", "xhigh", "max")),
        (r"o\d|gpt-oss", ("low", "medium", "high")),
    ),
    "google": (
        (r"gemini-2\.5-pro", ("low", "medium", "high")),
        (r"gemini-2\.5", ("none", "low", "medium", "high")),
        (r"gemini-\d+(\.\d+)?-pro", ("low", "medium", "high")),
        (r"gemini-[3-9]", ("minimal", "low", "medium", "high")),
        (r"", ()),
    ),
}
"""Efforts by the beginning of a name; the first that fits holds. A server that refuses one goes without it.

Sources: OpenAI's reasoning guide (https://developers.openai.com/api/docs/guides/reasoning), Google's page on
thinking (https://ai.google.dev/gemini-api/docs/thinking).
"""

_CHATS = re.compile(r"(?:ft:)?(?:gpt-|chatgpt-|o\d)")
_OTHER_USE = re.compile(
    r"audio|realtime|transcribe|tts|image|live|instruct|search|deep-research|computer-use|codex|-pro\b|translate"
    r"|whisper"
)
"""Models of OpenAI that do not chat, or only through its Responses interface (codex, pro, deep research)."""


def chats(model: str) -> bool:
    """Whether a model that OpenAI lists takes part in Chat Completions."""
    return bool(_CHATS.match(model)) and not _OTHER_USE.search(model)


def offline_models(kind: str) -> tuple[ModelInfo, ...]:
    """The models to offer when a provider has not been asked; none where anything may be served."""
    if kind == "demo":
        return (model_info(kind, "demo"),)
    return tuple(model_info(kind, model) for model in _OFFERED.get(_family(kind), ()))


def model_info(kind: str, model: str) -> ModelInfo:
    """What is known of a model; its limits are None where they are not."""
    if kind == "demo":
        from tui.providers.demo import MODEL

        return MODEL
    # Aggregators put the maker before the name, and Google's own API "models".
    name = model.removeprefix("ft:").rpartition("/")[2].lower()
    for beginning, context, output in _LIMITS.get(_family(kind), ()):
        if name.startswith(beginning):
            return ModelInfo(model, context, output)
    return ModelInfo(model)


def efforts(kind: str, model: str) -> tuple[str, ...]:
    """How much a model can be told to think, least first; empty where it can't be told.

    Of models that are not known, every effort is offered: a server that knows none goes without it.
    """
    if kind == "demo":
        return ()
    name = model.removeprefix("ft:").rpartition("/")[2].lower()
    for beginning, known in _EFFORTS.get(_family(kind), ()):
        if re.match(beginning, name):
            return known
    return REASONING_EFFORTS


def _family(kind: str) -> str:
    return "google" if kind == "google-legacy" else kind
