"""The calls that storage makes on disk, in one replaceable place, so that tests can make each fail."""

import contextlib
import os
import stat
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

FILE_MODE = 0o600
DIRECTORY_MODE = 0o700


class FileLayer:
    """The operating system's own files."""

    def open(self, path: Path, flags: int, mode: int = FILE_MODE) -> int:
        """Open a file; its descriptor."""
        return os.open(path, flags | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0), mode)

    def close(self, descriptor: int) -> None:
        """Close a descriptor."""
        os.close(descriptor)

    def write(self, descriptor: int, data: bytes) -> None:
        """Write all of `data`."""
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(descriptor, rest) :]

    def fsync(self, descriptor: int) -> None:
        """Wait until the file's content is on the medium."""
        if sys.platform == "darwin":
            import fcntl

            # On macOS fsync stops at the drive's own cache (man 2 fsync).
            with contextlib.suppress(OSError):
                fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
                return
        os.fsync(descriptor)

    def replace(self, source: Path, target: Path) -> None:
        """Put a file in the place of another, in one step."""
        source.replace(target)

    def unlink(self, path: Path) -> None:
        """Remove a file."""
        path.unlink()

    def make_directory(self, directory: Path) -> None:
        """Make a directory that only its owner can enter, and those above it."""
        directory.mkdir(mode=DIRECTORY_MODE, parents=True, exist_ok=True)
        directory.chmod(DIRECTORY_MODE)

    def link(self, source: Path, target: Path) -> None:
        """Give a file a second name."""
        target.hardlink_to(source)

    def fsync_directory(self, directory: Path) -> None:
        """Wait until the directory's entries are on the medium, where the system can say so."""
        if os.name == "nt":
            return
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            self.fsync(descriptor)
        finally:
            os.close(descriptor)


SYSTEM_FILES = FileLayer()


class UnconfirmedError(OSError):
    """New content is in its place, but may not outlive a power cut: the sync of its directory failed."""


def replace_file(files: FileLayer, path: Path, data: bytes | Iterable[bytes]) -> int:
    """Put `data` in the place of a file, so that any crash leaves the old content or the new, never a mix.

    The caller holds the store's lock: the temporary file has a fixed name, which a crash may leave behind
    and the next write takes over.

    Args:
        files: The calls on disk.
        path: The file.
        data: The whole content, or pieces of it.

    Returns:
        An open descriptor of the new file.

    Raises:
        UnconfirmedError: It is in place, but may not outlive a power cut.
        OSError: Nothing was replaced.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    descriptor = _create(files, temporary)
    try:
        _set_mode(descriptor, FILE_MODE)
        for piece in (data,) if isinstance(data, bytes) else data:
            files.write(descriptor, piece)
        files.fsync(descriptor)
        files.replace(temporary, path)
    except BaseException:
        files.close(descriptor)
        with contextlib.suppress(OSError):
            files.unlink(temporary)
        raise
    try:
        files.fsync_directory(path.parent)
    except OSError as error:
        files.close(descriptor)
        raise UnconfirmedError(error.errno, error.strerror) from error
    return descriptor


def make_directory(directory: Path, files: FileLayer = SYSTEM_FILES) -> None:
    """Make a directory that only its owner can enter, or mend one that lets others in.

    A new one is on the medium when this returns: what is saved in it would be lost with it.

    Raises:
        OSError: It could not be made.
    """
    try:
        mode = directory.stat().st_mode
    except FileNotFoundError:
        files.make_directory(directory)
        with contextlib.suppress(PermissionError):  # one may write to a directory that one may not read
            files.fsync_directory(directory.parent)
        return
    if not stat.S_ISDIR(mode):
        raise NotADirectoryError(20, "Not a directory", str(directory))
    # A sticky directory is shared on purpose (/tmp): closing it would break other programs.
    if mode & 0o077 and not mode & stat.S_ISVTX:
        with contextlib.suppress(OSError):
            directory.chmod(DIRECTORY_MODE)


def real_path(path: Path) -> Path:
    """The path without links; where they form a loop, the path itself, which then can't be opened."""
    return Path(os.path.realpath(path))


def mend_mode(descriptor: int, mode: int) -> None:
    """Take a file away from everyone but its owner, where others could read it."""
    if mode & 0o077:
        with contextlib.suppress(OSError):
            _set_mode(descriptor, FILE_MODE)


def read_all(descriptor: int) -> bytes:
    """The whole content of an open file."""
    return b"".join(read_blocks(descriptor))


def read_blocks(descriptor: int) -> Iterator[bytes]:
    """The content of an open file from where it stands, in pieces."""
    while chunk := os.read(descriptor, 1 << 20):
        yield chunk


def _create(files: FileLayer, path: Path) -> int:
    flags = os.O_CREAT | os.O_EXCL | os.O_RDWR
    try:
        return files.open(path, flags)
    except FileExistsError:
        files.unlink(path)
        return files.open(path, flags)


def _set_mode(descriptor: int, mode: int) -> None:
    if hasattr(os, "fchmod"):
        os.fchmod(descriptor, mode)
