"""Several processes on one data directory, one of them killed, and a disk that is really full."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tinydb import TinyDB

from tests.environment import child_environment
from tests.unit.storage.support import add_pool, opened, pool_names
from tui.core.quota import Pool


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "ctroom"


def _start(home: Path, name: str, count: int, *largest: int) -> subprocess.Popen[str]:
    module = "tests.unit.storage.writing_process"
    arguments = [str(home), name, str(count), *map(str, largest)]
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        env=child_environment(home.parent),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _acknowledged(process: subprocess.Popen[str]) -> list[str]:
    output, errors = process.communicate(timeout=100)
    assert not errors
    return output.split()


def _kill_when_it_writes(process: subprocess.Popen[str], after: float) -> list[str]:
    assert process.stdout
    first = process.stdout.readline().strip()
    deadline = time.monotonic() + after
    while time.monotonic() < deadline and process.poll() is None:
        first += "\n" + process.stdout.readline().strip()
    process.kill()
    return first.split() + _acknowledged(process)


def _state(home: Path) -> tuple[int, list[str]]:
    """The counter, and the names of the transactions that are in the file."""
    with TinyDB(home / "ctroom.json", access_mode="r") as plain:
        pools = [dict(document) for document in plain.table("quotas")]
    return pools[0]["used"], [pool["provider"] for pool in pools[1:]]


def test_processes_that_write_at_once_lose_and_double_nothing(home: Path) -> None:
    processes = [_start(home, f"w{n}", 60) for n in range(3)]
    acknowledged = [label for process in processes for label in _acknowledged(process)]

    count, kept = _state(home)
    assert sorted(kept) == sorted(acknowledged)
    assert count == len(kept) == 180


def test_killed_writers_lose_nothing_that_was_acknowledged(home: Path) -> None:
    chance = random.Random(4)
    acknowledged: list[str] = []
    for round_number in range(4):
        survivor = _start(home, f"s{round_number}", 25)
        victim = _start(home, f"v{round_number}", 100_000)
        acknowledged += _kill_when_it_writes(victim, chance.uniform(0.01, 0.15))
        acknowledged += _acknowledged(survivor)

    count, kept = _state(home)
    assert set(acknowledged) <= set(kept)
    assert len(set(kept)) == len(kept) == count
    assert len(kept) - len(acknowledged) <= 4  # a killed writer may have committed once without saying so


async def test_a_file_that_may_not_grow_is_a_full_disk(home: Path) -> None:
    acknowledged = _acknowledged(_start(home, "full", 500, 8_000))

    assert acknowledged[-2:] == ["refused:", "full"]
    count, kept = _state(home)
    assert kept == acknowledged[:-2]
    assert count == len(kept) > 20
    async with opened(home) as store:
        await store.transaction(add_pool("resumed"))
        assert pool_names(store.view)[1:] == [*kept, "resumed"]
        assert store.view.quotas.get(1) == Pool("total", used=count)
