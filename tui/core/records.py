"""Records of the store's own: its schema and the trail of changes."""

from datetime import date, datetime

from tui.core.frozen import frozen

SCHEMA = 2
"""The version of the stored form. A file with a larger one is refused untouched."""


@frozen
class Meta:
    """The one record of `_meta`."""

    schema: int = SCHEMA
    sequence: int = 0
    """Counts transactions."""
    latest_day: date | None = None
    """The latest day that a hold was made on; days never go backwards."""
    created_at: datetime | None = None
    last_row: int = 0
    """The number of the latest ledger row."""


@frozen
class AuditEntry:
    """Something that changed quotas, users, tiers or keys; never a key or a message's text."""

    at: datetime
    by: str
    action: str
    detail: str = ""
