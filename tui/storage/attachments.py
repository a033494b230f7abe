"""The bytes of attached files, each kept once under its own digest: what was sent can't change afterwards."""

import contextlib
import hashlib
import os
import re
import time
from collections.abc import Iterable
from pathlib import Path
from typing import cast

from tui.core.chat import Draft
from tui.core.errors import StorageError, StorageErrorKind
from tui.storage.failures import cannot_read, cannot_write
from tui.storage.files import SYSTEM_FILES, FileLayer, make_directory, read_all, replace_file
from tui.storage.rows import Rows, Tables

ATTACHMENTS = "attachments"
DRAFTS = "drafts"
"""The table of drafts, which name files as messages do."""
UNSENT_SECONDS = 86_400.0
"""How long a file is kept that neither a message nor a draft names: one may be about to."""
RECENT_SECONDS = 10.0
"""How long a file that a draft named is kept after it was attached: a draft may be about to name it again."""

_DIGEST = re.compile(r"[0-9a-f]{64}")
_NAMED = re.compile(rb'"digest": ?"([0-9a-f]{64})"')


class AttachmentFiles:
    """The directory of attached files. Reading may be done on any thread, all else on the writer's.

    Args:
        home: The data directory.
        files: The calls on disk.
    """

    def __init__(self, home: Path, files: FileLayer = SYSTEM_FILES) -> None:
        self._directory = home / ATTACHMENTS
        self._conversations = home / "conversations"
        self._files = files

    def keep(self, data: bytes) -> str:
        """Keep some bytes; their digest. The store's lock must be held.

        Raises:
            StorageError: They are not kept.
        """
        digest = hashlib.sha256(data).hexdigest()
        path = self._directory / digest
        try:
            if self.load(digest) is not None:
                os.utime(path)  # it is wanted again: `remove_unnamed` goes by this time
                return digest
            make_directory(self._directory, self._files)
            self._files.close(replace_file(self._files, path, data))
        except OSError as error:
            raise cannot_write(path, error) from error
        return digest

    def load(self, digest: str) -> bytes | None:
        """The bytes of that digest; None where they are gone, or are not what they were.

        Raises:
            StorageError: The system does not let them be read.
        """
        path = self._path(digest)
        try:
            descriptor = self._files.open(path, os.O_RDONLY)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise cannot_read(path, error) from error
        try:
            data = read_all(descriptor)
        except OSError as error:
            raise cannot_read(path, error) from error
        finally:
            self._files.close(descriptor)
        return data if hashlib.sha256(data).hexdigest() == digest else None

    def missing(self, digests: Iterable[str]) -> frozenset[str]:
        """Which of them there is no file for."""
        return frozenset(digest for digest in digests if not self._path(digest).is_file())

    def remove_unnamed(self, at_once: Iterable[str] = (), drafted: Iterable[str] = ()) -> None:
        """Remove files that nothing names, once they are a day old. The store's lock must be held.

        Args:
            at_once: Digests that need not be so old: those of a conversation that was removed.
            drafted: Those that drafts name; other files are kept for messages only.

        Raises:
            StorageError: A directory can't be read, or a file not removed.
        """
        if not self._directory.is_dir():
            return
        at_once = frozenset(at_once)
        limit = time.time() - UNSENT_SECONDS
        try:
            named = self.named().union(drafted)
            for path in self._directory.iterdir():
                digest = path.name
                if not _DIGEST.fullmatch(digest) or digest in named:
                    continue
                if digest in at_once or path.stat().st_mtime < limit:
                    with contextlib.suppress(FileNotFoundError):
                        self._files.unlink(path)
            self._files.fsync_directory(self._directory)
        except OSError as error:
            raise cannot_write(self._directory, error) from error

    def remove_dropped(self, digests: Iterable[str]) -> frozenset[str]:
        """Remove files that a draft named and none does any more. The store's lock must be held.

        Args:
            digests: Those of the files; what messages name stays.

        Returns:
            Those that were attached a moment ago, and are to be looked at again.

        Raises:
            StorageError: A directory can't be read, or a file not removed.
        """
        dropped = self._unnamed_of(digests)
        limit = time.time() - RECENT_SECONDS
        recent = set()
        try:
            for digest in dropped:
                path = self._path(digest)
                with contextlib.suppress(FileNotFoundError):
                    if path.stat().st_mtime > limit:
                        recent.add(digest)
                    else:
                        self._files.unlink(path)
            if dropped:
                self._files.fsync_directory(self._directory)
        except OSError as error:
            raise cannot_write(self._directory, error) from error
        return frozenset(recent)

    def _unnamed_of(self, digests: Iterable[str]) -> set[str]:
        """Which of them no message names; one that was just sent is found in the latest conversation."""
        left = set(digests)
        try:
            paths = sorted(self._conversations.glob("*.json"), key=lambda path: -path.stat().st_mtime)
        except OSError as error:
            raise cannot_read(self._conversations, error) from error
        for path in paths:
            if not left:
                break
            left -= _named_in(path)
        return left

    def named(self) -> frozenset[str]:
        """The digests that messages name, in every conversation.

        Raises:
            StorageError: A file can't be read.
        """
        paths = self._conversations.glob("*.json")
        return frozenset().union(*(_named_in(path) for path in paths))

    def named_by(self, conversation_id: str) -> frozenset[str]:
        """The digests that a conversation's messages name, even where its file is damaged.

        Raises:
            StorageError: The file can't be read.
        """
        return _named_in(self._conversations / f"{conversation_id}.json")

    def _path(self, digest: str) -> Path:
        if not _DIGEST.fullmatch(digest):
            raise StorageError(
                StorageErrorKind.UNREADABLE,
                "A message names an attachment in a way that is none: its file can't be found.",
            )
        return self._directory / digest


class AttachmentMerge:
    """The attached files that a backup has and the present has not, to be put back.

    Args:
        backup: The backup's directory.
        home: The data directory.
        files: The calls on disk.
        drafted: The digests that the backup's drafts name.
    """

    def __init__(self, backup: Path, home: Path, files: FileLayer, drafted: frozenset[str]) -> None:
        self._then = AttachmentFiles(backup, files)
        self._now = AttachmentFiles(home, files)
        self._drafted = drafted
        self._lacking: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether there are any."""
        return bool(self._lacking)

    def merge(self) -> None:
        """Work out which of those that messages and drafts name are to be put back.

        Raises:
            StorageError: The conversations can't be read.
        """
        lacking = self._now.missing(self._then.named() | self._now.named() | self._drafted)
        self._lacking = tuple(sorted(lacking - self._then.missing(lacking)))

    def write(self) -> None:
        """Put them back. The store's lock must be held.

        Raises:
            StorageError: One could not be read or written.
        """
        for digest in self._lacking:
            if (data := self._then.load(digest)) is not None:
                self._now.keep(data)


def drafted(tables: Tables) -> frozenset[str]:
    """The digests that drafts name."""
    rows = tables.get(DRAFTS, Rows()).by_id.values()
    return frozenset(file.digest for row in rows for file in cast(Draft, row.record).attachments)


def _named_in(path: Path) -> frozenset[str]:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return frozenset()
    except OSError as error:
        raise cannot_read(path, error) from error
    return frozenset(found.decode() for found in _NAMED.findall(content))
