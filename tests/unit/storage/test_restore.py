"""A restore that is broken off, that other programs run through, and that finds much in the files beside."""

import asyncio
import random
import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from tests.crash.power_cut import PowerCutFiles
from tests.support.places import BACKUP, Place, assert_sums_hold, facts, rows_of
from tests.support.session import reported
from tests.unit.storage.support import FULL, FaultyFiles, clock, ledger_row, message, names, put
from tui.core.chat import Conversation
from tui.core.errors import StorageError, StorageErrorKind
from tui.core.ports import State
from tui.core.records import AuditEntry
from tui.core.settings import LOCAL_USER
from tui.services import ledger, tables
from tui.services.restoring import bring_forward
from tui.storage import upkeep
from tui.storage.backup import inspect_backup, list_backups
from tui.storage.files import SYSTEM_FILES, FileLayer
from tui.storage.older import KEPT_CONVERSATIONS, KEPT_TRAIL, MOST_CONVERSATIONS, MOST_TRAIL
from tui.storage.restore import Restoration
from tui.storage.store import JsonStore


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "ctroom")


@pytest.fixture(autouse=True)
def few_live_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let rows move to month files early, so that a past is made quickly."""
    monkeypatch.setattr(upkeep, "KEPT_LIVE", 5)


async def _spend_and_talk(place: Place) -> None:
    """A past with a backup in its middle, and figures that a hand changed in the end."""
    async with place.opened() as local:
        await local.accounting.set_purchased("openai", 100_000)
        await local.hold()
        for number in range(3):
            await local.spend(100)
            await place.store.save_messages(f"c{number}", [message(1)])
        place.back_up()
        await local.store.transaction(_post)
        await place.store.archive_ledger()
        await place.store.save_messages("c0", [message(2)])
        await place.store.remove_messages("c1")
        await local.store.transaction(_spoil_the_pool)


def _post(state: State) -> None:
    for number in range(20):
        ledger.post(state, ledger_row(number), held=0, estimated=0)


def _spoil_the_pool(state: State) -> None:
    tables.change_pool(state, replace(tables.pool(state, "openai"), used=0))


@dataclass
class BreakingFiles(FaultyFiles):
    """The system's files until a number of changes were made; then no change is possible."""

    left: int = 10**9

    def _check(self, call: str) -> None:
        if call == "open":
            return
        self.left -= 1
        if self.left < 0:
            raise OSError(FULL, "No space left on device")


def _restore(home: Path, files: FileLayer = SYSTEM_FILES) -> str:
    return Restoration(home, BACKUP, bring_forward, clock, files).run().kept


async def _seen(home: Path) -> tuple[dict[str, list[str]], int]:
    """The counted facts but for the trail, and how many ledger rows there are."""
    store = await JsonStore.open(home, clock)
    try:
        return {**facts(store.view), "audit": []}, len(await rows_of(store))
    finally:
        await store.aclose()


async def test_broken_off_anywhere_it_leaves_the_old_state_or_the_new_and_can_be_done_again(
    place: Place, tmp_path: Path
) -> None:
    await _spend_and_talk(place)
    whole = tmp_path / "whole"
    shutil.copytree(place.home, whole)
    _restore(whole)
    old, new = await _seen(place.home), await _seen(whole)
    assert old != new

    outcomes: list[bool] = []
    told: set[StorageErrorKind] = set()
    for step in range(200):
        home = tmp_path / f"step{step}"
        shutil.copytree(place.home, home)
        try:
            _restore(home, BreakingFiles(left=step))
        except StorageError as error:
            told.add(error.kind)
        else:
            break
        seen = await _seen(home)
        assert seen in (old, new)
        outcomes.append(seen == new)
        if step % 4 == 0:
            _restore(home)
            assert await _seen(home) == new
            assert names(home / "conversations") == ["c0.json", "c1.json", "c2.json"]
        shutil.rmtree(home)
    assert len(outcomes) > 20
    assert told <= {StorageErrorKind.FULL, StorageErrorKind.UNWRITABLE}
    assert outcomes == sorted(outcomes)


@dataclass
class Cuts:
    """Looks at what a power cut before each step would leave."""

    home: Path
    leftovers: Path
    watching: bool = False
    seen: list[int] = field(default_factory=list)
    chance: random.Random = field(default_factory=lambda: random.Random(5))
    layer: PowerCutFiles = field(init=False)

    def __post_init__(self) -> None:
        self.layer = PowerCutFiles(self.home, self.look)

    def look(self) -> None:
        if not self.watching:
            return
        for _ in range(2):
            shutil.rmtree(self.leftovers, ignore_errors=True)
            self.layer.after_a_cut(self.leftovers, self.chance)
            self.seen.append(asyncio.run(self._rows()))

    async def _rows(self) -> int:
        place = Place(self.leftovers)
        async with place.opened() as local:
            assert len(await place.store.load_messages("c0")) == 2
            assert tables.pool(local.store.view, "openai").held == 500
            return len(await rows_of(local.store))


async def test_a_power_cut_at_any_step_loses_no_row_and_no_message(tmp_path: Path) -> None:
    cuts = Cuts(tmp_path / "ctroom", tmp_path / "leftovers")
    place = Place(cuts.home, cuts.layer)
    await _spend_and_talk(place)
    cuts.watching = True
    await asyncio.to_thread(_restore, cuts.home, cuts.layer)

    assert len(cuts.seen) > 30
    assert set(cuts.seen) == {23}


