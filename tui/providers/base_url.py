"""Addresses of OpenAI-compatible servers: checked before anything is sent to them."""

from urllib.parse import urlsplit

from tui.core.errors import InvalidValueError
from tui.core.text import sanitize_line

OPENAI_URL = "https://api.openai.com/v1"
"""The SDK's own default (`openai/lib/_client_auth.py`)."""


def check_base_url(text: str) -> str:
    """The address as it is used: trimmed, without a trailing slash.

    Raises:
        InvalidValueError: It is no http or https address, or it carries a key, a query or a fragment.
    """
    url = text.strip().rstrip("/")
    try:
        parts = urlsplit(url)
        host = parts.hostname
        _ = parts.port  # reading it raises ValueError when it is no number
    except ValueError:
        host = None
    if not host or parts.scheme not in ("http", "https") or any(not c.isprintable() or c == " " for c in url):
        raise InvalidValueError(
            f"{sanitize_line(text, 60)!r} is not an address: write it like http://127.0.0.1:8080/v1."
        )
    if parts.username is not None or parts.password is not None:
        raise InvalidValueError("An address must not hold a password: put the key into the key field.")
    if parts.query or parts.fragment:
        raise InvalidValueError("An address ends with its path: leave out what follows the ? or #.")
    return url


def is_openai(url: str) -> bool:
    """Whether an address is OpenAI's own."""
    host = urlsplit(url).hostname or ""
    return host == "api.openai.com" or host.endswith(".api.openai.com")


def lacks_version(url: str) -> bool:
    """Whether an address has no path, as when the usual `/v1` was forgotten."""
    return urlsplit(url).path in ("", "/")
