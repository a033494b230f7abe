"""Both stores, so that every backend gives the same results for the same operations."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.memory_store import MemoryStore
from tests.support.session import ManualClock, Session, session
from tui.core.ports import Store
from tui.storage.store import JsonStore


@pytest.fixture
def clock() -> ManualClock:
    """The time of this test: 22:00 UTC on 2026-11-23."""
    return ManualClock()


@pytest.fixture(params=["memory", "json"])
async def store(
    request: pytest.FixtureRequest, ctroom_home: Path, clock: ManualClock
) -> AsyncIterator[Store]:
    """An empty store of each kind."""
    opened: Store = MemoryStore() if request.param == "memory" else await JsonStore.open(ctroom_home, clock)
    yield opened
    await opened.aclose()


@pytest.fixture
def local(store: Store, clock: ManualClock) -> Session:
    """The local user, an admin, with the host's default keys for both pooled providers."""
    return session(store, clock=clock)
