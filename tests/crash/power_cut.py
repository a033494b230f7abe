"""A file layer that remembers what was synced, and what a power cut at any moment may leave on the disk.

A file's content is safe once it was synced; before, any of its blocks may be missing, and its end. A
directory's entries are safe once the directory was synced; before, any of the changes may be missing, in any
order. That is weaker than what journaling file systems promise, so that what survives here survives there.
"""

import os
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from tui.storage.files import FileLayer

BLOCK = 512
"""Bytes that a medium writes at once."""


@dataclass
class File:
    """A file's content: what was written, and what of it is safe."""

    written: bytes = b""
    safe: bytes = b""


@dataclass
class Directory:
    """A directory's entries: the safe ones, and the changes to them that are not."""

    entries: dict[str, "Node"] = field(default_factory=dict)
    pending: list[tuple[str, "Node | None"]] = field(default_factory=list)
    """A name, and what it stands for, or None where it was removed."""

    def now(self) -> dict[str, "Node"]:
        """The entries as a program sees them."""
        return _applied(self.entries, self.pending)

    def sync(self) -> None:
        """Make every change safe."""
        self.entries = self.now()
        self.pending.clear()


Node: TypeAlias = File | Directory


class PowerCutFiles(FileLayer):
    """Works on the real disk, and keeps the books beside it.

    Args:
        home: The data directory, not yet made; it is there after every cut.
        on_step: Called before each call that changes something: the moments at which the power may fail.
    """

    def __init__(self, home: Path, on_step: Callable[[], None]) -> None:
        self._home = home
        self._root = Directory()
        self._open: dict[int, File] = {}
        self._on_step = on_step

    def open(self, path: Path, flags: int, mode: int = 0o600) -> int:
        if not flags & os.O_CREAT:
            return super().open(path, flags, mode)
        self._on_step()
        descriptor = super().open(path, flags, mode)
        file = self._open[descriptor] = File()
        self._change(path, file)
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
        if file := self._open.get(descriptor):
            file.safe = file.written

    def replace(self, source: Path, target: Path) -> None:
        self._on_step()
        super().replace(source, target)
        self._change(target, self._node(source))
        self._change(source, None)

    def unlink(self, path: Path) -> None:
        self._on_step()
        super().unlink(path)
        self._change(path, None)

    def link(self, source: Path, target: Path) -> None:
        self._on_step()
        super().link(source, target)
        self._change(target, self._node(source))

    def make_directory(self, directory: Path) -> None:
        self._on_step()
        super().make_directory(directory)
        if directory != self._home:
            self._change(directory, Directory())

    def fsync_directory(self, directory: Path) -> None:
        self._on_step()
        if directory == self._home or self._home in directory.parents:
            self._directory(directory).sync()

    def after_a_cut(self, target: Path, chance: random.Random) -> None:
        """Write to `target` what the disk may hold of the data directory if the power failed here."""
        _write(self._root, target, chance)

    def _change(self, path: Path, node: Node | None) -> None:
        self._directory(path.parent).pending.append((path.name, node))

    def _node(self, path: Path) -> Node:
        return self._directory(path.parent).now()[path.name]

    def _directory(self, path: Path) -> Directory:
        directory = self._root
        for name in path.relative_to(self._home).parts:
            below = directory.now()[name]
            assert isinstance(below, Directory)
            directory = below
        return directory


def _applied(entries: dict[str, Node], changes: list[tuple[str, Node | None]]) -> dict[str, Node]:
    return {name: node for name, node in {**entries, **dict(changes)}.items() if node is not None}


def _write(directory: Directory, target: Path, chance: random.Random) -> None:
    target.mkdir()
    survived = [change for change in directory.pending if chance.random() < 0.5]
    for name, node in _applied(directory.entries, survived).items():
        if isinstance(node, Directory):
            _write(node, target / name, chance)
        else:
            (target / name).write_bytes(_torn(node, chance))


def _torn(file: File, chance: random.Random) -> bytes:
    """The content that may be left of a file: any of its unsafe blocks, up to any length."""
    if file.written == file.safe:
        return file.safe
    rest = file.written[len(file.safe) :]
    blocks = [rest[start : start + BLOCK] for start in range(0, len(rest), BLOCK)]
    kept = b"".join(block if chance.random() < 0.5 else bytes(len(block)) for block in blocks)
    return file.safe + kept[: chance.choice([0, chance.randint(0, len(rest)), len(rest)])]
