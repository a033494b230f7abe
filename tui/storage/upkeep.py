"""What the store does for itself after a commit: it moves and folds what is old, and makes the day's backup.

So `ctroom.json` holds what is recent and the sums of the rest, and stays small for ever.
"""

import logging
from collections.abc import Iterable, Mapping
from datetime import UTC, date
from pathlib import Path
from typing import Any, cast

from tui.core.chat import Conversation
from tui.core.errors import StorageError
from tui.core.ports import Clock, Table
from tui.core.quota import LedgerRow
from tui.core.records import Meta
from tui.storage.archive import KEPT_LIVE, LEDGER, MOST_LIVE, LedgerArchive, month_of, unique_rows
from tui.storage.attachments import DRAFTS, AttachmentFiles, drafted
from tui.storage.backup import make_backup, make_daily_backup, time_stamp
from tui.storage.files import FileLayer
from tui.storage.folding import fold
from tui.storage.older import (
    CONVERSATIONS,
    KEPT_TRAIL,
    MOST_CONVERSATIONS,
    MOST_TRAIL,
    TRAIL,
    index_files,
    older_conversations,
    trail_files,
)
from tui.storage.rows import Row, Rows, Tables
from tui.storage.state_file import StateFile
from tui.storage.tables import Draft, TableView

_log = logging.getLogger(__name__)


