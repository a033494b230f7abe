"""What can be attached: told by content, bounded in size, kept as it was; secrets are warned of."""

import asyncio
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.files import gif, pdf, png
from tests.support.memory_store import MemoryStore
from tests.support.session import START
from tui.core.amounts import size_words
from tui.core.chat import AttachmentKind, Message, Role
from tui.core.errors import InvalidValueError
from tui.core.settings import LOCAL_USER
from tui.services.attachments import MOST_TEXT, Attachments, on_a_thread
from tui.services.sending import MOST_BYTES

OPENAI = ("openai", "gpt-4o")


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def attachments(store: MemoryStore) -> Attachments:
    return Attachments(store, LOCAL_USER)


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str, bytes], Path]:
    def write(name: str, content: bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return write


async def refused(attachments: Attachments, path: Path | str, *to: str) -> str:
    with pytest.raises(InvalidValueError) as caught:
        await attachments.read(path, *(to or OPENAI))
    return str(caught.value)


async def test_a_file_is_kept_as_it_was_when_it_was_attached(
    attachments: Attachments, store: MemoryStore, file: Callable[[str, bytes], Path]
) -> None:
    path = file("notes.txt", b"Buy milk, and bread.\n")
    attached = await attachments.keep(await attachments.read(path, *OPENAI))
    path.write_bytes(b"Buy wine.\n")

    assert (attached.name, attached.kind, attached.size) == ("notes.txt", AttachmentKind.TEXT, 21)
    assert store.load_attachment(attached.digest) == b"Buy milk, and bread.\n"
    assert attached.tokens is not None
    assert 8 <= attached.tokens <= 40


async def test_a_picture_and_a_pdf_are_told_by_their_content(
    attachments: Attachments, file: Callable[[str, bytes], Path]
) -> None:
    picture = await attachments.read(file("photo.txt", png(1024, 1024)), *OPENAI)
    paper = await attachments.read(file("paper", pdf(3)), "google", "gemini-2.5-flash")
    assert (picture.kind, picture.media_type, picture.tokens) == (AttachmentKind.IMAGE, "image/png", 765)
    assert (paper.kind, paper.tokens) == (AttachmentKind.PDF, 3 * 258)


async def test_what_can_not_be_attached_says_why(
    attachments: Attachments, file: Callable[[str, bytes], Path], tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "neither UTF-8 text" in await refused(attachments, file("run.txt", b"\x7fELF\0\0"))
    assert "is empty" in await refused(attachments, file("nothing.txt", b""))
    assert "is a directory" in await refused(attachments, tmp_path)
    assert "not a regular file" in await refused(attachments, tmp_path / "pipe")
    assert "There is no file" in await refused(attachments, tmp_path / "gone.txt")
    assert "There is no file" in await refused(attachments, file("a.txt", b"a") / "b")


async def test_what_is_too_large_says_how_large_it_may_be(
    attachments: Attachments, file: Callable[[str, bytes], Path], tmp_path: Path
) -> None:
    assert await refused(attachments, file("log.txt", b"x" * (MOST_TEXT + 1))) == (
        "log.txt has 1.0 MB, and a text file may have 1 MB: attach a part of it."
    )
    with (tmp_path / "scan.pdf").open("wb") as sparse:
        sparse.truncate(MOST_BYTES + 1)
    assert "a file may have 15 MB" in await refused(attachments, tmp_path / "scan.pdf")


async def test_what_the_model_does_not_take_is_refused_by_name(
    attachments: Attachments, file: Callable[[str, bytes], Path]
) -> None:
    picture = file("cat.png", png())
    assert await refused(attachments, picture, "demo", "demo") == (
        "cat.png can't be sent to Demo: the demo takes no pictures, only text files."
    )
    assert "o3-mini takes no pictures" in await refused(attachments, picture, "openai", "o3-mini")
    animation = file("cat.gif", gif(2, 2))
    assert "convert it to PNG" in await refused(attachments, animation, "google", "gemini-2.5-pro")


@pytest.mark.parametrize(
    ("name", "content", "warning"),
    [
        (".env", b"A=1", ".env looks like a file that holds passwords or keys."),
        (".env.local", b"A=1", ".env.local looks like a file that holds passwords or keys."),
        ("id_ed25519", b"x", "id_ed25519 looks like a file that holds passwords or keys."),
        ("a.txt", b"-----BEGIN OPENSSH PRIVATE KEY-----\n", "a.txt holds a private key."),
        ("main.py", b"KEY = 'sk-proj-0123456789abcdef'", "main.py seems to hold an API key."),
        (".env.example", b"A=", ""),
        ("keys.md", b"How to press keys", ""),
        ("cat.png", png(), ""),
    ],
)
async def test_secrets_are_warned_of(
    attachments: Attachments, file: Callable[[str, bytes], Path], name: str, content: bytes, warning: str
) -> None:
    assert (await attachments.read(file(name, content), *OPENAI)).warning == warning


async def test_a_name_can_do_nothing_to_the_screen(
    attachments: Attachments, file: Callable[[str, bytes], Path]
) -> None:
    read = await attachments.read(file("a\x1b[31m\nb.txt", b"x"), *OPENAI)
    assert read.name == "a\u241b[31m b.txt"


async def test_another_user_can_not_read_the_host_s_files(
    store: MemoryStore, file: Callable[[str, bytes], Path]
) -> None:
    member = Attachments(store, "sam")
    assert not member.allowed
    assert "over SSH" in await refused(member, file("notes.txt", b"x"))


async def test_another_model_has_another_estimate(
    attachments: Attachments, store: MemoryStore, file: Callable[[str, bytes], Path]
) -> None:
    picture = await attachments.keep(await attachments.read(file("cat.png", png(1024, 1024)), *OPENAI))
    [measured] = await attachments.measured([picture], "google", "gemini-3.5-flash")
    assert (picture.tokens, measured.tokens) == (765, 1120)
    asked = Message("m", Role.USER, "What?", START, attachments=(picture,))
    assert await attachments.missing([asked]) == frozenset()
    store.attachments.clear()
    assert await attachments.missing([asked]) == {picture.digest}
    [gone] = await attachments.measured([picture], *OPENAI)
    assert gone.tokens is None


async def test_a_call_that_hangs_is_left_behind() -> None:
    release = threading.Event()
    assert await on_a_thread(release.wait, 0.05) is None
    release.set()
    assert await on_a_thread(lambda: 7, 5) == 7
    with pytest.raises(ZeroDivisionError):
        await on_a_thread(lambda: 1 // 0, 5)
    await asyncio.sleep(0)


def test_sizes_are_short() -> None:
    assert [size_words(size) for size in (0, 999, 1_200, 999_999)] == ["0 B", "999 B", "1.2 kB", "1.0 MB"]
