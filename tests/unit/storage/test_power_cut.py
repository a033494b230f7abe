"""A power cut at every step of saving: the files are readable and hold all that was acknowledged."""

import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tinydb import TinyDB

from tests.unit.storage.power_cut import PowerCutFiles
from tests.unit.storage.support import add_pool, ledger_row, message, opened
from tui.core.ports import State


@dataclass
class Cuts:
    """Cuts the power before every step, looks at what is left, and goes on."""

    home: Path
    leftovers: Path
    chance: random.Random = field(default_factory=lambda: random.Random(11))
    pools: int = 0
    """Transactions acknowledged."""
    messages: int = 0
    """Messages acknowledged."""
    rows: int = 0
    """Ledger rows acknowledged."""
    seen: int = 0
    failures: list[str] = field(default_factory=list)
    layer: PowerCutFiles = field(init=False)

    def __post_init__(self) -> None:
        self.layer = PowerCutFiles(self.look)

    def look(self) -> None:
        for _ in range(3):
            self.seen += 1
            shutil.rmtree(self.leftovers, ignore_errors=True)
            self.layer.after_a_cut(self.home, self.leftovers, self.chance)
            try:
                self._check()
            except (AssertionError, ValueError, OSError) as error:
                self.failures.append(f"cut {self.seen}: {error!r}")

    def _check(self) -> None:
        assert _count(self.leftovers / "ctroom.json", "quotas") >= self.pools
        assert _count(self.leftovers / "conversations" / "c1.json", "messages") >= self.messages
        months = (self.leftovers / "ledger").glob("*.json")
        archived = sum(_count(path, "ledger") for path in months)
        assert archived + _count(self.leftovers / "ctroom.json", "ledger") >= self.rows


def _count(path: Path, table: str) -> int:
    if not path.exists():
        return 0
    with TinyDB(path, access_mode="r") as plain:
        return len(plain.table(table))


@pytest.fixture
def cuts(tmp_path: Path) -> Cuts:
    return Cuts(tmp_path / "ctroom", tmp_path / "leftovers")


async def _work(cuts: Cuts) -> None:
    def add_rows(state: State) -> None:
        for number in range(220):
            state.ledger.insert(ledger_row(number))

    async with opened(cuts.home, cuts.layer) as store:
        for number in range(8):
            await store.transaction(add_pool(f"p{number}"))
            cuts.pools += 1
            await store.save_messages("c1", [message(number)])
            cuts.messages += 1
        await store.transaction(add_rows)
        cuts.rows = 220
        await store.archive_ledger()
        await store.transaction(add_pool("last"))
        cuts.pools += 1


async def test_no_cut_leaves_an_unreadable_file_or_loses_what_was_acknowledged(cuts: Cuts) -> None:
    await _work(cuts)

    assert cuts.failures == []
    assert cuts.seen > 250


async def _without(cuts: Cuts, monkeypatch: pytest.MonkeyPatch, name: str, does: Callable[..., None]) -> None:
    monkeypatch.setattr(cuts.layer, name, does)
    await _work(cuts)


async def test_without_the_sync_of_files_cuts_are_noticed(
    cuts: Cuts, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _without(cuts, monkeypatch, "fsync", lambda descriptor: None)

    assert cuts.failures


async def test_without_the_sync_of_directories_cuts_are_noticed(
    cuts: Cuts, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _without(cuts, monkeypatch, "fsync_directory", lambda directory: None)

    assert cuts.failures
