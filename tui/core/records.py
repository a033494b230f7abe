"""Records of the store's own: its schema and the trail of changes."""

from dataclasses import dataclass
from datetime import date, datetime

SCHEMA = 1
"""The version of the stored form. A file with a larger one is refused untouched."""


@dataclass(frozen=True, slots=True)
class Meta:
    """The one record of `_meta`."""

    schema: int = SCHEMA
    sequence: int = 0
    """Counts transactions."""
    latest_day: date | None = None
    """The latest day that a hold was made on; days never go backwards."""
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Something that changed quotas, users, tiers or keys; never a key or a message's text."""

    at: datetime
    by: str
    action: str
    detail: str = ""
