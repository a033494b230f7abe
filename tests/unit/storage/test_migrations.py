"""Earlier forms become the present one; what was there is kept in a backup first."""

import json
from pathlib import Path
from types import MappingProxyType

import pytest

from tests.unit.storage.support import add_pool, opened, pool_names, put
from tui.core.errors import StorageError
from tui.core.quota import Pool
from tui.core.records import SCHEMA
from tui.storage import migrations
from tui.storage.backup import list_backups
from tui.storage.migrations import Documents, FileKind, migrate


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "ctroom"


def _rename_pools(documents: Documents) -> Documents:
    return {("quotas" if name == "pools" else name): table for name, table in documents.items()}


_OLD: Documents = {
    "_meta": {"1": {"schema": 0, "sequence": 41}},
    "pools": {"3": {"provider": "openai", "used": 7}},
}


@pytest.fixture
def old_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory of version 0, and the step from it."""
    steps = MappingProxyType({FileKind.STATE: {0: _rename_pools}})
    monkeypatch.setattr(migrations.migrate, "__defaults__", (SCHEMA, steps))
    put(home / "ctroom.json", json.dumps(_OLD).encode())
    return home


def test_steps_run_in_order_and_the_schema_moves_on() -> None:
    def mark(number: int) -> migrations.Migration:
        return lambda documents: {
            **documents,
            "trail": {**documents.get("trail", {}), str(number): {"step": number}},
        }

    steps = {FileKind.STATE: {1: mark(1), 2: mark(2), 4: mark(4)}}
    migrated = migrate(FileKind.STATE, _OLD, 1, 5, steps)

    assert migrated["_meta"] == {"1": {"schema": 5, "sequence": 41}}
    assert list(migrated["trail"]) == ["1", "2", "4"]
    assert migrated["pools"] == _OLD["pools"]
    assert "trail" not in _OLD


async def test_an_old_file_is_shown_migrated_and_not_touched_until_something_changes(old_home: Path) -> None:
    before = (old_home / "ctroom.json").read_bytes()
    async with opened(old_home) as store:
        assert store.view.quotas.get(3) == Pool("openai", used=7)
        assert (old_home / "ctroom.json").read_bytes() == before
        assert list_backups(old_home) == ()

        assert await store.transaction(add_pool("google")) == 4
        await store.refresh()
        assert pool_names(store.view) == ["openai", "google"]

    kept = next(b for b in list_backups(old_home) if b.name.startswith("before-migration-"))
    assert (old_home / "backups" / kept.name / "ctroom.json").read_bytes() == before
    async with opened(old_home) as again:
        assert pool_names(again.view) == ["openai", "google"]
    document = json.loads((old_home / "ctroom.json").read_bytes())
    assert document["_meta"]["1"]["schema"] == SCHEMA
    assert document["_meta"]["1"]["sequence"] == 42


async def test_nothing_is_migrated_that_could_not_be_backed_up(old_home: Path) -> None:
    put(old_home / "backups", b"in the way")
    before = (old_home / "ctroom.json").read_bytes()
    async with opened(old_home) as store:
        with pytest.raises(StorageError):
            await store.transaction(add_pool("google"))
    assert (old_home / "ctroom.json").read_bytes() == before
