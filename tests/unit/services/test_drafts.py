"""Drafts, over a store that several windows share."""

import asyncio
from datetime import timedelta

import pytest

from tests.support.memory_store import MemoryStore
from tests.support.session import ManualClock
from tui.core.errors import StorageError, StorageErrorKind
from tui.core.ports import State
from tui.services.drafts import KEPT, MOST_KEPT, Drafts


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
    assert (later.get(None), later.get("abc"), later.get("other")) == ("half a thought", "another", "")


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
    assert (texts(store), window.get(None)) == ([], "")


async def test_two_windows_that_write_keep_both(store: MemoryStore, clock: ManualClock) -> None:
    one, two = Window(store, clock), Window(store, clock)
    await one.keep("abc", "from one")
    await two.keep("abc", "from two")
    await one.keep("abc", "from one, more")
    assert sorted(texts(store)) == ["from one, more", "from two"]
    assert (one.get("abc"), two.get("abc")) == ("from one, more", "from two")


async def test_a_window_that_took_a_draft_up_does_not_undo_what_the_other_wrote_since(
    store: MemoryStore, clock: ManualClock
) -> None:
    one, two = Window(store, clock), Window(store, clock)
    await one.keep(None, "begun")
    assert two.get(None) == "begun"
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
    assert later.get(None) == "newer"
    await later.keep(None, "")
    assert later.get(None) == "older"


async def test_users_have_drafts_of_their_own(store: MemoryStore, clock: ManualClock) -> None:
    sam, kim = Window(store, clock, "sam"), Window(store, clock, "kim")
    await sam.keep(None, "sam's")
    assert kim.get(None) == ""
    await kim.keep(None, "")
    assert sam.get(None) == "sam's"


async def test_saves_that_overlap_end_with_the_last(store: MemoryStore, clock: ManualClock) -> None:
    window = Window(store, clock)
    await asyncio.gather(window.keep(None, "written"), window.keep(None, ""), window.keep("abc", "x"))
    assert texts(store) == ["x"]


async def test_a_draft_can_be_read_while_it_is_being_saved(store: MemoryStore, clock: ManualClock) -> None:
    window = Window(store, clock)
    await window.keep(None, "old")
    saving = asyncio.create_task(window.keep(None, "new"))
    await asyncio.sleep(0)
    assert window.get(None) == "new"
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
    assert window.get(None) == "kept in memory"
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
    assert Window(store, clock).get(None) == ""
