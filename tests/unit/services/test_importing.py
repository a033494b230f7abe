"""ChatGPT's export: what becomes of its trees, and of what can't be read."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.support.memory_store import MemoryStore
from tests.support.replay import StepClock
from tui.core.chat import Role
from tui.core.errors import InvalidValueError
from tui.services.importing import Importer, ImportReport
from tui.services.library import Library

AT = 1_700_000_000.5


def node(
    parent: str | None, role: str, *parts: object, at: float | None = AT, **facts: Any
) -> dict[str, Any]:
    """A node with a message."""
    content = {"content_type": facts.pop("content_type", "text"), "parts": list(parts)}
    message = {"author": {"role": role}, "create_time": at, "content": content, **facts}
    return {"parent": parent, "children": [], "message": message}


def conversation(**changes: Any) -> dict[str, Any]:
    """A conversation as the export has it: a prompt, an edited one, and replies."""
    hidden = {"is_visually_hidden_from_conversation": True}
    mapping = {
        "root": {"parent": None, "children": ["s"], "message": None},
        "s": node("root", "system", "", metadata=hidden),
        "p1": node("s", "user", "Which trams go to Alfama?", at=AT + 1),
        "r1": node("p1", "assistant", "Line 28E.", at=AT + 2, metadata={"model_slug": "gpt-4o"}),
        "p2": node("s", "user", "Which boats?", at=AT + 3),
        "call": node("p2", "assistant", "search('boats')", at=AT + 4, recipient="browser"),
        "tool": node("call", "tool", "42 results", at=AT + 5),
        "r2": node("tool", "assistant", "The ferry.", at=AT + 6, metadata={"model_slug": "gpt-4o"}),
    }
    return {
        "title": "Lisbon",
        "create_time": AT,
        "update_time": AT + 9,
        "mapping": mapping,
        "current_node": "r2",
        "conversation_id": "6f1c",
        **changes,
    }


class World:
    def __init__(self, directory: Path) -> None:
        self.store = MemoryStore()
        self.library = Library(self.store, "local", StepClock())
        self.path = directory / "conversations.json"

    async def bring(self, *entries: object) -> ImportReport:
        self.path.write_text(json.dumps(entries))
        return await Importer(self.store, self.library, "local").bring(self.path)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


async def test_the_tree_becomes_ours(world: World) -> None:
    report = await world.bring(conversation())
    assert (report.conversations, report.messages, report.problems) == (1, 4, ())
    (entry,) = world.library.conversations()
    assert (entry.title, entry.tags, entry.created_at.timestamp()) == ("Lisbon", ("chatgpt",), AT)
    opened = await world.library.open(entry.id)
    assert [message.text for message in opened.messages] == ["Which boats?", "The ferry."]
    assert [message.role for message in opened.messages] == [Role.USER, Role.ASSISTANT]
    assert opened.messages[1].model == "gpt-4o"
    texts = {message.text for message in opened.all_messages}
    assert texts == {"Which boats?", "The ferry.", "Which trams go to Alfama?", "Line 28E."}


async def test_what_was_imported_is_recognised_even_if_it_was_deleted(world: World) -> None:
    other = conversation(conversation_id="7a2d", title="Porto")
    await world.bring(conversation(), other)
    by_title = {entry.title: entry.id for entry in world.library.conversations()}
    await world.library.rename(by_title["Lisbon"], "My trip")
    await world.library.delete(by_title["Porto"])
    report = await world.bring(conversation(), other, conversation(conversation_id="9", title="Faro"))
    assert (report.conversations, report.known) == (1, 2)
    assert {entry.title for entry in world.library.conversations()} == {"My trip", "Faro"}


async def test_images_are_left_out_with_a_note(world: World) -> None:
    picture = {"content_type": "image_asset_pointer", "asset_pointer": "file-service://file-1"}
    tree = {"p": node(None, "user", picture, "What is this?", content_type="multimodal_text")}
    report = await world.bring(conversation(mapping=tree, current_node="p"))
    assert report.left_out == 1
    (entry,) = world.library.conversations()
    (message,) = (await world.library.open(entry.id)).messages
    assert message.text.endswith("not in the export's text)*\n\nWhat is this?")


async def test_what_can_t_be_read_is_told_and_the_rest_imported(world: World) -> None:
    bitten = {"a": node("b", "user", "x"), "b": node("a", "assistant", "y")}
    report = await world.bring(
        None,
        {"title": "No tree"},
        conversation(conversation_id=None, title="\x1b[2JNo id"),
        conversation(mapping={}),
        conversation(mapping=bitten, conversation_id="1"),
        conversation(mapping={"a": "text", "p": node("a", "user", "x", at=None)}, conversation_id="2"),
        conversation(mapping={"p": node("gone", "user", "x", at=1e300)}, conversation_id="3", title=7),
        conversation(),
    )
    assert report.conversations == 4
    assert [problem.partition(" could")[0] for problem in report.problems] == [
        "Conversation 1",
        "Conversation 2 (\u201cNo tree\u201d)",
        "Conversation 3 (\u201c\u241b[2JNo id\u201d)",
        "Conversation 4 (\u201cLisbon\u201d)",
    ]
    for entry in world.library.conversations():
        assert (await world.library.open(entry.id)).messages


async def test_a_long_conversation_is_one_branch(world: World) -> None:
    tree = {
        f"n{number}": node(
            f"n{number - 1}" if number else None, ("user", "assistant")[number % 2], f"{number}"
        )
        for number in range(5_000)
    }
    await world.bring(conversation(mapping=tree, current_node="n4999"))
    (entry,) = world.library.conversations()
    opened = await world.library.open(entry.id)
    assert [message.text for message in opened.messages] == [str(number) for number in range(5_000)]


async def test_the_zip_as_it_is_downloaded(world: World, tmp_path: Path) -> None:
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("export/conversations-000.json", json.dumps([conversation()]))
        archive.writestr("export/conversations-001.json", json.dumps([conversation(conversation_id="2")]))
        archive.writestr("export/user.json", "{}")
    report = await Importer(world.store, world.library, "local").bring(path)
    assert report.conversations == 2


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"{}", "neither"),
        (b"7", "neither"),
        (None, "could not be read"),
    ],
)
async def test_other_files_are_refused(world: World, content: bytes | None, words: str) -> None:
    if content is not None:
        world.path.write_bytes(content)
    with pytest.raises(InvalidValueError, match=words):
        await Importer(world.store, world.library, "local").bring(world.path)


async def test_an_archive_of_something_else_is_refused(world: World, tmp_path: Path) -> None:
    path = tmp_path / "other.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(InvalidValueError, match=r"no conversations\.json"):
        await Importer(world.store, world.library, "local").bring(path)
