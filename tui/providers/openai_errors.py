"""Maps whatever the `openai` SDK raises to the family of provider errors."""

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any

from tui.core.errors import ProviderError, ProviderErrorKind
from tui.core.text import redact, sanitize, sanitize_line
from tui.providers.base_url import is_openai, lacks_version

_Kind = ProviderErrorKind

_CODES: Mapping[str, ProviderErrorKind] = {
    "billing_hard_limit_reached": _Kind.PROVIDER_QUOTA,
    "content_filter": _Kind.BLOCKED,
    "content_policy_violation": _Kind.BLOCKED,
    "context_length_exceeded": _Kind.CONTEXT_TOO_LONG,
    "exceed_context_size_error": _Kind.CONTEXT_TOO_LONG,
    "insufficient_quota": _Kind.PROVIDER_QUOTA,
    "invalid_api_key": _Kind.BAD_KEY,
    "model_not_found": _Kind.MODEL_NOT_FOUND,
    "rate_limit_exceeded": _Kind.RATE_LIMIT,
    "server_error": _Kind.SERVER,
    "string_above_max_length": _Kind.CONTEXT_TOO_LONG,
    "unsupported_country_region_territory": _Kind.BLOCKED,
}
"""Codes and types of OpenAI's error bodies; `exceed_context_size_error` is llama.cpp's."""

_STATUSES: Mapping[int, ProviderErrorKind] = {
    401: _Kind.BAD_KEY,
    402: _Kind.PROVIDER_QUOTA,
    403: _Kind.BAD_KEY,
    404: _Kind.MODEL_NOT_FOUND,
    408: _Kind.TIMEOUT,
    413: _Kind.CONTEXT_TOO_LONG,
    429: _Kind.RATE_LIMIT,
}

_PHRASES = (
    ("maximum context length", _Kind.CONTEXT_TOO_LONG),
    ("context window", _Kind.CONTEXT_TOO_LONG),
    ("exceeds the available context", _Kind.CONTEXT_TOO_LONG),
    ("api key not valid", _Kind.BAD_KEY),
    ("incorrect api key", _Kind.BAD_KEY),
)
"""What compatible servers say in the text of a 400 that has no code (vLLM, llama.cpp, Gemini, xAI)."""

_NEVER_SENT = frozenset(
    {"ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError", "UnsupportedProtocol"}
)
"""httpx errors before a request was on its way."""

_DETAIL = 160
"""Characters of a provider's own words in a sentence."""


@dataclass(frozen=True, slots=True)
class Target:
    """Whom a failed request went to."""

    name: str
    """The provider's name for people."""
    base_url: str
    api_key: str | None = field(repr=False)
    model: str = ""

    def clean(self, text: str) -> str:
        """One safe line of a provider's words, without the key."""
        return sanitize_line(redact(sanitize(text), [self.api_key] if self.api_key else ()), _DETAIL)


def provider_error(error: Exception, target: Target, *, accepted: bool | None = None) -> ProviderError:
    """The member of the family for what the SDK raised.

    Args:
        error: The exception.
        target: Whom it concerns.
        accepted: What is known where the exception itself does not tell: True once a reply has begun.
    """
    if isinstance(error, ProviderError):
        return error
    status = getattr(error, "status_code", None)
    if isinstance(status, int) and status >= 400:
        return _status_error(error, status, target)
    names = {type(link).__name__ for link in _chain(error)}
    if "APITimeoutError" in names or isinstance(error, TimeoutError):
        return timeout_error(target, accepted=False if names & _NEVER_SENT else accepted)
    if "APIConnectionError" in names:
        return _network_error(names, target, accepted)
    if type(error).__name__ == "APIError":
        return _stream_error(error, target)
    return malformed_error(target, accepted=accepted)


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


def error_body(error: Exception) -> tuple[str, str | None]:
    """The text of an API error and its `param`, whatever shape the server gave its body."""
    body = getattr(error, "body", None)
    if isinstance(body, list) and body:  # Gemini's compatible endpoint wraps its error into a list
        body = body[0].get("error", body[0]) if isinstance(body[0], dict) else body[0]
    if isinstance(body, dict):
        text = body.get("message") or body.get("detail") or body.get("error")
        param = body.get("param")
        return text if isinstance(text, str) else json.dumps(text or ""), param if isinstance(
            param, str
        ) else None
    if isinstance(body, str) and not body.lstrip().startswith("<"):
        return body, None
    return "", None


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


def _seconds_until(date: str) -> float:
    try:
        return max(0.0, parsedate_to_datetime(date).timestamp() - time.time())
    except (ValueError, OverflowError):
        return float("nan")


def _status_error(error: Exception, status: int, target: Target) -> ProviderError:
    text, _ = error_body(error)
    kind = _kind_of(error, text) or _STATUSES.get(status)
    if kind is None:
        kind = _Kind.SERVER if status >= 500 or status == 409 else _Kind.BAD_REQUEST
    headers: Any = getattr(getattr(error, "response", None), "headers", {})
    return ProviderError(
        kind,
        _sentence(kind, status, target.clean(text), target),
        retry_after=retry_after(headers),
        accepted=False if status < 500 else None,
    )


def _stream_error(error: Exception, target: Target) -> ProviderError:
    """An error event in the body of a stream that began with status 200."""
    text, _ = error_body(error)
    kind = _kind_of(error, text) or _STATUSES.get(_body_status(error), _Kind.SERVER)
    return ProviderError(kind, _sentence(kind, 0, target.clean(text), target), accepted=True)


def _body_status(error: Exception) -> int:
    """The HTTP status that some servers put into an error event as its code (OpenRouter, llama.cpp)."""
    code = str(getattr(error, "code", None))
    return int(code) if code.isdecimal() else 0


def _kind_of(error: Exception, text: str) -> ProviderErrorKind | None:
    for label in (getattr(error, "code", None), getattr(error, "type", None)):
        if isinstance(label, str) and label in _CODES:
            return _CODES[label]
    lower = text.lower()
    return next((kind for phrase, kind in _PHRASES if phrase in lower), None)


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


def _sentence(kind: ProviderErrorKind, status: int, detail: str, target: Target) -> str:
    said = f" ({detail.rstrip('.')})" if detail else ""
    if kind is _Kind.BAD_KEY:
        return _key_sentence(status, said, target)
    if kind is _Kind.MODEL_NOT_FOUND:
        model = f"the model {sanitize_line(target.model, 60)!r}" if target.model else "what was asked for"
        hint = _address_hint(target) or "choose another model"
        return f"{target.name} does not have {model}: {hint}{said}."
    code = f" (status {status})" if status and not detail else ""
    return _SENTENCES[kind].format(name=target.name, said=said, code=code)


def _key_sentence(status: int, said: str, target: Target) -> str:
    if target.api_key is None:
        return f"{target.name} wants an API key: add one in Settings{said}."
    if status == 403:
        return f"{target.name} does not allow this with this key: check the key's rights{said}."
    # What providers say here repeats parts of the key.
    return f"{target.name} says that this key is not valid: check it in Settings."


def _network_error(names: set[str], target: Target, accepted: bool | None) -> ProviderError:
    if names & _NEVER_SENT:
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


def _address_hint(target: Target) -> str | None:
    if lacks_version(target.base_url):
        return "check its address, which usually ends in /v1"
    return None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The exception, and those behind it."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