async def test_a_running_program_goes_on_with_what_was_restored(place: Place) -> None:
    async with place.opened() as local:
        await local.accounting.set_purchased("openai", 100_000)
        place.back_up()
        hold = await local.hold()
        await place.store.save_messages("c0", [message(1)])
        theme = tables.user_settings(local.store.view, LOCAL_USER, clock())
        await local.store.transaction(lambda state: tables.change_user(state, replace(theme, theme="nord")))
        heard = asyncio.Event()
        local.store.subscribe(heard.set)
        polling = asyncio.ensure_future(local.store.poll(0.01))

        async with Place(place.home).opened() as other:
            assert await asyncio.to_thread(_restore, place.home)
            await asyncio.wait_for(heard.wait(), 10)
            assert tables.user_settings(local.store.view, LOCAL_USER, clock()).theme != "nord"

            assert await local.accounting.settle(hold.attempt_id, reported(10, 20)) == 30
            await local.store.save_messages("c0", [message(2)])
            await other.store.refresh()
            assert tables.pool(other.store.view, "openai").used == 30
            assert len(await other.store.load_messages("c0")) == 2
            assert_sums_hold(other.store.view, await rows_of(other.store))
        await place.store.aclose()
        await polling


async def test_what_moved_to_other_files_since_the_backup_is_there_once(place: Place) -> None:
    def entry(number: int, title: str = "") -> Conversation:
        moment = clock().replace(hour=number // 60 % 24, minute=number % 60)
        return Conversation(f"c{number:04}", LOCAL_USER, title or f"Title {number}", moment, moment)

    def talk(state: State, start: int, end: int) -> None:
        for number in range(start, end):
            state.conversations.insert(entry(number))
            state.audit.insert(AuditEntry(entry(number).created_at, "sam", "quota set", str(number)))

    async with place.opened() as local:
        store = place.store
        await local.accounting.set_purchased("openai", 100_000)
        await local.spend(10)
        await store.transaction(lambda state: talk(state, 0, 300))
        place.back_up()
        first = next(doc_id for doc_id, known in store.view.conversations if known.id == "c0000")
        await store.transaction(lambda state: state.conversations.replace(first, entry(0, "Renamed since")))
        most = max(MOST_CONVERSATIONS, MOST_TRAIL) + 1
        await store.transaction(lambda state: talk(state, 300, most))
        await store.refresh()
        assert len(store.view.conversations) == KEPT_CONVERSATIONS
        assert len(store.view.audit) == KEPT_TRAIL
        older = await store.load_older_conversations()
        place.spoil_the_pool()

        assert place.restore().changed

        await store.refresh()
        assert len(store.view.conversations) == KEPT_CONVERSATIONS
        assert await store.load_older_conversations() == older
        assert next(known.title for known in older if known.id == "c0000") == "Renamed since"
        assert len(store.view.audit) == KEPT_TRAIL + 1  # the restore's own line
        assert not place.restore().changed

        index = next((place.home / "conversations" / "index").glob("*.json"))
        index.write_bytes(index.read_bytes()[:-300])
        place.restore()
        await store.refresh()
        recent = [known.id for _, known in store.view.conversations]
        moved = [known.id for known in await store.load_older_conversations()]
        assert {*recent, *moved} == {f"c{number:04}" for number in range(most)}
        assert not place.restore().changed


async def test_what_can_not_be_kept_first_is_not_restored(place: Place) -> None:
    await _spend_and_talk(place)
    before = (place.home / "ctroom.json").read_bytes()
    files = FaultyFiles()
    files.fail("create", FULL)

    with pytest.raises(StorageError, match="disk is full"):
        _restore(place.home, files)

    assert (place.home / "ctroom.json").read_bytes() == before
    assert [backup.name for backup in list_backups(place.home) if "restore" in backup.name] == []


async def test_a_newer_state_is_not_replaced(place: Place) -> None:
    await _spend_and_talk(place)
    path = place.home / "ctroom.json"
    newer = path.read_bytes().replace(b'"schema": ', b'"schema": 9', 1)
    path.write_bytes(newer)

    with pytest.raises(StorageError, match="newer version"):
        _restore(place.home)
    assert path.read_bytes() == newer


async def test_a_damaged_month_gives_up_what_can_be_read_of_it(place: Place) -> None:
    await _spend_and_talk(place)
    (month,) = (place.home / "ledger").glob("*.json")
    content = month.read_bytes()
    month.write_bytes(content[: len(content) // 2])

    told = place.restore()

    assert f"ledger/{month.name}" in told.damaged
    async with place.opened() as local:
        rows = await rows_of(local.store)
        assert 5 < len(rows) < 23
        assert_sums_hold(local.store.view, rows)
    assert not place.restore().changed


async def test_a_restore_can_itself_be_gone_back_on(place: Place) -> None:
    await _spend_and_talk(place)
    kept = place.restore().kept

    contents = inspect_backup(place.home, kept)
    assert contents.pools[0].used == 0  # as the hand had left it

    for _ in range(7):
        place.spoil_the_pool()
        place.restore()
    before_restores = [b.name for b in list_backups(place.home) if b.name.startswith("before-restore")]
    assert len(before_restores) == 5
    put(place.home / "conversations" / "c2.json", b"")
    place.restore(before_restores[-1])
    assert before_restores[-1] in [backup.name for backup in list_backups(place.home)]
