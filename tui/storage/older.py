"""What moves out of `ctroom.json` beside ledger rows: entries of older conversations, and of the trail."""

from collections.abc import Mapping
from pathlib import Path
from typing import cast

from tui.core.chat import Conversation
from tui.core.ports import Clock
from tui.core.records import AuditEntry
from tui.storage.files import FileLayer
from tui.storage.migrations import FileKind
from tui.storage.rows import Row
from tui.storage.state_file import INDEX
from tui.storage.year_files import YearFiles

CONVERSATIONS = "conversations"
KEPT_CONVERSATIONS = 400
"""Entries that stay in `ctroom.json`: a month at more than ten a day, and more than one scrolls through."""
MOST_CONVERSATIONS = 500
"""Entries above which the older ones move: a hundred at a time, since a year's file is written whole."""

TRAIL = "audit"
KEPT_TRAIL = 500
"""Entries of the trail of changes that stay in `ctroom.json`."""
MOST_TRAIL = 600
"""Entries above which the older ones move."""


def older_conversations(rows: Mapping[int, Row]) -> dict[int, Row]:
    """The entries that are to move: all but the latest used, the pinned, and the deleted ones."""
    movable = [(doc_id, row) for doc_id, row in rows.items() if _may_move(_conversation(row))]
    movable.sort(key=lambda item: (_conversation(item[1]).updated_at, item[0]))
    return dict(movable[: max(0, len(movable) - KEPT_CONVERSATIONS)])


def index_files(home: Path, clock: Clock, files: FileLayer) -> YearFiles[Conversation]:
    """The entries of older conversations, by the year in which they began."""
    return YearFiles(
        home / INDEX,
        FileKind.INDEX,
        CONVERSATIONS,
        Conversation,
        year=lambda entry: entry.created_at.year,
        key=lambda entry: entry.id,
        clock=clock,
        files=files,
    )


def trail_files(home: Path, clock: Clock, files: FileLayer) -> YearFiles[AuditEntry]:
    """Earlier entries of the trail, beside the ledger's months; entries that are alike in all are one."""
    return YearFiles(
        home / "ledger",
        FileKind.TRAIL,
        TRAIL,
        AuditEntry,
        year=lambda entry: entry.at.year,
        key=lambda entry: entry,
        clock=clock,
        prefix="trail-",
        files=files,
    )


def _may_move(entry: Conversation) -> bool:
    """Whether an entry is neither on top of the list for ever nor to be removed soon."""
    return not entry.pinned and entry.deleted_at is None


def _conversation(row: Row) -> Conversation:
    return cast(Conversation, row.record)
