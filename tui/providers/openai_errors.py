"""Maps whatever the `openai` SDK raises to the family of provider errors."""

import json
from collections.abc import Mapping
from typing import Any

from tui.core.errors import ProviderError, ProviderErrorKind
from tui.providers.failures import (
    NEVER_SENT,
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
        return _stream_error(error, target)
    return malformed_error(target, accepted=accepted)


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


def _status_error(error: Exception, status: int, target: Target) -> ProviderError:
    text, _ = error_body(error)
    kind = _kind_of(error, text) or _STATUSES.get(status)
    if kind is None:
        kind = _Kind.SERVER if status >= 500 or status == 409 else _Kind.BAD_REQUEST
    headers: Any = getattr(getattr(error, "response", None), "headers", {})
    return ProviderError(
        kind,
        sentence(kind, status, target.clean(text), target),
        retry_after=retry_after(headers),
        accepted=False if status < 500 else None,
    )


def _stream_error(error: Exception, target: Target) -> ProviderError:
    """An error event in the body of a stream that began with status 200."""
    text, _ = error_body(error)
    kind = _kind_of(error, text) or _STATUSES.get(_body_status(error), _Kind.SERVER)
    return ProviderError(kind, sentence(kind, 0, target.clean(text), target), accepted=True)


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
