"""A state machine that does anything in any order to the accounts, and holds them against `Model`.

Every operation is done in each world, by any process and any user's session, perhaps with a commit that
fails; its result and every total must be the model's. Properties are numbered as in the design, section 3:

1. Sums: `sums`.
2. Limits: `admit` (whoever is admitted fits, whoever is refused would not), `nothing_overshoots`.
3. Exactly one end: `settle`, `release`, `rows`.
4. Crashes: `crash`, every `fault`, `sweep_twice`.
5. Days: `move_the_clock`, `change_the_host`, `sums` for every day there ever was.
6. Repeated and lower readings: `checkpoint`.
7. Alerts and prices: `alert`, `change_the_host`, `rows`.
8. Backends: every result and every table, compared between the worlds.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from operator import attrgetter
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.support.accounting_model import Model, Refused, raised
from tests.support.accounting_worlds import (
    PROCESSES,
    USERS,
    Backend,
    Fault,
    InMemory,
    OnDisk,
    Price,
    World,
    contents,
)
from tests.support.session import ManualClock
from tui.core.errors import RefusalReason
from tui.core.periods import Period
from tui.core.ports import State
from tui.core.quota import KeySource, LedgerRow, RowKind
from tui.core.settings import DEFAULT_TIERS, POOLED
from tui.core.usage import Measured, Provenance, Usage
from tui.services import tables
from tui.services.audit import audit
from tui.services.users import Users

ZONES = (
    "UTC",
    "Europe/Lisbon",
    "America/New_York",
    "Pacific/Kiritimati",
    "Asia/Kolkata",
    "Asia/Beirut",
    "Australia/Lord_Howe",
)
MOMENTS = tuple(
    datetime(*moment, tzinfo=UTC)
    for moment in (
        (2026, 10, 25, 0, 59),  # Lisbon's and Beirut's clocks go back
        (2026, 11, 24, 0, 0),
        (2026, 11, 30, 23, 59),
        (2027, 3, 27, 21, 59),  # Beirut's midnight is skipped
        (2027, 3, 28, 0, 59),
        (2027, 4, 3, 14, 59),  # Lord Howe's clocks go back by half an hour
    )
)

# What is rare in each run is found by none: so most is done by two users with one provider.
providers = st.sampled_from(["openai", "openai", "openai", "google"])
users = st.sampled_from(["local", "local", "sam", "sam", "kim"])
processes = st.integers(0, PROCESSES - 1)
attempts = st.integers(0, 1_000)
faults = st.sampled_from([*[None] * 6, *Fault])
counts = st.integers(0, 1_500) | st.integers(-3, 4_000) | st.sampled_from([0, 10**9, 2**70])
plausible = st.builds(Usage, st.integers(0, 300), st.integers(0, 300))
usages = plausible | plausible | st.builds(Usage, counts, counts, counts, counts)
amounts = st.integers(0, 3_000) | st.integers(4_000, 30_000)
changes = st.one_of(
    st.tuples(st.just("limit"), st.tuples(st.sampled_from(["free", "basic"]), amounts)),
    st.tuples(st.just("tier"), st.sampled_from(["free", "basic", "unlimited"])),
    st.tuples(st.just("zone"), st.sampled_from(ZONES)),
    st.tuples(st.just("price"), st.integers(1, 5)),
)
estimates = st.integers(0, 200) | st.integers(0, 2_000)
outputs = st.integers(1, 300) | st.integers(1, 4_000) | st.just(50_000)
key_sources = st.sampled_from([*[KeySource.DEFAULT] * 4, KeySource.OWN, KeySource.NONE])

Step = Callable[[World], Callable[[], Awaitable[Any]]]


class Accounts(RuleBasedStateMachine):
    """Sessions of several users in two processes, over each backend."""

    backends: ClassVar[tuple[Callable[[ManualClock], Backend], ...]] = (InMemory, OnDisk)

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.clock = ManualClock()
        self.price = Price()
        self.model = Model(dict(DEFAULT_TIERS), dict(USERS), frozenset({"local"}))
        self.worlds = [World(backend(self.clock), self.clock, self.price) for backend in self.backends]
        self.owned: dict[int, int] = {}
        """The attempts that a process knows of, and the process: others can only recover them."""
        self.rows_seen: dict[tuple[int, str, RowKind], LedgerRow] = {}
        for world in self.worlds:
            self.runner.run(world.start())

    def teardown(self) -> None:
        for world in self.worlds:
            self.runner.run(world.close())
        self.runner.close()

    # Operations

    @initialize(purchased=amounts | amounts | st.none(), nano=st.integers(1, 5))
    def start(self, purchased: int | None, nano: int) -> None:
        self.price.nano = self.model.price = nano
        if purchased is not None:
            self.purchase("openai", purchased, False, 0, None)

    @rule(
        user=users,
        process=processes,
        provider=providers,
        estimate=estimates,
        wanted=outputs,
        source=key_sources,
        fault=faults,
    )
    def admit(
        self,
        user: str,
        process: int,
        provider: str,
        estimate: int,
        wanted: int,
        source: KeySource,
        fault: Fault | None,
    ) -> None:
        asked = {"provider": provider, "estimate": estimate, "wanted": wanted, "source": source}
        result = self.everywhere(lambda world: partial(world.admit, process, user, **asked), fault)
        if fault is Fault.UNCOMMITTED and result is fault:
            return
        expected = self.model.admit(user, provider, estimate, wanted, source, self.clock.now)
        if not isinstance(expected, Refused):
            assert result in (expected, fault), f"Admitted with {result} tokens of output, not {expected}."
            if result is not fault:
                self.owned[self.model.count - 1] = process
            if source is KeySource.DEFAULT:
                self.assert_fits(provider, user)
        elif expected.by == "others":
            assert result is RefusalReason.HELD_BY_OTHERS
        else:
            gone = RefusalReason.POOL_EXHAUSTED if expected.by == "pool" else RefusalReason.DAY_EXHAUSTED
            assert result in (gone, RefusalReason.PROMPT_TOO_LONG), f"Refused by the wrong limit: {result}."

    @precondition(lambda self: self.owned)
    @rule(attempt=attempts, readings=st.lists(st.none() | usages, min_size=1, max_size=3), fault=faults)
    def checkpoint(self, attempt: int, readings: list[Usage | None], fault: Fault | None) -> None:
        for usage in readings:
            self.checkpoint_once(attempt, usage, fault)

    def checkpoint_once(self, attempt: int, usage: Usage | None, fault: Fault | None) -> None:
        self.clock.move(seconds=1)  # so that the lease is always another: only changes are committed
        self.of_attempt(
            attempt,
            lambda accounting, attempt_id: accounting.checkpoint(attempt_id, usage),
            lambda number: self.model.checkpoint(number, usage, self.clock.now),
            fault,
        )

    @precondition(lambda self: self.owned)
    @rule(attempt=attempts, usage=usages, exact=st.booleans(), fault=faults)
    def settle(self, attempt: int, usage: Usage, exact: bool, fault: Fault | None) -> None:
        """Settle, and again: whoever was not told that it was done tries once more."""
        measured = Measured(usage, Provenance.REPORTED if exact else Provenance.ESTIMATED)
        chosen = self.chosen(attempt)
        for trouble in (fault, None):
            self.of_attempt(
                self.choice_of(chosen),
                lambda accounting, attempt_id: accounting.settle(attempt_id, measured),
                lambda number: self.model.settle(number, usage, exact, self.clock.now),
                trouble,
            )

    @rule(user=users, process=processes, percent=st.sampled_from([25, 15, 9, 0]), top_up=st.booleans())
    def spend_down(self, user: str, process: int, percent: int, top_up: bool) -> None:
        """A provider that ignores the cap leaves so much of the pool; then perhaps again after a top-up."""
        self.spend_to(percent, user, process)
        if top_up:
            self.purchase("openai", 2_000, True, process, None)
            self.spend_to(percent, user, process)

    def spend_to(self, percent: int, user: str, process: int) -> None:
        purchased = self.model.purchased("openai")
        tokens = (purchased or 0) * (100 - percent) // 100 - self.model.pool_used("openai")
        before = self.model.count
        if tokens > 1:
            self.admit(user, process, "openai", 1, 1, KeySource.DEFAULT, None)
        if self.model.count > before:
            self.settle_number(before, Usage(1, tokens - 1))
        for one in ("local", user):
            for place in range(PROCESSES):
                self.alert(one, place, None)

    @rule(user=users, other=users, process=processes, wanted=outputs)
    def at_once(self, user: str, other: str, process: int, wanted: int) -> None:
        """Two turns want all that is left."""
        self.admit(user, process, "openai", 20, wanted, KeySource.DEFAULT, None)
        self.admit(other, 1 - process, "openai", 20, 50_000, KeySource.DEFAULT, None)

    @rule(user=users, process=processes, ends=st.permutations(range(3)), archived=st.booleans())
    def turns_over_midnight(self, user: str, process: int, ends: list[int], archived: bool) -> None:
        """Three turns, the last two on a later day, with a late reading each: two end, in any order."""
        begun: list[int] = []
        for days in (0, 1, 0):
            self.clock.move(days=days)
            before = self.model.count
            self.admit(user, process, "openai", 20, 100, KeySource.DEFAULT, None)
            begun += range(before, self.model.count)
        for number in begun:
            for usage in (Usage(20, 10), Usage(20, 5)):
                self.checkpoint_once(self.choice_of(number), usage, None)
        for number in (begun[end] for end in ends[:2] if end < len(begun)):
            self.settle_number(number, Usage(20, 30))
        if archived:
            self.archive(process, None)

    @precondition(lambda self: self.owned)
    @rule(attempt=attempts, fault=faults)
    def release(self, attempt: int, fault: Fault | None) -> None:
        self.of_attempt(
            attempt,
            lambda accounting, attempt_id: accounting.release(attempt_id),
            lambda number: self.model.release(number, self.clock.now),
            fault,
        )

    @precondition(lambda self: self.owned)
    @rule(attempt=attempts, usage=st.none() | usages, late=usages, archived=st.booleans())
    def stall_and_come_back(self, attempt: int, usage: Usage | None, late: Usage, archived: bool) -> None:
        """Recovery charges an attempt that stood still; then its process wakes and settles."""
        number = self.chosen(attempt)
        self.checkpoint_once(attempt, usage, None)
        self.clock.move(minutes=3)
        self.sweep_twice("local", 1, None)
        if archived:
            self.archive(1, None)
        self.settle_number(number, late)

    @rule(user=users, process=processes, fault=faults)
    def sweep_twice(self, user: str, process: int, fault: Fault | None) -> None:
        def sweep(world: World) -> Callable[[], Awaitable[int]]:
            return world.session(process, user).accounting.sweep

        result = self.everywhere(sweep, fault)
        if not (fault is Fault.UNCOMMITTED and result is fault):
            assert result in (self.model.sweep(self.clock.now), fault)
            assert self.everywhere(sweep, None) == 0, "Recovery found something again."

    @rule(process=processes)
    def crash(self, process: int) -> None:
        for world in self.worlds:
            self.runner.run(world.crash(process))
        self.owned = {number: owner for number, owner in self.owned.items() if owner != process}

    @rule(provider=providers, tokens=amounts, add=st.booleans(), process=processes, fault=faults)
    def purchase(self, provider: str, tokens: int, add: bool, process: int, fault: Fault | None) -> None:
        tokens += add  # nothing can't be added

        def buy(world: World) -> Callable[[], Awaitable[int | None]]:
            accounting = world.session(process, "local").accounting

            async def bought() -> int | None:
                entered = accounting.add_purchased if add else accounting.set_purchased
                return (await entered(provider, tokens)).purchased

            return bought

        result = self.everywhere(buy, fault)
        if not (fault is Fault.UNCOMMITTED and result is fault):
            assert result in (self.model.purchase(provider, tokens, add=add), fault)

    @rule(user=users, process=processes, fault=faults)
    def give_the_day_back(self, user: str, process: int, fault: Fault | None) -> None:
        def give(world: World) -> Callable[[], Awaitable[int]]:
            return partial(Users(world.stores[process], self.clock, "local").reset, user)

        result = self.everywhere(give, fault)
        if not (fault is Fault.UNCOMMITTED and result is fault):
            assert result in (self.model.give_back(user, self.clock.now), fault)

    @rule(change=changes, process=processes)
    def change_the_host(self, change: tuple[str, Any], process: int) -> None:
        model = self.model
        match change:
            case "limit", (tier, tokens):
                self.set(process, f"tiers.{tier}", str(tokens))
                model.tiers[tier] = tokens
            case "tier", tier:
                self.set(process, "tier", tier)
                model.users["local"] = tier
            case "zone", zone:
                self.set(process, "time_zone", zone)
                model.zone = zone
            case "price", nano:
                self.price.nano = model.price = nano

    @rule(to=st.sampled_from([3, 60 * 26, -60 * 30, 90]) | st.sampled_from(MOMENTS))
    def move_the_clock(self, to: datetime | int) -> None:
        self.clock.now = to if isinstance(to, datetime) else self.clock.now + timedelta(minutes=to)

    @rule(user=users, process=processes, fault=faults)
    def alert(self, user: str, process: int, fault: Fault | None) -> None:
        def look(world: World) -> Callable[[], Awaitable[object]]:
            async def shown() -> object:
                await world.stores[process].refresh()
                return raised(await world.session(process, user).alerts.raise_due())

            return shown

        result = self.everywhere(look, fault)
        if not (fault is Fault.UNCOMMITTED and result is fault):
            assert result in (self.model.alerts(user, self.clock.now), fault)

    @precondition(lambda self: len(self.model.entries) > 2)
    @rule(process=processes, fault=st.sampled_from([None, Fault.UNCOMMITTED]))
    def archive(self, process: int, fault: Fault | None) -> None:
        """Old rows move; a crash in between leaves some in both places."""
        for world in self.worlds:
            self.runner.run(world.under(fault, partial(world.archive, process)))

    @rule(process=processes)
    def look_around(self, process: int) -> None:
        """A process takes over what others did; then it sees the same, and a replay proves it."""
        for world in self.worlds:
            store = world.stores[process]
            self.runner.run(store.refresh())
            assert contents(store.view) == contents(world.stores[0].view)
            report = self.runner.run(audit(store))
            assert report.holds, report.sentence
            assert report.rows == len(self.model.entries)

    # What holds after each

    @invariant()
    def everything_holds(self) -> None:
        for world in self.worlds:
            self.runner.run(world.stores[0].refresh())
        self.sums()
        self.nothing_overshoots()
        self.rows()
        self.attempts_are_held_once()
        self.figures_are_the_ledgers()
        self.backends_agree()

    def sums(self) -> None:
        for world in self.worlds:
            view = world.stores[0].view
            for provider in POOLED:
                self.assert_pool(view, provider)
            self.assert_days(view)
            self.assert_rollup(view)
            self.assert_own_usage(view)

    def nothing_overshoots(self) -> None:
        for world in self.worlds:
            for provider in POOLED:
                pool = tables.pool(world.stores[0].view, provider)
                forgiven = self.model.overshoot_forgiven(provider)
                assert pool.purchased is None or pool.used + pool.held - pool.purchased <= forgiven

    def rows(self) -> None:
        """Every row is the model's, and stays as it was written."""
        for place, world in enumerate(self.worlds):
            rows = self.runner.run(world.ledger(0))
            expected = sorted(self.model.entries, key=lambda entry: (entry.attempt, entry.adjustment))
            assert [predicted(row) for row in rows] == [
                (
                    entry.attempt,
                    entry.user,
                    entry.provider,
                    entry.source,
                    entry.day,
                    entry.tokens,
                    entry.provenance,
                    entry.suspicious,
                    entry.adjustment,
                    entry.at,
                    entry.cost,
                )
                for entry in expected
            ]
            for row in rows:
                assert self.rows_seen.setdefault((place, row.attempt_id, row.kind), row) == row

    def attempts_are_held_once(self) -> None:
        for world in self.worlds:
            held = {attempt.id: attempt for _, attempt in world.stores[0].view.attempts}
            assert held.keys() == {world.attempts[number] for number in self.model.open}
            for number, hold in self.model.open.items():
                attempt = held[world.attempts[number]]
                seen = attempt.checkpoint.total if attempt.checkpoint else 0
                assert (attempt.held, attempt.date, attempt.lease_until, seen) == (
                    hold.held,
                    hold.day,
                    hold.lease,
                    hold.seen,
                )

    def backends_agree(self) -> None:
        for world in self.worlds[1:]:
            assert contents(world.stores[0].view) == contents(self.worlds[0].stores[0].view)

    def figures_are_the_ledgers(self) -> None:
        for world in self.worlds:
            for user in USERS:
                for figures in world.session(0, user).accounting.snapshot().providers:
                    day = figures.day
                    assert day is not None
                    assert day.date == self.model.today(self.clock.now)
                    assert day.used == self.model.day_used(user, day.date)
                    if user == "local":
                        assert figures.used == self.model.pool_used(figures.provider)
                        assert figures.estimated == self.model.estimated(figures.provider)

    # Helpers

    def everywhere(self, step: Step, fault: Fault | None) -> Any:
        """Do the same in each world; the results must be equal (property 8)."""
        results = [self.runner.run(world.under(fault, step(world))) for world in self.worlds]
        assert results.count(results[0]) == len(results), f"The backends differ: {results}."
        return results[0]

    def chosen(self, attempt: int) -> int:
        """One of the attempts that somebody knows of: mostly one that is open."""
        known = list(self.owned)
        likely = [number for number in known if number in self.model.open] * 3 + known
        return likely[attempt % len(likely)]

    def settle_number(self, number: int, usage: Usage) -> None:
        self.settle(self.choice_of(number), usage, True, None)

    def choice_of(self, number: int) -> int:
        """What `chosen` makes this attempt of."""
        return next(attempt for attempt in range(4 * len(self.owned)) if self.chosen(attempt) == number)

    def of_attempt(
        self,
        attempt: int,
        work: Callable[[Any, str], Awaitable[object]],
        predict: Callable[[int], object],
        fault: Fault | None,
    ) -> None:
        """Do something to an attempt, by the session that it was admitted to."""
        number = self.chosen(attempt)
        process = self.owned[number]

        def step(world: World) -> Callable[[], Awaitable[object]]:
            accounting = world.session(process, self.model.owners[number]).accounting
            return partial(work, accounting, world.attempts[number])

        result = self.everywhere(step, fault)
        if not (fault is Fault.UNCOMMITTED and result is fault):
            expected = predict(number)
            assert result in (expected, fault), f"The result is {result}, not {expected}."

    def set(self, process: int, name: str, text: str) -> None:
        self.everywhere(lambda world: partial(world.session(process, "local").settings.set, name, text), None)

    def assert_fits(self, provider: str, user: str) -> None:
        """Property 2, of the state itself."""
        limit = self.model.limit(user, self.model.today(self.clock.now))
        for world in self.worlds:
            self.runner.run(world.stores[0].refresh())
            view = world.stores[0].view
            pool = tables.pool(view, provider)
            assert pool.purchased is None or pool.used + pool.held <= pool.purchased
            day = tables.days_of_user(view, user, tables.today(view, self.clock.now))
            assert limit is None or sum(record.used + record.held for record in day) <= limit

    def assert_pool(self, view: State, provider: str) -> None:
        pool = tables.pool(view, provider)
        model = self.model
        assert (pool.used, pool.held) == (model.pool_used(provider), model.pool_held(provider))
        assert pool.estimated == model.estimated(provider)
        assert pool.held >= 0
        assert 0 <= pool.estimated <= pool.used
        assert pool.purchased == model.pools[provider].purchased if provider in model.pools else True

    def assert_days(self, view: State) -> None:
        """Each day is what was held and charged on it; each older month or year is the sum of its days."""
        found = {
            (record.user, record.provider, record.date, record.period): (record.used, record.held)
            for _, record in view.daily_usage
        }
        assert len(found) == len(view.daily_usage), "A day is counted twice."
        expected: Counter[tuple[str, str, date, Period]] = Counter()
        held: Counter[tuple[str, str, date, Period]] = Counter()
        for user, provider, day in self.model.days():
            key = next(
                key for period in Period if (key := (user, provider, period.first_day(day), period)) in found
            )
            expected[key] += self.model.day_used(user, day, provider)
            held[key] += self.model.day_held(user, day, provider)
        assert found == {key: (expected[key], held[key]) for key in found}

    def assert_rollup(self, view: State) -> None:
        keys = {(r.date, r.period, r.user, r.provider, r.model, r.key_source) for _, r in view.usage_rollup}
        assert len(keys) == len(view.usage_rollup), "A total is kept in two records."
        for provider in POOLED:
            for source in KeySource:
                totals = [
                    total
                    for _, total in view.usage_rollup
                    if (total.provider, total.key_source) == (provider, source)
                ]
                entries = [
                    entry
                    for entry in self.model.entries
                    if (entry.provider, entry.source) == (provider, source)
                ]
                for total_of, entry_of in (
                    (attrgetter("tokens"), attrgetter("tokens")),
                    (attrgetter("estimated"), attrgetter("estimated")),
                    (attrgetter("cost"), attrgetter("cost")),
                    (attrgetter("turns"), lambda entry: not entry.adjustment),
                ):
                    assert sum(map(total_of, totals)) == sum(map(entry_of, entries))

    def assert_own_usage(self, view: State) -> None:
        for _, own in view.own_usage:
            assert own.used == self.model.own_used(own.user, own.provider, own.key_source)


def predicted(row: LedgerRow) -> tuple[object, ...]:
    """What the model says of a row."""
    assert row.input + row.output == row.tokens
    return (
        int(row.attempt_id),
        row.user,
        row.provider,
        row.key_source,
        row.date,
        row.tokens,
        row.provenance,
        row.suspicious,
        row.kind is RowKind.ADJUSTMENT,
        row.at,
        row.cost,
    )
