"""Dollars: what tokens cost, by genai-prices' bundled data. Nothing is ever fetched.

Importing it costs about 0.45 s of CPU, so it is loaded at first use and in a thread.
"""

import asyncio
from decimal import ROUND_CEILING, Decimal

from tui.core.amounts import MOST_AMOUNT, Dollars
from tui.core.errors import InvalidValueError
from tui.core.frozen import frozen
from tui.core.settings import POOLED
from tui.core.usage import Usage

INPUT_SHARE, OUTPUT_SHARE = 3, 1
"""Tokens of input for each of output in a blended price: what comparisons of models commonly use."""

_NANO = 1_000_000_000


@frozen
class Conversion:
    """Dollars as tokens, with what was assumed."""

    tokens: int
    assumption: str
    """In words, to be shown before it is accepted."""


class Prices:
    """Prices of the pooled providers' models. Everything else is unpriced: None, never 0."""

    async def cost(self, provider: str, model: str, usage: Usage) -> int | None:
        """What an attempt cost, in nano-dollars rounded up; None: unpriced."""
        if provider not in POOLED:
            return None
        try:
            return await asyncio.to_thread(_cost, provider, model, usage)
        except RuntimeError:
            return (
                None  # the interpreter is shutting its threads down: the charge matters more than its price
            )

    async def blended(self, provider: str, model: str) -> int | None:
        """Nano-dollars per million tokens, three of input for one of output; None: unpriced."""
        sample = Usage(input=INPUT_SHARE * 1_000, output=OUTPUT_SHARE * 1_000)
        cost = await self.cost(provider, model, sample)
        return None if cost is None else cost * 1_000_000 // sample.total

    async def convert(self, dollars: Dollars, provider: str, model: str) -> Conversion:
        """Dollars as tokens, at a model's blended price.

        Raises:
            InvalidValueError: The model has no known price, or it would buy an impossible number of tokens.
        """
        price = await self.blended(provider, model)
        if not price:
            raise InvalidValueError(f"{model} has no known price: enter a number of tokens.")
        tokens = dollars.nano * 1_000_000 // price
        if tokens > MOST_AMOUNT:
            raise InvalidValueError(f"That is too large: the most is {MOST_AMOUNT:,} tokens.")
        return Conversion(
            tokens,
            f"{dollars} at {model}'s blended price of {_exact(price)} per million tokens "
            f"({INPUT_SHARE} input : {OUTPUT_SHARE} output) is {tokens:,} tokens",
        )


def _exact(nano: int) -> str:
    """An amount of money with all its decimals, at least two, so that anyone can check the sum."""
    whole, _, part = f"{Decimal(nano) / _NANO:f}".partition(".")
    return f"${int(whole):,}.{part.rstrip('0').ljust(2, '0')}"


def _cost(provider: str, model: str, usage: Usage) -> int | None:
    import genai_prices

    try:
        tokens = genai_prices.Usage(
            input_tokens=usage.input,
            output_tokens=usage.output,
            cache_read_tokens=min(usage.cached_input, usage.input),
        )
        price = genai_prices.calc_price(tokens, model, provider_id=provider).total_price
    except (LookupError, TypeError, ValueError):
        return None  # an unknown model, or counts that no one can have used
    return int((price * _NANO).to_integral_value(ROUND_CEILING))
