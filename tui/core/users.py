"""Users of a host: their names, and the SSH public keys that say who they are."""

import re
from datetime import datetime

from tui.core.errors import InvalidValueError
from tui.core.frozen import frozen
from tui.core.text import redact

MOST_NAME = 32
"""Characters of a user's name."""

_NAME = rf"[a-z](?:[a-z0-9._-]{{0,{MOST_NAME - 2}}}[a-z0-9_-])?"
_RESERVED = frozenset(
    {
        "admin",
        "administrator",
        "all",
        "anonymous",
        "bin",
        "ctroom",
        "daemon",
        "default",
        "everyone",
        "guest",
        "host",
        "local",
        "me",
        "nobody",
        "none",
        "operator",
        "root",
        "server",
        "sshd",
        "support",
        "sys",
        "system",
        "unknown",
        "user",
        "users",
        "www-data",
        "you",
    }
)
"""Names that would be taken for someone else, or for the place where the host's default keys are kept."""


@frozen
class PublicKey:
    """A key that a user signs in with."""

    user: str
    fingerprint: str
    """As `ssh-keygen -l` shows it: "SHA256:...", without padding."""
    key: str
    """Type and body without options: "ssh-ed25519 AAAA..."."""
    comment: str
    """What stood after it, such as "sam@laptop"; safe to show."""
    added_at: datetime
    added_by: str


def check_user_name(name: str) -> str:
    """The name, if a user may have it.

    Raises:
        InvalidValueError: Wrong characters or length, or a name taken for another user's or for a key.
    """
    if not re.fullmatch(_NAME, name):
        raise InvalidValueError(
            f"A user's name has 1 to {MOST_NAME} small letters, digits, dots, hyphens or underscores, "
            "a letter first and no dot at the end."
        )
    if redact(name) != name:
        raise InvalidValueError("That name looks like an API key, which no log may show: choose another.")
    if name in _RESERVED:
        raise InvalidValueError(f"The name {name!r} is reserved: choose another.")
    return name
