"""Going back to a backup without losing what came after it.

The backup's state is the base, and what came after it is done again on top (`tui.services.restoring`). Files
are written in an order that leaves the old state or the new one, wherever it is broken off: first a backup of
what is there, then the files beside `ctroom.json`, which only gain, then `ctroom.json` in one step.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

from tui.core.chat import Conversation
from tui.core.frozen import frozen
from tui.core.ports import Clock, State
from tui.core.quota import LedgerRow
from tui.core.records import AuditEntry, Meta
from tui.core.remains import Remains
from tui.core.settings import LOCAL_USER
from tui.storage.archive import RowKey, month_of, row_key
from tui.storage.attachments import AttachmentMerge, drafted
from tui.storage.backup import backup_directory, load_state, make_backup, prune, time_stamp
from tui.storage.files import SYSTEM_FILES, FileLayer, real_path
from tui.storage.folding import fold
from tui.storage.lock import ProcessLock
from tui.storage.merging import ConversationMerge, IndexMerge, LedgerMerge, TrailMerge
from tui.storage.migrations import FileKind
from tui.storage.older import CONVERSATIONS
from tui.storage.rows import Rows, Tables
from tui.storage.salvage import Salvage, read_file
from tui.storage.state_file import BACKUPS, INDEX, LOCK_NAME, STATE_NAME, StateFile
from tui.storage.tables import STATE_TABLES, Draft, make_row, view_of
from tui.storage.typed_file import new_tables

ANEW = "anew"
"""In place of a backup's name: a state as at the first start, for where there is no backup."""
_DECIDED = ("host_settings", "personas")
"""What a backup has of its own: where there is none, it stays as far as it can be read."""
BringForward = Callable[[State, Remains], None]
"""Does again, on the backup's state, what came after it."""


@frozen
class Restored:
    """What a restore did, or would do."""

    name: str
    """The backup's."""
    kept: str = ""
    """The name of the backup of what was there; empty where nothing was written."""
    changed: bool = False
    """Whether the backup has anything that the present has not."""
    rows: int = 0
    """Ledger rows since the backup, which stay."""
    tokens: int = 0
    """What they charged."""
    kept_conversations: int = 0
    """Conversations since the backup, which stay."""
    returned_conversations: int = 0
    """Conversations that come back: they are gone, or deleted."""
    returned_messages: int = 0
    """Messages that come back, those of such conversations included."""
    damaged: tuple[str, ...] = ()
    """Present files, and the backup's, that could only be read in part."""
    unreadable: int = 0
    """Records that were found in them and can't be read."""
    unproved: tuple[tuple[str, int], ...] = ()
    """Tokens, by provider, that the present state counts as used though there is no row for them."""


class Restoration:
    """One restore.

    Args:
        home: The data directory.
        name: The backup's name, or `ANEW`.
        bring_forward: Does again, on the backup's state, what came after it.
        clock: The present moment.
        files: The calls on disk.

    Raises:
        StorageError: There is no such backup, or it is damaged.
    """

    def __init__(
        self,
        home: Path,
        name: str,
        bring_forward: BringForward,
        clock: Clock,
        files: FileLayer = SYSTEM_FILES,
    ) -> None:
        self._home = real_path(home)
        self._name = name
        self._bring_forward = bring_forward
        self._clock = clock
        self._files = files
        if name == ANEW:
            self._source = self._home / BACKUPS / ANEW  # it is never there
            self._then = new_tables(Meta(created_at=clock()))
        else:
            self._source = backup_directory(home, name)
            self._then = load_state(self._source)

    def preview(self) -> Restored:
        """What the restore would do; nothing is written but evidence of damage.

        Raises:
            StorageError: Something of it can't be read.
        """
        return _Plan(self._home, self._source, self._then, self._bring_forward, self._files).restored

    def run(self) -> Restored:
        """Restore. Running programs take it over as they do another process's commit.

        Nothing is written where the backup has nothing that the present has not.

        Raises:
            StorageError: Something can't be read or written; the state is the old one, or the new one.
        """
        state = StateFile(self._home, self._clock, self._files)
        state.prepare()
        with ProcessLock(self._home / LOCK_NAME).held():
            plan = _Plan(self._home, self._source, self._then, self._bring_forward, self._files)
            if not plan.restored.changed:
                return plan.restored
            kept = f"before-restore-{time_stamp(self._clock())}"
            make_backup(self._home, kept, self._files)
            try:
                plan.write(state, AuditEntry(self._clock(), LOCAL_USER, "restore", self._name))
            finally:
                state.close()
        prune(self._home, keep=self._name)
        return replace(plan.restored, kept=kept)


