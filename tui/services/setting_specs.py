"""Every setting that has a dotted name: who decides it, what it is, how it is read and written as text."""

from collections.abc import Callable
from dataclasses import replace
from typing import Generic, TypeAlias, TypeVar

from tui.core import keymap
from tui.core.chat import REASONING_EFFORTS
from tui.core.errors import InvalidValueError
from tui.core.frozen import frozen
from tui.core.settings import (
    BUILT_IN,
    DEFAULT_MODELS,
    DEFAULT_TIERS,
    POOLED,
    THEMES,
    ApiKeys,
    Endpoint,
    GoogleSdk,
    HostSettings,
    ReplyNotice,
    TitleSource,
    UserSettings,
    check_endpoint_name,
    provider_name,
)
from tui.services import parsing

R = TypeVar("R")

SWITCH = ("true", "false")
_SDKS = tuple(sdk.value for sdk in GoogleSdk)
_NOTICES = tuple(notice.value for notice in ReplyNotice)
_TITLES = tuple(source.value for source in TitleSource)
REMOVE = "remove"
"""The value that takes an added tier away."""


@frozen
class Spec(Generic[R]):
    """A setting within a record of type `R`."""

    name: str
    description: str
    read: Callable[[R], str]
    """Its value as text, fit to be given to `write`."""
    write: Callable[[R, str, HostSettings], R]
    """The record with the value of a text; raises `InvalidValueError`."""
    choices: Callable[[HostSettings], tuple[str, ...]] | None = None
    """The only values it can have, where there are few."""
    admin: bool = False
    """Only an admin may change it."""


UserSpec: TypeAlias = Spec[UserSettings]
HostSpec: TypeAlias = Spec[HostSettings]


def specs(host: HostSettings) -> tuple[UserSpec | HostSpec, ...]:
    """Every setting there is at present: tiers and endpoints come and go."""
    found: list[UserSpec | HostSpec] = [*_USER, *_HOST]
    found += [_tier(name) for name in host.tiers]
    for endpoint in host.endpoints:
        found += _endpoint(endpoint.name)
    return tuple(found)


def user_spec(name: str) -> UserSpec | None:
    """The user's setting of that name.

    Raises:
        InvalidValueError: No binding can have the id after `keymap.`.
    """
    if name.startswith(keymap.PREFIX):
        return keys_spec(keymap.check_binding_id(name.removeprefix(keymap.PREFIX)))
    return _USER_BY_NAME.get(name)


def host_spec(name: str) -> HostSpec | None:
    """The host's setting of that name; also that of a tier or endpoint yet to be added.

    Raises:
        InvalidValueError: A tier or an endpoint can't have the name.
    """
    match name.split("."):
        case ["tiers", tier]:
            return _tier(parsing.tier_name(tier))
        case ["endpoints", endpoint, _]:
            offered = _endpoint(check_endpoint_name(endpoint))
            return next((spec for spec in offered if spec.name == name), None)
    return _HOST_BY_NAME.get(name)


def keys_spec(binding: str) -> UserSpec:
    """The keys of a binding, by its id."""

    def write(user: UserSettings, text: str, _: HostSettings) -> UserSettings:
        kept = {key: value for key, value in user.keymap.items() if key != binding}
        if text.strip().lower() not in ("", keymap.DEFAULT):
            kept[binding] = keymap.parse_keys(text)
        return replace(user, keymap=kept)

    return Spec(
        f"{keymap.PREFIX}{binding}",
        f"The keys of {binding}, such as f5 or ctrl+s; {keymap.DEFAULT} for its own.",
        lambda user: user.keymap.get(binding, keymap.DEFAULT),
        write,
    )


def _own_key(provider: str) -> UserSpec:
    def write(user: UserSettings, text: str, _: HostSettings) -> UserSettings:
        state = replace(user.api_keys.state(provider), use_own=parsing.switch(text))
        keys = user.api_keys
        keys = replace(keys, openai=state) if provider == "openai" else replace(keys, google=state)
        return replace(user, api_keys=keys)

    return Spec(
        f"{provider}.use_own_key",
        f"Use your own {provider_name(provider)} key in own-keys mode: true, or false for the default key.",
        lambda user: parsing.switch_text(user.api_keys.state(provider).use_own),
        write,
        lambda _: SWITCH,
    )


