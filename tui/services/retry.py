"""When a request is sent again, and after how long."""

import random

from tui.core.errors import ProviderError

ATTEMPTS = 3
"""Attempts of one turn, the first included."""
LONGEST_WAIT = 30.0
"""Seconds that a user is made to wait for a retry; where a provider asks for more, the turn fails at once."""
_FIRST_WAIT = 1.0


def wait_before_retry(attempt: int, error: ProviderError) -> float | None:
    """Seconds to wait before the next attempt, or None where there must be none.

    The provider's own `retry_after` is kept to the second; else the wait doubles, less up to half by chance,
    so that many clients do not come back at once.

    Args:
        attempt: The number of the one that failed, from 1.
        error: How it failed, before the first byte of a reply.
    """
    if attempt >= ATTEMPTS or not error.retryable:
        return None
    if error.retry_after is not None:
        return max(0.0, error.retry_after) if error.retry_after <= LONGEST_WAIT else None
    return _FIRST_WAIT * 2.0 ** (attempt - 1) * random.uniform(0.5, 1.0)
