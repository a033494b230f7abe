"""Settings: what the host decides, what each user decides, and the dotted names of both."""

import re
from dataclasses import field, replace
from datetime import date, datetime
from enum import StrEnum

from tui.core.errors import InvalidValueError
from tui.core.frozen import frozen
from tui.core.quota import Pool

LOCAL_USER = "local"
"""The one user outside `ctroom serve`: an admin."""
POOLED = ("openai", "google")
"""Providers with default keys, and so with a pool."""
BUILT_IN = (*POOLED, "demo")
NAMES = {"openai": "OpenAI", "google": "Google", "demo": "Demo"}
"""Provider names for people."""
DEFAULT_MODELS = {"openai": "gpt-5.1", "google": "gemini-3.5-flash", "demo": "demo"}
DEFAULT_TIERS = {"free": 1_000, "basic": 10_000, "unlimited": None}
"""Tokens per day on default keys (the user's numbers); None is unlimited."""
THEMES = (
    "ansi-dark",
    "ansi-light",
    "atom-one-dark",
    "atom-one-light",
    "catppuccin-frappe",
    "catppuccin-latte",
    "catppuccin-macchiato",
    "catppuccin-mocha",
    "dracula",
    "flexoki",
    "gruvbox",
    "high-contrast-dark",
    "high-contrast-light",
    "monokai",
    "nord",
    "rose-pine",
    "rose-pine-dawn",
    "rose-pine-moon",
    "solarized-dark",
    "solarized-light",
    "textual-dark",
    "textual-light",
    "tokyo-night",
)
"""Every theme of the screen, by name: Textual's and our own."""
MAX_OUTPUT = 4_096
"""Tokens of a reply, unless set otherwise (design, section 3)."""

_ENDPOINT_NAME = re.compile(r"[a-z][a-z0-9-]{0,23}")
_RESERVED = frozenset({*BUILT_IN, "google-legacy", "default", "keys"})


class UserRole(StrEnum):
    """What a user may do."""

    ADMIN = "admin"
    MEMBER = "member"


class GoogleSdk(StrEnum):
    """Which SDK the `google` provider uses."""

    GENAI = "google-genai"
    LEGACY = "google-generativeai"
    """The retired SDK, from the extra `google-legacy`."""


class TitleSource(StrEnum):
    """Where the title of a conversation comes from, until the user gives one."""

    PROMPT = "prompt"
    """The first prompt's first line: free of tokens."""
    MODEL = "model"
    """A model is asked after its first reply, which is charged like a turn."""


class ReplyNotice(StrEnum):
    """What happens when a reply that took long ends while another window has the focus."""

    OFF = "off"
    BELL = "bell"
    DESKTOP = "desktop"
    """A notice by the terminal where it can show one, else the bell."""


@frozen
class KeyState:
    """What is known of a user's own key for one provider; never the key."""

    use_own: bool = False
    """The toggle "use my key"; it counts only in own-keys mode."""
    set: bool = False
    last_four: str = ""
    place: str = ""
    """Where it is kept, in words: "the system keyring"."""


@frozen
class ApiKeys:
    """A user's choice of keys."""

    use_custom: bool = False
    """False: "Use default keys", whatever the toggles say. True: "Use my own keys"."""
    openai: KeyState = KeyState()
    google: KeyState = KeyState()
    endpoints: dict[str, KeyState] = field(default_factory=dict)
    """Keys of named endpoints, by endpoint name."""

    def state(self, provider: str) -> KeyState:
        """The state of the key for a provider or a named endpoint."""
        if provider == "openai":
            return self.openai
        if provider == "google":
            return self.google
        return self.endpoints.get(provider, KeyState())

    def with_state(self, provider: str, state: KeyState) -> "ApiKeys":
        """The same choice, with another state for a provider or a named endpoint."""
        if provider == "openai":
            return replace(self, openai=state)
        if provider == "google":
            return replace(self, google=state)
        others = {name: other for name, other in self.endpoints.items() if name != provider}
        if state != KeyState():
            others[provider] = state
        return replace(self, endpoints=others)


