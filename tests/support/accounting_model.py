"""The accounts as a plain list of what happened: predicts every result and total without the product's code.

Attempts go by the number of their making. The words are those of the design, section 3.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from tui.core.quota import AlertLevel, AlertRecord, KeySource
from tui.core.usage import Provenance, Usage

LEASE = timedelta(seconds=120)
FLOOR = 64
MOST = 100_000_000
"""A count above this is absurd."""
LEVELS = (AlertLevel.LOW, AlertLevel.CRITICAL, AlertLevel.EXHAUSTED)


@dataclass
class OpenHold:
    """An attempt that was admitted and has not ended."""

    user: str
    provider: str
    source: KeySource
    day: date
    estimate: int
    held: int
    lease: datetime
    seen: int = 0
    """The highest possible total that a checkpoint brought."""

    @property
    def fallback(self) -> int:
        """What it is charged where its usage is not known: the last checkpoint, else all that was held."""
        return self.seen or max(self.estimate, self.held)


@dataclass(frozen=True)
class Entry:
    """A ledger row, as far as it is predicted."""

    attempt: int
    user: str
    provider: str
    source: KeySource
    day: date
    tokens: int
    estimated: int
    """What it adds to the figure behind the "~"."""
    provenance: Provenance
    suspicious: bool
    adjustment: bool
    at: datetime
    cost: int


@dataclass(frozen=True)
class Refused:
    """Admission said no."""

    by: str
    """`others`: only other holds stand in the way; else `pool` or `day`, whichever has less left."""


@dataclass
class Pool:
    purchased: int | None = None
    epoch: int = 0
    forgiven: int = 0
    """How far USED + HELD may exceed PURCHASED since the last admission: what was spent beyond what was held
    or charged before, and what a correction took away."""


@dataclass
class Model:
    """The whole data directory."""

    tiers: dict[str, int | None]
    users: dict[str, str]
    """The tier of each."""
    admins: frozenset[str]
    zone: str = "UTC"
    price: int = 0
    """Nano-dollars for each token."""
    latest: date = date.min
    owners: list[str] = field(default_factory=list)
    """The user of every attempt ever admitted."""
    pools: dict[str, Pool] = field(default_factory=dict)
    open: dict[int, OpenHold] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    granted: dict[tuple[str, date], int] = field(default_factory=dict)
    """What each user was given beside the limit, by day."""
    raised: dict[tuple[str, str], AlertLevel] = field(default_factory=dict)
    """The gravest alert so far, by scope and epoch."""

    # Figures

    @property
    def count(self) -> int:
        return len(self.owners)

    def today(self, now: datetime) -> date:
        return max(self.latest, now.astimezone(ZoneInfo(self.zone)).date())

    def limit(self, user: str, day: date) -> int | None:
        limit = self.tiers[self.users[user]]
        return None if limit is None else limit + self.granted.get((user, day), 0)

    def purchased(self, provider: str) -> int | None:
        return self.pools.setdefault(provider, Pool()).purchased

    def pool_used(self, provider: str) -> int:
        return sum(entry.tokens for entry in self._charged(provider=provider))

    def pool_held(self, provider: str) -> int:
        return sum(hold.held for hold in self.open.values() if hold.provider == provider)

    def day_used(self, user: str, day: date, provider: str | None = None) -> int:
        return sum(entry.tokens for entry in self._charged(user, day, provider))

    def day_held(self, user: str, day: date, provider: str | None = None) -> int:
        holds = (hold for hold in self.open.values() if (hold.user, hold.day) == (user, day))
        return sum(hold.held for hold in holds if provider in (None, hold.provider))

    def estimated(self, provider: str) -> int:
        return sum(entry.estimated for entry in self._charged(provider=provider))

    def own_used(self, user: str, provider: str, source: KeySource) -> int:
        mine = (e for e in self.entries if (e.user, e.provider, e.source) == (user, provider, source))
        return sum(entry.tokens for entry in mine)

    def days(self) -> Iterator[tuple[str, str, date]]:
        """Every user, provider and day that tokens were held or charged on."""
        yield from {(e.user, e.provider, e.day) for e in self._charged()} | {
            (hold.user, hold.provider, hold.day)
            for hold in self.open.values()
            if hold.source is KeySource.DEFAULT
        }

    def _charged(
        self, user: str | None = None, day: date | None = None, provider: str | None = None
    ) -> Iterator[Entry]:
        """The entries on default keys."""
        for entry in self.entries:
            if entry.source is KeySource.DEFAULT and all(
                wanted in (None, found)
                for wanted, found in ((user, entry.user), (day, entry.day), (provider, entry.provider))
            ):
                yield entry

    # What may be done

    def admit(
        self, user: str, provider: str, estimate: int, wanted: int, source: KeySource, now: datetime
    ) -> int | Refused:
        """The output that the request is capped at, or the refusal."""
        day, held = self.today(now), 0
        if source is KeySource.DEFAULT:
            left = self._left(user, provider, day)
            free = [tokens - others for tokens, others, _ in left]
            needed = estimate + min(FLOOR, wanted)
            if any(tokens < needed for tokens in free):
                tightest = min(left, key=lambda one: one[0])
                return Refused("others" if tightest[0] >= needed else tightest[2])
            wanted = min([wanted, *(tokens - estimate for tokens in free)])
            held = estimate + wanted
            self.pools[provider].forgiven = 0
        self.latest = day
        self.open[self.count] = OpenHold(user, provider, source, day, estimate, held, now + LEASE)
        self.owners.append(user)
        return wanted

    def checkpoint(self, attempt: int, usage: Usage | None, now: datetime) -> bool:
        hold = self.open.get(attempt)
        if hold is None:
            return False
        hold.lease = now + LEASE
        if usage is not None and _sane(usage):
            hold.seen = max(hold.seen, usage.total)
        return True

    def settle(self, attempt: int, usage: Usage, exact: bool, now: datetime) -> int:
        """Tokens charged for the attempt in all."""
        possible = _sane(usage) and usage.total > 0
        provenance = Provenance.REPORTED if exact else Provenance.ESTIMATED
        hold = self.open.pop(attempt, None)
        if hold and possible:
            self._charge(attempt, hold, usage.total, provenance, now)
        elif hold:
            self._charge(attempt, hold, hold.fallback, Provenance.ESTIMATED, now, suspicious=True)
        elif possible and (orphan := self._orphan(attempt)):
            self._adjust(orphan, usage.total, provenance, now)
        return sum(entry.tokens for entry in self.entries if entry.attempt == attempt)

    def release(self, attempt: int, now: datetime) -> bool:
        """Whether this ended it."""
        if self.open.pop(attempt, None):
            return True
        orphan = self._orphan(attempt)
        if orphan:
            self._adjust(orphan, 0, Provenance.REPORTED, now)
        return orphan is not None

    def sweep(self, now: datetime) -> int:
        """How many attempts recovery charged."""
        lost = [n for n, hold in self.open.items() if not now < hold.lease <= now + 2 * LEASE]
        for attempt in lost:
            hold = self.open.pop(attempt)
            self._charge(attempt, hold, hold.fallback, Provenance.ORPHANED, now)
        return len(lost)

    def purchase(self, provider: str, tokens: int, *, add: bool) -> int:
        """PURCHASED."""
        pool = self.pools.setdefault(provider, Pool())
        before = pool.purchased
        after = (before or 0) + tokens if add else tokens
        if after != before:
            pool.purchased, pool.epoch = after, pool.epoch + 1
            used = self.pool_used(provider) + self.pool_held(provider)
            pool.forgiven = max(0, used - after)
        return after

    def give_back(self, user: str, now: datetime) -> int:
        """Tokens of the day that may be used again; what was used stays used."""
        day = self.today(now)
        before = self.granted.get((user, day), 0)
        used = self.day_used(user, day)
        self.granted[user, day] = max(before, used)
        return max(0, used - before)

    def alerts(self, user: str, now: datetime) -> list[tuple[str, AlertLevel]]:
        """The alerts that this user is due, which count as raised from here on."""
        scopes = []
        if user in self.admins:
            for provider, pool in self.pools.items():
                if pool.purchased is not None:
                    left = pool.purchased - self.pool_used(provider)
                    scopes.append((f"pool:{provider}", str(pool.epoch), left, pool.purchased))
        day = self.today(now)
        limit = self.limit(user, day)
        if limit is not None:
            scopes.append((f"day:{user}", f"{day} {limit}", limit - self.day_used(user, day), limit))
        due = []
        for scope, epoch, left, whole in scopes:
            level = _level(left, whole)
            before = self.raised.get((scope, epoch))
            if level and (before is None or LEVELS.index(before) < LEVELS.index(level)):
                self.raised[scope, epoch] = level
                due.append((scope, level))
        return due

    def overshoot_forgiven(self, provider: str) -> int:
        return self.pools.setdefault(provider, Pool()).forgiven

    # How it is done

    def _left(self, user: str, provider: str, day: date) -> list[tuple[int, int, str]]:
        """What each limit has left, how much of it is held, and its name."""
        found = []
        if (purchased := self.purchased(provider)) is not None:
            found.append((purchased - self.pool_used(provider), self.pool_held(provider), "pool"))
        if (limit := self.limit(user, day)) is not None:
            found.append((limit - self.day_used(user, day), self.day_held(user, day), "day"))
        return found

    def _charge(
        self,
        attempt: int,
        hold: OpenHold,
        tokens: int,
        provenance: Provenance,
        now: datetime,
        *,
        suspicious: bool = False,
    ) -> None:
        estimated = 0 if provenance.exact else tokens
        self._post(
            Entry(
                attempt,
                hold.user,
                hold.provider,
                hold.source,
                hold.day,
                tokens,
                estimated,
                provenance,
                suspicious,
                False,
                now,
                tokens * self.price,
            ),
            beyond=tokens - hold.held,
        )

    def _adjust(self, orphan: Entry, tokens: int, provenance: Provenance, now: datetime) -> None:
        difference = tokens - orphan.tokens
        self._post(
            Entry(
                orphan.attempt,
                orphan.user,
                orphan.provider,
                orphan.source,
                orphan.day,
                difference,
                (0 if provenance.exact else tokens) - orphan.tokens,
                provenance,
                False,
                True,
                now,
                tokens * self.price - orphan.cost,
            ),
            beyond=difference,
        )

    def _post(self, entry: Entry, *, beyond: int) -> None:
        self.entries.append(entry)
        if entry.source is KeySource.DEFAULT:
            self.pools.setdefault(entry.provider, Pool()).forgiven += max(0, beyond)

    def _orphan(self, attempt: int) -> Entry | None:
        mine = [entry for entry in self.entries if entry.attempt == attempt]
        return mine[0] if [entry.provenance for entry in mine] == [Provenance.ORPHANED] else None


def _sane(usage: Usage) -> bool:
    return all(
        0 <= count <= MOST for count in (usage.input, usage.output, usage.cached_input, usage.reasoning)
    )


def _level(left: int, whole: int) -> AlertLevel | None:
    """The design's levels: below 20% and below 10% of the whole, compared exactly."""
    if left <= 0:
        return AlertLevel.EXHAUSTED
    if 100 * left < 10 * whole:
        return AlertLevel.CRITICAL
    return AlertLevel.LOW if 100 * left < 20 * whole else None


def raised(alerts: Iterable[AlertRecord]) -> list[tuple[str, AlertLevel]]:
    """Alerts as the model names them."""
    return [(alert.scope, alert.level) for alert in alerts]
