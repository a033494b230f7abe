"""The key by which clients know this server again: made once, readable by its owner alone."""

import os
import stat
from pathlib import Path

import asyncssh

from tui.core.errors import StorageError, StorageErrorKind

NAME = "ssh_host_ed25519_key"
"""The file in the data directory."""
_MOST_BYTES = 65_536
_KINDS = {stat.S_IFDIR: "a directory", stat.S_IFIFO: "a named pipe", stat.S_IFSOCK: "a socket"}


def load_host_key(path: Path) -> asyncssh.SSHKey:
    """The host key of a file; one is made where there is none.

    Args:
        path: A private key in OpenSSH's format, without a passphrase.

    Raises:
        StorageError: It can't be read or made, is no file, is damaged, or others may read or replace it.
    """
    try:
        if not path.exists():
            _check_link(path)
            _make(path)
        data = _read_private(path)
    except OSError as error:
        raise StorageError(
            StorageErrorKind.UNREADABLE,
            f"The host key {path} can't be used ({error.strerror}): check who may read its directory.",
        ) from None
    try:
        return asyncssh.import_private_key(data)
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError, ValueError):
        raise StorageError(
            StorageErrorKind.CORRUPT,
            f"The host key {path} is damaged or has a passphrase: bring it back from a backup, or move it "
            "away, and a new one is made, of which every client will warn.",
        ) from None


def _check_link(path: Path) -> None:
    """Nothing is made where a link leads nowhere: the disk with the key may not be mounted yet."""
    if path.is_symlink():
        raise StorageError(
            StorageErrorKind.MISSING,
            f"The host key {path} is a symbolic link that leads to no file: bring back what it leads to, or "
            "remove the link, and a new key is made, of which every client will warn.",
        )


def _make(path: Path) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519", comment="ctroom")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Whole or not at all: a server that starts at the same time must not read a half.
    made = path.with_name(f".{path.name}.{os.getpid()}")
    made.unlink(missing_ok=True)
    descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(key.export_private_key())
            file.flush()
            os.fsync(file.fileno())
        os.link(made, path)
    except FileExistsError:
        return  # made by another server meanwhile
    finally:
        made.unlink(missing_ok=True)


def _read_private(path: Path) -> bytes:
    """The file's content, if nobody else can read or change it.

    Raises:
        OSError: It can't be read.
        StorageError: Others can, or it is something else than a file.
    """
    _check_kind(path, path.stat())
    # What took its place since the look must not make the start wait for a writer.
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        found = os.fstat(file.fileno())
        _check_kind(path, found)
        if found.st_mode & 0o077 or found.st_uid not in (os.geteuid(), 0):
            raise StorageError(
                StorageErrorKind.UNREADABLE,
                f"The host key {path} can be read or changed by others: make it yours alone with "
                "chown and chmod 600; if others may have seen it, delete it, and a new one is made.",
            )
        return file.read(_MOST_BYTES)


def _check_kind(path: Path, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        kind = _KINDS.get(stat.S_IFMT(found.st_mode), "a device")
        raise StorageError(
            StorageErrorKind.UNREADABLE,
            f"The host key {path} is {kind}, not a file: move it away, and a new key is made.",
        )
