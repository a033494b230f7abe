"""What the operating system refused, as one sentence with the way out."""

import errno
import os
from pathlib import Path

from tui.core.errors import StorageError, StorageErrorKind
from tui.storage.files import UnconfirmedError

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_DENIED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_RESTORE = "restore a backup with 'ctroom restore'"
_ANEW = "begin anew with 'ctroom restore anew' (there is no backup yet); it keeps all that can still be read"
_WRONG_TYPE = frozenset({errno.EISDIR, errno.ENOTDIR, errno.ELOOP, errno.ENXIO})


def cannot_read(path: Path, error: OSError) -> StorageError:
    """The sentence for a file that could not be read."""
    if error.errno == errno.ENOTDIR:
        return _not_a_directory(path, StorageErrorKind.UNREADABLE)
    if error.errno in _WRONG_TYPE:
        return not_a_file(path)
    if error.errno in _DENIED:
        why = f"You may not read {path}: check who owns it and its permissions."
    else:
        why = f"{path} could not be read ({error.strerror}): check the disk, then try again."
    return StorageError(StorageErrorKind.UNREADABLE, why)


def cannot_write(path: Path, error: OSError) -> StorageError:
    """The sentence for a file that could not be saved, or not for certain."""
    if isinstance(error, UnconfirmedError):
        return StorageError(
            StorageErrorKind.UNWRITABLE,
            f"{path} was replaced, but the disk did not confirm it ({error.strerror}): check the disk, and "
            "look whether the change is there before making it again.",
        )
    if error.errno in _FULL:
        return StorageError(
            StorageErrorKind.FULL,
            f"The disk is full, so {path} was not saved: free some space and try again.",
        )
    if error.errno == errno.EROFS:
        why = f"{path} was not saved because its disk is read-only: make it writable, or set CTROOM_HOME."
    elif error.errno in _DENIED:
        place = path if path.exists() and os.access(path.parent, os.W_OK) else path.parent
        why = f"You may not write to {place}: check who owns it, or set CTROOM_HOME to another directory."
    elif error.errno == errno.ENOTDIR:
        return _not_a_directory(path, StorageErrorKind.UNWRITABLE)
    elif error.errno in _WRONG_TYPE or error.errno == errno.EEXIST:
        why = f"{path} can't be saved because something else has its name: move that away and try again."
    else:
        why = f"{path} could not be saved ({error.strerror}): check the disk, then try again."
    return StorageError(StorageErrorKind.UNWRITABLE, why)


def not_a_file(path: Path) -> StorageError:
    """The sentence for a directory, a device or a loop of links where a file belongs."""
    return StorageError(
        StorageErrorKind.UNREADABLE,
        f"{path} is not a regular file: move what has its name away, "
        "then 'ctroom restore' brings a backup back.",
    )


def _not_a_directory(path: Path, kind: StorageErrorKind) -> StorageError:
    """The sentence for something else where a directory belongs: at the path, or above it."""
    place = path if path.is_file() else path.parent
    return StorageError(kind, f"{place} is not a directory: move what has its name away and try again.")


def corrupt(path: Path, problem: str, evidence: Path | None) -> StorageError:
    """The sentence for a file whose content can't be right."""
    kept = f" A copy was kept as {evidence.name}." if evidence else ""
    return StorageError(
        StorageErrorKind.CORRUPT,
        f"{path} is damaged ({problem}) and was left as it is: {_RESTORE}.{kept}",
    )


def missing(path: Path) -> StorageError:
    """The sentence for a file that was there before."""
    return StorageError(
        StorageErrorKind.MISSING,
        f"{path} is missing though it was there before: put it back, or {_RESTORE}.",
    )


def without_backup(error: StorageError) -> StorageError:
    """The sentence for a state that is damaged or missing where there is no backup to go back to."""
    return StorageError(error.kind, str(error).replace(_RESTORE, _ANEW))


def no_backup(name: str) -> StorageError:
    """The sentence for a backup that is not there."""
    return StorageError(
        StorageErrorKind.MISSING, f"There is no backup {name[:40]!r}: 'ctroom restore' lists what there is."
    )


def damaged_backup(name: str) -> StorageError:
    """The sentence for a backup without a state that can be read."""
    return StorageError(
        StorageErrorKind.CORRUPT,
        f"The backup {name} is damaged and was left as it is: choose another from 'ctroom restore'.",
    )


def newer(path: Path, schema: int, known: int) -> StorageError:
    """The sentence for a file from a later version."""
    return StorageError(
        StorageErrorKind.NEWER,
        f"{path} was written by a newer version of Ctroom (format {schema}, this version knows {known}) "
        "and was left as it is: update Ctroom.",
    )


def busy(path: Path, seconds: float) -> StorageError:
    """The sentence for a lock that another process does not give up."""
    return StorageError(
        StorageErrorKind.BUSY,
        f"Another Ctroom has held {path} for more than {seconds:.0f} seconds: "
        "wait for it to finish or close it, then try again.",
    )
