"""Drafts, over a store that several windows share."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.support.memory_store import MemoryStore
from tests.support.session import ManualClock
from tui.core.chat import NOTHING, Asked, Attachment, AttachmentKind, joined
from tui.core.errors import StorageError, StorageErrorKind
from tui.core.ports import State
from tui.services.drafts import KEPT, MOST_KEPT, Drafts

NOTES = Attachment("n", "notes.txt", AttachmentKind.TEXT, "text/plain", 10, "a" * 64, 4)
CAT = Attachment("c", "cat.png", AttachmentKind.IMAGE, "image/png", 900, "b" * 64, 300)


class Window(Drafts):
    """Drafts of one window."""

    def __init__(self, store: MemoryStore, clock: ManualClock, user: str = "local") -> None:
        super().__init__(store, user, clock)


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def texts(store: MemoryStore) -> list[str]:
    return [draft.text for _, draft in store.view.drafts]


async def test_a_draft_outlives_its_window(store: MemoryStore, clock: ManualClock) -> None:
    await Window(store, clock).keep(None, "half a thought")
    await Window(store, clock).keep("abc", "another")
    later = Window(store, clock)
    assert later.get(None) == Asked("half a thought")
    assert later.get("abc") == Asked("another")
    assert later.get("other") == NOTHING


async def test_files_are_part_of_a_draft_also_alone(store: MemoryStore, clock: ManualClock) -> None:
    await Window(store, clock).keep(None, "see these", (NOTES, CAT))
    await Window(store, clock).keep("abc", " ", (CAT,))
    later = Window(store, clock)
    assert later.get(None) == Asked("see these", (NOTES, CAT))
    assert later.get("abc") == Asked("", (CAT,))
    await later.keep(None, "see these", (CAT,))
    assert [draft.attachments for _, draft in store.view.drafts] == [(CAT,), (CAT,)]
    await later.keep("abc", "")
    assert texts(store) == ["see these"]


async def test_two_windows_keep_both_files(store: MemoryStore, clock: ManualClock) -> None:
    one, two = Window(store, clock), Window(store, clock)
    await one.keep("abc", "the same", (NOTES,))
    await two.keep("abc", "the same", (CAT,))
    assert (one.get("abc").attached, two.get("abc").attached) == ((NOTES,), (CAT,))
    assert texts(store) == ["the same", "the same"]


async def test_who_may_attach_none_keeps_none(store: MemoryStore, clock: ManualClock) -> None:
    sam = Window(store, clock, "sam")
    await sam.keep(None, "see this", (NOTES,))
    await sam.keep("abc", "", (NOTES,))
    assert [(draft.text, draft.attachments) for _, draft in store.view.drafts] == [("see this", ())]


def test_prompts_are_joined_with_every_file_once() -> None:
    parts = [Asked("one", (NOTES,)), Asked("", (CAT,)), Asked("two", (replace(NOTES, id="again"),)), NOTHING]
    assert joined(parts) == Asked("one\ntwo", (NOTES, CAT))
    assert joined([]) == NOTHING


async def test_one_record_is_kept_however_often_it_changes(store: MemoryStore, clock: ManualClock) -> None:
    window = Window(store, clock)
    for text in ("h", "ha", "hal", "hal", "half"):
        await window.keep(None, text)
    assert texts(store) == ["half"]


@pytest.mark.parametrize("blank", ["", "  \n "])
async def test_a_draft_that_was_sent_or_emptied_is_gone(
    store: MemoryStore, clock: ManualClock, blank: str
) -> None:
    window = Window(store, clock)
    await window.keep(None, "sent")
    await window.keep(None, blank)
    assert (texts(store), window.get(None).text) == ([], "")


async def test_two_windows_that_write_keep_both(store: MemoryStore, clock: ManualClock) -> None:
    one, two = Window(store, clock), Window(store, clock)
    await one.keep("abc", "from one")
    await two.keep("abc", "from two")
    await one.keep("abc", "from one, more")
    assert sorted(texts(store)) == ["from one, more", "from two"]
    assert (one.get("abc").text, two.get("abc").text) == ("from one, more", "from two")


async def test_a_window_that_took_a_draft_up_does_not_undo_what_the_other_wrote_since(
    store: MemoryStore, clock: ManualClock
) -> None:
    one, two = Window(store, clock), Window(store, clock)
    await one.keep(None, "begun")
    assert two.get(None).text == "begun"
    await one.keep(None, "begun, and gone on")
    await two.keep(None, "")
    assert texts(store) == ["begun, and gone on"]
    await two.keep(None, "something else")
    assert sorted(texts(store)) == ["begun, and gone on", "something else"]


async def test_what_a_window_left_comes_up_once_the_latest_is_sent(
    store: MemoryStore, clock: ManualClock
) -> None:
    one, two = Window(store, clock), Window(store, clock)
    await one.keep(None, "older")
    clock.now += timedelta(minutes=1)
    await two.keep(None, "newer")
    later = Window(store, clock)
    assert later.get(None).text == "newer"
    await later.keep(None, "")
    assert later.get(None).text == "older"


async def test_users_have_drafts_of_their_own(store: MemoryStore, clock: ManualClock) -> None:
    sam, kim = Window(store, clock, "sam"), Window(store, clock, "kim")
    await sam.keep(None, "sam's")
    assert kim.get(None).text == ""
    await kim.keep(None, "")
    assert sam.get(None).text == "sam's"


async def test_saves_that_overlap_end_with_the_last(store: MemoryStore, clock: ManualClock) -> None:
    window = Window(store, clock)
    await asyncio.gather(window.keep(None, "written"), window.keep(None, ""), window.keep("abc", "x"))
    assert texts(store) == ["x"]


async def test_a_draft_can_be_read_while_it_is_being_saved(store: MemoryStore, clock: ManualClock) -> None:
    window = Window(store, clock)
    await window.keep(None, "old")
    saving = asyncio.create_task(window.keep(None, "new"))
    await asyncio.sleep(0)
    assert window.get(None).text == "new"
    await saving
    assert texts(store) == ["new"]


async def test_a_save_that_was_cut_off_leaves_no_second_draft(store: MemoryStore, clock: ManualClock) -> None:
    window = Window(store, clock)

    class _CutOffError(Exception):
        pass

    committed = store.transaction

    async def cut(work: object) -> None:
        await committed(work)  # type: ignore[arg-type]
        raise _CutOffError

    store.transaction = cut  # type: ignore[method-assign, assignment]
    with pytest.raises(_CutOffError):
        await window.keep(None, "cut")
    store.transaction = committed  # type: ignore[method-assign]
    await window.keep(None, "cut")
    assert texts(store) == ["cut"]


async def test_a_save_that_failed_is_tried_again(store: MemoryStore, clock: ManualClock) -> None:
    window = Window(store, clock)
    works = store.transaction

    async def refuse(_: object) -> None:
        raise StorageError(StorageErrorKind.FULL, "The disk is full.")

    store.transaction = refuse  # type: ignore[method-assign, assignment]
    with pytest.raises(StorageError):
        await window.keep(None, "kept in memory")
    assert window.get(None).text == "kept in memory"
    store.transaction = works  # type: ignore[method-assign]
    await window.keep(None, "kept in memory")
    assert texts(store) == ["kept in memory"]


async def test_drafts_that_nobody_returns_to_go(store: MemoryStore, clock: ManualClock) -> None:
    await Window(store, clock).keep("gone", "forgotten")
    clock.now += KEPT + timedelta(days=1)
    await Window(store, clock).keep(None, "today's")
    assert texts(store) == ["today's"]


async def test_a_draft_has_a_bound(store: MemoryStore, clock: ManualClock) -> None:
    await Window(store, clock).keep(None, "x" * (MOST_KEPT + 5))
    assert [len(text) for text in texts(store)] == [MOST_KEPT]


async def test_a_state_without_the_table_has_no_drafts(store: MemoryStore, clock: ManualClock) -> None:
    def count(state: State) -> int:
        return len(state.drafts)

    assert await store.transaction(count) == 0
    assert Window(store, clock).get(None).text == ""
