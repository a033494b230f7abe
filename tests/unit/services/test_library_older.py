"""Conversations that are not recent: listed apart, and like any other once something is done to them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.replay import Replay, StepClock, talk
from tests.support.session import START
from tests.support.years import UnsyncedFiles
from tests.unit.storage.support import FULL, FaultyFiles
from tui.core.chat import Conversation, Finish, FinishReason, Message, Role, TextDelta
from tui.core.errors import InvalidValueError, StorageError
from tui.core.ports import State
from tui.services.library import Library
from tui.storage.older import KEPT_CONVERSATIONS, MOST_CONVERSATIONS
from tui.storage.store import JsonStore

OLDER = MOST_CONVERSATIONS + 1 - KEPT_CONVERSATIONS
FIRST = "c0"


def add_many(state: State) -> None:
    """More than stay: the first hundred are older, half of them another user's."""
    for number in range(MOST_CONVERSATIONS + 1):
        at = START - timedelta(days=MOST_CONVERSATIONS - number)
        user = "local" if number % 2 == 0 else "sam"
        state.conversations.insert(
            Conversation(f"c{number}", user, f"Number {number}", at, at, "openai", "a")
        )


async def add_newer(store: JsonStore) -> None:
    """So many that every other one is older."""

    def add(state: State) -> None:
        for number in range(MOST_CONVERSATIONS):
            at = START + timedelta(days=1)
            state.conversations.insert(Conversation(f"d{number}", "local", "Another", at, at))

    await store.transaction(add)
    await store.refresh()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[JsonStore]:
    made = await JsonStore.open(tmp_path, StepClock(), UnsyncedFiles())
    await made.save_messages(FIRST, [Message("m", Role.USER, "The first prompt", START)])
    await made.transaction(add_many)
    await made.refresh()
    yield made
    await made.aclose()


@pytest.fixture
def library(store: JsonStore) -> Library:
    return Library(store, "local", StepClock())


async def test_recent_and_older_ones_are_each_users_own_newest_first(
    store: JsonStore, library: Library
) -> None:
    older = await library.older()
    both = [*library.conversations(), *older]
    assert [entry.id for entry in both] == [f"c{number}" for number in range(MOST_CONVERSATIONS, -1, -2)]
    assert len(older) == (OLDER + 1) // 2
    assert await library.older() is older
    others = await Library(store, "sam", StepClock()).older()
    assert {entry.user for entry in others} == {"sam"}


Work = Callable[[Library], Awaitable[object]]


@pytest.mark.parametrize(
    "work",
    [
        lambda library: library.find(FIRST),
        lambda library: library.open(FIRST),
        lambda library: library.rename(FIRST, "Renamed"),
        lambda library: library.choose_model(FIRST, "demo", "demo"),
        lambda library: library.save(FIRST, Message("m2", Role.ASSISTANT, "Hi", START, "m")),
    ],
)
async def test_whatever_is_done_to_an_older_one_brings_it_back(library: Library, work: Work) -> None:
    with pytest.raises(InvalidValueError, match="gone"):
        library.get(FIRST)
    await work(library)
    assert library.get(FIRST) in library.conversations()
    assert FIRST not in [entry.id for entry in await library.older()]


async def test_an_older_one_opens_with_its_messages(library: Library) -> None:
    opened = await library.open(FIRST)
    assert [message.text for message in opened.messages] == ["The first prompt"]
    assert opened.conversation.title == "Number 0"


async def test_an_older_one_is_deleted_restored_and_purged(store: JsonStore, library: Library) -> None:
    await library.delete(FIRST)
    assert FIRST not in [entry.id for entry in (*library.conversations(), *await library.older())]
    assert (await library.restore(FIRST)).title == "Number 0"
    await library.delete(FIRST)
    await library.purge(FIRST)
    with pytest.raises(InvalidValueError, match="gone"):
        await library.find(FIRST)
    assert await store.load_messages(FIRST) == ()


async def test_a_deleted_one_stays_at_hand_until_it_is_purged_for_good(
    store: JsonStore, library: Library
) -> None:
    """Its entry must not be left in the file of older ones, nor come back from there."""
    await library.delete(FIRST)
    await add_newer(store)
    assert FIRST not in [entry.id for entry in await store.load_older_conversations()]
    assert FIRST in [entry.id for _, entry in store.view.conversations]
    await library.purge(FIRST)
    assert FIRST not in [entry.id for entry in await store.load_older_conversations()]
    with pytest.raises(InvalidValueError, match="gone"):
        await library.restore(FIRST)


async def test_another_users_older_one_is_out_of_reach(library: Library) -> None:
    for attempt in (
        library.open("c1"),
        library.rename("c1", "Mine"),
        library.delete("c1"),
        library.find("c1"),
    ):
        with pytest.raises(InvalidValueError, match="gone"):
            await attempt


async def test_sessions_at_once_bring_one_back_once(store: JsonStore) -> None:
    libraries = [Library(store, "local", StepClock()) for _ in range(5)]
    await asyncio.gather(*(library.open(FIRST) for library in libraries))
    assert len([entry for _, entry in store.view.conversations if entry.id == FIRST]) == 1


async def test_a_turn_goes_on_in_an_older_one(store: JsonStore) -> None:
    session = await talk(Replay([TextDelta("Welcome back."), Finish(FinishReason.STOP)]), store)
    events = [event async for event in session.turns.send(FIRST, "Are you there?")]
    assert events
    opened = await session.services.library.open(FIRST)
    assert [message.text for message in opened.messages] == [
        "The first prompt",
        "Are you there?",
        "Welcome back.",
    ]
    await session.services.turns.drain()


async def test_one_that_moves_while_it_is_open_is_found_again(store: JsonStore, library: Library) -> None:
    await library.open(FIRST)
    await add_newer(store)
    assert FIRST in [entry.id for entry in await library.older()]
    await library.save(FIRST, Message("m2", Role.ASSISTANT, "Hi", START, "m"))
    assert library.get(FIRST).head_id == "m2"
    assert FIRST not in [entry.id for entry in await library.older()]


async def test_on_a_full_disk_an_older_one_can_still_be_read(store: JsonStore, tmp_path: Path) -> None:
    files = FaultyFiles()
    full = await JsonStore.open(tmp_path, StepClock(), files)
    files.fail("write", FULL)
    library = Library(full, "local", StepClock())
    opened = await library.open(FIRST)
    assert [message.text for message in opened.messages] == ["The first prompt"]
    with pytest.raises(StorageError, match="disk is full"):
        await library.rename(FIRST, "Renamed")
    with pytest.raises(StorageError, match="disk is full"):
        await library.open("c1")
    await full.aclose()


async def test_a_damaged_file_of_older_ones_leaves_the_recent_ones(tmp_path: Path, store: JsonStore) -> None:
    library = Library(store, "local", StepClock())
    for path in (tmp_path / "conversations" / "index").glob("*.json"):
        path.write_text("{")
    with pytest.raises(StorageError, match="is damaged"):
        await library.older()
    assert len(library.conversations()) == KEPT_CONVERSATIONS // 2
    assert (await library.open("c500")).messages == ()
