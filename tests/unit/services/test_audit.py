"""An audit of data that others write meanwhile, or that was folded, restored or migrated."""

import json
import shutil
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.session import ManualClock, Session, reported, session
from tui.core.periods import Period
from tui.core.ports import State, Store
from tui.core.quota import KeySource, LedgerRow
from tui.services import ledger, tables
from tui.services.audit import AuditReport, audit, report_json
from tui.services.ledger import LEASE, AdmissionRequest, Charge
from tui.services.restoring import bring_forward
from tui.storage.backup import make_backup
from tui.storage.restore import Restoration
from tui.storage.store import JsonStore

VERSION_ONE = Path(__file__).parents[1] / "storage" / "data" / "v1"


@pytest.fixture
async def disk(
    ctroom_home: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[JsonStore]:
    """A store on disk whose archive takes all but the two newest rows."""
    monkeypatch.setattr("tui.storage.upkeep.KEPT_LIVE", 2)
    opened = await JsonStore.open(ctroom_home, clock)
    yield opened
    await opened.aclose()


async def _spend(store: Store, clock: ManualClock, turns: int, tokens: int = 10) -> None:
    """Whole turns, a minute apart, all in one transaction."""

    def work(state: State) -> None:
        for number in range(turns):
            provider = ("openai", "google")[number % 2]
            request = AdmissionRequest(f"turn-{clock.now}", provider, "a-model", KeySource.DEFAULT, 5, tokens)
            hold = ledger.hold(state, "local", request, clock())
            clock.move(minutes=1)
            ledger.settle(state, hold.attempt_id, Charge(reported(3, tokens - 3)), clock())

    await store.transaction(work)


async def test_both_stores_are_audited_alike(store: Store, local: Session) -> None:
    await local.accounting.set_purchased("openai", 1_000)
    await local.spend(250)
    await local.hold()
    report = await audit(store)
    assert report.sentence == ("The ledger holds: 1 row, 1 month, OpenAI 250 used of 1,000, Google 0 used.")
    assert report_json(report)["rows"] == 1

    def overcharge(state: State) -> None:
        tables.change_pool(state, replace(tables.pool(state, "openai"), used=251))

    await store.transaction(overcharge)
    assert (await audit(store)).sentence == (
        "The ledger does not hold: openai (ctroom.json, table quotas) says used 251, "
        "but its ledger rows make 250."
    )


class Busy(JsonStore):
    """A store that lets something happen between the look at the state and the look at the archive."""

    meanwhile: Callable[[], object]
    months_read = 0
    lost = 0
    """How often the last row of a month is not seen."""

    async def load_archived(self, month: str) -> tuple[LedgerRow, ...]:
        self.months_read += 1
        await self.meanwhile()  # type: ignore[misc]  # an awaitable of whatever kind
        rows = await super().load_archived(month)
        if self.lost:
            self.lost -= 1
            return rows[:-1]
        return rows


async def test_turns_that_end_and_move_meanwhile_do_not_matter(disk: JsonStore, clock: ManualClock) -> None:
    await _spend(disk, clock, 9)
    busy = await Busy.open(disk.home, clock)

    async def write() -> None:
        await _spend(disk, clock, 9)
        await disk.archive_ledger()

    assert isinstance(busy, Busy)
    busy.meanwhile = write
    report = await audit(busy)
    await busy.aclose()
    assert (report.holds, report.rows, busy.months_read) == (True, 9, 1)
    assert len(await disk.load_archived("2026-11")) == 16


@pytest.mark.parametrize(("writing", "looks", "holds"), [(True, 2, True), (False, 1, False)])
async def test_what_does_not_hold_is_looked_at_again_if_it_changed(
    disk: JsonStore, clock: ManualClock, writing: bool, looks: int, holds: bool
) -> None:
    await _spend(disk, clock, 9)
    await disk.archive_ledger()
    busy = await Busy.open(disk.home, clock)

    async def write() -> None:
        if writing:
            await _spend(disk, clock, 1)

    assert isinstance(busy, Busy)
    busy.meanwhile, busy.lost = write, 1
    report = await audit(busy)
    await busy.aclose()
    assert (report.holds, busy.months_read) == (holds, looks), report.sentence


async def test_a_turn_that_ends_after_midnight_belongs_to_the_month_before(
    disk: JsonStore, clock: ManualClock
) -> None:
    local = session(disk, clock=clock)
    clock.move(days=7, hours=1, minutes=58)
    holds = [await local.hold() for _ in range(2)]
    clock.move(minutes=1)
    await local.accounting.checkpoint(holds[0].attempt_id, None)
    clock.move(minutes=2)
    await local.spend(30)
    await local.accounting.settle(holds[0].attempt_id, reported(10, 10))
    await local.spend(30, "google")
    clock.move(seconds=LEASE.total_seconds())
    await local.accounting.sweep()
    await disk.archive_ledger()
    await local.accounting.settle(holds[1].attempt_id, reported(20, 10))
    rows = [row for month in await disk.ledger_months() for row in await disk.load_ledger(month)]
    assert [(f"{row.date:%m-%d}", row.number) for row in rows] == [
        ("11-30", 2), ("11-30", 4), ("11-30", 5), ("12-01", 1), ("12-01", 3),
    ]  # fmt: skip
    report = await audit(disk)
    assert report.holds, report.sentence


@pytest.fixture
async def years(disk: JsonStore, clock: ManualClock) -> JsonStore:
    """Turns of three years, whose totals were folded."""
    for _ in range(13):
        await _spend(disk, clock, 3)
        clock.move(days=90)
    return disk


async def test_folded_totals_are_compared_by_their_month_or_year(years: JsonStore) -> None:
    periods = {record.period for _, record in years.view.usage_rollup}
    assert periods == set(Period) == {record.period for _, record in years.view.daily_usage}
    report = await audit(years)
    assert (report.holds, report.rows) == (True, 39), report.sentence


@pytest.mark.parametrize("period", Period)
@pytest.mark.parametrize("table", ["daily_usage", "usage_rollup"])
async def test_a_folded_total_that_somebody_changed_is_named(
    years: JsonStore, period: Period, table: str
) -> None:
    def change(state: State) -> str:
        records = getattr(state, table)
        doc_id, record = next(entry for entry in records.newest() if entry[1].period is period)
        records.replace(doc_id, replace(record, estimated=1))
        length = {Period.DAY: 10, Period.MONTH: 7, Period.YEAR: 4}[period]
        return f"{record.date.isoformat()[:length]} local {record.provider}"

    named = await years.transaction(change)
    sentence = (await audit(years)).sentence
    assert sentence.startswith(f"The ledger does not hold: {named}"), sentence
    assert f"table {table}) says estimated 1, but its ledger rows make 0." in sentence


async def test_a_late_settle_in_a_folded_month_holds(disk: JsonStore, clock: ManualClock) -> None:
    local = session(disk, clock=clock)
    hold = await local.hold()
    clock.move(minutes=3)
    await local.accounting.sweep()
    clock.move(days=100)
    await _spend(disk, clock, 9)
    await disk.archive_ledger()
    assert {record.period for _, record in disk.view.daily_usage} == {Period.DAY, Period.MONTH}
    assert await local.accounting.settle(hold.attempt_id, reported(20, 10)) == 30
    report = await audit(disk)
    assert report.holds, report.sentence


async def test_what_a_restore_brought_back_holds_and_stays_in_order(
    disk: JsonStore, clock: ManualClock
) -> None:
    for day in range(3):
        await _spend(disk, clock, 6)
        if day == 1:
            make_backup(disk.home, "2026-11-24")
        await disk.archive_ledger()
        clock.move(hours=1)
    month = disk.home / "ledger" / "2026-11.json"
    documents = json.loads(month.read_bytes())
    rows = documents["ledger"].items()
    documents["ledger"] = {key: row for key, row in rows if row["number"] not in (2, 3, 8, 9)}
    month.write_text(json.dumps(documents))
    assert "rows 2 to 3 are missing before row 4 " in (await audit(disk)).sentence

    Restoration(disk.home, "2026-11-24", bring_forward, clock).run()
    await disk.refresh()
    await _check(disk)
    await _spend(disk, clock, 6)
    await disk.archive_ledger()
    report = await _check(disk)
    assert report.rows == 24


async def _check(store: JsonStore) -> AuditReport:
    report = await audit(store)
    assert report.holds, report.sentence
    return report


@pytest.fixture
async def migrated(disk: JsonStore, clock: ManualClock) -> JsonStore:
    """Data of version 1, with turns since, whose rows are numbered."""
    await disk.aclose()
    shutil.rmtree(disk.home, ignore_errors=True)
    shutil.copytree(VERSION_ONE, disk.home)
    return await JsonStore.open(disk.home, clock)


@pytest.mark.parametrize(
    ("number", "tokens", "balance", "named"),
    [
        (0, 7, 0, r"2026-11-03 sam openai gpt-5.1 own (ctroom.json, table usage_rollup) says input"),
        (1, 0, 7, "row 1 (attempt "),
        (
            1,
            7,
            0,
            "2026-11-23 local openai a-model-without-a-price default (ctroom.json, table usage_rollup)",
        ),
        (2, 7, 0, "row 2 (attempt "),
        (2, 7, 7, "row 3 (attempt "),
    ],
)
async def test_rows_from_before_they_were_numbered_are_proved_by_their_sums(
    migrated: JsonStore, clock: ManualClock, number: int, tokens: int, balance: int, named: str
) -> None:
    local = session(migrated, clock=clock)
    for _ in range(3):
        await local.spend(50)
    assert (await audit(migrated)).holds

    def change(state: State) -> None:
        doc_id, row = next(entry for entry in state.ledger if entry[1].number == number)
        changed = replace(row, input=row.input + tokens, tokens=row.tokens + tokens)
        if number:
            changed = replace(changed, balance=(row.balance or 0) + balance)
        state.ledger.replace(doc_id, changed)

    await migrated.transaction(change)
    sentence = (await audit(migrated)).sentence
    await migrated.aclose()
    assert sentence.startswith(f"The ledger does not hold: {named}"), sentence