class Upkeep:
    """Moving, folding and backups. Used on the writer thread only.

    Args:
        home: The data directory.
        clock: The present moment.
        files: The calls on disk.
    """

    def __init__(self, home: Path, clock: Clock, files: FileLayer) -> None:
        self._home = home
        self._clock = clock
        self._files = files
        self._archive = LedgerArchive(home / "ledger", clock, files)
        self._trail = trail_files(home, clock, files)
        self._index = index_files(home, clock, files)
        self._folded: date | None = None
        self._backed_up: date | None = None
        self._dropped: frozenset[str] = frozenset()
        """Digests of files that a draft named, until it is known whether they go."""

    def after_commit(self, state: StateFile, tables: Tables) -> Tables:
        """Move and fold what there is much of; the tables as they are then. The lock must be held.

        A failure is logged and tried again after the next commit: the commit itself stands.
        """
        draft = Draft(tables)
        for duty in (self._move_rows, self._move_conversations, self._move_trail):
            try:
                duty(draft, tables)
            except StorageError as error:
                _log.warning("%s", error)
        latest = _latest_day(tables)
        if latest and latest != self._folded:
            fold(draft.state, latest)
        try:
            after = _saved(state, tables, draft)
        except StorageError as error:
            _log.warning("%s", error)
            return tables
        self._folded = latest
        return after

    def forget_files(self, files: AttachmentFiles, before: Tables, after: Tables) -> None:
        """Remove the attached files that only drafts named which a commit took away. The lock must be held.

        A failure is logged and tried again after the next commit: the commit itself stands.

        Args:
            files: All attached files.
            before: The tables before the commit.
            after: The tables since.
        """
        if before.get(DRAFTS) is after.get(DRAFTS) and not self._dropped:
            return
        named = drafted(after)
        self._dropped = (self._dropped | drafted(before)) - named
        if self._dropped:
            try:
                self._dropped = files.remove_dropped(self._dropped)
            except StorageError as error:
                _log.warning("%s", error)

    def archive(self, state: StateFile, tables: Tables) -> Tables:
        """Move all but the newest rows to their months' files; the tables as they are then.

        Raises:
            StorageError: Some rows may be in both places; none is in neither.
        """
        draft = Draft(tables)
        self._move_rows(draft, tables, most=KEPT_LIVE)
        return _saved(state, tables, draft)

    def _move_rows(self, draft: Draft, tables: Tables, most: int = MOST_LIVE) -> None:
        rows = _rows(tables, LEDGER)
        if len(rows) > most:
            older = dict(list(rows.items())[:-KEPT_LIVE])
            self._archive.add(older.values())
            _remove(draft.state.ledger, older)

    def _move_conversations(self, draft: Draft, tables: Tables) -> None:
        rows = _rows(tables, CONVERSATIONS)
        if len(rows) > MOST_CONVERSATIONS and (older := older_conversations(rows)):
            self._index.put(older.values())
            _remove(draft.state.conversations, older)

    def _move_trail(self, draft: Draft, tables: Tables) -> None:
        rows = _rows(tables, TRAIL)
        if len(rows) > MOST_TRAIL:
            older = dict(list(rows.items())[:-KEPT_TRAIL])
            self._trail.put(older.values())
            _remove(draft.state.audit, older)

    def load_older_conversations(self) -> tuple[Conversation, ...]:
        """The entries that moved; the same tuple again where nothing changed. Live ones of the same id count.

        Raises:
            StorageError: A file is damaged or can't be read.
        """
        return self._index.load()

    def recall(self, state: StateFile, tables: Tables, conversation_id: str) -> Tables:
        """Bring a conversation's entry back among the live ones; the tables as they are then.

        The lock must be held. Where there is a live one it stays; `forget_older` is to follow.

        Raises:
            StorageError: Nothing was changed.
        """
        live = tables.get(CONVERSATIONS, Rows())
        if any(cast(Conversation, row.record).id == conversation_id for row in live.by_id.values()):
            return tables
        row = self._index.find(conversation_id)
        if row is None:
            return tables
        doc_id = live.last_id + 1
        return state.save({**tables, CONVERSATIONS: Rows({**live.by_id, doc_id: row}, doc_id)}, 1)

    def forget_older(self, conversation_id: str) -> None:
        """Remove an entry from those that moved, once there is a live one. The lock must be held.

        Raises:
            StorageError: It is still there, too.
        """
        self._index.remove(conversation_id)

    def load_ledger(self, tables: Tables, month: str) -> tuple[LedgerRow, ...]:
        """A month's rows, from its file and the live ones. `tables` are read before it: rows move from them.

        Raises:
            StorageError: The file is damaged or can't be read.
        """
        live = [row for _, row in TableView[LedgerRow](tables.get(LEDGER, Rows())) if month_of(row) == month]
        return unique_rows([*self._archive.load(month), *live])

    def load_archived(self, month: str) -> tuple[LedgerRow, ...]:
        """The rows in a month's file, none left out.

        Raises:
            StorageError: The file is damaged or can't be read.
        """
        return self._archive.load(month)

    def months(self, tables: Tables) -> tuple[str, ...]:
        """The months that have rows, oldest first.

        Raises:
            StorageError: The directory can't be read.
        """
        live = {month_of(row) for _, row in TableView[LedgerRow](tables.get(LEDGER, Rows()))}
        return tuple(sorted(live.union(self._archive.months())))

    def before_migration(self) -> None:
        """Keep everything as it is in the earlier version.

        Raises:
            StorageError: It could not be kept, so that nothing may be migrated.
        """
        make_backup(self._home, f"before-migration-{time_stamp(self._clock())}", self._files)

    def back_up_daily(self) -> None:
        """Make the day's backup, where there is none. The lock need not be held.

        A failure is logged; the next process, or the next day, tries again.
        """
        today = self._clock().astimezone(UTC).date()
        if self._backed_up == today:
            return
        self._backed_up = today
        try:
            make_daily_backup(self._home, today, self._files)
        except StorageError as error:
            _log.warning("%s", error)


def _rows(tables: Tables, name: str) -> Mapping[int, Row]:
    return tables.get(name, Rows()).by_id


def _remove(table: Table[Any], rows: Iterable[int]) -> None:
    for doc_id in rows:
        table.remove(doc_id)


def _saved(state: StateFile, tables: Tables, draft: Draft) -> Tables:
    """The tables with a draft committed, if it changed anything."""
    after = draft.finish()
    return tables if after is tables else state.save(after, 1)


def _latest_day(tables: Tables) -> date | None:
    meta = next((cast(Meta, row.record) for row in _rows(tables, "_meta").values()), None)
    return meta.latest_day if meta else None
