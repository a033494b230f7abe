"""A settle or release that comes when the row that recovery wrote has left the state for its month's file."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.session import ManualClock, Session, reported, session
from tui.core.errors import StorageError
from tui.core.ports import State
from tui.core.quota import KeySource, LedgerRow, RowKind
from tui.core.usage import Measured, Provenance, Usage
from tui.services import ledger, tables
from tui.services.audit import audit
from tui.services.ledger import LEASE
from tui.storage.store import JsonStore


@pytest.fixture
async def store(
    ctroom_home: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[JsonStore]:
    """A store whose archive takes all but the newest row."""
    monkeypatch.setattr("tui.storage.upkeep.KEPT_LIVE", 1)
    opened = await JsonStore.open(ctroom_home, clock)
    yield opened
    await opened.aclose()


@pytest.fixture
def sam(store: JsonStore, clock: ManualClock) -> Session:
    """The session whose attempt is charged by recovery."""
    return session(store, "local", clock)


async def _orphan(sam: Session, store: JsonStore, source: KeySource = KeySource.DEFAULT) -> str:
    """An attempt that recovery charged with 500 tokens and whose row is in its month's file."""
    hold = await sam.hold(estimate=100, wanted=400, source=source)
    await sam.accounting.checkpoint(hold.attempt_id, reported(100, 400).usage)
    sam.clock.move(seconds=LEASE.total_seconds() + 1)
    assert await session(store, clock=sam.clock).accounting.sweep() == 1
    await _archive(sam, store)
    assert hold.attempt_id in {row.attempt_id for row in await store.load_archived("2026-11")}
    return hold.attempt_id


async def _archive(sam: Session, store: JsonStore) -> None:
    await sam.spend(7, "google")
    await store.archive_ledger()
    assert len(store.view.ledger) == 1


async def test_the_difference_is_posted_once_however_often_and_late_it_is_settled(
    sam: Session, store: JsonStore
) -> None:
    attempt = await _orphan(sam, store)

    assert await sam.accounting.settle(attempt, reported(90, 60)) == 150
    assert await sam.accounting.settle(attempt, reported(1, 1)) == 150
    await _archive(sam, store)
    assert await sam.accounting.settle(attempt, reported(2, 2)) == 150
    assert not await sam.accounting.release(attempt)

    rows = [row for row in await store.load_ledger("2026-11") if row.attempt_id == attempt]
    assert [(row.kind, row.tokens) for row in rows] == [(RowKind.TURN, 500), (RowKind.ADJUSTMENT, -350)]
    pool = tables.pool(store.view, "openai")
    assert (pool.used, pool.held, pool.estimated) == (150, 0, 0)
    assert (await audit(store)).holds


async def test_of_late_settles_at_once_one_posts_the_difference(sam: Session, store: JsonStore) -> None:
    attempt = await _orphan(sam, store)
    *charged, released = await asyncio.gather(
        *(sam.accounting.settle(attempt, reported(90, 60)) for _ in range(5)), sam.accounting.release(attempt)
    )
    assert (charged, released) == ([150] * 5, False)
    assert tables.pool(store.view, "openai").used == 150
    assert (await audit(store)).holds


class Slow(JsonStore):
    """A store whose second look at a month is only handed over when the gate is open."""

    gate: asyncio.Event
    looks = 0

    async def load_ledger(self, month: str) -> tuple[LedgerRow, ...]:
        rows = await super().load_ledger(month)
        self.looks += 1
        if self.looks == 2:
            await self.gate.wait()
        return rows


async def test_a_settle_that_looked_before_another_posted_posts_nothing(
    ctroom_home: Path, store: JsonStore, clock: ManualClock
) -> None:
    slow = await Slow.open(ctroom_home, clock)
    assert isinstance(slow, Slow)
    slow.gate = asyncio.Event()
    sam = session(slow, clock=clock)
    attempt = await _orphan(sam, slow)
    settles = {asyncio.create_task(sam.accounting.settle(attempt, reported(90, 60))) for _ in range(2)}
    await asyncio.wait(settles, return_when=asyncio.FIRST_COMPLETED)
    await _archive(sam, slow)
    slow.gate.set()
    assert await asyncio.gather(*settles) == [150, 150]
    assert tables.pool(slow.view, "openai").used == 150
    await slow.aclose()


async def test_a_late_release_undoes_an_archived_charge_once(sam: Session, store: JsonStore) -> None:
    attempt = await _orphan(sam, store)
    assert await sam.accounting.release(attempt)
    assert not await sam.accounting.release(attempt)
    await _archive(sam, store)
    assert not await sam.accounting.release(attempt)
    assert await sam.accounting.settle(attempt, reported(90, 60)) == 0
    assert tables.pool(store.view, "openai").used == 0
    assert (await audit(store)).holds


async def test_own_keys_are_corrected_as_well(sam: Session, store: JsonStore) -> None:
    attempt = await _orphan(sam, store, KeySource.OWN)
    assert await sam.accounting.settle(attempt, reported(90, 60)) == 150
    assert tables.own_usage(store.view, "local", "openai", KeySource.OWN).used == 150
    assert (await audit(store)).holds


