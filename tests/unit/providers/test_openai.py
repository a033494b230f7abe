"""What the OpenAI adapter decides before and without a connection."""

import subprocess
import sys

import pytest

from tests.unit.providers.replies import ask, request
from tui.core.errors import InvalidValueError, ProviderError, ProviderErrorKind
from tui.providers import KINDS, connect
from tui.providers.base_url import OPENAI_URL, check_base_url, is_openai
from tui.providers.failures import Target
from tui.providers.openai import OpenAIProvider
from tui.providers.openai_errors import provider_error
from tui.providers.openai_request import parameters

KEY = "sk-test-0123456789abcdef"


@pytest.mark.parametrize(
    ("typed", "used"),
    [
        ("http://127.0.0.1:8080/v1", "http://127.0.0.1:8080/v1"),
        ("  https://llm.example/v1/  ", "https://llm.example/v1"),
        ("http://[::1]:1234/v1", "http://[::1]:1234/v1"),
        ("HTTPS://LLM.example", "HTTPS://LLM.example"),
    ],
)
def test_an_address_is_trimmed(typed: str, used: str) -> None:
    assert check_base_url(typed) == used


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "is not an address"),
        ("127.0.0.1:8080", "is not an address"),
        ("ftp://llm.example", "is not an address"),
        ("file:///etc/passwd", "is not an address"),
        ("http://", "is not an address"),
        ("http://llm.example:port", "is not an address"),
        ("http://llm.example/a b", "is not an address"),
        ("http://llm.example/\x1b[31m", "is not an address"),
        ("http://me:secret@llm.example/v1", "key field"),
        ("https://llm.example/v1?key=abc", "leave out"),
        ("https://llm.example/v1#top", "leave out"),
    ],
)
def test_what_is_no_address_is_refused_in_words(typed: str, words: str) -> None:
    with pytest.raises(InvalidValueError, match=words) as caught:
        check_base_url(typed)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("url", "official"),
    [
        (OPENAI_URL, True),
        ("https://eu.api.openai.com/v1", True),
        ("https://api.openai.com.evil.example/v1", False),
        ("https://notapi.openai.com/v1", False),
        ("http://127.0.0.1:8080/v1", False),
    ],
)
def test_which_addresses_are_openais_own(url: str, official: bool) -> None:
    assert is_openai(url) is official


def test_openai_itself_is_sent_the_new_name_of_the_limit() -> None:
    official = parameters(request("hi", max_output=9), official=True)
    other = parameters(request("hi", max_output=9), official=False)
    assert official["max_completion_tokens"] == other["max_tokens"] == 9
    assert "max_tokens" not in official
    assert "max_completion_tokens" not in other


def test_what_was_not_chosen_is_not_sent() -> None:
    sent = parameters(request("hi"), official=True)
    assert "temperature" not in sent
    assert "reasoning_effort" not in sent
    chosen = parameters(request("hi", temperature=0.0, reasoning_effort="low"), official=True)
    assert (chosen["temperature"], chosen["reasoning_effort"]) == (0.0, "low")


async def test_a_refused_connection_has_cost_nothing() -> None:
    provider = connect("openai", api_key=KEY, base_url="http://127.0.0.1:9/v1", name="My server")
    with pytest.raises(ProviderError) as caught:
        await ask(provider, "hi")
    check = await provider.check_key()
    await provider.aclose()
    assert caught.value.kind is ProviderErrorKind.NETWORK
    assert caught.value.accepted is False
    assert "http://127.0.0.1:9/v1" in str(caught.value)
    assert not check.ok
    assert not check.rejected


@pytest.mark.parametrize("key", ["sk-abc\n", "sk abc", "sk-ключ", "", "sk-\x00"])
async def test_a_key_that_cannot_be_sent_is_not_sent(key: str) -> None:
    provider = OpenAIProvider(api_key=key, base_url="http://127.0.0.1:9/v1", name="Peer")
    with pytest.raises(ProviderError) as caught:
        await ask(provider, "hi")
    assert caught.value.kind is ProviderErrorKind.BAD_KEY
    assert caught.value.accepted is False


async def test_a_wrong_address_is_refused_before_anything_is_sent() -> None:
    provider = OpenAIProvider(api_key=KEY, base_url="ftp://127.0.0.1/v1", name="Peer")
    with pytest.raises(ProviderError) as caught:
        await ask(provider, "hi")
    assert caught.value.kind is ProviderErrorKind.BAD_REQUEST
    assert caught.value.accepted is False


async def test_there_is_nothing_to_test_without_a_key() -> None:
    check = await OpenAIProvider(api_key=None, base_url=None, name="OpenAI").check_key()
    assert not check.ok
    assert not check.rejected


@pytest.mark.parametrize("error", [ValueError("x"), KeyError("y"), AttributeError("z"), RecursionError()])
def test_whatever_an_sdk_raises_becomes_a_sentence(error: Exception) -> None:
    mapped = provider_error(error, Target("Peer", "http://127.0.0.1:9/v1", KEY))
    assert mapped.kind is ProviderErrorKind.MALFORMED
    assert mapped.accepted is None


def test_connecting_imports_no_sdk() -> None:
    program = """
import sys
from tui.providers import connect, model_info, offline_models
for kind in ("openai", "demo"):
    connect(kind, api_key=None, base_url=None, name="x")
    offline_models(kind), model_info(kind, "gpt-5.4")
print(sorted({"openai", "httpx", "httpx2", "pydantic", "tiktoken", "regex"} & sys.modules.keys()))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_connects_without_a_network(kind: str) -> None:
    assert "sk-test" not in repr(connect(kind, api_key=KEY, base_url=None, name="Peer"))
