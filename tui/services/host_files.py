"""Who may read and write files of this machine: its owner alone, who works on it."""

from tui.core.errors import InvalidValueError
from tui.core.settings import LOCAL_USER


def may_use_host_files(user: str) -> bool:
    """Whether a user's session may read and write files of the machine that it runs on."""
    return user == LOCAL_USER


def check_may_write(user: str) -> None:
    """Let only the owner of this machine write a file on it.

    Raises:
        InvalidValueError: The user is connected to it from elsewhere.
    """
    if not may_use_host_files(user):
        raise InvalidValueError("Files can't be saved on the host over SSH: copy the text instead.")
