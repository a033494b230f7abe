"""A full disk: nothing that was acknowledged is lost, it is told, and saving goes on once there is room."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.crash.books import Reader
from tests.crash.checker import final_violations, inventions, losses
from tests.crash.fleet import Child
from tests.crash.journal import Journal
from tests.crash.recovery import PREPARED, prepare, recover
from tests.crash.worker import Order, run_until_full
from tests.support.figures import FIGURES

DISK = 400_000
"""A small disk's bytes."""
BALLAST = 250_000
"""Bytes of it that are taken, until room is made."""
LARGEST = 24_000
"""Bytes that a file may have, where it is the files that may not grow."""
TURNS = 8
"""After there is room again."""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path | None]:
    """A disk of its own; None where the system lets nobody but its administrator mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(disk)]
    if not shutil.which("mount") or subprocess.run(command, capture_output=True, check=False).returncode:
        yield None
        return
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


async def _filled(home: Path, largest: int | None = None) -> Journal:
    """Let a process work until its disk is full, and go on; what it said."""
    await prepare(home)
    ballast = home.with_name("ballast")
    ballast.write_bytes(bytes(BALLAST))
    journal = Journal()
    child = Child(run_until_full, Order(home, "ann", 7, ("talked-in",), TURNS), largest, ballast)
    journal.add([*PREPARED, *child.last_words()])
    assert child.exit_code == 0
    return journal


async def _check(home: Path, journal: Journal) -> None:
    assert journal.refused
    assert all("The disk is full" in sentence for sentence in journal.refused)
    assert len(journal.settled) > TURNS
    books = Reader(home).read()
    assert [*losses(books, journal), *inventions(books, journal)] == []
    assert await recover(home) == []
    assert final_violations(Reader(home).read(), journal) == []


async def test_files_that_may_not_grow_lose_nothing_and_saving_resumes(tmp_path: Path) -> None:
    home = tmp_path / "ctroom"

    await _check(home, await _filled(home, LARGEST))


async def test_a_full_disk_loses_nothing_and_saving_resumes(
    tmp_path: Path, small_disk: Path | None, record_property: Callable[[str, object], None]
) -> None:
    if small_disk is None:
        record_property(
            FIGURES, "no disk may be mounted here, so files that may not grow stand for a full one"
        )
    home = (small_disk or tmp_path) / "ctroom"

    await _check(home, await _filled(home, None if small_disk else LARGEST // 2))
