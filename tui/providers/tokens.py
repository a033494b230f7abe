"""Counts tokens offline, before a provider has counted them.

OpenAI's models since gpt-4o are counted with their own vocabulary, o200k_base. For Gemini, whose vocabulary
is as large and as multilingual but can only be downloaded, the same count is the closest to be had. For any
other model it is that or bytes / 3, whichever is more. Measured against SmolLM2, whose vocabulary is small
and English, as a share of its own count:

| | English | Python | German | Russian | Chinese | Hindi | base64 |
|---|---|---|---|---|---|---|---|
| o200k_base | 0.88 | 0.93 | 0.50 | 0.31 | 0.47 | 0.25 | 0.85 |
| bytes / 2 | 1.63 | 2.07 | 1.23 | 1.29 | 0.90 | 1.12 | 0.63 |
| the greater of o200k_base and bytes / 3 | 1.09 | 1.38 | 0.82 | 0.86 | 0.60 | 0.75 | 0.85 |
"""

import math
import re
import threading
from collections.abc import Sequence
from functools import lru_cache

from tui.core.chat import ChatMessage
from tui.providers import demo
from tui.providers.bpe import Encoder
from tui.providers.vision import attached_tokens

MARGIN = 1.1
"""Safety for what a template adds, and for a tokenizer that is not quite ours (design, section 3)."""
PER_MESSAGE = 4
"""Tokens for the frame of a message (design, section 3)."""
PER_REQUEST = 16
"""Tokens for the frame of a request (design, section 3)."""
MOST_CHARACTERS = 200_000
"""Characters of a text that are counted: 0.2 s of English. A longer text is sampled."""
_SAMPLES = 20
_REMEMBERED = 512
"""Texts whose count is remembered: a conversation's history is estimated again with every turn."""

_OPENAI = re.compile(r"(?:.*/)?(?:ft:)?(?:gpt-|chatgpt-|o\d)")
_O200K = re.compile(r"(?:.*/)?(?:ft:)?(?:gpt-(?:4o|4\.1|4\.5|5|oss)|chatgpt-4o|o[134]\b)")
"""Models that use o200k_base or its extension, says `tiktoken/model.py` 0.14."""

_loading = threading.Lock()
_encoders: list[Encoder] = []
"""The one encoder, once it is loaded."""


def warm() -> None:
    """Load the vocabulary: 0.3 s and 40 MB, once. Call it in a thread; any number of threads may."""
    with _loading:
        if not _encoders:
            _encoders.append(Encoder())


def warmed() -> bool:
    """Whether counts are made with the vocabulary."""
    return bool(_encoders)


def exact(kind: str, model: str) -> bool:
    """Whether `count_text` gives the provider's own count for a model."""
    return kind == "demo" or (kind == "openai" and warmed() and bool(_O200K.match(model)))


def count_text(text: str, model: str, kind: str) -> int:
    """Tokens of a text, without the frame of a message.

    CPU-bound: about 1 microsecond per character. Until `warm()` is done, it is UTF-8 bytes / 2.
    """
    if kind == "demo":
        return demo.count(text)
    size = _size(text)
    if not warmed():
        return math.ceil(size / 2)
    count = _count(text)
    large_vocabulary = kind.startswith("google") or _OPENAI.match(model)
    return count if large_vocabulary else max(count, math.ceil(size / 3))


def estimate_input(messages: Sequence[ChatMessage], model: str, kind: str) -> int:
    """Tokens that a request may come to, rather too many than too few. CPU-bound: see `count_text`."""
    counted = sum(count_text(message.text, model, kind) for message in messages)
    attached = sum(attached_tokens(each, kind, model) for message in messages for each in message.attachments)
    return math.ceil(counted * MARGIN) + attached + PER_MESSAGE * len(messages) + PER_REQUEST


@lru_cache(_REMEMBERED)
def _count(text: str) -> int:
    [encoder] = _encoders
    if len(text) <= MOST_CHARACTERS:
        return encoder.count(text)
    # Samples from the whole text, since its end may be denser than its beginning.
    step, length = len(text) // _SAMPLES, MOST_CHARACTERS // _SAMPLES
    samples = [text[start : start + length] for start in range(0, step * _SAMPLES, step)]
    share = sum(map(encoder.count, samples)) / sum(map(_size, samples))
    return math.ceil(_size(text) * share)


def _size(text: str) -> int:
    """UTF-8 bytes; a lone surrogate counts as one."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))
