"""Backups of a whole data directory: made each day, before each migration and restore; listed and inspected.

A backup is a directory of plain copies. A file that did not change since the backup before is a second name
of that backup's copy, so that a day costs only what changed; nothing is shared with the files in use.
"""

import contextlib
import os
import re
import shutil
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import cast

from tui.core.chat import Conversation
from tui.core.errors import StorageError, StorageErrorKind
from tui.core.frozen import frozen
from tui.core.quota import Pool
from tui.core.records import Meta
from tui.storage.attachments import ATTACHMENTS
from tui.storage.failures import cannot_read, cannot_write, damaged_backup, no_backup
from tui.storage.files import SYSTEM_FILES, FileLayer, make_directory, real_path, replace_file
from tui.storage.migrations import FileKind
from tui.storage.rows import Rows, Tables
from tui.storage.salvage import read_file
from tui.storage.state_file import BACKUPS, INDEX, STATE_NAME
from tui.storage.tables import STATE_TABLES, view_of
from tui.storage.typed_file import TypedFile

DAYS_KEPT = 7
"""Daily backups (design, section 4)."""
OTHERS_KEPT = 5
"""Backups before migrations, and as many before restores: a slip and a few tries to mend it."""

_SUBDIRECTORIES = {"ledger": "*.json", "conversations": "*.json", INDEX: "*.json", ATTACHMENTS: "[0-9a-f]*"}
"""What is copied beside the state, in this order: attached files are kept before what names them."""
_NAME = re.compile(r"(\d{4}-\d{2}-\d{2}|before-[a-z]+-\d{8}T\d{12}Z)")
_KINDS = {
    re.compile(r"\d{4}-\d{2}-\d{2}"): DAYS_KEPT,
    re.compile(r"before-migration-.*"): OTHERS_KEPT,
    re.compile(r"before-restore-.*"): OTHERS_KEPT,
}
"""How many of each kind are kept."""


@frozen
class Backup:
    """One backup in the list."""

    name: str
    """A day such as `2026-11-24`, or `before-migration-...` and `before-restore-...` with the time."""
    made_at: datetime
    """UTC."""
    files: int
    size: int
    """Bytes of all its files."""


@frozen
class BackupContents:
    """What a backup holds."""

    name: str
    sequence: int
    """Transactions that had been committed."""
    conversations: tuple[Conversation, ...]
    pools: tuple[Pool, ...]
    ledger_rows: int
    """Rows in `ctroom.json`; those in month files are not counted."""
    months: tuple[str, ...]
    """Months that have a ledger file."""
    users: int


def make_backup(home: Path, name: str, files: FileLayer = SYSTEM_FILES) -> bool:
    """Copy everything to a new backup; False where one of that name is there.

    The state comes before the ledger: rows that move meanwhile are then in both, never in neither.

    Raises:
        StorageError: It could not be made; nothing is left of it.
    """
    target = backup_directory(home, name)
    if target.exists():
        return False
    building = target.with_name(f".{name}.{os.getpid()}-{time.time_ns()}")
    previous = _latest(home)
    try:
        make_directory(target.parent, files)
        shutil.rmtree(building, ignore_errors=True)
        make_directory(building, files)
        _copy_all(home, building, previous, files)
        files.fsync_directory(building)
        files.replace(building, target)
        files.fsync_directory(target.parent)
    except OSError as error:
        shutil.rmtree(building, ignore_errors=True)
        if target.exists():  # another process made it meanwhile
            return False
        raise cannot_write(target, error) from error
    return True


def make_daily_backup(home: Path, today: date, files: FileLayer = SYSTEM_FILES) -> bool:
    """Make the backup of a day, and drop the oldest; False where there is one of that day.

    Raises:
        StorageError: It could not be made.
    """
    made = make_backup(home, today.isoformat(), files)
    if made:
        prune(home)
    return made


def list_backups(home: Path) -> tuple[Backup, ...]:
    """The backups, newest first.

    Raises:
        StorageError: The directory can't be read.
    """
    try:
        found = [_described(path) for path in _all(home)]
    except OSError as error:
        raise cannot_read(home / BACKUPS, error) from error
    return tuple(sorted(found, key=lambda backup: backup.made_at, reverse=True))


