"""A power cut at every step of saving: all is readable, holds what was acknowledged, and recovers."""

import asyncio
import random
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.crash.books import Reader
from tests.crash.checker import final_violations, inventions, losses
from tests.crash.journal import Entry, Journal
from tests.crash.power_cut import PowerCutFiles
from tests.crash.recovery import PREPARED, PREPARING, opened, prepare, recover
from tests.crash.steps import BACKUP, FILES, OPERATIONS, restore
from tests.crash.worker import Order, Session, archiving_often
from tests.support.figures import FIGURES
from tui.core.errors import StorageError
from tui.storage.backup import inspect_backup, list_backups, make_backup


@dataclass
class Cuts:
    """Cuts the power before every step, looks at what is left, and goes on."""

    home: Path
    leftovers: Path
    recovers_every: int
    """Of so many cuts one is recovered from; the others are only looked at."""
    journal: Journal = field(default_factory=Journal)
    seen: int = 0
    violations: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.layer = PowerCutFiles(self.home, self._cut)
        self._chance = random.Random(11)
        self._mutex = threading.Lock()
        """Held over a look, as the session and the store are on two threads."""

    def say(self, entry: Entry) -> None:
        """Take down what was acknowledged."""
        with self._mutex:
            self.journal.add([entry])

    def _cut(self) -> None:
        with self._mutex:
            for _ in range(2):
                self.seen += 1
                shutil.rmtree(self.leftovers, ignore_errors=True)
                self.layer.after_a_cut(self.leftovers, self._chance)
                self.violations += [f"cut {self.seen}: {violation}" for violation in self._wrong()]

    def _wrong(self) -> list[str]:
        books = Reader(self.leftovers).read()
        wrong = [*losses(books, self.journal), *inventions(books, self.journal)]
        try:
            for backup in list_backups(self.leftovers):
                inspect_backup(self.leftovers, backup.name)
            if self.seen % self.recovers_every == 0:
                wrong += asyncio.run(recover(self.leftovers, FILES))
                wrong += final_violations(Reader(self.leftovers).read(), self.journal)
        except StorageError as error:
            wrong.append(str(error))
        return wrong


async def _work(cuts: Cuts) -> None:
    """Everything that saves, from the first commit on."""
    await _prepared(cuts)
    async with opened(cuts.home, cuts.layer) as store:
        session = Session(store, cuts.say, Order(cuts.home, "ann", 1, ("talked-in", "also-talked-in")))
        for operation in OPERATIONS.values():
            await operation(session, store.refresh)
        await asyncio.to_thread(make_backup, cuts.home, BACKUP, cuts.layer)
        for _ in range(4):
            await session.turn()
        _forget(cuts.journal, "also-talked-in")
        await store.remove_messages("also-talked-in")
    await asyncio.to_thread(restore, cuts.home, cuts.layer)


async def _prepared(cuts: Cuts) -> None:
    cuts.journal.add(PREPARING)
    await prepare(cuts.home, cuts.layer)
    cuts.journal.add(PREPARED)


def _forget(journal: Journal, conversation: str) -> None:
    """Its messages may be there from here on, or not."""
    journal.saved = {name: entry for name, entry in journal.saved.items() if entry.about != conversation}


@pytest.fixture
def cuts(tmp_path: Path) -> Cuts:
    return Cuts(tmp_path / "ctroom", tmp_path / "leftovers", recovers_every=25)


async def test_no_cut_loses_or_doubles_what_was_acknowledged(cuts: Cuts) -> None:
    with archiving_often():
        await _work(cuts)

    assert cuts.violations == []
    assert cuts.seen > 200


@pytest.mark.long
@pytest.mark.timeout(1_800)
async def test_every_cut_can_be_recovered_from(
    cuts: Cuts, record_property: Callable[[str, object], None]
) -> None:
    cuts.recovers_every = 1
    with archiving_often():
        await _work(cuts)

    record_property(FIGURES, f"{cuts.seen} cuts, {len(cuts.violations)} with a loss or beyond recovery")
    assert cuts.violations == []


@pytest.mark.parametrize(
    ("name", "does"),
    [("fsync", lambda descriptor: None), ("fsync_directory", lambda directory: None)],
    ids=["of files", "of directories"],
)
async def test_without_a_sync_cuts_are_noticed(
    cuts: Cuts, monkeypatch: pytest.MonkeyPatch, name: str, does: Callable[..., None]
) -> None:
    monkeypatch.setattr(cuts.layer, name, does)
    await _prepared(cuts)
    async with opened(cuts.home, cuts.layer) as store:
        await Session(store, cuts.say, Order(cuts.home, "ann", 1, ("talked-in",))).turn()

    assert any("is lost" in violation or "can't be read" in violation for violation in cuts.violations)