async def test_a_price_is_known_though_the_row_is_archived(sam: Session, store: JsonStore) -> None:
    hold = await sam.hold(estimate=3_000, wanted=1_000, model="gpt-5.1")
    sam.clock.move(seconds=LEASE.total_seconds() + 1)
    await sam.accounting.sweep()
    await _archive(sam, store)
    await sam.accounting.settle(hold.attempt_id, reported(3_000, 500))
    [orphan, adjustment] = [
        row for row in await store.load_ledger("2026-11") if row.attempt_id == hold.attempt_id
    ]
    assert (orphan.cost, adjustment.cost) == (13_750_000, -5_000_000)


async def test_a_late_reading_counts_no_part_above_its_whole(sam: Session, store: JsonStore) -> None:
    attempt = await _orphan(sam, store)
    late = Measured(Usage(90, 60, cached_input=500, reasoning=70), Provenance.REPORTED)
    assert await sam.accounting.settle(attempt, late) == 150
    [total] = [total for _, total in store.view.usage_rollup if total.provider == "openai"]
    assert (total.input, total.cached_input, total.output, total.reasoning) == (90, 90, 60, 60)


async def test_a_settled_turn_stays_as_it_was_charged_after_its_row_is_archived(
    sam: Session, store: JsonStore
) -> None:
    hold = await sam.hold()
    await sam.accounting.settle(hold.attempt_id, reported(100, 50))
    await _archive(sam, store)
    assert await sam.accounting.settle(hold.attempt_id, reported(900, 900)) == 150
    assert not await sam.accounting.release(hold.attempt_id)
    assert tables.pool(store.view, "openai").used == 150


async def test_the_month_is_that_of_the_hold(sam: Session, store: JsonStore) -> None:
    sam.clock.move(days=7, hours=1, minutes=58)
    hold = await sam.hold(estimate=100, wanted=400)
    assert hold.attempt.date.isoformat() == "2026-11-30"
    sam.clock.move(hours=5)
    await sam.accounting.sweep()
    await _archive(sam, store)
    sam.clock.move(days=3)
    assert await sam.accounting.settle(hold.attempt_id, reported(90, 60)) == 150
    assert [row.tokens for row in await store.load_ledger("2026-11")] == [500, -350]
    assert (await audit(store)).holds


async def test_a_late_settle_that_cannot_read_the_month_says_so_and_succeeds_later(
    sam: Session, store: JsonStore
) -> None:
    attempt = await _orphan(sam, store)
    month = store.home / "ledger" / "2026-11.json"
    whole = month.read_bytes()
    month.write_bytes(whole[:-20])
    with pytest.raises(StorageError, match="2026-11"):
        await sam.accounting.settle(attempt, reported(90, 60))
    assert tables.pool(store.view, "openai").used == 500
    month.write_bytes(whole)
    assert await sam.accounting.settle(attempt, reported(90, 60)) == 150


async def test_nothing_is_known_of_another_sessions_or_a_made_up_attempt(
    sam: Session, store: JsonStore
) -> None:
    attempt = await _orphan(sam, store)
    assert await sam.accounting.settle("made-up", reported(90, 60)) == 0
    assert not await sam.accounting.release("made-up")
    stranger = session(store, "max", sam.clock)
    assert await stranger.accounting.settle(attempt, reported(90, 60)) == 0
    assert tables.pool(store.view, "openai").used == 500


async def test_rows_are_numbered_without_gaps_and_say_their_accounts_balance(
    sam: Session, store: JsonStore
) -> None:
    await sam.spend(10)
    await sam.spend(20, "google")
    await sam.spend(30)
    for source, tokens in ((KeySource.OWN, 40), (KeySource.NONE, 50), (KeySource.OWN, 60)):
        hold = await sam.hold(source=source)
        await sam.accounting.settle(hold.attempt_id, reported(1, tokens - 1))
    released = await sam.hold()
    await sam.accounting.release(released.attempt_id)
    refused = await asyncio.gather(*(sam.hold(estimate=10**6) for _ in range(3)), return_exceptions=True)
    assert len(refused) == 3
    await sam.spend(70)
    assert [(row.number, row.balance) for _, row in store.view.ledger] == [
        (1, 10), (2, 20), (3, 40), (4, 40), (5, 50), (6, 100), (7, 110),
    ]  # fmt: skip
    assert tables.meta(store.view).last_row == 7


async def test_a_transaction_that_fails_takes_no_number(sam: Session, store: JsonStore) -> None:
    await sam.spend(10)
    hold = await sam.hold()

    def settle_and_fail(state: State) -> None:
        ledger.settle(state, hold.attempt_id, ledger.Charge(reported(1, 1)), sam.clock())
        raise RuntimeError("after the charge")

    with pytest.raises(RuntimeError):
        await store.transaction(settle_and_fail)
    await sam.accounting.settle(hold.attempt_id, reported(1, 4))
    assert [(row.number, row.balance) for _, row in store.view.ledger] == [(1, 10), (2, 15)]
