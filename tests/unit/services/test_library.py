"""Conversations: the index, the active branch, and what a crash leaves behind."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.memory_store import MemoryStore
from tests.support.replay import StepClock
from tests.support.session import START
from tui.core.chat import Message, MessageStatus, Role, TurnOptions, new_id
from tui.core.errors import InvalidValueError, StorageError
from tui.core.ports import Store
from tui.core.quota import Attempt, AttemptState, KeySource
from tui.services.branches import active_branch, overlay
from tui.services.entries import MOST_TAGS, TAG_LENGTH, TITLE_LENGTH, UNTITLED, tags_of, title_of
from tui.services.library import Library
from tui.storage.store import JsonStore


@pytest.fixture(params=["memory", "disk"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    made: Store = MemoryStore() if request.param == "memory" else await JsonStore.open(tmp_path, StepClock())
    yield made
    await made.aclose()


@pytest.fixture
def library(store: Store) -> Library:
    return Library(store, "local", StepClock())


def message(text: str, parent: Message | None = None, **facts: object) -> Message:
    """The next message: a prompt after a reply, a reply after a prompt."""
    role = Role.ASSISTANT if parent and parent.role is Role.USER else Role.USER
    made = Message(new_id(), role, text, START + timedelta(hours=1), parent_id=parent.id if parent else None)
    return replace(made, **facts)  # type: ignore[arg-type]  # the facts are Message's


async def test_the_latest_used_comes_first(library: Library) -> None:
    first, second = await library.create("openai", "gpt-5.1"), await library.create("demo", "demo")
    assert [entry.id for entry in library.conversations()] == [second.id, first.id]
    await library.save(first.id, message("Hello"))
    assert [entry.id for entry in library.conversations()] == [first.id, second.id]
    assert library.get(first.id).message_count == 1


async def test_another_user_s_conversations_are_out_of_reach(library: Library, store: Store) -> None:
    mine = await library.create("openai", "gpt-5.1")
    other = Library(store, "sam", StepClock())
    assert other.conversations() == ()
    for attempt in (other.open(mine.id), other.rename(mine.id, "Mine"), other.delete(mine.id)):
        with pytest.raises(InvalidValueError, match="gone"):
            await attempt


async def test_a_conversation_without_a_file_opens_empty(library: Library) -> None:
    made = await library.create("openai", "gpt-5.1", TurnOptions(system_prompt="Be brief."))
    opened = await library.open(made.id)
    assert (opened.messages, opened.all_messages) == ((), ())
    assert opened.conversation.options.system_prompt == "Be brief."


async def test_a_file_that_should_be_there_is_not_taken_for_an_empty_conversation(tmp_path: Path) -> None:
    store = await JsonStore.open(tmp_path, StepClock())
    library = Library(store, "local", StepClock())
    made = await library.create("openai", "gpt-5.1")
    await library.save(made.id, message("Hello"))
    (tmp_path / "conversations" / f"{made.id}.json").unlink()
    with pytest.raises(StorageError, match=made.id):
        await library.open(made.id)
    await store.aclose()


async def test_messages_come_back_in_order(library: Library) -> None:
    made = await library.create("openai", "gpt-5.1")
    prompt = message("Hello")
    reply = message("Hi", prompt, provider="demo", model="demo")
    for one in (prompt, reply):
        await library.save(made.id, one)
    opened = await library.open(made.id)
    assert opened.messages == (prompt, reply)
    entry = opened.conversation
    assert (entry.head_id, entry.message_count) == (reply.id, 2)
    assert (entry.provider, entry.model) == ("demo", "demo")


async def test_saving_again_counts_once(library: Library) -> None:
    made = await library.create("openai", "gpt-5.1")
    prompt = message("Hello")
    await library.save(made.id, prompt)
    await library.save(made.id, prompt)
    assert library.get(made.id).message_count == 1


async def test_a_title_of_the_user_s_own_stays(library: Library) -> None:
    made = await library.create("openai", "gpt-5.1")
    await library.rename(made.id, "  Trip\x1b[2J  plans ")
    await library.save(made.id, message("Something else"))
    assert library.get(made.id).title == "Trip␛[2J plans"
    await library.rename(made.id, " ")
    assert library.get(made.id).title == UNTITLED
    await library.save(made.id, message("The next prompt"))
    assert library.get(made.id).title == "The next prompt"


async def test_renaming_does_not_move_a_conversation(library: Library) -> None:
    first, second = await library.create("openai", "gpt-5.1"), await library.create("openai", "gpt-5.1")
    await library.rename(first.id, "First")
    await library.choose_model(first.id, "demo", "demo")
    assert [entry.id for entry in library.conversations()] == [second.id, first.id]
    assert library.get(first.id).model == "demo"


async def test_pins_and_tags_leave_a_conversation_where_it_is(library: Library) -> None:
    first, second = await library.create("openai", "gpt-5.1"), await library.create("openai", "gpt-5.1")
    await library.pin(first.id, pinned=True)
    await library.tag(first.id, ["#Trip", " lisbon  2026 ", "trip", "", "#"])
    assert [entry.id for entry in library.conversations()] == [second.id, first.id]
    assert (library.get(first.id).pinned, library.get(first.id).tags) == (True, ("trip", "lisbon-2026"))
    await library.pin(first.id, pinned=False)
    await library.tag(first.id, [])
    assert (library.get(first.id).pinned, library.get(first.id).tags) == (False, ())


def test_a_tag_can_do_nothing_to_a_screen_and_there_are_not_many() -> None:
    assert tags_of(["a\x1b[2Jb"]) == ("a\u241b[2jb",)
    assert len(tags_of(["x" * 200])[0]) == TAG_LENGTH
    assert len(tags_of(str(number) for number in range(100))) == MOST_TAGS


async def test_what_was_deleted_last_is_known_until_it_is_back_or_purged(library: Library) -> None:
    assert library.last_deleted() is None
    first, second = [await library.create("openai", "gpt-5.1") for _ in range(2)]
    for made in (second, first):
        await library.delete(made.id)
    for expected in (first, second):
        found = library.last_deleted()
        assert found is not None
        assert found.id == expected.id
        await (library.restore if expected is first else library.purge)(expected.id)
    assert library.last_deleted() is None


async def test_a_deleted_conversation_can_be_brought_back_until_it_is_purged(
    library: Library, store: Store
) -> None:
    made = await library.create("openai", "gpt-5.1")
    await library.save(made.id, message("Hello"))
    with pytest.raises(InvalidValueError, match="delete it first"):
        await library.purge(made.id)
    await library.delete(made.id)
    assert library.conversations() == ()
    with pytest.raises(InvalidValueError):
        await library.open(made.id)
    await library.restore(made.id)
    assert [one.text for one in (await library.open(made.id)).messages] == ["Hello"]
    await library.delete(made.id)
    await library.purge(made.id)
    assert await store.load_messages(made.id) == ()
    with pytest.raises(InvalidValueError):
        await library.restore(made.id)


async def test_a_message_that_the_index_did_not_learn_of_is_found(library: Library, store: Store) -> None:
    """As after a crash between saving a message and naming it as the head."""
    made = await library.create("openai", "gpt-5.1")
    prompt = message("Hello")
    await library.save(made.id, prompt)
    reply = message("Hi", prompt)
    await store.save_messages(made.id, [reply])
    assert (await library.open(made.id)).messages == (prompt, reply)


async def test_a_reply_without_an_attempt_is_marked_as_interrupted(library: Library, store: Store) -> None:
    made = await library.create("openai", "gpt-5.1")
    prompt = message("Hello")
    await library.save(made.id, prompt)
    await library.save_partial(made.id, message("Hal", prompt, status=MessageStatus.STREAMING))
    reply = (await library.open(made.id)).messages[-1]
    assert (reply.status, reply.text) == (MessageStatus.INTERRUPTED, "Hal")
    assert (await store.load_messages(made.id))[-1] == reply
    entry = library.get(made.id)
    assert (entry.head_id, entry.message_count) == (reply.id, 2)


async def test_a_reply_that_another_process_streams_is_left_alone(library: Library, store: Store) -> None:
    made = await library.create("openai", "gpt-5.1")
    prompt = message("Hello")
    reply = message("Hal", prompt, status=MessageStatus.STREAMING)
    await library.save(made.id, prompt)
    await library.save_partial(made.id, reply)
    attempt = Attempt(
        id=new_id(),
        turn_id=new_id(),
        user="local",
        provider="openai",
        model="gpt-5.1",
        key_source=KeySource.DEFAULT,
        state=AttemptState.HELD,
        held=10,
        input_estimate=5,
        date=START.date(),
        created_at=START,
        lease_until=START + timedelta(minutes=2),
        reply_id=reply.id,
    )
    await store.transaction(lambda state: state.attempts.insert(attempt))
    assert (await library.open(made.id)).messages[-1].status is MessageStatus.STREAMING


def test_an_edited_prompt_starts_a_branch() -> None:
    prompt = message("Hello")
    reply = message("Hi", prompt)
    edited = message("Hello there")
    answer = message("Hi there", edited)
    tree = (prompt, reply, edited, answer)
    later = START + timedelta(hours=2)
    assert active_branch(tree, answer.id, later) == (edited, answer)
    assert active_branch(tree, reply.id, later) == (prompt, reply)
    assert active_branch(tree, prompt.id, later) == (prompt,)
    assert active_branch(tree, None, later) == ()
    assert active_branch((), "gone", later) == ()


def test_a_tree_that_bites_its_tail_still_ends() -> None:
    prompt = message("Hello")
    reply = message("Hi", prompt)
    bitten = replace(prompt, parent_id=reply.id)
    assert active_branch((bitten, reply), reply.id, START + timedelta(hours=2)) == (bitten, reply)


def test_an_overlay_replaces_and_adds() -> None:
    prompt, other = message("Hello"), message("Other")
    newer = replace(prompt, text="Hello!")
    assert overlay([prompt], [newer, other]) == (newer, other)


@pytest.mark.parametrize(
    ("prompt", "title"),
    [
        ("Hello", "Hello"),
        ("\n\n  Second line  \nThird", "Second line"),
        ("a\tb", "a b"),
        ("x" * 100, "x" * (TITLE_LENGTH - 1) + "…"),
        ("", UNTITLED),
        (" \n ", UNTITLED),
        ("\x1b]0;owned\x07", "␛]0;owned␇"),
        ("\u202eright to left", "right to left"),
    ],
)
def test_titles(prompt: str, title: str) -> None:
    assert title_of(prompt) == title
