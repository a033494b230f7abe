"""Any interleaving of sessions, on both stores: sums agree, nothing overshoots, nothing counts twice.

The properties are numbered as in the design, section 3.
"""

import asyncio
import tempfile
from collections import Counter
from collections.abc import Coroutine
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.support.memory_store import MemoryStore
from tests.support.session import ManualClock, Session, add_user, session
from tui.core.errors import QuotaRefusedError
from tui.core.ports import State, Store
from tui.core.quota import AlertRecord, Attempt, KeySource, RowKind
from tui.core.settings import POOLED
from tui.core.usage import Measured, Provenance, Usage
from tui.services import tables
from tui.services.settings import limit_of
from tui.storage.store import JsonStore

T = TypeVar("T")
USERS = ("local", "sam")

providers = st.sampled_from(POOLED)
users = st.sampled_from(USERS)
counts = st.integers(-3, 1_500) | st.sampled_from([0, 10**9, 2**70])
usages = st.builds(Usage, counts, counts, counts, counts)


class World:
    """One data directory with a session for each user."""

    def __init__(self, store: Store, clock: ManualClock) -> None:
        self.store = store
        self.sessions: dict[str, Session] = {user: session(store, user, clock) for user in USERS}
        self.attempts: list[Attempt] = []
        self.alerts: list[AlertRecord] = []

    async def admit(self, user: str, provider: str, estimate: int, wanted: int, source: KeySource) -> object:
        try:
            hold = await self.sessions[user].hold(provider, estimate, wanted, source)
        except QuotaRefusedError as error:
            return error.reason, str(error)
        self.attempts.append(hold.attempt)
        if source is KeySource.DEFAULT:
            assert hold.attempt.held == estimate + hold.max_output
            self.assert_within_limits(hold.attempt)
        return hold.max_output, hold.attempt.held, hold.attempt.date

    def assert_within_limits(self, attempt: Attempt) -> None:
        """Property 2."""
        view = self.store.view
        pool = tables.pool(view, attempt.provider)
        assert pool.purchased is None or pool.used + pool.held <= pool.purchased
        limit = limit_of(
            tables.host_settings(view), tables.user_settings(view, attempt.user, attempt.created_at)
        )
        days = list(tables.days_of_user(view, attempt.user, attempt.date))
        assert limit is None or sum(day.used + day.held for day in days) <= limit

    async def raise_alerts(self, user: str) -> object:
        raised = await self.sessions[user].alerts.raise_due()
        self.alerts += raised
        return raised

    def totals(self) -> object:
        """Everything but ids, to be compared between stores."""
        view = self.store.view
        return (
            sorted(map(repr, (pool for _, pool in view.quotas))),
            sorted(map(repr, (day for _, day in view.daily_usage))),
            sorted(map(repr, (own for _, own in view.own_usage))),
            sorted(map(repr, (total for _, total in view.usage_rollup))),
            sorted(map(repr, (alert for _, alert in view.alerts))),
            [replace(row, attempt_id="", turn_id="") for _, row in view.ledger],
            [replace(attempt, id="", turn_id="") for _, attempt in view.attempts],
            [purchase for _, purchase in view.purchases],
        )


