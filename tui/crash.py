"""What is kept of an error that ended the app: its type and stack, never a local or a message."""

import os
import traceback
from datetime import UTC, datetime
from pathlib import Path

LOG_NAME = "ctroom.log"


def record_crash(error: BaseException, directory: Path) -> str:
    """Append an error to the log in the data directory.

    The message is left out: it may hold a prompt or a key.

    Args:
        error: What ended the app.
        directory: The data directory.

    Returns:
        A reference that names the record; it is given even where the log can't be written.
    """
    reference = os.urandom(4).hex()
    frames = traceback.extract_tb(error.__traceback__)
    stack = "\n".join(f"  {frame.filename}:{frame.lineno} {frame.name}" for frame in frames)
    entry = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {reference} {type(error).__name__}\n{stack}\n"
    try:
        log = directory / LOG_NAME
        log.touch(mode=0o600)
        with log.open("a", encoding="utf-8") as file:
            file.write(entry)
    except OSError:
        pass
    return reference
