"""What a provider is connected with, and what may be told of it."""

import re
from collections.abc import Callable
from dataclasses import field
from typing import Protocol

from tui.core.errors import InvalidValueError
from tui.core.frozen import frozen
from tui.core.ports import Provider
from tui.core.quota import KeySource
from tui.core.settings import GoogleSdk, HostSettings

MOST_KEY = 1_024
"""Characters of a key; the longest seen, OpenAI's project keys, have 164."""

_KEY = re.compile(r"[\x21-\x7e]+")


class Connect(Protocol):
    """Makes a provider with one credential, as `tui.providers.connect` does."""

    def __call__(self, kind: str, *, api_key: str | None, base_url: str | None, name: str) -> Provider:
        """The provider of that kind."""
        ...


@frozen
class KeyEnvironment:
    """What the environment says of keys and addresses."""

    key: Callable[[str], tuple[str, str] | None]
    """The default key in the environment for a provider, and its variable; may raise `SecretsError`."""
    base_urls: dict[str, str] = field(default_factory=dict)
    """Addresses by provider, from the SDKs' own variables."""


@frozen
class Credential:
    """All that is needed to connect to a provider."""

    key: str | None = field(repr=False)
    source: KeySource
    kind: str
    """The kind of adapter: `openai`, `google`, `google-legacy` or `demo`."""
    base_url: str | None
    name: str
    """The provider's name for people."""


@frozen
class KeyStatus:
    """What can be said of a provider's keys without asking the keyring."""

    provider: str
    source: KeySource
    """Whose key is used at present."""
    use_own: bool
    """The toggle "use my key"."""
    set: bool
    """Whether the user's own key is kept."""
    last_four: str
    """Of the own key; empty for a short one."""
    place: str
    """Where the own key is kept, in words."""
    default_available: bool
    missing: bool
    """A turn would be refused: the key that should be used is not there."""
    default_place: str = ""
    """Where the default key comes from: the keyring, or the name of a variable. This and what follows is told
    to admins alone."""
    default_stored: bool = False
    """Whether the default key is stored, rather than of the environment."""
    default_last_four: str = ""
    """Empty for a short key."""


def checked_key(key: str) -> str:
    """A key as it was typed, without spaces around it.

    Raises:
        InvalidValueError: It can't be a key; the error never repeats it.
    """
    key = key.strip()
    if not key:
        raise InvalidValueError("Enter a key.")
    if len(key) > MOST_KEY or not _KEY.fullmatch(key):
        raise InvalidValueError("That can't be an API key: it has spaces, odd characters, or is too long.")
    return key


def target(provider: str, host: HostSettings, environment: KeyEnvironment) -> tuple[str, str | None] | None:
    """The kind of adapter and the address of a provider; None where there is no such provider."""
    address = environment.base_urls.get(provider)
    match provider:
        case "demo":
            return "demo", None
        case "openai":
            return "openai", host.openai_base_url or address
        case "google":
            legacy = host.google_sdk is GoogleSdk.LEGACY
            return "google-legacy" if legacy else "google", host.google_base_url or address
    endpoint = host.endpoint(provider)
    return ("openai", endpoint.base_url) if endpoint else None
