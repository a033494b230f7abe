"""Token counts: the same as tiktoken's, quick on anything, safe on whatever is not known."""

import base64
import hashlib
import importlib
import inspect
import os
import re
import threading
import time

import pytest
import tiktoken
from hypothesis import given
from hypothesis import strategies as st

from tui.core.chat import ChatMessage, Role
from tui.providers import bpe, demo, tokens
from tui.providers.bpe import Encoder

ENGLISH = "Every reply is measured as it streams, and settled once when it ends. "


def published() -> str:
    """How tiktoken itself defines the encoding."""
    return inspect.getsource(importlib.import_module("tiktoken_ext.openai_public").o200k_base)


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder()


@pytest.fixture(scope="module")
def reference() -> tiktoken.Encoding:
    ranks = {token: rank for rank, token in enumerate(bpe.read_vocabulary())}
    return tiktoken.Encoding("o200k", pat_str=bpe._PATTERN, mergeable_ranks=ranks, special_tokens={})


@pytest.fixture
def cold(monkeypatch: pytest.MonkeyPatch) -> None:
    """As before the vocabulary is loaded."""
    monkeypatch.setattr(tokens, "_encoders", [])


@pytest.fixture
def warm() -> None:
    tokens.warm()


def test_the_vocabulary_is_the_one_that_tiktoken_expects() -> None:
    lines = (
        f"{base64.b64encode(token).decode()} {rank}\n" for rank, token in enumerate(bpe.read_vocabulary())
    )
    digest = hashlib.sha256("".join(lines).encode()).hexdigest()
    expected = re.search(r'expected_hash="(\w+)"', published())
    assert expected is not None
    assert digest == expected[1]


def test_the_pattern_is_tiktokens() -> None:
    assert "|".join(re.findall(r'r"""(.*)"""', published())) == bpe._PATTERN


@given(st.text(max_size=200))
def test_any_text_counts_as_in_tiktoken(encoder: Encoder, reference: tiktoken.Encoding, text: str) -> None:
    assert encoder.count(text) == len(reference.encode_ordinary(text))


@pytest.mark.parametrize(
    "text",
    [
        ENGLISH * 50,
        "你好世界,今天天气很好。" * 50,
        "Привет, мир! " * 50,
        "สวัสดีชาวโลก " * 50,
        "नमस्ते दुनिया " * 50,
        "🙂👍🏽👨‍👩‍👧" * 20,
        "def f(x):\n    return {'a': [x, 1_000]}\n\n\n\t\t" * 20,
        "<|endoftext|><|im_start|>",
        "don't we'll IT'S",
        "   \n  \n\n   x",
    ],
)
def test_writing_counts_as_in_tiktoken(encoder: Encoder, reference: tiktoken.Encoding, text: str) -> None:
    assert encoder.count(text) == len(reference.encode_ordinary(text))


@pytest.mark.parametrize("run", ["a", " ", "#", "\n", "漢", "🙂", "1"])
def test_an_unbroken_run_takes_time_in_proportion(encoder: Encoder, run: str) -> None:
    started = time.process_time()
    assert encoder.count(run * 100_000) > 0
    assert time.process_time() - started < 5  # merged whole, it would take hours


def test_random_text_without_a_break_is_counted_closely(
    encoder: Encoder, reference: tiktoken.Encoding
) -> None:
    text = base64.b64encode(os.urandom(30_000)).decode()
    assert encoder.count(text) == pytest.approx(len(reference.encode_ordinary(text)), rel=0.02)


def test_before_it_is_warm_a_count_is_half_the_bytes(cold: None) -> None:
    assert tokens.count_text("abcde", "gpt-5.4", "openai") == 3
    assert tokens.count_text("漢字", "gpt-5.4", "openai") == 3
    assert not tokens.exact("openai", "gpt-5.4")


def test_many_threads_load_one_vocabulary(cold: None) -> None:
    threads = [threading.Thread(target=tokens.warm) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(tokens._encoders) == 1


@pytest.mark.parametrize(
    ("kind", "model", "exact"),
    [
        ("openai", "gpt-5.4-mini", True),
        ("openai", "gpt-4o", True),
        ("openai", "o3", True),
        ("openai", "openai/gpt-oss-20b", True),
        ("openai", "gpt-4", False),
        ("openai", "gpt-3.5-turbo", False),
        ("openai", "llama-3.3-70b", False),
        ("google", "gemini-3.8-flash", False),
        ("demo", "demo", True),
    ],
)
def test_which_counts_are_exact(warm: None, kind: str, model: str, exact: bool) -> None:
    assert tokens.exact(kind, model) is exact


def test_a_model_of_unknown_vocabulary_counts_at_least_a_third_of_the_bytes(warm: None) -> None:
    hindi = "उपयोगकर्ता हमेशा देख सकता है। " * 10
    known = tokens.count_text(hindi, "gpt-5.4", "openai")
    assert tokens.count_text(hindi, "llama", "openai") * 3 >= len(hindi.encode())
    assert tokens.count_text(hindi, "gemini-3.8-flash", "google") == known


def test_a_huge_text_is_sampled_from_all_its_parts(warm: None, encoder: Encoder) -> None:
    text = ENGLISH * 8_000 + "漢字仮名" * 140_000
    started = time.process_time()
    counted = tokens.count_text(text, "gpt-5.4", "openai")
    assert time.process_time() - started < 5
    assert counted == pytest.approx(
        encoder.count(ENGLISH) * 8_000 + encoder.count("漢字仮名" * 64) / 64 * 140_000, rel=0.1
    )


def test_an_estimate_has_a_margin_for_the_frame(warm: None) -> None:
    messages = [ChatMessage(Role.SYSTEM, ENGLISH), ChatMessage(Role.USER, ENGLISH * 9)]
    counted = sum(tokens.count_text(message.text, "gpt-5.4", "openai") for message in messages)
    estimate = tokens.estimate_input(messages, "gpt-5.4", "openai")
    assert counted * 1.1 + 2 * 4 + 16 <= estimate < counted * 1.1 + 2 * 4 + 17


def test_the_estimate_of_a_demo_covers_what_it_counts(warm: None) -> None:
    messages = (ChatMessage(Role.USER, "What do the numbers mean?"),)
    assert tokens.estimate_input(messages, "demo", "demo") >= demo.count_messages(messages)


def test_lone_surrogates_are_counted(warm: None) -> None:
    assert tokens.count_text("a\ud800b", "gpt-5.4", "openai") > 0