class _Plan:
    """What is to be written, worked out in memory. The lock must be held, or nothing be written."""

    def __init__(
        self, home: Path, source: Path, then: Tables, bring_forward: BringForward, files: FileLayer
    ) -> None:
        found = read_file(home / STATE_NAME, FileKind.STATE, STATE_TABLES, files)
        self._present = found or Salvage({}, problem=None)
        self._whole = found is not None and found.whole
        if source.name == ANEW:
            then = {**then, **{name: self._present.tables.get(name, Rows()) for name in _DECIDED}}
        self._ledger = LedgerMerge(source / "ledger", home / "ledger", files)
        self._trail = TrailMerge(source / "ledger", home / "ledger", files)
        self._conversations = ConversationMerge(source / "conversations", home / "conversations", files)
        self._index = IndexMerge(source / INDEX, home / INDEX, files)
        self._beside = (self._conversations, self._index, self._ledger, self._trail)
        self._attachments = AttachmentMerge(source, home, files, drafted(then))
        self._stale: dict[str, set[RowKey]] = {}
        for merge in (*self._beside, self._attachments):
            merge.merge()
        then = _with_entries(then, self._index.all_then())
        before, now = view_of(then), view_of(_with_entries(self._present.tables, self._index.all_now()))
        remains = self._remains(before, now)
        draft = Draft(then)
        bring_forward(draft.state, remains)
        self._leave_to_files(draft.state)
        self._count_on(draft.state, now)
        self.tables = draft.finish()
        self.restored = self._told(source.name, before, now, remains.rows)

    def write(self, state: StateFile, trace: AuditEntry) -> None:
        """Write it; the switch from the old state to the new is the state's own.

        Args:
            state: The state in use.
            trace: The line that it leaves in the trail of changes.

        Raises:
            StorageError: Some of it may not be written.
        """
        for merge in (self._attachments, *self._beside):
            merge.write()
        draft = Draft(self.tables)
        draft.state.audit.insert(trace)
        state.save(draft.finish(), 1)
        for month, keys in self._stale.items():
            self._ledger.remove(month, keys)

    def _remains(self, before: State, now: State) -> Remains:
        rows = self._ledger.since([row for _, row in before.ledger], [row for _, row in now.ledger])
        indexed = {entry.id: entry for _, entry in (*before.conversations, *now.conversations)}
        names = self._conversations.names()
        changed = self._conversations.changed
        wanted = [name for name in names if name in changed or name not in indexed]
        return Remains(
            state=now,
            whole=self._whole,
            rows=rows,
            earlier=self._ledger.earlier(rows),
            messages=self._conversations.messages(wanted),
        )

    def _leave_to_files(self, state: State) -> None:
        """Take out of the state what the files beside it have."""
        months: dict[str, dict[RowKey, LedgerRow]] = {}
        for doc_id, row in list(state.ledger):
            month, key = month_of(row), row_key(row)
            archived = months.setdefault(month, self._ledger.archived(month)).get(key)
            if archived == row:
                state.ledger.remove(doc_id)
            elif archived is not None:
                self._stale.setdefault(month, set()).add(key)
        trail = set(self._trail.all_now())
        for doc_id, line in list(state.audit):
            if line in trail:
                state.audit.remove(doc_id)
        live = {entry.id for _, entry in view_of(self._present.tables).conversations}
        older = {entry.id: entry for entry in self._index.all_now() if entry.id not in live}
        for doc_id, entry in list(state.conversations):
            if older.get(entry.id) == entry:
                state.conversations.remove(doc_id)

    def _count_on(self, state: State, now: State) -> None:
        """Go on from the later sequence, and fold what is old."""
        meta_id, meta = next(iter(state.meta))
        sequences = [meta.sequence, *(record.sequence for _, record in now.meta)]
        state.meta.replace(meta_id, replace(meta, sequence=max(sequences)))
        if meta.latest_day is not None:
            fold(state, meta.latest_day)

    def _told(self, name: str, before: State, now: State, rows: tuple[LedgerRow, ...]) -> Restored:
        then = {entry.id: entry for _, entry in before.conversations}
        there = {entry.id: entry for _, entry in now.conversations}
        returned = [
            entry
            for entry in then.values()
            if entry.deleted_at is None and (entry.id not in there or there[entry.id].deleted_at is not None)
        ]
        damaged = [] if self._whole or not self._present.problem else [STATE_NAME]
        return Restored(
            name=name,
            changed=not (name == ANEW and self._whole)
            and bool(
                any(merge.changed for merge in (*self._beside, self._attachments))
                or self._stale
                or not self._is_present()
            ),
            rows=len(rows),
            tokens=sum(row.tokens for row in rows),
            kept_conversations=len(self._conversation_ids() - then.keys()),
            returned_conversations=len(returned),
            returned_messages=self._conversations.gained,
            damaged=(*damaged, *(name for merge in self._beside for name in merge.problems)),
            unproved=tuple(self._unproved(now)),
            unreadable=self._present.unreadable + sum(merge.unreadable for merge in self._beside),
        )

    def _unproved(self, now: State) -> Iterator[tuple[str, int]]:
        restored = {pool.provider: pool.used for _, pool in view_of(self.tables).quotas}
        for _, pool in now.quotas:
            if (tokens := pool.used - restored.get(pool.provider, 0)) > 0:
                yield pool.provider, tokens

    def _conversation_ids(self) -> set[str]:
        rows = self.tables.get(CONVERSATIONS, Rows()).by_id.values()
        live = {cast(Conversation, row.record).id for row in rows}
        return live.union(entry.id for entry in self._index.all_now())

    def _is_present(self) -> bool:
        """Whether the present state is what the restored one would be, however its records are numbered."""
        if not self._whole:
            return False
        names = (self.tables.keys() | self._present.tables.keys()) - {"_meta"}
        return all(_records(self.tables, name) == _records(self._present.tables, name) for name in names)


def _with_entries(tables: Tables, entries: Sequence[Conversation]) -> Tables:
    """The tables with the entries of older conversations among the live ones, which count where both are."""
    rows = tables.get(CONVERSATIONS, Rows())
    live = {cast(Conversation, row.record).id for row in rows.by_id.values()}
    older = {entry.id: entry for entry in entries if entry.id not in live}
    added = enumerate(older.values(), start=rows.last_id + 1)
    more = {doc_id: make_row(Conversation, entry) for doc_id, entry in added}
    return {**tables, CONVERSATIONS: Rows({**rows.by_id, **more})} if more else tables


def _records(tables: Tables, name: str) -> list[str]:
    rows = tables.get(name, Rows()).by_id.values()
    return sorted(repr(row.record) if row.record is not None else row.encoded for row in rows)
