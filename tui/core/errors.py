"""Every failure that a user can meet: `str(error)` is one sentence that says what happened and what to do."""

from datetime import datetime
from enum import StrEnum

from tui.core.frozen import frozen


class CtroomError(Exception):
    """The base of the family. Its text is fit for the screen: one sentence, no key, no traceback."""


class ProviderErrorKind(StrEnum):
    """What went wrong at a provider, whatever its SDK called it."""

    BAD_KEY = "bad_key"
    PROVIDER_QUOTA = "provider_quota"
    RATE_LIMIT = "rate_limit"
    MODEL_NOT_FOUND = "model_not_found"
    CONTEXT_TOO_LONG = "context_too_long"
    BAD_REQUEST = "bad_request"
    BLOCKED = "blocked"
    NETWORK = "network"
    TIMEOUT = "timeout"
    SERVER = "server"
    MALFORMED = "malformed"
    INCOMPLETE = "incomplete"
    NOT_INSTALLED = "not_installed"


class ProviderError(CtroomError):
    """A provider refused, failed or answered nonsense.

    Args:
        kind: The member of the family.
        message: One sentence for the user, without secrets.
        retry_after: Seconds after which the provider says a retry may succeed, where it said so.
        accepted: False only where the request was provably never accepted (a refused connection, a 4xx), so
            that nothing was spent; True or None mean that it may have been.
    """

    def __init__(
        self,
        kind: ProviderErrorKind,
        message: str,
        *,
        retry_after: float | None = None,
        accepted: bool | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.retry_after = retry_after
        self.accepted = accepted

    @property
    def retryable(self) -> bool:
        """Whether the same request may succeed later without a change."""
        return self.kind in _RETRYABLE


_RETRYABLE = frozenset(
    {
        ProviderErrorKind.RATE_LIMIT,
        ProviderErrorKind.NETWORK,
        ProviderErrorKind.TIMEOUT,
        ProviderErrorKind.SERVER,
    }
)


class RefusalReason(StrEnum):
    """Why a turn on a default key was not admitted."""

    POOL_EXHAUSTED = "pool_exhausted"
    DAY_EXHAUSTED = "day_exhausted"
    HELD_BY_OTHERS = "held_by_others"
    PROMPT_TOO_LONG = "prompt_too_long"


class QuotaRefusedError(CtroomError):
    """A turn was refused by the pool or by the day's limit, before any call was made.

    Args:
        reason: Why.
        message: One or two sentences for the user.
        resets_at: When the day's allowance returns (UTC), where the day is the reason.
    """

    def __init__(self, reason: RefusalReason, message: str, resets_at: datetime | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.resets_at = resets_at


class NoUsableKeyError(CtroomError):
    """There is no key to send with: own keys are chosen and none is set, or the host has no default key.

    Args:
        provider: The provider that has no key.
        message: One sentence with the way out.
    """

    def __init__(self, provider: str, message: str) -> None:
        super().__init__(message)
        self.provider = provider


class InvalidValueError(CtroomError):
    """A value typed by a user cannot be taken; the text says what is wrong with it, beside the field."""


class SecretsError(CtroomError):
    """A key could not be stored, read back or removed."""


class StorageErrorKind(StrEnum):
    """What went wrong with the data directory."""

    CORRUPT = "corrupt"
    NEWER = "newer"
    UNREADABLE = "unreadable"
    UNWRITABLE = "unwritable"
    FULL = "full"
    MISSING = "missing"
    BUSY = "busy"


class StorageError(CtroomError):
    """State could not be read or saved; nothing on disk was replaced.

    Args:
        kind: The member of the family.
        message: One sentence with the file and the way out.
    """

    def __init__(self, kind: StorageErrorKind, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@frozen
class RecordProblem:
    """Where a stored record is not what its schema says."""

    file: str
    table: str
    field: str
    problem: str

    def __str__(self) -> str:
        return f"{self.file}: table {self.table!r}, field {self.field!r}: {self.problem}"
