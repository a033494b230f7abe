"""Whatever is done before and after a backup, going back to it keeps every total, and twice is once."""

import asyncio
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.places import Place, assert_sums_hold, facts, rows_of
from tests.support.session import Session
from tui.core.chat import Message, Role
from tui.core.errors import CtroomError
from tui.core.ports import Store
from tui.core.quota import KeySource
from tui.core.settings import LOCAL_USER
from tui.core.usage import Measured, Provenance, Usage
from tui.services.audit import audit
from tui.services.library import Library
from tui.storage.archive import row_key

Operation: TypeAlias = tuple[str, int, str]
"""What is done, a number of tokens or so, and a provider."""


@dataclass
class Life:
    """One user's doings in a place; each method is an operation."""

    place: Place
    local: Session
    holds: list[str] = field(default_factory=list)

    async def live(self, operations: list[Operation]) -> None:
        for what, number, provider in operations:
            self.place.clock.move(seconds=1)
            try:
                await getattr(self, what)(number, provider)
            except CtroomError:
                continue  # a refusal is an outcome as good as any

    async def spend(self, number: int, provider: str) -> None:
        await self.local.spend(number, provider)

    async def spend_own(self, number: int, provider: str) -> None:
        hold = await self.local.hold(provider, 1, number, KeySource.OWN)
        await self.local.accounting.settle(hold.attempt_id, _estimate(number))

    async def hold(self, number: int, provider: str) -> None:
        self.holds.append((await self.local.hold(provider, 1, number)).attempt_id)

    async def settle(self, number: int, _provider: str) -> None:
        if self.holds:
            await self.local.accounting.settle(self.holds[number % len(self.holds)], _estimate(number))

    async def release(self, number: int, _provider: str) -> None:
        if self.holds:
            await self.local.accounting.release(self.holds[number % len(self.holds)])

    async def sweep(self, _number: int, _provider: str) -> None:
        self.place.clock.move(minutes=5)
        await self.local.accounting.sweep()

    async def buy(self, number: int, provider: str) -> None:
        await self.local.accounting.add_purchased(provider, number)

    async def talk(self, number: int, _provider: str) -> None:
        entry = await self.library.create("demo", "demo")
        await self.library.save(entry.id, Message(f"m{number}", Role.USER, "Hello", self.place.clock()))

    async def delete(self, _number: int, _provider: str) -> None:
        for entry in self.library.conversations()[:1]:
            await self.library.delete(entry.id)

    async def let_days_pass(self, number: int, _provider: str) -> None:
        self.place.clock.move(days=number // 4)

    async def archive(self, _number: int, _provider: str) -> None:
        await self.place.store.archive_ledger()

    @property
    def library(self) -> Library:
        return Library(self.place.store, LOCAL_USER, self.place.clock)


_DOINGS = (
    "spend",
    "spend_own",
    "hold",
    "settle",
    "release",
    "sweep",
    "buy",
    "talk",
    "delete",
    "let_days_pass",
    "archive",
)
_operations = st.lists(
    st.tuples(
        st.sampled_from(_DOINGS),
        st.integers(1, 400),
        st.sampled_from(["openai", "google"]),
    ),
    max_size=14,
)


@settings(max_examples=25)
@example(
    before=[],
    since=[("hold", 1, "openai"), ("let_days_pass", 248, "openai"), ("spend", 1, "openai")],
    left=0,
).via("a day that is held on waits to be folded")
@given(before=_operations, since=_operations, left=st.integers(0, 100))
def test_a_restore_keeps_every_total_and_twice_is_once(
    before: list[Operation], since: list[Operation], left: int
) -> None:
    async def live(place: Place) -> None:
        async with place.opened() as local:
            await local.accounting.set_purchased("openai", 9_000)
            life = Life(place, local)
            await life.live(before)
            place.back_up()
            await life.live(since)
            await _restore(place, local.store)
            rows = await rows_of(local.store)
        content = (place.home / "ctroom.json").read_bytes()
        place.damage(len(content) * left // 100)
        assert place.restore().changed is (left < 100)
        assert not place.restore().changed
        async with place.opened() as local:
            saved = await rows_of(local.store)
            assert {row_key(row) for row in saved} <= {row_key(row) for row in rows}
            assert_sums_hold(local.store.view, saved)
            assert (await audit(local.store)).problem is None

    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(live(Place(Path(directory) / "ctroom")))


async def _restore(place: Place, store: Store) -> None:
    """Go back, and compare everything with what it was."""
    told, rows = facts(store.view), await rows_of(store)
    entries = _undeleted(store)
    place.restore()
    await store.refresh()
    restored = facts(store.view)
    for name in told.keys() - {"conversations", "audit"}:
        assert restored[name] == told[name]
    assert _undeleted(store) == entries
    assert await rows_of(store) == rows
    assert_sums_hold(store.view, rows)
    assert (await audit(store)).problem is None
    assert not place.restore().changed


def _undeleted(store: Store) -> list[str]:
    return sorted(repr(replace(entry, deleted_at=None)) for _, entry in store.view.conversations)


def _estimate(number: int) -> Measured:
    return Measured(Usage(number, 1), Provenance.ESTIMATED)
