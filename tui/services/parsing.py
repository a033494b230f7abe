"""Setting values as people type them: each parser returns the value or says in a sentence what is wrong."""

import re
from urllib.parse import urlsplit

from tui.core.amounts import parse_tokens
from tui.core.chat import REASONING_EFFORTS
from tui.core.days import zone
from tui.core.errors import InvalidValueError
from tui.core.text import sanitize, sanitize_line

MOST_OUTPUT = 1_000_000
"""Tokens. Eight times the largest reply that any model on offer in 2026 can give (128k)."""
MOST_PROMPT = 20_000
"""Characters of a system prompt; it is sent with every turn."""

_ON = frozenset({"true", "on", "yes", "1"})
_OFF = frozenset({"false", "off", "no", "0"})
_MODEL = re.compile(r"[^\s\x00-\x1f\x7f]{1,200}")
_TIER = re.compile(r"[a-z][a-z0-9-]{0,23}")


def switch(text: str) -> bool:
    """A value that is on or off.

    Raises:
        InvalidValueError: It is neither.
    """
    word = text.strip().lower()
    if word in _ON:
        return True
    if word in _OFF:
        return False
    raise InvalidValueError("Enter true or false.")


def switch_text(value: bool) -> str:
    """The word for a value that is on or off."""
    return "true" if value else "false"


def choice(text: str, choices: tuple[str, ...], what: str) -> str:
    """One of a few words.

    Raises:
        InvalidValueError: Any other word; the message lists the choices.
    """
    word = text.strip()
    if word in choices:
        return word
    offered = ", ".join(name for name in choices if name)
    raise InvalidValueError(f"{sanitize_line(word, 40)!r} is not {what}: choose from {offered}.")


def zone_name(text: str) -> str:
    """The name of a time zone.

    Raises:
        InvalidValueError: There is no such zone.
    """
    name = text.strip()
    zone(name)
    return name


def line(text: str, limit: int) -> str:
    """One line of text that may be empty.

    Raises:
        InvalidValueError: It is longer than `limit` characters.
    """
    clean = sanitize_line(text, limit + 1)
    if len(clean) > limit:
        raise InvalidValueError(f"That is too long: the most is {limit} characters.")
    return clean


def prompt(text: str) -> str:
    """A system prompt, which may have lines and may be empty.

    Raises:
        InvalidValueError: It is too long.
    """
    if len(text) > MOST_PROMPT:
        raise InvalidValueError(f"That is too long: the most is {MOST_PROMPT:,} characters.")
    return sanitize(text).strip()


def model(text: str) -> str:
    """A model's id; empty for the default.

    Raises:
        InvalidValueError: It has spaces or control characters, or is too long.
    """
    name = text.strip()
    if name and not _MODEL.fullmatch(name):
        raise InvalidValueError("A model's name has no spaces and at most 200 characters.")
    return sanitize(name)


def url(text: str) -> str:
    """The base URL of a server; empty for the provider's own.

    Raises:
        InvalidValueError: It is not an http or https address, or carries a user name, a query or a fragment.
    """
    address = text.strip().rstrip("/")
    if not address:
        return ""
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if parts.scheme not in ("http", "https") or not host or not _MODEL.fullmatch(address):
        raise InvalidValueError(
            "Enter an address such as http://127.0.0.1:11434/v1 or https://example.org/v1."
        )
    if parts.username or parts.password or parts.query or parts.fragment:
        raise InvalidValueError(
            "Leave user names, passwords and queries out of the address: enter the key apart."
        )
    return address


def output_tokens(text: str) -> int:
    """The most tokens that a reply may have.

    Raises:
        InvalidValueError: It is no number of tokens from 1 to `MOST_OUTPUT`.
    """
    value = parse_tokens(text)
    if not 1 <= value <= MOST_OUTPUT:
        raise InvalidValueError(f"Enter a number of tokens from 1 to {MOST_OUTPUT:,}.")
    return value


def optional_tokens(text: str) -> int | None:
    """A number of tokens above 0, or nothing.

    Raises:
        InvalidValueError: It is 0 or no number of tokens.
    """
    if not text.strip():
        return None
    value = parse_tokens(text)
    if value < 1:
        raise InvalidValueError("Enter a number of tokens above 0, or leave it empty.")
    return value


def tier_limit(text: str) -> int | None:
    """A tier's tokens per day; "unlimited" has none.

    Raises:
        InvalidValueError: It is neither a number of tokens nor the word.
    """
    return None if text.strip().lower() == "unlimited" else parse_tokens(text)


def tier_name(name: str) -> str:
    """A name that a tier may have.

    Raises:
        InvalidValueError: Wrong characters or length.
    """
    if not _TIER.fullmatch(name):
        raise InvalidValueError("A tier's name has 1 to 24 small letters, digits or hyphens, a letter first.")
    return name


def temperature(text: str) -> float | None:
    """A sampling temperature from 0 to 2 (what OpenAI and Gemini accept), or nothing for the model's own.

    Raises:
        InvalidValueError: It is no such number.
    """
    if not text.strip():
        return None
    if re.fullmatch(r"\d{1,3}(\.\d{1,6})?", text.strip(), re.ASCII) and (value := float(text)) <= 2:
        return value
    raise InvalidValueError("Enter a number from 0 to 2, or leave it empty for the model's own.")


def effort(text: str) -> str | None:
    """How much a model may think, or nothing for its own way.

    Raises:
        InvalidValueError: It is none of `REASONING_EFFORTS`.
    """
    return choice(text.lower(), ("", *REASONING_EFFORTS), "a reasoning effort") or None
