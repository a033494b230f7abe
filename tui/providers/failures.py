"""Failures of providers, in sentences: what every adapter says in the same words."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import field, replace
from email.utils import parsedate_to_datetime

from tui.core.chat import KeyCheck
from tui.core.errors import ProviderError, ProviderErrorKind
from tui.core.frozen import frozen
from tui.core.text import redact, sanitize, sanitize_line
from tui.providers.base_url import is_openai, lacks_version

_Kind = ProviderErrorKind

STATUS_KINDS: Mapping[int, ProviderErrorKind] = {
    401: _Kind.BAD_KEY,
    403: _Kind.BAD_KEY,
    404: _Kind.MODEL_NOT_FOUND,
    408: _Kind.TIMEOUT,
    413: _Kind.CONTEXT_TOO_LONG,
    429: _Kind.RATE_LIMIT,
}
"""What an HTTP status means at every provider."""
NEVER_SENT = frozenset(
    {
        "ConnectError",
        "ConnectTimeout",
        "NewConnectionError",
        "PoolTimeout",
        "ProxyError",
        "UnsupportedProtocol",
    }
)
"""Errors of httpx and urllib3 from before a request was on its way."""
_DETAIL = 160
"""Characters of a provider's own words in a sentence."""


_SENTENCES: Mapping[ProviderErrorKind, str] = {
    _Kind.PROVIDER_QUOTA: "Your account at {name} has no credit left: add some, or use another key{said}.",
    _Kind.RATE_LIMIT: "{name} is taking no more requests for a moment: wait, then try again{said}.",
    _Kind.CONTEXT_TOO_LONG: (
        "The conversation is too long for this model: shorten it, or start a new one{said}."
    ),
    _Kind.BLOCKED: "{name} refused the request by its own rules: put it another way{said}.",
    _Kind.TIMEOUT: "{name} did not answer in time: try again in a moment.",
    _Kind.SERVER: "{name} has a problem of its own{code}: try again in a moment{said}.",
    _Kind.BAD_REQUEST: "{name} refused the request{code}: try another model or setting{said}.",
}


@frozen
class Target:
    """Whom a failed request went to."""

    name: str
    """The provider's name for people."""
    base_url: str
    api_key: str | None = field(repr=False)
    model: str = ""
    versioned: bool = True
    """Whether its address ends in a version, which users forget."""

    def about(self, model: str) -> "Target":
        """The same target, asked for a model."""
        return replace(self, model=model)

    def clean(self, text: str) -> str:
        """One safe line of a provider's words, without the key."""
        return sanitize_line(redact(sanitize(text), [self.api_key] if self.api_key else ()), _DETAIL)


def timeout_error(target: Target, *, accepted: bool | None) -> ProviderError:
    """The provider did not answer, or stopped in the middle."""
    said = "stopped answering in the middle of a reply" if accepted else "did not answer in time"
    return ProviderError(_Kind.TIMEOUT, f"{target.name} {said}: try again in a moment.", accepted=accepted)


def malformed_error(target: Target, *, accepted: bool | None) -> ProviderError:
    """The provider sent something that is not a chat completion."""
    hint = _address_hint(target) or "try again, or choose another model"
    message = f"{target.name} sent an answer that can't be read: {hint}."
    return ProviderError(_Kind.MALFORMED, message, accepted=accepted)


def incomplete_error(target: Target) -> ProviderError:
    """The stream ended without a finish reason."""
    message = f"{target.name} ended the reply before it was whole: what had come is kept."
    return ProviderError(_Kind.INCOMPLETE, message, accepted=True)


def network_error(names: set[str], target: Target, accepted: bool | None) -> ProviderError:
    """The provider could not be reached, or the connection broke.

    Args:
        names: The type names of the exception and of those behind it.
        target: Whom it concerns.
        accepted: What is known where the names do not tell.
    """
    if names & NEVER_SENT:
        unsent, message = (
            True,
            f"{target.name} can't be reached: check the network and the address in Settings.",
        )
        if "gaierror" in names:
            message = (
                f"The address of {target.name} is not known: check the network and the address in Settings."
            )
        elif "ConnectionRefusedError" in names and not is_openai(target.base_url):
            message = f"Nothing answers at {target.base_url}: start {target.name}, or correct its address."
    else:
        unsent, message = False, f"The connection to {target.name} was lost: try again in a moment."
    return ProviderError(_Kind.NETWORK, message, accepted=False if unsent else accepted)


def sentence(kind: ProviderErrorKind, status: int, detail: str, target: Target) -> str:
    """One sentence with what to do.

    Args:
        kind: The member of the family.
        status: The HTTP status; 0 where there is none.
        detail: The provider's own words, made safe by `Target.clean`; may be empty.
        target: Whom it concerns.
    """
    said = f" ({detail.rstrip('.')})" if detail else ""
    if kind is _Kind.BAD_KEY:
        return _key_sentence(status, said, target)
    if kind is _Kind.MODEL_NOT_FOUND:
        model = f"the model {sanitize_line(target.model, 60)!r}" if target.model else "what was asked for"
        hint = _address_hint(target) or "choose another model"
        return f"{target.name} does not have {model}: {hint}{said}."
    code = f" (status {status})" if status and not detail else ""
    return _SENTENCES[kind].format(name=target.name, said=said, code=code)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, from `retry-after-ms` or `retry-after` (seconds or a date); None where not said."""
    for name, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        value = headers.get(name)
        if value is None:
            continue
        try:
            seconds = float(value) * scale
        except ValueError:
            seconds = _seconds_until(value)
        if 0 <= seconds < float("inf"):
            return seconds
    return None


def verdict(error: ProviderError, name: str) -> KeyCheck:
    """What a failed model list says of the key."""
    match error.kind:
        case ProviderErrorKind.BAD_KEY:
            return KeyCheck(ok=False, message=str(error), rejected=True)
        case ProviderErrorKind.PROVIDER_QUOTA | ProviderErrorKind.RATE_LIMIT:
            return KeyCheck(ok=True, message=f"{name} took the key, but: {error}")
        case ProviderErrorKind.NETWORK | ProviderErrorKind.TIMEOUT | ProviderErrorKind.SERVER:
            return KeyCheck(ok=False, message=str(error))
        case ProviderErrorKind.MALFORMED:
            return KeyCheck(ok=False, message=str(error))
        case _:
            return KeyCheck(ok=True, message=f"{name} has no model list; the key was not refused.")


def error_chain(error: BaseException | None) -> Iterator[BaseException]:
    """The exception, and those behind it."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _seconds_until(date: str) -> float:
    try:
        return max(0.0, parsedate_to_datetime(date).timestamp() - time.time())
    except (ValueError, OverflowError):
        return float("nan")


def _address_hint(target: Target) -> str | None:
    if target.versioned and lacks_version(target.base_url):
        return "check its address, which usually ends in /v1"
    return None


def _key_sentence(status: int, said: str, target: Target) -> str:
    if target.api_key is None:
        return f"{target.name} wants an API key: add one in Settings{said}."
    if status == 403:
        return f"{target.name} does not allow this with this key: check the key's rights{said}."
    # What providers say here repeats parts of the key.
    return f"{target.name} says that this key is not valid: check it in Settings."
