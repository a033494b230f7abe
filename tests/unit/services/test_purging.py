"""Deleted conversations are kept for a while, and then removed."""

import pytest

from tests.support.memory_store import MemoryStore
from tests.support.session import START, ManualClock
from tui.core.chat import Message, Role
from tui.core.errors import InvalidValueError
from tui.services.drafts import Drafts
from tui.services.library import Library
from tui.services.purging import DAYS_KEPT, purge_expired


async def test_what_was_deleted_long_ago_is_removed_for_good() -> None:
    store, clock = MemoryStore(), ManualClock()
    library, other = Library(store, "local", clock), Library(store, "sam", clock)
    old, new = await library.create("demo", "demo"), await library.create("demo", "demo")
    theirs = await other.create("demo", "demo")
    await library.save(old.id, Message("m", Role.USER, "Hello", START))
    drafts = Drafts(store, "local", clock)
    for made in (old, new):
        await drafts.keep(made.id, f"to {made.id}")
    await Drafts(store, "sam", clock).keep(old.id, "Sam's own")
    for owner, made in ((library, old), (other, theirs)):
        await owner.delete(made.id)
    clock.move(days=1)
    await library.delete(new.id)
    clock.move(days=DAYS_KEPT - 1)
    assert await purge_expired(store, library, "local") == 1
    assert await store.load_messages(old.id) == ()
    assert {draft.text for _, draft in store.view.drafts} == {f"to {new.id}", "Sam's own"}
    with pytest.raises(InvalidValueError):
        await library.restore(old.id)
    await library.restore(new.id)
    await other.restore(theirs.id)
    assert await purge_expired(store, library, "local") == 0
