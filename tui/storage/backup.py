"""Backups of a whole data directory: made each day and before each migration, listed, inspected and restored.

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
from tui.core.ports import Clock
from tui.core.quota import Pool
from tui.core.records import Meta
from tui.storage.failures import cannot_read, cannot_write, missing
from tui.storage.files import SYSTEM_FILES, FileLayer, make_directory, replace_file
from tui.storage.lock import ProcessLock
from tui.storage.migrations import FileKind
from tui.storage.rows import Rows, Tables
from tui.storage.state_file import LOCK_NAME, STATE_NAME
from tui.storage.tables import STATE_TABLES
from tui.storage.typed_file import TypedFile

BACKUPS = "backups"
DAYS_KEPT = 7
"""Daily backups (design, section 4)."""

_SUBDIRECTORIES = ("ledger", "conversations")
_NAME = re.compile(r"(\d{4}-\d{2}-\d{2}|before-[a-z]+-\d{8}T\d{12}Z)")
_DAILY = re.compile(r"\d{4}-\d{2}-\d{2}")


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


def make_backup(home: Path, name: str, files: FileLayer = SYSTEM_FILES) -> bool:
    """Copy everything to a new backup; False where one of that name is there.

    The state comes before the ledger: rows that move meanwhile are then in both, never in neither.

    Raises:
        StorageError: It could not be made; nothing is left of it.
    """
    target = _directory(home, name)
    if target.exists():
        return False
    building = target.with_name(f".{name}.{os.getpid()}-{time.time_ns()}")
    previous = _latest(home)
    try:
        make_directory(target.parent)
        shutil.rmtree(building, ignore_errors=True)
        make_directory(building)
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
    """Make the backup of a day, and drop those before the last seven; False where there is one.

    Raises:
        StorageError: It could not be made.
    """
    made = make_backup(home, today.isoformat(), files)
    if made:
        _prune(home)
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
    directory = _directory(home, name)
    tables = _state(directory)

    def records(table: str) -> list[object]:
        return [row.record for row in tables.get(table, Rows()).by_id.values()]

    return BackupContents(
        name=name,
        sequence=cast(Meta, records("_meta")[0]).sequence,
        conversations=tuple(cast(Conversation, record) for record in records("conversations")),
        pools=tuple(cast(Pool, record) for record in records("quotas")),
        ledger_rows=len(records("ledger")),
        months=tuple(sorted(path.stem for path in (directory / "ledger").glob("*.json"))),
    )


def restore_backup(home: Path, name: str, clock: Clock, files: FileLayer = SYSTEM_FILES) -> str:
    """Make the data directory what it was when a backup was made.

    What is there is kept in a backup of its own first, whatever its condition. Running programs take the
    restored state over as they do another process's commit.

    Returns:
        The name of the backup of what was there.

    Raises:
        StorageError: There is no such backup, it is damaged, or it could not be restored whole.
    """
    home = home.resolve()
    source = _directory(home, name)
    _state(source)
    with ProcessLock(home / LOCK_NAME).held():
        kept = f"before-restore-{time_stamp(clock())}"
        make_backup(home, kept, files)
        try:
            for directory in _SUBDIRECTORIES:
                _mirror(source / directory, home / directory, files)
            _put(source / STATE_NAME, home / STATE_NAME, files)
        except OSError as error:
            raise cannot_write(home / STATE_NAME, error) from error
    return kept


def time_stamp(moment: datetime) -> str:
    """A moment as part of a file's name, such as `20261124T101500123456Z`."""
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%S%fZ}"


def _directory(home: Path, name: str) -> Path:
    if not _NAME.fullmatch(name):
        raise StorageError(
            StorageErrorKind.MISSING,
            f"There is no backup {name[:40]!r}: 'ctroom restore' lists what there is.",
        )
    return home.resolve() / BACKUPS / name


def _state(directory: Path) -> Tables:
    file = TypedFile(directory / STATE_NAME, FileKind.STATE, STATE_TABLES)
    try:
        tables = file.load()
    finally:
        file.close()
    if tables is None:
        raise missing(file.path)
    return tables


def _all(home: Path) -> list[Path]:
    directory = home.resolve() / BACKUPS
    if not directory.exists():
        return []
    return [path for path in directory.iterdir() if _NAME.fullmatch(path.name)]


def _latest(home: Path) -> Path | None:
    with contextlib.suppress(OSError):
        return max(_all(home), key=lambda path: path.stat().st_mtime_ns, default=None)
    return None


def _described(path: Path) -> Backup:
    sizes = [file.stat().st_size for file in path.rglob("*.json")]
    made_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    return Backup(path.name, made_at, len(sizes), sum(sizes))


def _prune(home: Path) -> None:
    daily = sorted(path for path in _all(home) if _DAILY.fullmatch(path.name))
    for path in [*daily[:-DAYS_KEPT], *_abandoned(home)]:
        shutil.rmtree(path, ignore_errors=True)


def _abandoned(home: Path) -> list[Path]:
    """Directories that a crash left half made, a day ago or more."""
    limit = time.time() - 86_400
    unfinished = (home.resolve() / BACKUPS).glob(".*")
    return [path for path in unfinished if path.is_dir() and path.stat().st_mtime < limit]


def _copy_all(home: Path, target: Path, previous: Path | None, files: FileLayer) -> None:
    _copy(home / STATE_NAME, target / STATE_NAME, None, files)
    for name in _SUBDIRECTORIES:
        if not (home / name).is_dir():
            continue
        make_directory(target / name)
        for source in sorted((home / name).glob("*.json")):
            _copy(source, target / name / source.name, previous and previous / name / source.name, files)
        files.fsync_directory(target / name)


def _copy(source: Path, target: Path, previous: Path | None, files: FileLayer) -> None:
    try:
        status = source.stat()
        if previous and _same(status, previous):
            target.hardlink_to(previous)
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


def _mirror(source: Path, target: Path, files: FileLayer) -> None:
    """Make the files of a directory the same as another's."""
    wanted = {path.name for path in source.glob("*.json")}
    if wanted:
        make_directory(target)
    for name in sorted(wanted):
        _put(source / name, target / name, files)
    for extra in [path for path in target.glob("*.json") if path.name not in wanted]:
        files.unlink(extra)


def _put(source: Path, target: Path, files: FileLayer) -> None:
    files.close(replace_file(files, target.resolve(), source.read_bytes()))