def _model(provider: str) -> UserSpec:
    def write(user: UserSettings, text: str, _: HostSettings) -> UserSettings:
        models = {key: value for key, value in user.models.items() if key != provider}
        if model := parsing.model(text):
            models[provider] = model
        return replace(user, models=models)

    return Spec(
        f"{provider}.model",
        f"The model of new conversations with {provider_name(provider)}.",
        lambda user: user.models.get(provider, DEFAULT_MODELS[provider]),
        write,
    )


def _base_url(provider: str) -> HostSpec:
    def write(host: HostSettings, text: str, _: HostSettings) -> HostSettings:
        address = parsing.url(text)
        if provider == "openai":
            return replace(host, openai_base_url=address)
        return replace(host, google_base_url=address)

    return Spec(
        f"{provider}.base_url",
        f"Another address for {provider_name(provider)}'s API; empty for its own.",
        lambda host: host.openai_base_url if provider == "openai" else host.google_base_url,
        write,
        admin=True,
    )


def _tier(name: str) -> HostSpec:
    def read(host: HostSettings) -> str:
        limit = host.tiers.get(name)
        return "unlimited" if limit is None else str(limit)

    def write(host: HostSettings, text: str, _: HostSettings) -> HostSettings:
        tiers = {key: value for key, value in host.tiers.items() if key != name}
        if text.strip().lower() != REMOVE:
            return replace(host, tiers={**host.tiers, name: parsing.tier_limit(text)})
        if name in DEFAULT_TIERS:
            raise InvalidValueError(f"The tier {name!r} can be changed but not removed.")
        return replace(host, tiers=tiers)

    return Spec(
        f"tiers.{name}",
        f"Tokens per day on default keys for users of tier {name!r}: a number, or unlimited.",
        read,
        write,
        admin=True,
    )


def _endpoint(name: str) -> list[HostSpec]:
    def current(host: HostSettings) -> Endpoint:
        return host.endpoint(name) or Endpoint(name, "")

    def put(host: HostSettings, endpoint: Endpoint) -> HostSettings:
        if not endpoint.base_url:
            raise InvalidValueError(f"Set endpoints.{name}.base_url first: the address of the server.")
        return with_endpoint(host, endpoint)

    def spec(
        part: str, what: str, read: Callable[[Endpoint], str], write: Callable[[Endpoint, str], Endpoint]
    ) -> HostSpec:
        return Spec(
            f"endpoints.{name}.{part}",
            what,
            lambda host: read(current(host)),
            lambda host, text, _: put(host, write(current(host), text)),
            admin=True,
        )

    return [
        spec(
            "base_url",
            f"The address of the OpenAI-compatible server {name!r}.",
            lambda endpoint: endpoint.base_url,
            lambda endpoint, text: replace(endpoint, base_url=parsing.url(text)),
        ),
        spec(
            "model",
            f"The default model of {name!r}; empty for the first that it lists.",
            lambda endpoint: endpoint.model,
            lambda endpoint, text: replace(endpoint, model=parsing.model(text)),
        ),
        spec(
            "context",
            f"Tokens of the context window of {name!r}; empty where it is not known.",
            lambda endpoint: "" if endpoint.context is None else str(endpoint.context),
            lambda endpoint, text: replace(endpoint, context=parsing.optional_tokens(text)),
        ),
    ]


def with_endpoint(host: HostSettings, endpoint: Endpoint) -> HostSettings:
    """The host's settings with an endpoint added, or changed in its place."""
    if host.endpoint(endpoint.name):
        kept = (endpoint if other.name == endpoint.name else other for other in host.endpoints)
        return replace(host, endpoints=tuple(kept))
    return replace(host, endpoints=(*host.endpoints, endpoint))


def _use_custom(user: UserSettings, text: str, _: HostSettings) -> UserSettings:
    keys: ApiKeys = replace(user.api_keys, use_custom=parsing.switch(text))
    return replace(user, api_keys=keys)


def _provider(user: UserSettings, text: str, host: HostSettings) -> UserSettings:
    offered = ("", *host.providers)
    return replace(user, provider=parsing.choice(text, offered, "a provider"))


def _tier_of_user(user: UserSettings, text: str, host: HostSettings) -> UserSettings:
    return replace(user, tier=parsing.choice(text, tuple(host.tiers), "a tier"))


def _display_zone(user: UserSettings, text: str, _: HostSettings) -> UserSettings:
    return replace(user, display_time_zone=parsing.zone_name(text) if text.strip() else "")


