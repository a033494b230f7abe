"""The properties are worth something: each protection, taken away, is found missing by the state machine."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, Verbosity, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.support.accounting_machine import Accounts
from tests.support.accounting_worlds import FaultyMemoryStore, InMemory, OnDisk
from tests.support.memory_store import MemoryStore
from tui.core import days
from tui.core.errors import StorageError, StorageErrorKind
from tui.core.ports import State
from tui.core.quota import Admission, AlertRecord, Attempt, LedgerRow, Limit, Pool, RowKind
from tui.core.settings import UserRole
from tui.core.usage import Measured, Provenance, Usage
from tui.services import ledger, tables
from tui.services.alerts import Alerts
from tui.services.ledger import Charge, Hold
from tui.services.settings import limit_of
from tui.storage import archive, upkeep
from tui.storage.state_file import StateFile

Patch = pytest.MonkeyPatch
Mutation = Callable[[Patch], None]

MUTATIONS: list[Mutation] = []
ON_DISK: list[Mutation] = []


def mutation(apply: Mutation) -> Mutation:
    """A protection of the accounts that is taken away."""
    MUTATIONS.append(apply)
    return apply


def on_disk(apply: Mutation) -> Mutation:
    """A protection of the store on disk that is taken away."""
    ON_DISK.append(apply)
    return apply


# Admission


@mutation
def holds_are_not_looked_at(patch: Patch) -> None:
    limits = ledger.limits

    def blind(*args: Any) -> tuple[Limit, Limit]:
        pool, day = limits(*args)
        return replace(pool, held=0), replace(day, held=0)

    patch.setattr(ledger, "limits", blind)


@mutation
def the_pool_does_not_hold(patch: Patch) -> None:
    change = tables.change_pool
    patch.setattr(tables, "change_pool", lambda state, pool: change(state, replace(pool, held=0)))


@mutation
def what_was_granted_for_a_day_is_forgotten(patch: Patch) -> None:
    patch.setattr(ledger, "allowance_of", lambda host, user, _day: limit_of(host, user))


@mutation
def the_day_has_no_limit(patch: Patch) -> None:
    limits = ledger.limits
    patch.setattr(ledger, "limits", lambda *args: (limits(*args)[0], Limit(None)))


@mutation
def only_the_hold_is_capped(patch: Patch) -> None:
    hold = ledger.hold

    def uncapped(state: State, user: str, request: ledger.AdmissionRequest, now: datetime) -> Hold:
        return replace(hold(state, user, request, now), max_output=request.wanted_output)

    patch.setattr(ledger, "hold", uncapped)


@mutation
def nothing_is_capped(patch: Patch) -> None:
    patch.setattr(ledger, "admit", lambda estimate, wanted, pool, day: Admission(wanted, estimate + wanted))


# The end of an attempt


@mutation
def a_settled_attempt_stays_open(patch: Patch) -> None:
    settle = ledger.settle

    def reopen(state: State, attempt_id: str, *rest: Any) -> int | None:
        found = state.attempts.find(lambda attempt: attempt.id == attempt_id)
        charged = settle(state, attempt_id, *rest)
        if found:
            state.attempts.insert(found[1])
        return charged

    patch.setattr(ledger, "settle", reopen)


@mutation
def a_second_settle_charges_again(patch: Patch) -> None:
    patch.setattr(ledger, "_orphan", lambda rows: rows[-1])


@mutation
def a_release_charges(patch: Patch) -> None:
    def charge(state: State, attempt_id: str, now: datetime, archived: Sequence[LedgerRow] = ()) -> bool:
        spent = Charge(Measured(Usage(1, 1), Provenance.REPORTED), 0)
        return ledger.settle(state, attempt_id, spent, now, archived) is not None

    patch.setattr(ledger, "release", charge)


@mutation
def a_release_keeps_its_hold(patch: Patch) -> None:
    patch.setattr(ledger, "_unhold", lambda state, attempt: None)


@mutation
def impossible_usage_is_believed(patch: Patch) -> None:
    patch.setattr(ledger, "trusted", lambda measured, attempt: measured)


@mutation
def suspicion_is_not_recorded(patch: Patch) -> None:
    trusted = ledger.trusted
    patch.setattr(ledger, "trusted", lambda *args: replace(trusted(*args), suspicious=False))


@mutation
def a_late_settle_posts_it_all(patch: Patch) -> None:
    def whole(state: State, orphan: LedgerRow, charge: Charge, now: datetime) -> int:
        usage = charge.measured.usage
        row = replace(
            orphan,
            kind=RowKind.ADJUSTMENT,
            at=now,
            input=usage.input,
            output=usage.output,
            tokens=usage.total,
            provenance=charge.measured.provenance,
        )
        ledger.post(state, row, held=0, estimated=0)
        return usage.total

    patch.setattr(ledger, "_adjust", whole)


@mutation
def the_days_total_is_forgotten(patch: Patch) -> None:
    patch.setattr(tables, "add_to_rollup", lambda state, row, estimated: None)


# Days


@mutation
def the_day_is_that_of_the_settle(patch: Patch) -> None:
    row = ledger._row

    def late(attempt: Attempt, charge: Charge, now: datetime) -> LedgerRow:
        return row(replace(attempt, date=now.date()), charge, now)

    patch.setattr(ledger, "_row", late)


@mutation
def days_go_backwards(patch: Patch) -> None:
    patch.setattr(tables, "day_of", lambda now, zone, latest=None: days.day_of(now, zone))


@mutation
def every_day_is_one_of_utc(patch: Patch) -> None:
    def utc(now: datetime, zone: str, latest: date | None = None) -> date:
        return max(now.astimezone(UTC).date(), latest or date.min)

    patch.setattr(tables, "day_of", utc)


# Checkpoints and recovery


@mutation
def a_lower_reading_counts(patch: Patch) -> None:
    def take(state: State, attempt_id: str, usage: Usage | None, now: datetime) -> bool:
        found = state.attempts.find(lambda attempt: attempt.id == attempt_id)
        if found:
            usage = usage if usage and ledger._sane(usage) else found[1].checkpoint
            lease = now + ledger.LEASE
            state.attempts.replace(found[0], replace(found[1], checkpoint=usage, lease_until=lease))
        return found is not None

    patch.setattr(ledger, "checkpoint", take)


@mutation
def a_checkpoint_does_not_renew_the_lease(patch: Patch) -> None:
    checkpoint = ledger.checkpoint

    def stale(state: State, attempt_id: str, usage: Usage | None, now: datetime) -> bool:
        found = state.attempts.find(lambda attempt: attempt.id == attempt_id)
        done = checkpoint(state, attempt_id, usage, now)
        if found and (after := state.attempts.get(found[0])):
            state.attempts.replace(found[0], replace(after, lease_until=found[1].lease_until))
        return done

    patch.setattr(ledger, "checkpoint", stale)


@mutation
def recovery_takes_what_is_alive(patch: Patch) -> None:
    patch.setattr(ledger, "expired", lambda attempt, now: True)


@mutation
def recovery_forgets_the_checkpoint(patch: Patch) -> None:
    lost = ledger.lost
    patch.setattr(ledger, "lost", lambda attempt: lost(replace(attempt, checkpoint=None)))


# Alerts, purchases and prices


@mutation
def a_raised_alert_is_not_recorded(patch: Patch) -> None:
    patch.setattr(Alerts, "_record", lambda self, state: tuple(self._due(state)))


@mutation
def a_top_up_does_not_rearm(patch: Patch) -> None:
    present = Alerts._present

    def one_epoch(self: Alerts, state: State, now: datetime) -> Iterator[AlertRecord]:
        return (replace(alert, epoch="1") for alert in present(self, state, now))

    patch.setattr(Alerts, "_present", one_epoch)


@mutation
def members_hear_of_the_pool(patch: Patch) -> None:
    user_settings = tables.user_settings

    def promoted(state: State, user: str, now: datetime) -> Any:
        return replace(user_settings(state, user, now), role=UserRole.ADMIN)

    patch.setattr("tui.services.alerts.tables.user_settings", promoted)


@mutation
def a_top_up_resets_what_was_used(patch: Patch) -> None:
    change = tables.change_pool

    def reset(state: State, pool: Pool) -> None:
        topped_up = pool.epoch != tables.pool(state, pool.provider).epoch
        change(state, replace(pool, used=0) if topped_up else pool)

    patch.setattr(tables, "change_pool", reset)


@mutation
def a_new_price_changes_old_rows(patch: Patch) -> None:
    post = ledger.post

    def reprice(state: State, row: LedgerRow, **rest: Any) -> None:
        post(state, row, **rest)
        for doc_id, old in list(state.ledger):
            if row.cost and row.tokens > 0:
                state.ledger.replace(doc_id, replace(old, cost=old.tokens * (row.cost // row.tokens)))

    patch.setattr(ledger, "post", reprice)


# Stores


@mutation
def a_failed_commit_is_seen(patch: Patch) -> None:
    def seen(self: FaultyMemoryStore, state: State) -> None:
        MemoryStore._commit(self, state)
        if self.fault:
            raise StorageError(StorageErrorKind.FULL, "The state could not be saved.")

    patch.setattr(FaultyMemoryStore, "_commit", seen)


@on_disk
def a_process_does_not_look_at_what_others_did(patch: Patch) -> None:
    load = StateFile.load

    def stale(self: StateFile) -> Any:
        self.__dict__.setdefault("first", load(self))
        return self.__dict__["first"]

    patch.setattr(StateFile, "load", stale)


@on_disk
def moved_rows_are_lost(patch: Patch) -> None:
    patch.setattr(archive.LedgerArchive, "add", lambda self, rows: None)


@on_disk
def rows_in_both_places_are_read_twice(patch: Patch) -> None:
    patch.setattr(upkeep, "unique_rows", tuple)
    patch.setattr(archive, "row_key", lambda row: object())


class MutantInMemory(Accounts):
    backends = (InMemory,)


class MutantOnDisk(Accounts):
    backends = (OnDisk,)


@pytest.mark.parametrize("take_away", MUTATIONS, ids=lambda apply: apply.__name__)
def test_a_missing_protection_is_found(take_away: Mutation, monkeypatch: Patch) -> None:
    take_away(monkeypatch)
    assert_found(MutantInMemory)


@pytest.mark.parametrize("take_away", ON_DISK, ids=lambda apply: apply.__name__)
def test_a_missing_protection_of_the_files_is_found(take_away: Mutation, monkeypatch: Patch) -> None:
    monkeypatch.setattr(upkeep, "KEPT_LIVE", 2)
    monkeypatch.setattr(upkeep.Upkeep._move_rows, "__defaults__", (4,))
    take_away(monkeypatch)
    assert_found(MutantOnDisk)


def assert_found(machine: type[Accounts]) -> None:
    """Some example fails; which is the smallest is of no interest."""
    with pytest.raises(AssertionError):
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=1_000,
                stateful_step_count=30,
                phases=[Phase.generate],
                verbosity=Verbosity.quiet,
                report_multiple_bugs=False,
                database=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
