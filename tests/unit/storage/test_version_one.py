"""Files of version 1 become the present form. `data/v1` was written by that version itself.

It holds two users' turns of eight days with every kind of key, one that recovery charged and that was settled
late, one that was not, an open hold, purchases, a conversation of two turns, and ledger rows in two months'
files and in the state. Only the lock file and the backups were left out.
"""

import copy
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from tinydb import TinyDB

from tests.support.session import ManualClock, reported, session
from tests.unit.storage.support import NOW, add_pool, message, names, opened
from tui.core.errors import StorageError, StorageErrorKind
from tui.core.quota import KeySource, LedgerRow
from tui.core.records import SCHEMA
from tui.services import tables
from tui.services.audit import audit
from tui.storage.backup import list_backups
from tui.storage.migrations import FileKind, migrate
from tui.storage.records import codec
from tui.storage.store import JsonStore

VERSION_ONE = Path(__file__).parent / "data" / "v1"
CONVERSATION = next((VERSION_ONE / "conversations").glob("*.json")).stem
FILES = ["ctroom.json", "ledger/2026-10.json", "ledger/2026-11.json", f"conversations/{CONVERSATION}.json"]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A data directory of version 1."""
    return Path(shutil.copytree(VERSION_ONE, tmp_path / "ctroom"))


def _document(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_bytes())
    return document


def _old_rows(file: str) -> list[LedgerRow]:
    """The ledger rows of a file of version 1, without number or balance."""
    return [codec(LedgerRow).decode(row) for row in _document(VERSION_ONE / file)["ledger"].values()]


async def _everything(store: JsonStore) -> dict[str, list[LedgerRow]]:
    return {month: list(await store.load_ledger(month)) for month in await store.ledger_months()}


async def _read_all(home: Path) -> None:
    async with opened(home) as store:
        await store.load_messages(CONVERSATION)
        await _everything(store)


def test_the_data_is_of_version_one() -> None:
    for file in FILES:
        document = _document(VERSION_ONE / file)
        assert document["_meta"]["1"]["schema"] == 1
        assert not any("number" in row for row in document.get("ledger", {}).values())


@pytest.mark.parametrize("file", FILES)
def test_the_migration_is_pure_and_adds_number_and_balance_only(file: str) -> None:
    kind = {"ledger": FileKind.LEDGER, "conversations": FileKind.CONVERSATION}.get(
        file.split("/")[0], FileKind.STATE
    )
    old = _document(VERSION_ONE / file)
    before = copy.deepcopy(old)
    migrated = migrate(kind, old, 1)

    assert old == before
    assert migrated.pop("_meta")["1"] == {**before.pop("_meta")["1"], "schema": SCHEMA}
    rows = migrated.get("ledger", {}).values()
    assert all((row.pop("number"), row.pop("balance")) == (0, None) for row in rows)
    assert migrated == before


async def test_everything_is_read_before_anything_is_written(home: Path) -> None:
    async with opened(home) as store:
        view = store.view
        assert [(pool.provider, pool.used, pool.held, pool.estimated) for _, pool in view.quotas] == [
            ("openai", 812, 200, 0),
            ("google", 930, 0, 536),
        ]
        assert [row for _, row in view.ledger] == _old_rows("ctroom.json")
        assert tables.meta(view).last_row == 0
        live = _old_rows("ctroom.json")
        assert await _everything(store) == {
            "2026-10": _old_rows("ledger/2026-10.json"),
            "2026-11": [*_old_rows("ledger/2026-11.json"), *live],
        }
        texts = [message.text for message in await store.load_messages(CONVERSATION)]
        assert texts[::2] == ["What is a ledger?", "Since when?"]
        assert len(texts) == 4
        assert (await audit(store)).holds
    for file in FILES:
        assert (home / file).read_bytes() == (VERSION_ONE / file).read_bytes()
    assert names(home) == ["conversations", "ctroom.json", "ledger"]


async def test_the_first_commit_keeps_the_old_files_and_writes_the_new_form(home: Path) -> None:
    async with opened(home) as store:
        await store.transaction(add_pool("elsewhere"))
        view, ledger = store.view, await _everything(store)

    kept = next(backup for backup in list_backups(home) if backup.name.startswith("before-migration-"))
    for file in FILES:
        assert (home / "backups" / kept.name / file).read_bytes() == (VERSION_ONE / file).read_bytes()
    with TinyDB(home / "ctroom.json", access_mode="r") as plain:
        assert plain.table("_meta").all()[0]["schema"] == SCHEMA
        assert {(row["number"], row["balance"]) for row in plain.table("ledger")} == {(0, None)}
    async with opened(home) as again:
        for table in (
            "quotas",
            "purchases",
            "daily_usage",
            "attempts",
            "ledger",
            "usage_rollup",
            "conversations",
        ):
            assert list(getattr(again.view, table)) == list(getattr(view, table)), table
        assert await _everything(again) == ledger


async def test_the_ledger_goes_on_from_the_unnumbered_rows(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.storage.upkeep.KEPT_LIVE", 1)
    clock = ManualClock(NOW)
    async with opened(home) as store:
        local, sam = session(store, clock=clock), session(store, "sam", clock)
        assert await local.accounting.sweep() == 1
        await sam.spend(100, "google")
        hold = await sam.hold(source=KeySource.OWN)
        await sam.accounting.settle(hold.attempt_id, reported(90, 5))
        before = await _everything(store)
        await store.archive_ledger()

    numbered = [row for row in before["2026-11"] if row.number]
    own = sum(row.tokens for rows in before.values() for row in rows if row.key_source is KeySource.OWN)
    assert [(row.number, row.balance) for row in numbered] == [(1, 812 + 200), (2, 930 + 100), (3, own)]
    assert _document(home / "ledger" / "2026-11.json")["_meta"]["1"]["schema"] == SCHEMA
    assert _document(home / "ledger" / "2026-10.json")["_meta"]["1"]["schema"] == 1
    async with opened(home) as again:
        assert await _everything(again) == before
        report = await audit(again)
        assert report.holds, report.sentence
        assert report.rows == 22


async def test_a_conversation_is_of_the_present_version_once_it_goes_on(home: Path) -> None:
    file = home / "conversations" / f"{CONVERSATION}.json"
    old = _document(file)["messages"]
    async with opened(home) as store:
        before = await store.load_messages(CONVERSATION)
        await store.save_messages(CONVERSATION, [message(9)])
        assert await store.load_messages(CONVERSATION) == (*before, message(9))
    new = _document(file)
    assert new["_meta"]["1"]["schema"] == SCHEMA
    assert {key: new["messages"][key] for key in old} == old


@pytest.mark.parametrize("file", FILES)
async def test_a_file_of_a_newer_version_is_refused_untouched(home: Path, file: str) -> None:
    document = _document(home / file)
    document["_meta"]["1"]["schema"] = SCHEMA + 1
    (home / file).write_text(json.dumps(document))
    newer = (home / file).read_bytes()

    with pytest.raises(StorageError, match=Path(file).name) as refused:
        await _read_all(home)
    assert refused.value.kind is StorageErrorKind.NEWER
    assert (home / file).read_bytes() == newer
    assert names(home) == ["conversations", "ctroom.json", "ledger"]
