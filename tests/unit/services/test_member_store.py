"""What members of a host are told of its disk, and what its admins and its log are."""

import errno
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.session import START, ManualClock, add_user
from tests.unit.storage.support import FaultyFiles, message
from tui.core.chat import new_id
from tui.core.errors import StorageError, StorageErrorKind
from tui.core.settings import UserRole
from tui.services.library import Library
from tui.services.member_store import MemberStore
from tui.storage.store import JsonStore

FULL = "The host's disk is full: tell its admin. What you wrote is kept while this session lasts."


@pytest.fixture
def files() -> FaultyFiles:
    return FaultyFiles()


@pytest.fixture
async def server(tmp_path: Path, files: FaultyFiles) -> AsyncIterator[JsonStore]:
    opened = await JsonStore.open(tmp_path, ManualClock(), files)
    await add_user(opened, "sam")
    await add_user(opened, "ann", role=UserRole.ADMIN)
    yield opened
    files.heal()
    await opened.aclose()


async def test_a_full_disk_is_the_hosts_and_its_path_goes_to_the_log(
    server: JsonStore, files: FaultyFiles, tmp_path: Path
) -> None:
    log: list[str] = []
    library = Library(MemberStore(server, "sam", lambda error: log.append(str(error))), "sam", lambda: START)
    files.fail("write", errno.ENOSPC)
    with pytest.raises(StorageError) as said:
        await library.create("demo", "demo")
    assert (said.value.kind, str(said.value)) == (StorageErrorKind.FULL, FULL)
    [line] = log
    assert line.startswith(f"The disk is full, so {tmp_path}")


async def test_an_admin_is_told_what_to_do(server: JsonStore, files: FaultyFiles, tmp_path: Path) -> None:
    store = MemberStore(server, "ann", lambda error: None)
    files.fail("write", errno.ENOSPC)
    with pytest.raises(StorageError, match=f"{tmp_path}.*free some space"):
        await store.save_messages(new_id(), [message(1)])


@pytest.mark.parametrize("kind", list(StorageErrorKind))
async def test_no_failure_of_any_kind_names_a_place(server: JsonStore, kind: StorageErrorKind) -> None:
    told: list[StorageError] = []

    class Failing(JsonStore):
        async def load_messages(self, conversation_id: str) -> tuple[()]:
            raise StorageError(kind, f"{self.home} is not as it should be: 'ctroom restore'.")

        def load_attachment(self, digest: str) -> bytes | None:
            raise StorageError(kind, f"{self.home} is not as it should be: 'ctroom restore'.")

    failing = await Failing.open(server.home, ManualClock())
    store = MemberStore(failing, "sam", told.append)
    with pytest.raises(StorageError) as loaded:
        await store.load_messages("x")
    with pytest.raises(StorageError) as attached:
        store.load_attachment("x")
    await failing.aclose()
    for said in (loaded.value, attached.value):
        assert said.kind is kind
        assert str(said).startswith("The host")
        assert "/" not in str(said)
        assert "restore" not in str(said)
    assert len(told) == 2


async def test_all_else_is_as_in_the_store_itself(server: JsonStore) -> None:
    store = MemberStore(server, "sam", lambda error: None)
    changed: list[bool] = []
    end = store.subscribe(lambda: changed.append(True))
    library = Library(store, "sam", lambda: START)
    conversation = await library.create("demo", "demo")
    await library.save(conversation.id, message(1))
    assert changed
    end()
    assert await store.load_messages(conversation.id) == await server.load_messages(conversation.id)
    assert [found.text for found in store.read_texts(conversation.id, lambda piece: True)] == ["Hello"]
    digest = await store.keep_attachment(b"data")
    assert store.load_attachment(digest) == b"data"
    assert await store.missing_attachments([digest]) == frozenset()
    assert (await store.load_older_conversations(), await store.ledger_months()) == ((), ())
    assert (await store.load_ledger("2026-11"), await store.load_archived("2026-11")) == ((), ())
    assert (await store.refresh(), store.problem) == (False, None)
    assert store.view is server.view
