"""Maps whatever Google's SDKs raise to the family of provider errors."""

import re
from typing import Any

from tui.core.errors import ProviderError, ProviderErrorKind
from tui.providers.failures import (
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

_STATUSES = {
    "DEADLINE_EXCEEDED": _Kind.TIMEOUT,
    "NOT_FOUND": _Kind.MODEL_NOT_FOUND,
    "PERMISSION_DENIED": _Kind.BAD_KEY,
    "RESOURCE_EXHAUSTED": _Kind.RATE_LIMIT,
    "UNAUTHENTICATED": _Kind.BAD_KEY,
}
"""Google's status names (google.rpc.Code)."""
_CODES = {**STATUS_KINDS, 504: _Kind.TIMEOUT}
_PHRASES = (
    ("api key not valid", _Kind.BAD_KEY),
    ("api key expired", _Kind.BAD_KEY),
    ("api_key_invalid", _Kind.BAD_KEY),
    ("exceeds the maximum number of tokens", _Kind.CONTEXT_TOO_LONG),
    ("prepayment credits are depleted", _Kind.PROVIDER_QUOTA),
    ("billing", _Kind.PROVIDER_QUOTA),
    ("perday", _Kind.PROVIDER_QUOTA),
)
"""What Gemini says in the text of a 400 or a 429 (ai.google.dev/gemini-api/docs/troubleshooting)."""


def provider_error(error: Exception, target: Target, *, accepted: bool | None = None) -> ProviderError:
    """The member of the family for what an SDK of Google's raised.

    Args:
        error: The exception.
        target: Whom it concerns.
        accepted: What is known where the exception itself does not tell: True once a reply has begun.
    """
    if isinstance(error, ProviderError):
        return error
    if (code := _code(error)) >= 400:
        return _api_error(error, code, target, accepted)
    names = {type(link).__name__ for link in error_chain(error)}
    if isinstance(error, TimeoutError) or any(
        name.endswith(("Timeout", "TimeoutException")) for name in names
    ):
        never = bool(names & {"ConnectTimeout", "PoolTimeout"})
        return timeout_error(target, accepted=False if never else accepted)
    if _is_network(error, names):
        return network_error(names, target, accepted)
    return malformed_error(target, accepted=accepted)


def blocked_error(target: Target, reason: str) -> ProviderError:
    """Gemini refused the prompt by its own rules, and answered nothing. Reading it was not free."""
    message = sentence(_Kind.BLOCKED, 0, target.clean(reason.replace("_", " ").lower()), target)
    return ProviderError(_Kind.BLOCKED, message, accepted=True)


def complains_of_thinking(error: Exception, failure: ProviderError) -> bool:
    """Whether a model refused the request only because it was asked for thoughts."""
    return failure.kind is _Kind.BAD_REQUEST and "think" in _text(error).lower()


def _api_error(error: Exception, code: int, target: Target, accepted: bool | None) -> ProviderError:
    text, details = _text(error), _details(error)
    kind = _kind(code, _status(error), f"{text} {details}".lower())
    return ProviderError(
        kind,
        sentence(kind, code, target.clean(text), target),
        retry_after=_retry_after(error, details),
        accepted=accepted if accepted else (False if code < 500 else None),
    )


def _kind(code: int, status: str, text: str) -> ProviderErrorKind:
    for phrase, kind in _PHRASES:
        # A rate limit's text speaks of billing too; only what lasts for the day is the account's own quota.
        if phrase in text and not (phrase == "billing" and ("retrydelay" in text or code != 429)):
            return kind
    if kind_of_status := _STATUSES.get(status) or _CODES.get(code):
        return kind_of_status
    return _Kind.SERVER if code >= 500 else _Kind.BAD_REQUEST


def _code(error: Exception) -> int:
    code: Any = getattr(error, "code", None)
    code = getattr(code, "value", code)  # google-api-core's is an enum member
    if isinstance(code, tuple):
        code = code[0]
    return code if isinstance(code, int) else 0


def _status(error: Exception) -> str:
    status = getattr(error, "status", None) or getattr(getattr(error, "grpc_status_code", None), "name", None)
    return status if isinstance(status, str) else ""


def _text(error: Exception) -> str:
    text = getattr(error, "message", None)
    return text if isinstance(text, str) else ""


def _details(error: Exception) -> str:
    """Google's error details as text, in which reasons and limits are looked for."""
    return str(getattr(error, "details", "") or "")


def _retry_after(error: Exception, details: str) -> float | None:
    match = re.search(r"retry_?[dD]elay'?\"?: *[{'\"]*(?:seconds: )?(\d+(?:\.\d+)?)s?", details)
    if match:
        return float(match[1])
    headers = getattr(getattr(error, "response", None), "headers", None)
    return retry_after(headers) if headers is not None else None


def _is_network(error: Exception, names: set[str]) -> bool:
    library = type(error).__module__.partition(".")[0]
    return library in {"httpx", "httpx2", "httpcore", "httpcore2", "requests", "urllib3"} or bool(
        names & {"ConnectionError", "ConnectionRefusedError", "ConnectionResetError", "gaierror"}
    )
