"""Dollars from genai-prices' bundled data: never fetched, never 0 for what is not known."""

import subprocess
import sys

import pytest

from tui.core.amounts import Dollars
from tui.core.errors import InvalidValueError
from tui.core.usage import Usage
from tui.services.prices import Prices


async def test_a_cost_is_what_the_price_list_says() -> None:
    # gpt-5.1: $1.25 per million in, $0.125 cached, $10 out (genai-prices 0.2.3).
    assert await Prices().cost("openai", "gpt-5.1", Usage(1_000_000, 100_000)) == 2_250_000_000
    assert (
        await Prices().cost("openai", "gpt-5.1", Usage(1_000_000, 0, cached_input=1_000_000)) == 125_000_000
    )


async def test_the_smallest_cost_is_rounded_up() -> None:
    assert await Prices().cost("openai", "gpt-5.1", Usage(0, 1, cached_input=5)) == 10_000


@pytest.mark.parametrize(
    ("provider", "model"),
    [("openai", "no-such-model"), ("demo", "demo"), ("ollama", "gpt-5.1"), ("google", "")],
)
async def test_an_unknown_model_is_unpriced(provider: str, model: str) -> None:
    assert await Prices().cost(provider, model, Usage(100, 100)) is None
    assert await Prices().blended(provider, model) is None


@pytest.mark.parametrize("usage", [Usage(-5, 10), Usage(5, 2**70, cached_input=-1)])
async def test_impossible_counts_never_break_a_settle(usage: Usage) -> None:
    assert await Prices().cost("openai", "no-such-model", usage) is None


async def test_dollars_are_converted_with_the_assumption_in_words() -> None:
    conversion = await Prices().convert(Dollars(100_000_000_000), "openai", "gpt-5.1")
    assert conversion.tokens == 29_090_909
    assert conversion.assumption == (
        "$100 at gpt-5.1's blended price of $3.4375 per million tokens (3 input : 1 output) "
        "is 29,090,909 tokens"
    )


async def test_dollars_for_an_unpriced_model_are_refused() -> None:
    with pytest.raises(InvalidValueError, match="no-such-model has no known price: enter a number of tokens"):
        await Prices().convert(Dollars(100_000_000_000), "openai", "no-such-model")


async def test_more_tokens_than_anyone_buys_are_refused() -> None:
    with pytest.raises(InvalidValueError, match="too large"):
        await Prices().convert(Dollars(10_000_000_000_000_000), "openai", "gpt-5-nano")


def test_nothing_is_loaded_before_the_first_price() -> None:
    code = (
        "import sys, tui.services.build\n"
        "slow = {'genai_prices', 'openai', 'google.genai', 'keyring', 'httpx', 'pydantic', 'tiktoken'}\n"
        "print(sorted(slow & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
