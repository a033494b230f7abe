"""Maps whatever the `openai` SDK raises to the family of provider errors."""

import json
from collections.abc import Mapping
from typing import Any

from tui.core.errors import ProviderError, ProviderErrorKind
from tui.core.frozen import frozen
from tui.providers.failures import (
    NEVER_SENT,
    STATUS_KINDS,
    Target,
    error_chain,
    malformed_error,
    network_error,
    retry_after,
    sentence,
    timeout_error,
)

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

_STATUSES = {**STATUS_KINDS, 402: _Kind.PROVIDER_QUOTA}

_PHRASES = (
    ("maximum context length", _Kind.CONTEXT_TOO_LONG),
    ("context window", _Kind.CONTEXT_TOO_LONG),
    ("exceeds the available context", _Kind.CONTEXT_TOO_LONG),
    ("api key not valid", _Kind.BAD_KEY),
    ("incorrect api key", _Kind.BAD_KEY),
)
"""What compatible servers say in the text of a 400 that has no code (vLLM, llama.cpp, Gemini, xAI)."""


@frozen
class Said:
    """What the body of an error says."""

    text: str = ""
    param: str | None = None
    labels: tuple[str, ...] = ()
    """Its code and its type."""
    status: int = 0
    """The HTTP status that some servers put into an error event as its code (OpenRouter, llama.cpp)."""


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
    names = {type(link).__name__ for link in error_chain(error)}
    if "APITimeoutError" in names or isinstance(error, TimeoutError):
        return timeout_error(target, accepted=False if names & NEVER_SENT else accepted)
    if "APIConnectionError" in names:
        return network_error(names, target, accepted)
    if type(error).__name__ == "APIError":
        return body_error(getattr(error, "body", None) or str(error), target)
    return malformed_error(target, accepted=accepted)


def body_error(body: object, target: Target) -> ProviderError:
    """An error that came in the body of an answer with status 200."""
    said = read_body(body)
    kind = _kind_of(said) or _STATUSES.get(said.status, _Kind.SERVER)
    return ProviderError(kind, sentence(kind, 0, target.clean(said.text), target), accepted=True)


def read_body(body: object) -> Said:
    """What an error's body says, whatever shape the server gave it."""
    if isinstance(body, list) and body:  # Gemini's compatible endpoint wraps its error into a list
        body = body[0]
    if isinstance(body, dict) and isinstance(body.get("error"), dict):
        body = body["error"]
    if isinstance(body, str):
        return Said("" if body.lstrip().startswith("<") else body)  # no pages of proxies
    if not isinstance(body, dict):
        return Said()
    text = body.get("message") or body.get("detail") or body.get("error") or ""
    code, param = body.get("code"), body.get("param")
    return Said(
        text=text if isinstance(text, str) else json.dumps(text),
        param=param if isinstance(param, str) else None,
        labels=tuple(label for label in (code, body.get("type")) if isinstance(label, str)),
        status=_as_status(code),
    )


def _as_status(code: object) -> int:
    digits = str(code)
    return int(digits) if len(digits) == 3 and digits.isascii() and digits.isdecimal() else 0


def _status_error(error: Exception, status: int, target: Target) -> ProviderError:
    said = read_body(getattr(error, "body", None))
    kind = _kind_of(said) or _STATUSES.get(status)
    if kind is None:
        kind = _Kind.SERVER if status >= 500 or status == 409 else _Kind.BAD_REQUEST
    headers: Any = getattr(getattr(error, "response", None), "headers", {})
    return ProviderError(
        kind,
        sentence(kind, status, target.clean(said.text), target),
        retry_after=retry_after(headers),
        accepted=False if status < 500 else None,
    )


def _kind_of(said: Said) -> ProviderErrorKind | None:
    for label in said.labels:
        if label in _CODES:
            return _CODES[label]
    lower = said.text.lower()
    return next((kind for phrase, kind in _PHRASES if phrase in lower), None)
