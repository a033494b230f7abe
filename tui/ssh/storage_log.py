"""What a disk refused, in the server's log: members are not told where the data lies."""

from collections.abc import Callable

from tui.core.errors import StorageError
from tui.core.text import redact, sanitize_line
from tui.ssh.journal import LOG

QUIET_SECONDS = 60.0
"""A full disk refuses every session every second: the same words are written once in that time."""
_MOST_KEPT = 100


class StorageLog:
    """Writes a line for each trouble with the data directory.

    Args:
        seconds: Tells the time.
    """

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._written: dict[str, float] = {}

    def note(self, error: StorageError) -> None:
        """Write what happened, with the file and the way out; called from any thread."""
        text, now = str(error), self._seconds()
        if now - self._written.get(text, -QUIET_SECONDS) < QUIET_SECONDS:
            return
        if len(self._written) >= _MOST_KEPT:
            self._written.clear()
        self._written[text] = now
        LOG.warning("storage kind=%s: %s", error.kind, redact(sanitize_line(text, 400)))