def _notify(user: UserSettings, text: str, _: HostSettings) -> UserSettings:
    word = parsing.choice(text.lower(), _NOTICES, "a way to notify")
    return replace(user, notify=ReplyNotice(word))


def _titles(user: UserSettings, text: str, _: HostSettings) -> UserSettings:
    word = parsing.choice(text.lower(), _TITLES, "a source of titles")
    return replace(user, titles=TitleSource(word))


def _sdk(host: HostSettings, text: str, _: HostSettings) -> HostSettings:
    name = parsing.choice(text, _SDKS, "a Google SDK")
    return replace(host, google_sdk=GoogleSdk(name))


_USER: tuple[UserSpec, ...] = (
    Spec(
        "tier",
        "Your tier: it sets the tokens per day on default keys.",
        lambda user: user.tier,
        _tier_of_user,
        lambda host: tuple(host.tiers),
        admin=True,
    ),
    Spec(
        "keys.use_custom",
        "Use your own keys (true) or the default keys (false).",
        lambda user: parsing.switch_text(user.api_keys.use_custom),
        _use_custom,
        lambda _: SWITCH,
    ),
    *(_own_key(provider) for provider in POOLED),
    Spec(
        "provider",
        "The provider of new conversations; empty for the first that has a key.",
        lambda user: user.provider,
        _provider,
        lambda host: ("", *host.providers),
    ),
    *(_model(provider) for provider in BUILT_IN),
    Spec(
        "max_output",
        "The most tokens that a reply may have.",
        lambda user: str(user.max_output),
        lambda user, text, _: replace(user, max_output=parsing.output_tokens(text)),
    ),
    Spec(
        "temperature",
        "Sampling temperature from 0 to 2; empty for the model's own.",
        lambda user: "" if user.temperature is None else f"{user.temperature:g}",
        lambda user, text, _: replace(user, temperature=parsing.temperature(text)),
    ),
    Spec(
        "reasoning_effort",
        "How much a model that reasons may think before it answers; empty for the model's own.",
        lambda user: user.reasoning_effort,
        lambda user, text, _: replace(user, reasoning_effort=parsing.effort(text) or ""),
        lambda _: ("", *REASONING_EFFORTS),
    ),
    Spec(
        "system_prompt",
        "The system prompt of new conversations.",
        lambda user: user.system_prompt,
        lambda user, text, _: replace(user, system_prompt=parsing.prompt(text)),
    ),
    Spec(
        "display_time_zone",
        "The time zone in which times are shown to you; empty for the host's.",
        lambda user: user.display_time_zone,
        _display_zone,
    ),
    Spec(
        "theme",
        "The colours of the screen.",
        lambda user: user.theme,
        lambda user, text, _: replace(user, theme=parsing.choice(text.lower(), THEMES, "a theme")),
        lambda _: THEMES,
    ),
    Spec(
        "bell",
        "Whether an alert rings the terminal's bell.",
        lambda user: parsing.switch_text(user.bell),
        lambda user, text, _: replace(user, bell=parsing.switch(text)),
        lambda _: SWITCH,
    ),
    Spec(
        "notify",
        "When a long reply ends in an unfocused terminal: off, bell, or desktop (where the terminal can).",
        lambda user: user.notify.value,
        _notify,
        lambda _: _NOTICES,
    ),
    Spec(
        "titles",
        "Where titles come from: the first prompt, free of tokens, or the model, counted like a turn.",
        lambda user: user.titles.value,
        _titles,
        lambda _: _TITLES,
    ),
)

_HOST: tuple[HostSpec, ...] = (
    Spec(
        "time_zone",
        "The time zone whose midnight ends a day.",
        lambda host: host.time_zone,
        lambda host, text, _: replace(host, time_zone=parsing.zone_name(text)),
        admin=True,
    ),
    Spec(
        "host_name",
        "Shown in brackets beside the default keys, such as King's Credits.",
        lambda host: host.host_name,
        lambda host, text, _: replace(host, host_name=parsing.line(text, 40)),
        admin=True,
    ),
    *(_base_url(provider) for provider in POOLED),
    Spec(
        "google.sdk",
        "The SDK used for Google: google-genai, or the retired google-generativeai.",
        lambda host: host.google_sdk.value,
        _sdk,
        lambda _: _SDKS,
        admin=True,
    ),
)

_USER_BY_NAME = {spec.name: spec for spec in _USER}
_HOST_BY_NAME = {spec.name: spec for spec in _HOST}
