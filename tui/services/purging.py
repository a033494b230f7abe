"""What was deleted long ago is removed for good."""

from contextlib import suppress
from datetime import UTC, timedelta

from tui.core.errors import InvalidValueError
from tui.core.ports import Store
from tui.services.library import Library

DAYS_KEPT = 30
"""Days after its deletion on which a conversation can be restored."""


async def purge_expired(store: Store, library: Library, user: str) -> int:
    """Remove a user's conversations that were deleted `DAYS_KEPT` days ago or earlier; how many those were.

    Deleted ones are always among the recent entries, so that no others need to be read.

    Args:
        store: Where they are kept.
        library: The user's conversations.
        user: Whose they are.

    Raises:
        StorageError: One could not be removed; it is tried again the next time.
    """
    last = library.today(UTC) - timedelta(days=DAYS_KEPT)
    entries = [entry for _, entry in store.view.conversations if entry.user == user]
    gone = [entry for entry in entries if entry.deleted_at is not None and entry.deleted_at.date() <= last]
    for entry in gone:
        with suppress(InvalidValueError):  # restored or removed by another process meanwhile
            await library.purge(entry.id)
    return len(gone)