@settings(max_examples=25, stateful_step_count=30, suppress_health_check=[HealthCheck.too_slow])
class Accounts(RuleBasedStateMachine):
    """Two users' sessions do anything in any order; the memory store and the one on disk stay alike."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.directory = tempfile.TemporaryDirectory()
        self.clock = ManualClock()
        disk = self.runner.run(JsonStore.open(Path(self.directory.name) / "home", self.clock))
        self.worlds = [World(MemoryStore(), self.clock), World(disk, self.clock)]
        self.latest = date.min

    def teardown(self) -> None:
        for world in self.worlds:
            self.runner.run(world.store.aclose())
        self.runner.close()
        self.directory.cleanup()

    def both(self, work: "Any") -> Any:
        """Do the same in both worlds; the results must be equal (property 8)."""
        first, second = (self.run(work(world)) for world in self.worlds)
        assert first == second
        return first

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    @initialize(
        purchased=st.none() | st.integers(0, 6_000), tier=st.sampled_from(["free", "basic", "unlimited"])
    )
    def start(self, purchased: int | None, tier: str) -> None:
        for world in self.worlds:
            self.run(add_user(world.store, "sam", tier))
            if purchased is not None:
                self.run(world.sessions["local"].accounting.set_purchased("openai", purchased))

    @rule(
        user=users,
        provider=providers,
        estimate=st.integers(0, 800),
        wanted=st.integers(1, 2_000),
        source=st.sampled_from([KeySource.DEFAULT, KeySource.DEFAULT, KeySource.OWN, KeySource.NONE]),
    )
    def admit(self, user: str, provider: str, estimate: int, wanted: int, source: KeySource) -> None:
        self.both(lambda world: world.admit(user, provider, estimate, wanted, source))
        if self.worlds[0].attempts:
            latest = self.worlds[0].attempts[-1].date
            assert latest >= self.latest, "A day came back."
            self.latest = latest

    @precondition(lambda self: self.worlds[0].attempts)
    @rule(which=st.integers(0, 1_000), usage=st.none() | usages, times=st.integers(1, 2))
    def checkpoint(self, which: int, usage: Usage | None, times: int) -> None:
        for _ in range(times):
            self.both(
                lambda world: self.session(world, which).accounting.checkpoint(self.id(world, which), usage)
            )

    @precondition(lambda self: self.worlds[0].attempts)
    @rule(which=st.integers(0, 1_000), usage=usages, exact=st.booleans())
    def settle(self, which: int, usage: Usage, exact: bool) -> None:
        measured = Measured(usage, Provenance.REPORTED if exact else Provenance.ESTIMATED)
        charged = self.both(
            lambda world: self.session(world, which).accounting.settle(self.id(world, which), measured)
        )
        again = self.both(
            lambda world: self.session(world, which).accounting.settle(self.id(world, which), measured)
        )
        assert charged == again >= 0

    @precondition(lambda self: self.worlds[0].attempts)
    @rule(which=st.integers(0, 1_000))
    def release(self, which: int) -> None:
        self.both(lambda world: self.session(world, which).accounting.release(self.id(world, which)))

    @precondition(lambda self: self.worlds[0].attempts)
    @rule(which=st.integers(0, 1_000), usage=st.none() | usages, late=st.lists(usages, max_size=2))
    def stall_and_come_back(self, which: int, usage: Usage | None, late: list[Usage]) -> None:
        """Recovery charges an attempt that stood still; then its process wakes and settles, perhaps twice."""
        self.both(
            lambda world: self.session(world, which).accounting.checkpoint(self.id(world, which), usage)
        )
        self.clock.move(minutes=3)
        self.both(lambda world: world.sessions["local"].accounting.sweep())
        for reading in late:
            measured = Measured(reading, Provenance.REPORTED)
            self.both(
                partial(
                    lambda measured, world: self.session(world, which).accounting.settle(
                        self.id(world, which), measured
                    ),
                    measured,
                )
            )

    @rule(user=users)
    def sweep_twice(self, user: str) -> None:
        self.both(lambda world: world.sessions[user].accounting.sweep())
        assert self.both(lambda world: world.sessions[user].accounting.sweep()) == 0

    @rule(provider=providers, tokens=st.integers(1, 3_000), add=st.booleans())
    def purchase(self, provider: str, tokens: int, add: bool) -> None:
        def buy(world: World) -> Coroutine[Any, Any, object]:
            accounting = world.sessions["local"].accounting
            return (accounting.add_purchased if add else accounting.set_purchased)(provider, tokens)

        used = [tables.pool(world.store.view, provider).used for world in self.worlds]
        self.both(buy)
        assert used == [tables.pool(world.store.view, provider).used for world in self.worlds]

    @rule(minutes=st.sampled_from([1, 3, 60, 60 * 26, -90, -60 * 30]))
    def move_the_clock(self, minutes: int) -> None:
        self.clock.move(minutes=minutes)

    @rule(zone=st.sampled_from(["UTC", "Europe/Lisbon", "Pacific/Kiritimati", "America/New_York"]))
    def change_the_zone(self, zone: str) -> None:
        self.both(lambda world: world.sessions["local"].settings.set("time_zone", zone))

    @rule(user=users)
    def alert(self, user: str) -> None:
        self.both(lambda world: world.raise_alerts(user))

    @invariant()
    def sums_agree(self) -> None:
        """Property 1."""
        for world in self.worlds:
            for provider in POOLED:
                assert_sums(world.store.view, provider)

    @invariant()
    def one_end_for_each_attempt(self) -> None:
        """Property 3."""
        for world in self.worlds:
            view = world.store.view
            kinds = Counter((row.attempt_id, row.kind) for _, row in view.ledger)
            assert all(count == 1 for count in kinds.values())
            held = {attempt.id for _, attempt in view.attempts}
            assert not held & {attempt_id for attempt_id, _ in kinds}
            assert all((attempt_id, RowKind.TURN) in kinds for attempt_id, _ in kinds)

    @invariant()
    def each_alert_once(self) -> None:
        """Property 7."""
        for world in self.worlds:
            keys = [(alert.scope, alert.level, alert.epoch) for alert in world.alerts]
            assert len(keys) == len(set(keys))

    @invariant()
    def both_stores_hold_the_same(self) -> None:
        """Property 8."""
        assert self.worlds[0].totals() == self.worlds[1].totals()

    def session(self, world: World, which: int) -> Session:
        return world.sessions[world.attempts[which % len(world.attempts)].user]

    def id(self, world: World, which: int) -> str:
        return world.attempts[which % len(world.attempts)].id


def assert_sums(view: State, provider: str) -> None:
    """The ledger, the pool, the days, the rollup and the open holds of one provider say the same."""
    pool = tables.pool(view, provider)
    default = [
        row for _, row in view.ledger if (row.provider, row.key_source) == (provider, KeySource.DEFAULT)
    ]
    days = [day for _, day in view.daily_usage if day.provider == provider]
    rolled = [
        total
        for _, total in view.usage_rollup
        if (total.provider, total.key_source) == (provider, KeySource.DEFAULT)
    ]
    assert pool.used == sum(row.tokens for row in default) == sum(day.used for day in days)
    assert pool.used == sum(total.tokens for total in rolled)
    held = [attempt.held for _, attempt in view.attempts if attempt.provider == provider]
    assert pool.held == sum(held) == sum(day.held for day in days)
    assert pool.estimated == sum(day.estimated for day in days) == sum(total.estimated for total in rolled)
    assert 0 <= pool.estimated <= pool.used
    assert all(min(day.used, day.held, day.estimated) >= 0 for day in days)
    by_day = Counter[tuple[str, date]]()
    for row in default:
        by_day[row.user, row.date] += row.tokens
    assert all(day.used == by_day[day.user, day.date] for day in days), "A day changed by another's attempt."


TestAccounts = Accounts.TestCase
