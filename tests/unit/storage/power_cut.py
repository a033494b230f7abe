"""A file layer that remembers what was synced, and what a power cut at any moment may leave on the disk.

A file's content is safe once it was synced; before, any part of it may be missing. A directory's entries are
safe once the directory was synced; before, any of the changes may be missing, in any order. That is weaker
than what journaling file systems promise, so that what survives here survives there.
"""

import os
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tui.storage.files import FileLayer


@dataclass
class _Node:
    """A file's content: what was written, and what of it is safe."""

    written: bytes = b""
    safe: bytes = b""


@dataclass
class _Directory:
    entries: dict[str, _Node] = field(default_factory=dict)
    """The entries that are safe."""
    pending: list[tuple[str, _Node | None]] = field(default_factory=list)
    """Changes that are not: a name, and its file or None where it was removed."""

    def now(self) -> dict[str, _Node]:
        entries: dict[str, _Node | None] = {**self.entries, **dict(self.pending)}
        return {name: node for name, node in entries.items() if node is not None}


class PowerCutFiles(FileLayer):
    """Works on the real disk, and keeps the books beside it.

    Args:
        on_step: Called before each call that changes something: the moments at which the power may fail.
    """

    def __init__(self, on_step: Callable[[], None]) -> None:
        self._directories: dict[Path, _Directory] = {}
        self._open: dict[int, _Node] = {}
        self._on_step = on_step

    def open(self, path: Path, flags: int, mode: int = 0o600) -> int:
        if flags & os.O_CREAT:
            self._on_step()
        descriptor = super().open(path, flags, mode)
        if flags & os.O_CREAT:
            node = _Node()
            self._directory(path).pending.append((path.name, node))
            self._open[descriptor] = node
        return descriptor

    def close(self, descriptor: int) -> None:
        self._open.pop(descriptor, None)
        super().close(descriptor)

    def write(self, descriptor: int, data: bytes) -> None:
        self._on_step()
        super().write(descriptor, data)
        self._open[descriptor].written += data

    def fsync(self, descriptor: int) -> None:
        self._on_step()
        super().fsync(descriptor)
        if node := self._open.get(descriptor):
            node.safe = node.written

    def replace(self, source: Path, target: Path) -> None:
        self._on_step()
        super().replace(source, target)
        if source.is_dir() or target.is_dir():
            return
        node = self._directory(source).now()[source.name]
        self._directory(target).pending.append((target.name, node))
        self._directory(source).pending.append((source.name, None))

    def unlink(self, path: Path) -> None:
        self._on_step()
        super().unlink(path)
        self._directory(path).pending.append((path.name, None))

    def fsync_directory(self, directory: Path) -> None:
        self._on_step()
        super().fsync_directory(directory)
        books = self._directories.setdefault(directory, _Directory())
        books.entries = books.now()
        books.pending.clear()

    def after_a_cut(self, home: Path, target: Path, chance: random.Random) -> None:
        """Write to `target` what the disk may hold of `home` if the power failed at this moment."""
        target.mkdir()
        for path, directory in self._directories.items():
            if not path.is_relative_to(home) or "backups" in path.relative_to(home).parts:
                continue
            there = target / path.relative_to(home)
            there.mkdir(parents=True, exist_ok=True)
            survived = [change for change in directory.pending if chance.random() < 0.5]
            entries: dict[str, _Node | None] = {**directory.entries, **dict(survived)}
            for name, node in entries.items():
                if node is not None:
                    (there / name).write_bytes(_torn(node, chance))

    def _directory(self, path: Path) -> _Directory:
        return self._directories.setdefault(path.parent, _Directory())


def _torn(node: _Node, chance: random.Random) -> bytes:
    """The content that may be left of a file."""
    if node.written == node.safe:
        return node.safe
    rest = node.written[len(node.safe) :]
    kept = rest[: chance.randint(0, len(rest))]
    return node.safe + chance.choice([b"", kept, b"\0" * len(rest)])