def inspect_backup(home: Path, name: str) -> BackupContents:
    """What a backup holds.

    Raises:
        StorageError: There is no such backup, or it is damaged.
    """
    directory = backup_directory(home, name)
    tables = load_state(directory)

    def records(table: str) -> list[object]:
        return [row.record for row in tables.get(table, Rows()).by_id.values()]

    return BackupContents(
        name=name,
        sequence=cast(Meta, records("_meta")[0]).sequence,
        conversations=tuple(cast(Conversation, record) for record in records("conversations")),
        pools=tuple(cast(Pool, record) for record in records("quotas")),
        ledger_rows=len(records("ledger")),
        months=tuple(sorted(path.stem for path in (directory / "ledger").glob("[0-9]*.json"))),
        users=len(records("user_settings")),
    )


def zone_name(home: Path, user: str) -> str:
    """The IANA zone that a user's times are shown in, as far as the present state can be read.

    Raises:
        StorageError: The system does not let it be read.
    """
    found = read_file(home / STATE_NAME, FileKind.STATE, STATE_TABLES)
    state = view_of(found.tables if found else {})
    mine = (record.display_time_zone for _, record in state.user_settings if record.user == user)
    hosts = (record.time_zone for _, record in state.host_settings)
    return next(mine, "") or next(hosts, "UTC")


def prune(home: Path, keep: str = "") -> None:
    """Drop the oldest backups of each kind, and what crashes left half made.

    Args:
        home: The data directory.
        keep: The name of one to be left alone.
    """
    there = sorted(path for path in _all(home) if path.name != keep)
    dropped = _abandoned(home)
    for kind, count in _KINDS.items():
        dropped += [path for path in there if kind.fullmatch(path.name)][:-count]
    for path in dropped:
        shutil.rmtree(path, ignore_errors=True)


def time_stamp(moment: datetime) -> str:
    """A moment as part of a file's name, such as `20261124T101500123456Z`."""
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%S%fZ}"


def backup_directory(home: Path, name: str) -> Path:
    """Where the backup of that name is, or would be.

    Raises:
        StorageError: No backup is called that.
    """
    if not _NAME.fullmatch(name):
        raise no_backup(name)
    return real_path(home) / BACKUPS / name


def load_state(directory: Path) -> Tables:
    """The tables of a backup's state.

    Raises:
        StorageError: There is no such backup, or it is damaged.
    """
    if not directory.is_dir():
        raise no_backup(directory.name)
    file = TypedFile(directory / STATE_NAME, FileKind.STATE, STATE_TABLES)
    try:
        tables = file.load()
    except StorageError as error:
        if error.kind is StorageErrorKind.CORRUPT:
            raise damaged_backup(directory.name) from error
        raise
    finally:
        file.close()
    if tables is None:
        raise damaged_backup(directory.name)
    return tables


def _all(home: Path) -> list[Path]:
    directory = real_path(home) / BACKUPS
    if not directory.exists():
        return []
    return [path for path in directory.iterdir() if _NAME.fullmatch(path.name)]


def _latest(home: Path) -> Path | None:
    with contextlib.suppress(OSError):
        return max(_all(home), key=lambda path: path.stat().st_mtime_ns, default=None)
    return None


def _described(path: Path) -> Backup:
    sizes = [file.stat().st_size for file in path.rglob("*") if file.is_file() and file.name[0] != "."]
    made_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    return Backup(path.name, made_at, len(sizes), sum(sizes))


def _abandoned(home: Path) -> list[Path]:
    """Directories that a crash left half made, a day ago or more."""
    limit = time.time() - 86_400
    unfinished = (real_path(home) / BACKUPS).glob(".*")
    return [path for path in unfinished if path.is_dir() and path.stat().st_mtime < limit]


def _copy_all(home: Path, target: Path, previous: Path | None, files: FileLayer) -> None:
    _copy(home / STATE_NAME, target / STATE_NAME, None, files)
    for name, pattern in _SUBDIRECTORIES.items():
        if not (home / name).is_dir():
            continue
        make_directory(target / name, files)
        for source in sorted((home / name).glob(pattern)):
            _copy(source, target / name / source.name, previous and previous / name / source.name, files)
        files.fsync_directory(target / name)


def _copy(source: Path, target: Path, previous: Path | None, files: FileLayer) -> None:
    try:
        status = source.stat()
        if previous and _same(status, previous):
            files.link(previous, target)
            return
        content = source.read_bytes()
    except FileNotFoundError:  # removed meanwhile, or never there
        return
    files.close(replace_file(files, target, content))
    os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))


def _same(status: os.stat_result, other: Path) -> bool:
    try:
        there = other.stat()
    except FileNotFoundError:
        return False
    return (there.st_size, there.st_mtime_ns) == (status.st_size, status.st_mtime_ns)
