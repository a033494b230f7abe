"""Attached files: kept once under their digest, private, in backups, removed with what names them."""

import hashlib
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.storage.support import FULL, FaultyFiles, clock, message, mode, opened
from tui.core.chat import Attachment, AttachmentKind, Conversation, Message
from tui.core.errors import StorageError, StorageErrorKind
from tui.core.ports import State
from tui.storage.attachments import UNSENT_SECONDS
from tui.storage.backup import list_backups, make_backup
from tui.storage.restore import Restoration

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
