"""Amounts as people type them: tokens ("1,000,000", "1M", "1_000_000") and dollars ("$100"); sizes."""

import re
from decimal import Decimal

from tui.core.errors import InvalidValueError
from tui.core.frozen import frozen

MOST_AMOUNT = 1_000_000_000_000
"""Tokens. A purchase above a trillion is a slip of the hand: at $0.01 a million it would cost $10,000."""
MOST_DOLLARS = 10_000_000

_GROUPED = re.compile(
    r"\d{1,3}(?:,\d{3}){1,9}|\d{1,3}(?:_\d{3}){1,9}|\d{1,3}(?: \d{3}){1,9}|\d{1,30}", re.ASCII
)
_SUFFIXED = re.compile(r"(\d{1,15}(?:\.\d{1,9})?)\s*([kKmMbB])", re.ASCII)
_FACTORS = {"k": 1_000, "m": 1_000_000, "b": 1_000_000_000}


@frozen
class Dollars:
    """An amount of money."""

    nano: int
    """Nano-dollars: $1 is 1,000,000,000."""

    def __str__(self) -> str:
        cents = self.nano // 10_000_000
        whole, part = divmod(cents, 100)
        return f"${whole:,}.{part:02}" if part else f"${whole:,}"


def parse_amount(text: str) -> int | Dollars:
    """Tokens, or dollars where the text begins with `$`.

    Raises:
        InvalidValueError: The text is neither; its message says why.
    """
    text = text.strip()
    return _dollars(text[1:].strip()) if text.startswith("$") else parse_tokens(text)


def parse_tokens(text: str) -> int:
    """A number of tokens: digits, digits grouped by threes with one kind of mark, or with k, M or B.

    Raises:
        InvalidValueError: Empty, letters, negative, badly grouped ("1,00"), a fraction of a token, too large.
    """
    text = text.strip()
    if not text:
        raise InvalidValueError("Enter a number of tokens, such as 1,000,000 or 1M.")
    if text.startswith(("-", "\u2212")):
        raise InvalidValueError("A number of tokens can't be negative.")
    if match := _SUFFIXED.fullmatch(text):
        exact = Decimal(match[1]) * _FACTORS[match[2].lower()]
        if exact != exact.to_integral_value():
            raise InvalidValueError(f"{text} is not a whole number of tokens.")
        value = int(exact)
    elif _GROUPED.fullmatch(text):
        value = int(re.sub(r"[,_ ]", "", text))
    else:
        raise InvalidValueError(_why(text))
    if value > MOST_AMOUNT:
        raise InvalidValueError(f"That is too large: the most is {MOST_AMOUNT:,} tokens.")
    return value


def _dollars(text: str) -> Dollars:
    plain = text.replace(",", "") if re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d+)?", text) else text
    if not re.fullmatch(r"\d{1,12}(\.\d{1,9})?", plain, re.ASCII):
        raise InvalidValueError("Enter dollars such as $100 or $12.50.")
    amount = Decimal(plain)
    if amount > MOST_DOLLARS:
        raise InvalidValueError(f"That is too large: the most is ${MOST_DOLLARS:,}.")
    return Dollars(int(amount * 1_000_000_000))


def _why(text: str) -> str:
    if re.search(r"[^\W\d_]", text):
        return "Enter a number without words, such as 1,000,000, 1_000_000 or 1M."
    if re.fullmatch(r"[\d,_ ]+", text):
        return "The thousands are not grouped by threes: write 1,000,000 or 1000000."
    if re.fullmatch(r"\d+\.\d*", text):
        return "Tokens are whole numbers: write 1,000,000 or 1.5M."
    return "Enter a number of tokens, such as 1,000,000 or 1M."


def size_words(size: int) -> str:
    """Bytes for people: "340 B", "1.2 kB", "3.4 MB"."""
    if size < 1_000:
        return f"{size} B"
    return f"{size / 1_000:.1f} kB" if size < 999_950 else f"{size / 1_000_000:.1f} MB"
