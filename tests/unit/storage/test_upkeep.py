"""What keeps `ctroom.json` small, all at once: nothing is lost or doubled, wherever it is broken off."""

import os
import random
import shutil
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tinydb import TinyDB

from tests.crash.power_cut import PowerCutFiles
from tests.unit.storage.support import FULL, NOW, mode, names, opened
from tui.core.chat import Conversation
from tui.core.errors import StorageError
from tui.core.ports import State
from tui.core.quota import DailyUsage, KeySource, Rollup
from tui.core.records import AuditEntry
from tui.services import tables
from tui.storage import older, upkeep
from tui.storage.files import FileLayer
from tui.storage.store import JsonStore

TODAY = NOW.date()
MANY = 9
"""Conversations, and entries of the trail, in two years."""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "ctroom"


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four stay, more than five are too many."""
    for module, name, number in (
        (older, "KEPT_CONVERSATIONS", 4),
        (upkeep, "MOST_CONVERSATIONS", 5),
        (upkeep, "KEPT_TRAIL", 4),
        (upkeep, "MOST_TRAIL", 5),
    ):
        monkeypatch.setattr(module, name, number)


def moment(number: int) -> datetime:
    """Three a year, the last one today."""
    return NOW - timedelta(days=(MANY - 1 - number) * 120)


def conversation(number: int, **facts: object) -> Conversation:
    made = Conversation(f"c{number}", "local", f"Title {number}", moment(number), moment(number))
    return replace(made, **facts)  # type: ignore[arg-type]  # the facts are Conversation's


def entry(number: int) -> AuditEntry:
    return AuditEntry(moment(number), "local", "settings set", f"entry {number}")


def add_conversations(state: State) -> None:
    for number in range(MANY):
        state.conversations.insert(conversation(number))


def add_all(state: State) -> None:
    """Everything that upkeep has to do with, older than it wants it."""
    add_conversations(state)
    for number in range(MANY):
        state.audit.insert(entry(number))
        for day in (moment(number).date(), moment(number).date() - timedelta(days=1)):
            state.daily_usage.insert(DailyUsage("local", "openai", day, used=10))
            state.usage_rollup.insert(Rollup(day, "local", "openai", "a", KeySource.DEFAULT, tokens=10))
    tables.enter_day(state, TODAY)


def touch(state: State) -> None:
    """A change that has nothing to do with it."""
    tables.note(state, NOW, "local", "touched", str(len(state.audit)))


def _found(path: Path, table: str, name: str) -> list[Any]:
    with TinyDB(path, access_mode="r") as plain:
        return [document[name] for document in plain.table(table)]


@dataclass
class Kept:
    """What plain TinyDB finds in a data directory."""

    home: Path

    def conversations(self) -> set[object]:
        return self._both("conversations", "conversations/index/*.json", "id")

    def trail(self) -> set[object]:
        return self._both("audit", "ledger/trail-*.json", "detail")

    def used(self) -> tuple[int, int]:
        days = _found(self.home / "ctroom.json", "daily_usage", "used")
        return sum(days), sum(_found(self.home / "ctroom.json", "usage_rollup", "tokens"))

    def _both(self, table: str, pattern: str, name: str) -> set[object]:
        moved = [value for path in self.home.glob(pattern) for value in _found(path, table, name)]
        assert len(moved) == len(set(moved))
        return {*moved, *_found(self.home / "ctroom.json", table, name)}

    def assert_all(self) -> None:
        assert self.conversations() >= {f"c{number}" for number in range(MANY)}
        assert self.trail() >= {f"entry {number}" for number in range(MANY)}
        assert self.used() == (MANY * 20, MANY * 20)


async def listed(store: JsonStore) -> list[Conversation]:
    """Older and live entries, as a reader sees them."""
    live = {entry.id: entry for _, entry in store.view.conversations}
    moved = {entry.id: entry for entry in await store.load_older_conversations()}
    return sorted({**moved, **live}.values(), key=lambda entry: entry.id)


async def test_older_conversations_move_by_themselves(home: Path) -> None:
    async with opened(home) as store:
        await store.transaction(add_conversations)
        await store.refresh()

        assert [entry.id for _, entry in store.view.conversations] == ["c5", "c6", "c7", "c8"]
        assert await store.load_older_conversations() == tuple(conversation(number) for number in range(5))
        assert await listed(store) == [conversation(number) for number in range(MANY)]
    assert names(home / "conversations" / "index") == ["2024.json", "2025.json"]
    assert [mode(path) for path in (home / "conversations", home / "conversations" / "index")] == [0o700] * 2
    assert mode(home / "conversations" / "index" / "2024.json") == 0o600
    assert _found(home / "conversations" / "index" / "2024.json", "conversations", "id") == ["c0", "c1", "c2"]


async def test_pinned_and_just_used_ones_stay(home: Path) -> None:
    def add(state: State) -> None:
        state.conversations.insert(conversation(0, pinned=True))
        state.conversations.insert(conversation(1, updated_at=NOW + timedelta(seconds=1)))
        for number in range(2, MANY):
            state.conversations.insert(conversation(number))

    async with opened(home) as store:
        await store.transaction(add)
        await store.refresh()

        assert [entry.id for _, entry in store.view.conversations] == ["c0", "c1", "c6", "c7", "c8"]


async def test_an_older_one_is_read_again_only_where_something_changed(home: Path) -> None:
    async with opened(home) as store, opened(home) as other:
        assert await store.load_older_conversations() == ()
        await store.transaction(add_conversations)
        first = await store.load_older_conversations()
        assert await store.load_older_conversations() is first

        await other.recall_conversation("c0")
        assert [entry.id for entry in await store.load_older_conversations()] == ["c1", "c2", "c3", "c4"]


async def test_a_recalled_entry_is_live_and_nowhere_else_and_can_move_again(home: Path) -> None:
    async with opened(home) as store:
        await store.transaction(add_conversations)
        await store.recall_conversation("c1")
        await store.recall_conversation("c1")
        await store.recall_conversation("never")

        assert [entry.id for _, entry in store.view.conversations] == ["c5", "c6", "c7", "c8", "c1"]
        assert await listed(store) == [conversation(number) for number in range(MANY)]
        assert "c1" not in [entry.id for entry in await store.load_older_conversations()]
        doc_id = max(doc_id for doc_id, _ in store.view.conversations)
        await store.transaction(lambda s: s.conversations.replace(doc_id, conversation(1, title="Renamed")))
        await store.transaction(lambda s: s.conversations.insert(conversation(MANY)))

        assert [entry.title for entry in await store.load_older_conversations() if entry.id == "c1"] == [
            "Renamed"
        ]
        assert len(await listed(store)) == MANY + 1


async def test_fields_that_this_version_does_not_know_move_along(home: Path) -> None:
    async with opened(home) as store:
        await store.transaction(add_conversations)
    for path in (home / "conversations" / "index").glob("*.json"):
        path.write_text(path.read_text().replace('"id": "c0"', '"id": "c0", "colour": "green"'))
    async with opened(home) as store:
        await store.recall_conversation("c0")
        await store.transaction(lambda state: state.conversations.insert(conversation(MANY)))
    assert '"colour": "green"' in (home / "conversations" / "index" / "2024.json").read_text()


@pytest.mark.parametrize("conversation_id", ["index", "2024", "a"])
async def test_no_id_is_taken_for_the_index(home: Path, conversation_id: str) -> None:
    async with opened(home) as store:
        await store.transaction(add_conversations)
        await store.save_messages(conversation_id, [])
        assert await store.load_messages(conversation_id) == ()
        assert len(await store.load_older_conversations()) == 5
        with pytest.raises(StorageError, match="can't be the id"):
            await store.recall_conversation("index/2024")


async def test_earlier_entries_of_the_trail_move_to_their_years(home: Path) -> None:
    async with opened(home) as store:
        await store.transaction(add_all)
        await store.refresh()
        assert [entry for _, entry in store.view.audit] == [entry(number) for number in range(5, MANY)]
        assert await store.ledger_months() == ()
    assert names(home / "ledger") == ["trail-2024.json", "trail-2025.json"]
    assert _found(home / "ledger" / "trail-2024.json", "audit", "detail") == ["entry 0", "entry 1", "entry 2"]
    Kept(home).assert_all()


async def test_totals_fold_when_a_day_is_entered(home: Path) -> None:
    async with opened(home) as store:
        await store.transaction(add_all)
        await store.refresh()
        sizes = [len(store.view.daily_usage), len(store.view.usage_rollup)]
        sequence = tables.meta(store.view).sequence
        await store.transaction(touch)
        assert tables.meta(store.view).sequence == sequence + 1
        assert [len(store.view.daily_usage), len(store.view.usage_rollup)] == sizes

        await store.transaction(lambda state: tables.enter_day(state, date(2031, 1, 1)))
        await store.refresh()
        assert {day.date for _, day in store.view.daily_usage} == {date(y, 1, 1) for y in (2024, 2025, 2026)}
    Kept(home).assert_all()


class FailingFiles(FileLayer):
    """Fails the one step of that number, counted from when it is armed; syncs nothing, no power is cut."""

    def __init__(self) -> None:
        self.left = 0
        self._created = False

    def _count(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise OSError(FULL, os.strerror(FULL))

    def open(self, path: Path, flags: int, mode: int = 0o600) -> int:
        if flags & os.O_CREAT:
            self._created = True
            self._count()
        return super().open(path, flags, mode)

    def write(self, descriptor: int, data: bytes) -> None:
        if self._created:
            self._created = False
            self._count()
        super().write(descriptor, data)

    def fsync(self, descriptor: int) -> None:
        self._count()

    def replace(self, source: Path, target: Path) -> None:
        self._count()
        super().replace(source, target)

    def fsync_directory(self, directory: Path) -> None:
        self._count()


OF_A_COMMIT = 5
"""Steps of one replacement of a file: create, write, sync, replace, sync of the directory."""


@pytest.mark.parametrize("step", range(1, 5 * OF_A_COMMIT + 1))
async def test_a_move_that_fails_anywhere_is_finished_after_the_next_commit(home: Path, step: int) -> None:
    files = FailingFiles()
    async with opened(home, files) as store:
        files.left = OF_A_COMMIT + step
        await store.transaction(add_all)
        await store.refresh()
        assert files.left <= 0, "The failure never came."
        Kept(home).assert_all()
        assert await listed(store) == [conversation(number) for number in range(MANY)]

        await store.transaction(touch)
        await store.refresh()
        assert len(store.view.conversations) == 4
        assert len(store.view.audit) in (4, 5)
        Kept(home).assert_all()
        assert await listed(store) == [conversation(number) for number in range(MANY)]
        assert not {entry.id for _, entry in store.view.conversations} & {
            entry.id for entry in await store.load_older_conversations()
        }


@pytest.mark.parametrize("step", range(1, 2 * OF_A_COMMIT + 1))
async def test_a_recall_that_fails_anywhere_can_be_tried_again(home: Path, step: int) -> None:
    files = FailingFiles()
    async with opened(home, files) as store:
        await store.transaction(add_all)
        await store.refresh()
        files.left = step
        with pytest.raises(StorageError, match=r"disk is full|did not confirm"):
            await store.recall_conversation("c0")
        await store.refresh()
        assert await listed(store) == [conversation(number) for number in range(MANY)]

        await store.recall_conversation("c0")
        assert len([entry for _, entry in store.view.conversations if entry.id == "c0"]) == 1
        assert "c0" not in [entry.id for entry in await store.load_older_conversations()]
        Kept(home).assert_all()


@dataclass
class Cuts:
    """Cuts the power before every step once everything is acknowledged, and looks at what is left."""

    home: Path
    leftovers: Path
    chance: random.Random = field(default_factory=lambda: random.Random(11))
    acknowledged: bool = False
    seen: int = 0
    failures: list[str] = field(default_factory=list)
    layer: PowerCutFiles = field(init=False)

    def __post_init__(self) -> None:
        self.layer = PowerCutFiles(self.home, self.look)

    def look(self) -> None:
        for _ in range(3 if self.acknowledged else 0):
            self.seen += 1
            shutil.rmtree(self.leftovers, ignore_errors=True)
            self.layer.after_a_cut(self.leftovers, self.chance)
            try:
                Kept(self.leftovers).assert_all()
            except (AssertionError, ValueError, OSError) as error:
                self.failures.append(f"cut {self.seen}: {error!r}")


async def _work(cuts: Cuts, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(upkeep.Upkeep, "after_commit", lambda self, state, tables: tables)
        async with opened(cuts.home, cuts.layer) as store:
            await store.transaction(add_all)
    cuts.acknowledged = True
    async with opened(cuts.home, cuts.layer) as store:
        await store.transaction(touch)
        for number in range(5):
            await store.recall_conversation(f"c{number}")
        await store.transaction(lambda state: state.conversations.insert(conversation(MANY)))


async def test_no_power_cut_loses_anything_that_moves(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cuts = Cuts(home, home.with_name("leftovers"))
    await _work(cuts, monkeypatch)

    assert cuts.failures == []
    assert cuts.seen > 200


@pytest.mark.parametrize("call", ["fsync", "fsync_directory"])
async def test_without_syncs_power_cuts_are_noticed(
    home: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    cuts = Cuts(home, home.with_name("leftovers"))
    monkeypatch.setattr(cuts.layer, call, lambda *_: None)
    await _work(cuts, monkeypatch)

    assert cuts.failures
