"""What the writer thread does: batches of jobs under one lock, waiting transactions in one commit."""

import contextlib
from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui.core.chat import Conversation, Message
from tui.core.errors import StorageError
from tui.core.ports import Clock, State
from tui.core.quota import LedgerRow
from tui.storage.conversations import ConversationFiles, message_rows
from tui.storage.files import FileLayer, real_path
from tui.storage.rows import Row, Tables
from tui.storage.state_file import INDEX, StateFile
from tui.storage.tables import Draft, view_of
from tui.storage.writer import Job, JobKind

if TYPE_CHECKING:
    from tui.storage.attachments import AttachmentFiles
    from tui.storage.upkeep import Upkeep


class Engine:
    """The files of a data directory. Its methods run on the writer thread; `view` and `problem` on any.

    Args:
        home: The data directory.
        clock: The present moment.
        files: The calls on disk.
        changed: Called after each change of the view.
    """

    def __init__(self, home: Path, clock: Clock, files: FileLayer, changed: Callable[[], None]) -> None:
        self.home = real_path(home)
        self.problem: StorageError | None = None
        self.view: State = view_of({})
        self._clock = clock
        self._files = files
        self._state = StateFile(self.home, clock, files, lambda: self._upkeep.before_migration())
        self._conversations = ConversationFiles(self.home / "conversations", clock, files)
        self._changed = changed
        self._tables: Tables | None = None
        self._committed = False

    @cached_property
    def _upkeep(self) -> "Upkeep":
        # Archives and backups are no matter of the app's first frame.
        from tui.storage.upkeep import Upkeep

        return Upkeep(self.home, self._clock, self._files)

    @cached_property
    def attachments(self) -> "AttachmentFiles":
        """The bytes of attached files."""
        from tui.storage.attachments import AttachmentFiles

        return AttachmentFiles(self.home, self._files)

    def prepare(self) -> None:
        """Make or mend the directory and load the state.

        Raises:
            StorageError: It can't be loaded.
        """
        self._state.prepare()
        self._publish(self._state.load())

    def refresh(self) -> bool:
        """Take over what is on disk; whether anything had changed.

        Raises:
            StorageError: It can't be loaded.
        """
        try:
            tables = self._state.load()
        except StorageError as error:
            if str(error) != str(self.problem):
                self.problem = error
                self._changed()
            raise
        return self._publish(tables)

    def load_messages(self, conversation_id: str) -> tuple[Message, ...]:
        """Every message of a conversation.

        Raises:
            StorageError: They can't be had.
        """
        return self._conversations.load(conversation_id, expected=self._has_messages(conversation_id))

    def remove_messages(self, conversation_id: str) -> None:
        """Remove a conversation's file, and attached files that nothing else names. The lock must be held.

        Raises:
            StorageError: It could not be removed, or an attached file could not.
        """
        from tui.storage.attachments import drafted

        named, kept = self.attachments.named_by(conversation_id), drafted(self._state.load())
        self._conversations.remove(conversation_id)
        self.attachments.remove_unnamed(named, kept)

    def load_older_conversations(self) -> tuple[Conversation, ...]:
        """The index entries that moved out of the state.

        Raises:
            StorageError: They can't be had.
        """
        return self._upkeep.load_older_conversations() if (self.home / INDEX).exists() else ()

    def recall_conversation(self, conversation_id: str) -> None:
        """Bring a conversation's entry back among the live ones, if it moved. The lock must be held.

        Raises:
            StorageError: It is where it was, or in both places.
        """
        self._publish(self._upkeep.recall(self._state, self._state.load(), conversation_id))
        self._upkeep.forget_older(conversation_id)

    def archive_ledger(self) -> None:
        """Move all but the newest ledger rows to their months' files. The lock must be held.

        Raises:
            StorageError: Some rows may be in both places; none is in neither.
        """
        self._publish(self._upkeep.archive(self._state, self._state.load()))

    def load_ledger(self, month: str) -> tuple[LedgerRow, ...]:
        """A month's rows, archived and live.

        Raises:
            StorageError: They can't be had.
        """
        return self._upkeep.load_ledger(self._state.load(), month)

    def load_archived(self, month: str) -> tuple[LedgerRow, ...]:
        """The rows in a month's file, none left out.

        Raises:
            StorageError: They can't be had.
        """
        return self._upkeep.load_archived(month)

    def ledger_months(self) -> tuple[str, ...]:
        """The months that have rows.

        Raises:
            StorageError: They can't be had.
        """
        return self._upkeep.months(self._state.load())

    def close(self) -> None:
        """Let go of all files."""
        self._state.close()
        self._conversations.close()

    def handle(self, jobs: Sequence[Job[Any]]) -> None:
        """Do a batch, in order; every job is told its result."""
        with _LockedOnce(self._state) as lock:
            for kind, group in groupby(jobs, key=lambda job: job.kind):
                self._handle_alike(kind, list(group), lock)
        if self._committed:
            self._committed = False
            self._upkeep.back_up_daily()

    def _handle_alike(self, kind: JobKind, jobs: list[Job[Any]], lock: "_LockedOnce") -> None:
        if kind is not JobKind.READ:
            try:
                lock.acquire()
            except StorageError as error:
                _fail(jobs, error)
                return
        # Some may have been given up while others held the lock.
        jobs = [job for job in jobs if not job.abandoned]
        if kind is JobKind.CHANGE:
            self._commit(jobs)
        elif kind is JobKind.SAVE:
            self._save(jobs)
        else:
            for job in jobs:
                _run(job)

    def _commit(self, jobs: list[Job[Any]]) -> None:
        """Run transactions one upon the other, commit them at once, and only then say so."""
        try:
            tables = fresh = self._state.load()
        except StorageError as error:
            _fail(jobs, error)
            return
        results: list[tuple[Job[Any], Any]] = []
        changes = 0
        for job in jobs:
            draft = Draft(tables)
            try:
                result = job.work(draft.state)
            except BaseException as error:  # noqa: BLE001  # it belongs to whoever asked for the transaction
                job.fail(error)
                continue
            after = draft.finish()
            changes += after is not tables
            tables = after
            results.append((job, result))
        try:
            committed = self._state.save(tables, changes) if tables is not fresh else fresh
        except Exception as error:  # noqa: BLE001  # nobody in the batch was saved, so everybody is told
            _fail([job for job, _ in results], error)
            return
        self._publish(committed)
        for job, result in results:
            job.succeed(result)
        if changes:
            self._committed = True
            self._publish(self._upkeep.after_commit(self._state, committed))
            self._upkeep.forget_files(self.attachments, fresh, committed)

    def _save(self, jobs: list[Job[Any]]) -> None:
        """Write the messages of each conversation once, however many jobs bring some."""
        for conversation_id in dict.fromkeys(job.subject for job in jobs):
            self._save_one(conversation_id, [job for job in jobs if job.subject == conversation_id])

    def _save_one(self, conversation_id: str, jobs: list[Job[Any]]) -> None:
        rows: list[Row] = []
        ready = []
        for job in jobs:
            try:
                rows += message_rows(job.work())
            except (ValueError, TypeError) as error:
                job.fail(error)
            else:
                ready.append(job)
        try:
            if rows:
                expected = self._has_messages(conversation_id)
                self._conversations.save(conversation_id, rows, expected=expected)
        except Exception as error:  # noqa: BLE001  # whoever saved must hear of anything
            _fail(ready, error)
            return
        for job in ready:
            job.succeed(None)

    def _has_messages(self, conversation_id: str) -> bool:
        known = self.view.conversations.find(lambda conversation: conversation.id == conversation_id)
        return known is not None and known[1].message_count > 0 and known[1].deleted_at is None

    def _publish(self, tables: Tables) -> bool:
        recovered, self.problem = self.problem is not None, None
        if tables is self._tables:
            changed = False
        else:
            changed = self._tables is None or _differ(tables, self._tables)
            self._tables = tables
            self.view = view_of(tables)
        if changed or recovered:
            self._changed()
        return changed


class _LockedOnce:
    """The lock between processes, taken when a batch first needs it and held to the batch's end."""

    def __init__(self, state: StateFile) -> None:
        self._state = state
        self._stack = contextlib.ExitStack()
        self._held = False
        self._error: StorageError | None = None

    def __enter__(self) -> "_LockedOnce":
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def acquire(self) -> None:
        """Take it, or repeat why it was not to be had: waiting twice in a batch would double the delay.

        Raises:
            StorageError: It was not to be had.
        """
        if self._error:
            raise self._error
        if not self._held:
            try:
                self._stack.enter_context(self._state.lock.held())
            except StorageError as error:
                self._error = error
                raise
            self._held = True


def _run(job: Job[Any]) -> None:
    try:
        result = job.work()
    except BaseException as error:  # noqa: BLE001  # it belongs to whoever waits
        job.fail(error)
    else:
        job.succeed(result)


def _fail(jobs: Sequence[Job[Any]], error: Exception) -> None:
    for job in jobs:
        job.fail(error)


def _differ(new: Tables, old: Tables) -> bool:
    return new.keys() != old.keys() or any(new[name] is not old[name] for name in new)
