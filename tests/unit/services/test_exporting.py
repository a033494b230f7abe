"""Conversations as files, and back."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.memory_store import MemoryStore
from tests.support.replay import StepClock
from tests.support.session import START
from tui.core.chat import Attachment, AttachmentKind, Conversation, Message, MessageStatus, Role
from tui.core.errors import InvalidValueError
from tui.core.usage import Provenance, Usage
from tui.services.exporting import ExportFormat, export, file_name, write_new, write_numbered
from tui.services.importing import Importer
from tui.services.library import Library, OpenConversation

PROMPT = Message("m1", Role.USER, "Which trams go to Alfama?\n\n# not a title", START)
REPLY = Message(
    "m2",
    Role.ASSISTANT,
    "Line **28E**.",
    START + timedelta(seconds=3),
    parent_id="m1",
    model="gpt-5.1",
    usage=Usage(1_041, 212, 40, 8),
    provenance=Provenance.REPORTED,
)
OTHER = replace(
    REPLY,
    id="m3",
    text="Ferry",
    status=MessageStatus.STOPPED,
    usage=Usage(20, 2),
    provenance=Provenance.ESTIMATED,
    instead_of="m2",
)
ENTRY = Conversation(
    "c1",
    "sam",
    'Trip: "Lisbon"',
    START,
    START + timedelta(seconds=9),
    "openai",
    "gpt-5.1",
    head_id="m2",
    tags=("trip",),
)
OPENED = OpenConversation(ENTRY, (PROMPT, REPLY), (PROMPT, REPLY, OTHER))


def test_markdown_has_its_facts_in_front() -> None:
    text = export(OPENED, ExportFormat.MARKDOWN, lambda _digest: None)
    front, body = text.removeprefix("---\n").split("\n---\n", 1)
    assert front.splitlines() == [
        'title: "Trip: \\"Lisbon\\""',
        'id: "c1"',
        'created: "2026-11-23T22:00:00Z"',
        'updated: "2026-11-23T22:00:09Z"',
        'provider: "openai"',
        'model: "gpt-5.1"',
        'tags: ["trip"]',
        "messages: 2",
        "messages_on_other_branches: 1",
        "tokens:",
        "  reported: {input: 1041, cached_input: 40, output: 212, reasoning: 8, total: 1253}",
        "  estimated: {input: 20, cached_input: 0, output: 2, reasoning: 0, total: 22}",
    ]
    assert body == (
        '\n# Trip: "Lisbon"\n\n'
        "## You \u00b7 2026-11-23 22:00 UTC\n\nWhich trams go to Alfama?\n\n# not a title\n\n"
        "## gpt-5.1 \u00b7 2026-11-23 22:00 UTC \u00b7 1,041 in \u00b7 212 out\n\nLine **28E**.\n"
    )


def test_markdown_of_a_reply_that_was_stopped_says_so() -> None:
    opened = replace(OPENED, messages=(PROMPT, OTHER))
    text = export(opened, ExportFormat.MARKDOWN, lambda _digest: None)
    assert text.endswith("\u00b7 ~20 in \u00b7 ~2 out\n\nFerry\n\n*(stopped)*\n")


async def test_json_keeps_everything_and_comes_back(tmp_path: Path) -> None:
    store = MemoryStore()
    digest = await store.keep_attachment(b"a picture")
    attached = Attachment("a1", "tram.png", AttachmentKind.IMAGE, "image/png", 9, digest, 85)
    prompt = replace(PROMPT, attachments=(attached,))
    opened = replace(OPENED, messages=(prompt, REPLY), all_messages=(prompt, REPLY, OTHER))
    path = tmp_path / "trip.json"
    write_new(path, export(opened, ExportFormat.JSON, store.load_attachment), "local")

    fresh = MemoryStore()
    library = Library(fresh, "local", StepClock())
    report = await Importer(fresh, library, "local").bring(path)
    assert (report.conversations, report.messages, report.problems) == (1, 3, ())
    back = await library.open("c1")
    assert back.all_messages == opened.all_messages
    assert back.messages == opened.messages
    assert back.conversation == replace(ENTRY, user="local", message_count=3)
    assert fresh.load_attachment(digest) == b"a picture"

    again = await Importer(fresh, library, "local").bring(path)
    assert (again.conversations, again.known) == (0, 1)


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Rust lifetimes", "2026-11-23 Rust lifetimes.md"),
        ("../../etc/passwd", "2026-11-23 etc passwd.md"),
        ('a/b\\c:"d"<e>|f?*', "2026-11-23 a b c d e f.md"),
        ("con", "2026-11-23 con_.md"),
        ("...", "2026-11-23 Untitled.md"),
        ("", "2026-11-23 Untitled.md"),
        ("Cafe\u0301", "2026-11-23 Caf\u00e9.md"),
    ],
)
def test_names_of_files_are_safe(title: str, name: str) -> None:
    assert file_name(replace(ENTRY, title=title), ExportFormat.MARKDOWN) == name


def test_a_long_title_still_makes_a_name() -> None:
    name = file_name(replace(ENTRY, title="\u4e16" * 300), ExportFormat.JSON)
    assert len(name.encode()) < 255
    assert name.endswith(".json")


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    path = write_new(tmp_path / "a.md", "first", "local")
    with pytest.raises(InvalidValueError, match="there already"):
        write_new(path, "second", "local")
    assert write_numbered(tmp_path, "a.md", "second", "local").name == "a 2.md"
    assert write_numbered(tmp_path, "a.md", "third", "local").name == "a 3.md"
    assert path.read_text() == "first"
    with pytest.raises(InvalidValueError, match="could not be written"):
        write_new(tmp_path / "none" / "a.md", "lost", "local")


async def test_json_of_another_version_or_with_damage_is_told(tmp_path: Path) -> None:
    store = MemoryStore()
    importer = Importer(store, Library(store, "local", StepClock()), "local")
    document = json.loads(export(OPENED, ExportFormat.JSON, lambda _digest: None))
    for change, words in (
        ({"version": 2}, "another version"),
        ({"messages": [{"id": "m1"}]}, "could not be read: field"),
        ({"conversation": {**document["conversation"], "id": "../c1"}}, "could not be read"),
    ):
        path = tmp_path / "changed.json"
        path.write_text(json.dumps({**document, **change}))
        report = await importer.bring(path)
        assert report.conversations == 0
        assert words in report.problems[0]
