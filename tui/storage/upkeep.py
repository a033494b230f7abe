"""What the store does for itself after a commit: it moves old ledger rows and makes the day's backup."""

import logging
from datetime import UTC, date
from pathlib import Path

from tui.core.errors import StorageError
from tui.core.ports import Clock
from tui.core.quota import LedgerRow
from tui.storage.archive import KEPT_LIVE, LEDGER, MOST_LIVE, LedgerArchive, month_of, unique_rows
from tui.storage.backup import make_backup, make_daily_backup, time_stamp
from tui.storage.files import FileLayer
from tui.storage.rows import Rows, Tables
from tui.storage.state_file import StateFile
from tui.storage.tables import Draft, TableView

_log = logging.getLogger(__name__)


class Upkeep:
    """Archiving and backups. Used on the writer thread only.

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
        self._backed_up: date | None = None

    def after_commit(self, state: StateFile, tables: Tables) -> Tables:
        """Archive where there is much to archive; the tables as they are then. The lock must be held.

        A failure is logged and tried again after the next commit: the commit itself stands.
        """
        if len(tables.get(LEDGER, Rows()).by_id) <= MOST_LIVE:
            return tables
        try:
            return self.archive(state, tables)
        except StorageError as error:
            _log.warning("%s", error)
            return tables

    def archive(self, state: StateFile, tables: Tables) -> Tables:
        """Move all but the newest rows to their months' files; the tables as they are then.

        Raises:
            StorageError: Some rows may be in both places; none is in neither.
        """
        older = list(tables.get(LEDGER, Rows()).by_id.items())[:-KEPT_LIVE]
        if not older:
            return tables
        self._archive.add(row for _, row in older)
        draft = Draft(tables)
        for doc_id, _ in older:
            draft.state.ledger.remove(doc_id)
        return state.save(draft.finish(), 1)

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
