"""Messages: one file for each conversation, merged by id, with the guarantees of the state."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from tinydb import TinyDB

from tests.unit.storage.support import FULL, NOW, FaultyFiles, message, mode, names, opened, put
from tui.core.chat import Conversation, Message, MessageStatus
from tui.core.errors import StorageError, StorageErrorKind
from tui.core.ports import State
from tui.storage.conversations import KEPT_OPEN
from tui.storage.store import JsonStore


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "ctroom"


def _texts(messages: Sequence[Message]) -> list[str]:
    return [message.text for message in messages]


async def test_messages_come_back_in_order_and_plain_tinydb_reads_them(home: Path) -> None:
    async with opened(home) as store:
        assert await store.load_messages("c1") == ()
        await store.save_messages("c1", [message(1), message(2, "caf\u00e9 \U0001f600")])
        await store.save_messages("c1", [message(3)])
        saved = await store.load_messages("c1")

    assert saved == (message(1), message(2, "caf\u00e9 \U0001f600"), message(3))
    with TinyDB(home / "conversations" / "c1.json", access_mode="r") as plain:
        assert [document["text"] for document in plain.table("messages")] == _texts(saved)
    async with opened(home) as again:
        assert await again.load_messages("c1") == saved


async def test_a_message_with_the_same_id_takes_its_place(home: Path) -> None:
    streaming = replace(message(1), status=MessageStatus.STREAMING, text="par")
    async with opened(home) as store:
        await store.save_messages("c1", [streaming, message(2)])
        await store.save_messages("c1", [replace(message(1), text="partial and whole")])

        assert _texts(await store.load_messages("c1")) == ["partial and whole", "Hello"]


async def test_saves_at_once_all_arrive(home: Path) -> None:
    async with opened(home) as store:
        await asyncio.gather(
            *(store.save_messages(f"c{n % 3}", [message(n)]) for n in range(30)),
            *(store.load_messages("c0") for _ in range(5)),
        )
        for number in range(3):
            kept = await store.load_messages(f"c{number}")
            assert [m.id for m in kept] == [f"m{n}" for n in range(30) if n % 3 == number]


async def test_a_message_that_can_not_be_stored_fails_alone(home: Path) -> None:
    wrong = replace(message(1), text=5)  # type: ignore[arg-type]
    async with opened(home) as store:
        good, bad = await asyncio.gather(
            store.save_messages("c1", [message(2)]),
            store.save_messages("c1", [wrong]),
            return_exceptions=True,
        )
        assert good is None
        assert isinstance(bad, ValueError)
        assert await store.load_messages("c1") == (message(2),)


async def test_two_stores_add_to_one_conversation(home: Path) -> None:
    async with opened(home) as ours, opened(home) as theirs:
        for number in range(0, 10, 2):
            await ours.save_messages("c1", [message(number)])
            await theirs.save_messages("c1", [message(number + 1)])

        assert [m.id for m in await ours.load_messages("c1")] == [f"m{n}" for n in range(10)]


async def test_more_conversations_than_are_kept_in_memory(home: Path) -> None:
    many = range(KEPT_OPEN + 4)
    async with opened(home) as store:
        for turn in range(2):
            for number in many:
                await store.save_messages(f"c{number}", [message(turn, f"{number}")])
        for number in many:
            assert _texts(await store.load_messages(f"c{number}")) == [f"{number}"] * 2


@pytest.mark.parametrize(
    "conversation_id",
    [
        "",
        ".",
        "..",
        "../ctroom",
        "a/b",
        "a\\b",
        "/etc/passwd",
        "a.json",
        "x" * 65,
        "a\0b",
        "\u00e9",
        "-a",
        "a\n",
    ],
)
async def test_an_id_never_leaves_the_directory(home: Path, conversation_id: str) -> None:
    async with opened(home) as store:
        for attempt in (
            store.load_messages(conversation_id),
            store.save_messages(conversation_id, [message(1)]),
            store.remove_messages(conversation_id),
        ):
            with pytest.raises(StorageError, match="can't be the id"):
                await attempt
        assert names(home) == []


async def test_a_removed_conversation_is_gone_and_removing_twice_is_no_error(home: Path) -> None:
    async with opened(home) as store:
        await store.save_messages("c1", [message(1)])
        await store.remove_messages("c1")
        await store.remove_messages("c1")

        assert names(home / "conversations") == []
        assert await store.load_messages("c1") == ()


async def test_a_damaged_conversation_is_told_and_costs_no_other(home: Path) -> None:
    async with opened(home) as store:
        await store.save_messages("c1", [message(1)])
        await store.save_messages("c2", [message(2)])
        (home / "conversations" / "c1.json").write_bytes(b"")

        with pytest.raises(StorageError, match="it is empty") as caught:
            await store.load_messages("c1")
        assert caught.value.kind is StorageErrorKind.CORRUPT
        with pytest.raises(StorageError, match="it is empty"):
            await store.save_messages("c1", [message(3)])
        assert (home / "conversations" / "c1.json").read_bytes() == b""
        assert await store.load_messages("c2") == (message(2),)


async def test_a_wrong_field_is_told_by_name(home: Path) -> None:
    async with opened(home) as store:
        await store.save_messages("c1", [message(1)])
        document = json.loads((home / "conversations" / "c1.json").read_bytes())
        document["messages"]["1"]["role"] = "stranger"
        (home / "conversations" / "c1.json").write_text(json.dumps(document))

        with pytest.raises(StorageError, match=r"c1\.json .*'messages'.*'role'.*'stranger'"):
            await store.load_messages("c1")


async def _index(store: JsonStore, message_count: int) -> None:
    entry = Conversation("c1", "local", "Talk", NOW, NOW, message_count=message_count)

    def add(state: State) -> None:
        state.conversations.insert(entry)

    await store.transaction(add)


async def test_a_file_that_the_index_counts_on_is_missed(home: Path) -> None:
    async with opened(home) as store:
        await store.save_messages("c1", [message(1)])
        await _index(store, 1)
        (home / "conversations" / "c1.json").unlink()

        with pytest.raises(StorageError, match="missing though") as caught:
            await store.load_messages("c1")
        assert caught.value.kind is StorageErrorKind.MISSING
        with pytest.raises(StorageError, match="missing though"):
            await store.save_messages("c1", [message(2)])


async def test_a_new_conversation_needs_no_file_yet(home: Path) -> None:
    async with opened(home) as store:
        await _index(store, 0)
        assert await store.load_messages("c1") == ()


async def test_a_failed_save_keeps_what_was_there(home: Path) -> None:
    files = FaultyFiles()
    async with opened(home, files) as store:
        await store.save_messages("c1", [message(1)])
        files.fail("write", FULL)
        with pytest.raises(StorageError, match="disk is full"):
            await store.save_messages("c1", [message(2)])
        assert await store.load_messages("c1") == (message(1),)
        files.heal()
        await store.save_messages("c1", [message(2)])
        assert await store.load_messages("c1") == (message(1), message(2))
        assert mode(home / "conversations") == 0o700
        assert mode(home / "conversations" / "c1.json") == 0o600


async def test_a_message_that_another_process_added_is_replaced_and_not_doubled(home: Path) -> None:
    async with opened(home) as ours, opened(home) as theirs:
        await ours.save_messages("c1", [message(1)])
        await theirs.save_messages("c1", [message(2)])
        await ours.save_messages("c1", [message(2, "ours"), message(3), message(3, "twice")])

        assert _texts(await theirs.load_messages("c1")) == ["Hello", "ours", "twice"]


async def test_a_message_whose_save_failed_takes_nobodys_place_later(home: Path) -> None:
    files = FaultyFiles()
    async with opened(home, files) as ours, opened(home) as theirs:
        await ours.save_messages("c1", [message(1)])
        files.fail("fsync", FULL)
        with pytest.raises(StorageError, match="disk is full"):
            await ours.save_messages("c1", [message(2)])
        files.heal()
        await theirs.save_messages("c1", [message(3)])
        await ours.save_messages("c1", [message(2)])

        assert [m.id for m in await theirs.load_messages("c1")] == ["m1", "m3", "m2"]


async def test_a_file_put_back_by_another_process_is_what_counts(home: Path) -> None:
    path = home / "conversations" / "c1.json"
    async with opened(home) as store:
        await store.save_messages("c1", [message(1)])
        earlier = path.read_bytes()
        await store.save_messages("c1", [message(2), message(3)])
        put(path.with_suffix(".back"), earlier)
        path.with_suffix(".back").replace(path)
        await store.save_messages("c1", [message(3, "after")])

        assert await store.load_messages("c1") == (message(1), message(3, "after"))
