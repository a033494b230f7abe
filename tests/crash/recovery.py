"""Makes a data directory for writing processes, and recovers it as the next start of Ctroom does."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.crash.journal import Act, Entry
from tests.crash.worker import Order, Session, services_of
from tests.support.session import add_user
from tui.core.settings import POOLED, UserRole
from tui.services.audit import audit
from tui.storage.files import SYSTEM_FILES, FileLayer
from tui.storage.store import JsonStore

USERS = ("ann", "ben")
PURCHASED = 1_000_000_000
"""Tokens of each pool: more than any run uses."""
PREPARING = tuple(Entry(Act.BUYING, name) for name in POOLED)
PREPARED = (*PREPARING, *(Entry(Act.BOUGHT, name) for name in POOLED))
"""What `prepare` does, and that it was done, for a journal."""


@asynccontextmanager
async def opened(home: Path, files: FileLayer = SYSTEM_FILES) -> AsyncIterator[JsonStore]:
    """A store that is closed at the end."""
    store = await JsonStore.open(home, lambda: datetime.now(UTC), files)
    try:
        yield store
    finally:
        await store.aclose()


async def prepare(home: Path, files: FileLayer = SYSTEM_FILES) -> None:
    """A data directory with two users, and much purchased."""
    async with opened(home, files) as store:
        for user in USERS:
            await add_user(store, user, "unlimited", UserRole.ADMIN)
        accounting = services_of(store, USERS[0]).accounting
        for provider in POOLED:
            await accounting.set_purchased(provider, PURCHASED, provider)


async def used(home: Path, turns: int, files: FileLayer = SYSTEM_FILES) -> list[Entry]:
    """Let a session work in a data directory, one turn after the other; what it said."""
    said: list[Entry] = []
    async with opened(home, files) as store:
        session = Session(store, said.append, Order(home, USERS[1], turns, ("talked-in", "also-talked-in")))
        for _ in range(turns):
            await session.turn()
    return said


async def recover(home: Path, files: FileLayer = SYSTEM_FILES) -> list[str]:
    """Charge what was left open, once every lease is over, as the next start does; twice. What is wrong."""
    wrong = []
    for start in ("first", "second"):
        async with opened(home, files) as store:
            swept = await services_of(store, USERS[0], ahead=timedelta(hours=1)).accounting.sweep()
            if swept and start == "second":
                wrong.append(f"the second recovery charged {swept} attempts")
            report = await audit(store)
            if not report.holds:
                wrong.append(report.sentence)
    return wrong
