"""Attached files: kept once under their digest, private, in backups, removed with what names them."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.storage.support import FULL, FaultyFiles, add_pool, clock, message, mode, opened
from tui.core.chat import Attachment, AttachmentKind, Conversation, Draft, Message
from tui.core.errors import StorageError, StorageErrorKind
from tui.core.ports import State
from tui.storage.attachments import RECENT_SECONDS, UNSENT_SECONDS
from tui.storage.backup import list_backups, make_backup
from tui.storage.restore import Restoration
from tui.storage.store import JsonStore

NOTES = b"Buy milk.\n"
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(40)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "ctroom"


def _naming(number: int, *contents: bytes) -> Message:
    attached = (
        Attachment(f"a{number}", "notes.txt", AttachmentKind.TEXT, "text/plain", len(data), _digest(data), 3)
        for data in contents
    )
    return replace(message(number), attachments=tuple(attached))


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _kept(home: Path) -> set[str]:
    return {path.name for path in (home / "attachments").iterdir()}


async def test_bytes_come_back_from_a_private_file_named_by_their_digest(home: Path) -> None:
    async with opened(home) as store:
        digest = await store.keep_attachment(NOTES)
        assert await store.keep_attachment(NOTES) == digest == _digest(NOTES)
        await store.save_messages("c1", [_naming(1, NOTES)])

    async with opened(home) as again:
        assert again.load_attachment(digest) == NOTES
        assert await again.load_messages("c1") == (_naming(1, NOTES),)
    assert _kept(home) == {digest}
    assert mode(home / "attachments") == 0o700
    assert mode(home / "attachments" / digest) == 0o600


async def test_bytes_that_are_gone_or_not_what_they_were_are_none(home: Path) -> None:
    async with opened(home) as store:
        digest = await store.keep_attachment(NOTES)
        assert await store.missing_attachments([digest, _digest(PICTURE)]) == {_digest(PICTURE)}
        assert store.load_attachment(_digest(PICTURE)) is None

        (home / "attachments" / digest).write_bytes(b"Buy wine.\n")
        assert store.load_attachment(digest) is None
        assert await store.keep_attachment(NOTES) == digest
        assert store.load_attachment(digest) == NOTES


async def test_a_digest_that_is_none_leads_to_no_other_file(home: Path) -> None:
    async with opened(home) as store:
        await store.transaction(lambda state: None)
        with pytest.raises(StorageError, match="names an attachment"):
            store.load_attachment("../ctroom.json")


async def test_a_full_disk_keeps_nothing_and_says_so(home: Path) -> None:
    files = FaultyFiles()
    async with opened(home, files) as store:
        files.fail("write", FULL)
        with pytest.raises(StorageError) as refused:
            await store.keep_attachment(NOTES)
        assert refused.value.kind is StorageErrorKind.FULL
        files.heal()
        assert _kept(home) == set()
        assert await store.keep_attachment(NOTES) == _digest(NOTES)


async def test_removing_a_conversation_removes_what_no_other_names(home: Path) -> None:
    async with opened(home) as store:
        for data in (NOTES, PICTURE, b"draft"):
            await store.keep_attachment(data)
        await store.save_messages("c1", [_naming(1, NOTES, PICTURE)])
        await store.save_messages("c2", [_naming(2, NOTES)])

        await store.remove_messages("c1")
        assert _kept(home) == {_digest(NOTES), _digest(b"draft")}, "The draft's file may be sent yet."

        old = (home / "attachments" / _digest(b"draft")).stat().st_mtime - UNSENT_SECONDS - 60
        os.utime(home / "attachments" / _digest(b"draft"), (old, old))
        await store.remove_messages("c2")
        assert _kept(home) == set()


def _drafting(*contents: bytes, text: str = "see this") -> Draft:
    attached = _naming(1, *contents).attachments
    return Draft("d1", "local", "", text, clock(), attached)


async def _draft(store: JsonStore, *contents: bytes, text: str = "see this") -> None:
    """Let the draft be this one, none without text and contents; what follows the commit is done, too."""

    def work(state: State) -> None:
        for doc_id, _ in list(state.drafts):
            state.drafts.remove(doc_id)
        if text or contents:
            state.drafts.insert(_drafting(*contents, text=text))

    await _commit(store, work)


async def _commit(store: JsonStore, work: Callable[[State], object]) -> None:
    await store.transaction(work)
    await store.refresh()  # the writer thread is at the next job: it did what follows a commit


def _age(home: Path, data: bytes, seconds: float) -> None:
    path = home / "attachments" / _digest(data)
    then = path.stat().st_mtime - seconds
    os.utime(path, (then, then))


async def test_a_draft_comes_back_from_disk_with_its_files(home: Path) -> None:
    async with opened(home) as store:
        await _draft(store, NOTES, PICTURE, text="")
    async with opened(home) as again:
        assert [draft for _, draft in again.view.drafts] == [_drafting(NOTES, PICTURE, text="")]


async def test_a_draft_of_a_file_without_the_field_has_no_files_and_is_written_as_before(home: Path) -> None:
    async with opened(home) as store:
        await _draft(store, text="half a thought")
    written = json.loads((home / "ctroom.json").read_text(encoding="utf-8"))["drafts"]
    assert [sorted(one) for one in written.values()] == [
        ["conversation_id", "id", "text", "updated_at", "user"]
    ]
    async with opened(home) as again:
        assert [draft for _, draft in again.view.drafts] == [_drafting(text="half a thought")]


async def test_what_only_a_draft_names_is_kept_as_long_as_the_draft(home: Path) -> None:
    async with opened(home) as store:
        for data in (NOTES, PICTURE):
            await store.keep_attachment(data)
            _age(home, data, UNSENT_SECONDS + 60)
        await _draft(store, NOTES, PICTURE)
        await store.save_messages("c1", [_naming(1, NOTES)])
        await store.remove_messages("c1")
        assert _kept(home) == {_digest(NOTES), _digest(PICTURE)}

        await _draft(store, PICTURE, text="")
        assert _kept(home) == {_digest(PICTURE)}, "It was taken off."
        await _draft(store, text="")
        assert _kept(home) == set()


async def test_what_was_sent_stays_when_its_draft_goes(home: Path) -> None:
    async with opened(home) as store:
        for data in (NOTES, PICTURE):
            await store.keep_attachment(data)
            _age(home, data, RECENT_SECONDS + 60)
        await _draft(store, NOTES, PICTURE)
        await store.save_messages("c1", [_naming(1, NOTES)])
        await store.save_messages("c2", [message(2)])
        await _draft(store, text="")
        assert _kept(home) == {_digest(NOTES)}


async def test_a_file_that_was_just_attached_anew_waits_for_its_draft(home: Path) -> None:
    async with opened(home) as store:
        await store.keep_attachment(NOTES)
        await _draft(store, NOTES)
        await _draft(store, text="")
        assert _kept(home) == {_digest(NOTES)}
        await _draft(store, NOTES)
        _age(home, NOTES, RECENT_SECONDS + 60)
        await _commit(store, add_pool("one"))
        assert _kept(home) == {_digest(NOTES)}, "A draft has it again."

        await store.keep_attachment(NOTES)
        await _draft(store, text="")
        assert _kept(home) == {_digest(NOTES)}
        _age(home, NOTES, RECENT_SECONDS + 60)
        await _commit(store, add_pool("two"))
        assert _kept(home) == set()


async def test_a_file_that_can_not_be_removed_goes_after_the_next_commit(home: Path) -> None:
    files = FaultyFiles()
    async with opened(home, files) as store:
        await store.keep_attachment(NOTES)
        _age(home, NOTES, RECENT_SECONDS + 60)
        await _draft(store, NOTES)
        files.fail("unlink", FULL)
        await _draft(store, text="")
        assert len(store.view.drafts) == 0
        assert _kept(home) == {_digest(NOTES)}
        files.heal()
        await _commit(store, add_pool("one"))
        assert _kept(home) == set()


async def test_a_backup_has_what_drafts_name(home: Path) -> None:
    async with opened(home) as store:
        digest = await store.keep_attachment(NOTES)
        _age(home, NOTES, RECENT_SECONDS + 60)
        await _draft(store, NOTES)
        make_backup(home, "2026-11-20")
        await _draft(store, text="")
        assert _kept(home) == set()
    assert Restoration(home, "2026-11-20", lambda _state, _remains: None, clock).run().changed
    async with opened(home) as store:
        assert [draft for _, draft in store.view.drafts] == [_drafting(NOTES)]
        assert store.load_attachment(digest) == NOTES


async def test_a_backup_has_them_and_a_restore_puts_them_back(home: Path) -> None:
    async with opened(home) as store:
        digest = await store.keep_attachment(PICTURE)
        await store.save_messages("c1", [_naming(1, PICTURE)])
        await store.transaction(_enter)
        await store.refresh()  # the daily backup is made
        make_backup(home, "2026-11-20")
        make_backup(home, "2026-11-21")
    backups = home / "backups"
    copies = [backups / name / "attachments" / digest for name in ("2026-11-20", "2026-11-21")]
    assert copies[0].samefile(copies[1]), "A day costs only what changed."
    assert all(backup.size > len(PICTURE) for backup in list_backups(home))

    shutil.rmtree(home / "attachments")
    restored = Restoration(home, "2026-11-20", lambda _state, _remains: None, clock).run()

    assert restored.changed
    async with opened(home) as store:
        assert store.load_attachment(digest) == PICTURE
    assert not copies[0].samefile(home / "attachments" / digest)


def _enter(state: State) -> None:
    state.conversations.insert(Conversation("c1", "local", "A talk", clock(), clock(), message_count=1))
