"""The server's log: a line for each login, refusal, disconnect and crash; never a key or a message."""

import logging
import os
import sys
from collections.abc import Mapping

from tui.core.text import redact, sanitize_line

LOG = logging.getLogger("ctroom.ssh")
_MOST = 400


def note(event: str, **facts: object) -> None:
    """Write a line: what happened, and the facts of it.

    Args:
        event: A few words of ours.
        facts: What it is about; made safe to show, whoever it comes from.
    """
    LOG.info("%s", _line(event, facts))


def warn(event: str, **facts: object) -> None:
    """Write a line that somebody should look at."""
    LOG.warning("%s", _line(event, facts))


def _line(event: str, facts: Mapping[str, object]) -> str:
    told = [f"{name}={_quoted(redact(sanitize_line(str(value), 80)))}" for name, value in facts.items()]
    return sanitize_line(" ".join([event, *told]), _MOST)


def _quoted(value: str) -> str:
    """A value that can't be taken for two facts."""
    plain = value and not any(character in value for character in ' ="')
    return value if plain else '"' + value.replace('"', "'") + '"'


def begin(environ: Mapping[str, str]) -> logging.Handler:
    """Let the log go to standard error; where journald takes that, it dates and ranks the lines itself.

    Args:
        environ: The server's environment.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        _Journald()
        if _is_journald(environ)
        else logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S%z")
    )
    LOG.handlers[:] = [handler]
    LOG.setLevel(logging.INFO)
    LOG.propagate = False
    return handler


class _Journald(logging.Formatter):
    """Lines with the rank that journald reads off their beginning."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        rank = 4 if record.levelno >= logging.WARNING else 6
        return f"<{rank}>{record.getMessage()}"


def _is_journald(environ: Mapping[str, str]) -> bool:
    try:
        found = os.fstat(sys.stderr.fileno())
    except (OSError, ValueError):
        return False
    return environ.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"