@frozen
class TokenQuotas:
    """The readable view of the pools, kept in the admin's settings by the accounting."""

    openai_purchased: int | None = None
    google_purchased: int | None = None
    openai_used: int = 0
    google_used: int = 0

    @classmethod
    def of(cls, openai: Pool, google: Pool) -> "TokenQuotas":
        """The view of both pools."""
        return cls(openai.purchased, google.purchased, openai.used, google.used)


@frozen
class UserSettings:
    """One user's record."""

    user: str
    role: UserRole
    tier: str
    created_at: datetime
    api_keys: ApiKeys = ApiKeys()
    token_quotas: TokenQuotas | None = None
    """Only in an admin's record."""
    provider: str = ""
    """The provider of new conversations; empty: the first that has a key, else the demo."""
    models: dict[str, str] = field(default_factory=dict)
    """The model of new conversations, by provider; where absent, `DEFAULT_MODELS`."""
    theme: str = "textual-dark"
    max_output: int = MAX_OUTPUT
    temperature: float | None = None
    reasoning_effort: str = ""
    """One of `tui.core.chat.REASONING_EFFORTS`; empty: the model's own."""
    system_prompt: str = ""
    display_time_zone: str = ""
    """Where reset times are shown in; empty: the host's `time_zone`."""
    bell: bool = True
    """Whether an alert rings the terminal's bell."""
    notify: ReplyNotice = ReplyNotice.BELL
    titles: TitleSource = TitleSource.PROMPT
    keymap: dict[str, str] = field(default_factory=dict)
    """Keys of the user's own choice, by the id of a binding: "f12" or "f12,ctrl+s"."""
    granted: int = 0
    """Tokens that an admin gave beside the tier's limit, on the day `granted_on` alone."""
    granted_on: date | None = None


@frozen
class Endpoint:
    """A named OpenAI-compatible server."""

    name: str
    base_url: str
    model: str = ""
    """Its default model; empty: the first that it lists."""
    context: int | None = None
    """Tokens of its context window, where the owner knows it."""


@frozen
class HostSettings:
    """What the host decides for everyone on this data directory."""

    host_name: str = ""
    """Shown in brackets beside "Use default keys" ("King's Credits")."""
    time_zone: str = "UTC"
    """The IANA zone whose midnight ends a day."""
    tiers: dict[str, int | None] = field(default_factory=lambda: dict(DEFAULT_TIERS))
    """Tokens per user and day on default keys, by tier; None: unlimited."""
    endpoints: tuple[Endpoint, ...] = ()
    google_sdk: GoogleSdk = GoogleSdk.GENAI
    openai_base_url: str = ""
    """Empty: `OPENAI_BASE_URL`, else the SDK's own."""
    google_base_url: str = ""
    """Empty: `GOOGLE_GEMINI_BASE_URL`, else the SDK's own."""

    @property
    def providers(self) -> tuple[str, ...]:
        """Every provider that can be chosen, the demo last."""
        return (*POOLED, *(endpoint.name for endpoint in self.endpoints), "demo")

    def endpoint(self, name: str) -> Endpoint | None:
        """The endpoint of that name."""
        return next((endpoint for endpoint in self.endpoints if endpoint.name == name), None)


def check_endpoint_name(name: str) -> str:
    """The name, if an endpoint may have it.

    Raises:
        InvalidValueError: Wrong characters or length, or a name that is taken by a provider.
    """
    if not _ENDPOINT_NAME.fullmatch(name):
        raise InvalidValueError("A name has 1 to 24 small letters, digits or hyphens, a letter first.")
    if name in _RESERVED:
        raise InvalidValueError(f"{name!r} is the name of a built-in provider: choose another.")
    return name


def provider_name(provider: str) -> str:
    """A provider's name for people; a named endpoint goes by its own."""
    return NAMES.get(provider, provider)
