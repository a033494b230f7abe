"""A process is killed at each step of each operation that saves; then the next start recovers, twice."""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.crash.books import Reader
from tests.crash.checker import final_violations, inventions, losses
from tests.crash.fleet import KILLED, Child
from tests.crash.journal import Entry, Journal
from tests.crash.recovery import PREPARED, opened, prepare, recover, used
from tests.crash.sabotage import Sabotage
from tests.crash.steps import (
    BACKUP,
    FILES,
    NEW_BACKUP,
    OPERATIONS,
    restore,
    run_backup,
    run_operation,
    run_restore,
)
from tui.storage.backup import list_backups, make_backup

STEPS_OF_A_FILE = {"created", "half written", "written", "synced", "replaced"}
"""The steps of replacing a file; then its directory is synced."""
SAVED_BY = {
    "admit": ["ctroom.json"],
    "settle": ["conversations/talked-in.json", "ctroom.json"],
    "sweep": ["ctroom.json"],
    "settle_late": ["ctroom.json"],
    "release": ["ctroom.json"],
    "buy": ["ctroom.json"],
    "begin_conversation": ["conversations/begun.json"],
    "archive": ["ledger/", "ctroom.json"],
}
"""The files at each of whose steps a process must have died."""


@dataclass
class Deaths:
    """A data directory, copied for each death."""

    template: Path
    backed_up: list[Entry]
    """What was said before the backup."""
    later: list[Entry]
    """What was said after it."""
    steps: list[str] = field(default_factory=list)
    """Where a process died."""
    violations: list[str] = field(default_factory=list)

    def each(self, target: Callable[..., None], *arguments: Any) -> Iterator[tuple[Path, Journal]]:
        """Run something again and again, each time until a later step; what is left, and what was said."""
        for fatal in count(1):
            home = self.template.with_name(f"killed-{fatal}")
            shutil.copytree(self.template, home)
            child = Child(target, home, *arguments, fatal)
            journal = Journal()
            journal.add([*PREPARED, *self.backed_up, *self.later, *child.last_words()])
            if child.exit_code != KILLED:
                assert child.exit_code == 0
                return
            self.steps.append(journal.steps[-1])
            yield home, journal
            shutil.rmtree(home)

    def found(self, what: list[str]) -> None:
        """Take down what is wrong after the latest death."""
        self.violations += [f"died at {self.steps[-1]!r}: {violation}" for violation in what]


@pytest.fixture
async def deaths(tmp_path: Path) -> Deaths:
    template = tmp_path / "template"
    await prepare(template, FILES)
    backed_up = await used(template, turns=8, files=FILES)
    make_backup(template, BACKUP, FILES)
    return Deaths(template, backed_up, await used(template, turns=7, files=FILES))


async def _work_and_die(deaths: Deaths, operation: str, sabotage: Sabotage = Sabotage.NONE) -> None:
    for home, journal in deaths.each(run_operation, operation, sabotage):
        await _check(deaths, home, journal)


async def _check(deaths: Deaths, home: Path, journal: Journal) -> None:
    """Look at what is left, recover, and hold everything against the books."""
    deaths.found(_looked_at(home, journal))
    deaths.found(await recover(home, FILES))
    deaths.found(final_violations(Reader(home).read(), journal))


def _looked_at(home: Path, journal: Journal) -> list[str]:
    books = Reader(home).read()
    return [*losses(books, journal), *inventions(books, journal)]


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_no_step_of_an_operation_loses_or_doubles_anything(deaths: Deaths, operation: str) -> None:
    await _work_and_die(deaths, operation)

    assert deaths.violations == []
    for file in SAVED_BY[operation]:
        died = {step.split(maxsplit=1)[1] for step in deaths.steps if step.startswith(file)}
        assert died >= STEPS_OF_A_FILE
    assert any(step.endswith("directory synced") for step in deaths.steps)


async def test_a_move_that_removes_before_it_writes_is_noticed(deaths: Deaths) -> None:
    await _work_and_die(deaths, "archive", Sabotage.MOVE)

    assert any("is lost" in violation for violation in deaths.violations)


async def test_a_broken_migration_leaves_the_older_files_and_is_done_again(deaths: Deaths) -> None:
    _make_older(deaths.template)
    before = _contents(deaths.template)

    for home, journal in deaths.each(run_operation, "buy", Sabotage.NONE):
        kept = [_contents(path) for path in (home / "backups").glob("before-migration-*")]
        state = (home / "ctroom.json").read_bytes()
        assert state == before["ctroom.json"] or before["ctroom.json"] in (
            copy["ctroom.json"] for copy in kept
        )
        await _check(deaths, home, journal)

    assert deaths.violations == []
    assert any(step.startswith("backups/before-migration") for step in deaths.steps)


def _make_older(home: Path) -> None:
    """Bring the files to the form of version 1, whose ledger rows have neither number nor balance."""
    for path in [*home.glob("*.json"), *home.glob("conversations/*.json"), *home.glob("ledger/*.json")]:
        documents = json.loads(path.read_bytes())
        meta = documents["_meta"]["1"]
        meta["schema"] = 1
        meta.pop("last_row", None)
        for row in documents.get("ledger", {}).values():
            del row["number"], row["balance"]
        path.write_text(json.dumps(documents))


async def test_a_backup_is_whole_or_not_there(deaths: Deaths) -> None:
    before = _contents(deaths.template)

    for home, _ in deaths.each(run_backup):
        backup = home / "backups" / NEW_BACKUP
        assert _contents(home) == before, deaths.steps[-1]
        assert not backup.exists() or _contents(backup) == before, deaths.steps[-1]
        make_backup(home, NEW_BACKUP, FILES)
        assert _contents(backup) == before, deaths.steps[-1]
        assert [backup.name for backup in list_backups(home)].count(NEW_BACKUP) == 1

    assert len(deaths.steps) > 10


async def test_a_broken_restore_loses_nothing_and_can_be_done_again(deaths: Deaths) -> None:
    async with opened(deaths.template, FILES) as store:
        await store.remove_messages("talked-in")

    for home, journal in deaths.each(run_restore):
        journal.saved = {name: entry for name, entry in journal.saved.items() if entry.about != "talked-in"}
        deaths.found(_looked_at(home, journal))
        restore(home, FILES)
        journal.add(entry for entry in deaths.backed_up if entry.about == "talked-in")
        await _check(deaths, home, journal)

    assert deaths.violations == []
    assert len(deaths.steps) > 20


def _contents(directory: Path) -> dict[str, bytes]:
    """Every file of the data, by its name."""
    paths = [
        *directory.glob("*.json"),
        *directory.glob("conversations/*.json"),
        *directory.glob("ledger/*.json"),
    ]
    return {str(path.relative_to(directory)): path.read_bytes() for path in paths}
