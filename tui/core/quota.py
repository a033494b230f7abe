"""The quota rule: pools, days, holds and the ledger, as records and pure functions.

REMAINING = PURCHASED - USED for each provider's pool. AVAILABLE = REMAINING - HELD decides admission only.
"""

from datetime import date, datetime
from enum import StrEnum

from tui.core.errors import RefusalReason
from tui.core.frozen import frozen
from tui.core.periods import Period
from tui.core.usage import Provenance, Usage

FLOOR = 64
"""Output tokens below which a reply is not worth starting (design, section 3)."""


class KeySource(StrEnum):
    """Whose key a turn is sent with."""

    DEFAULT = "default"
    """The host's: the pool and the day's limit apply."""
    OWN = "own"
    """The user's own: unlimited, they pay."""
    NONE = "none"
    """None is needed: the demo and endpoints. Neither pool nor day applies."""


class AlertLevel(StrEnum):
    """How little is left of a pool or a day."""

    LOW = "low"
    """Below 20%."""
    CRITICAL = "critical"
    """Below 10%."""
    EXHAUSTED = "exhausted"
    """Nothing."""


class AttemptState(StrEnum):
    """The life of an attempt: held, then exactly one of the others."""

    HELD = "held"
    SETTLED = "settled"
    RELEASED = "released"
    ORPHANED = "orphaned"


class RowKind(StrEnum):
    """What a ledger row records."""

    TURN = "turn"
    """The charge of an attempt."""
    ADJUSTMENT = "adjustment"
    """The difference that a late settle posts after an orphan was charged."""


class PurchaseKind(StrEnum):
    """What a purchase entry did to PURCHASED."""

    SET = "set"
    """Corrected it to this amount."""
    ADD = "add"
    """Increased it by this amount."""


@frozen
class Pool:
    """A provider's purchased tokens in this data directory, charged by every turn on default keys."""

    provider: str
    purchased: int | None = None
    """Tokens. None: never entered, no pool limit. 0 refuses."""
    used: int = 0
    """Tokens that the pool was ever charged."""
    held: int = 0
    """Tokens that open holds stand for; decides admission only."""
    estimated: int = 0
    """The part of `used` that is not exact."""
    epoch: int = 0
    """Counts purchases: alerts fire once for each epoch."""

    @property
    def remaining(self) -> int | None:
        """PURCHASED - USED; may be below 0. None where nothing was entered."""
        return None if self.purchased is None else self.purchased - self.used


@frozen
class Purchase:
    """One entry of the purchase history."""

    provider: str
    kind: PurchaseKind
    amount: int
    """Tokens."""
    purchased: int
    """PURCHASED after this entry."""
    at: datetime
    by: str
    note: str = ""
    """As typed, with the conversion's assumption where dollars were entered."""


@frozen
class DailyUsage:
    """What a user's default-key turns with one provider used on one day, or in an older month or year."""

    user: str
    provider: str
    date: date
    """The day; of a month or a year, its first."""
    used: int = 0
    held: int = 0
    estimated: int = 0
    period: Period = Period.DAY
    """How long a time it counts (`tui.core.periods`)."""


@frozen
class OwnUsage:
    """Tokens that a user ever used with their own key, or with no key, at one provider."""

    user: str
    provider: str
    key_source: KeySource
    used: int = 0
    estimated: int = 0


@frozen
class Attempt:
    """One call to a provider, from its hold to its charge. A retry is another attempt of the same turn."""

    id: str
    turn_id: str
    user: str
    provider: str
    model: str
    key_source: KeySource
    state: AttemptState
    held: int
    """Tokens held: input estimate + capped output; 0 where no default key is used."""
    input_estimate: int
    date: date
    """The day it counts on, fixed when the hold is made."""
    created_at: datetime
    lease_until: datetime
    """UTC; past it, recovery may charge the attempt."""
    checkpoint: Usage | None = None
    """The last known spending; recovery charges it."""
    conversation_id: str | None = None
    reply_id: str | None = None
    charged: int = 0
    """Tokens charged so far, adjustments included."""


@frozen
class LedgerRow:
    """One charge. Rows are only ever appended."""

    attempt_id: str
    turn_id: str
    kind: RowKind
    at: datetime
    date: date
    user: str
    provider: str
    model: str
    key_source: KeySource
    input: int
    output: int
    cached_input: int
    reasoning: int
    tokens: int
    """Charged by this row: input + output; an adjustment's may be negative."""
    provenance: Provenance
    suspicious: bool = False
    cost: int | None = None
    """Nano-dollars at the price of that moment; None: unpriced."""
    conversation_id: str | None = None
    number: int = 0
    """1, 2, 3 and so on: one sequence for the data directory, never reused. 0: written by a version that
    numbered none."""
    balance: int | None = None
    """USED of the row's account after it: the provider's pool with default keys, else the user's own usage
    there with that key source. None where `number` is 0."""


@frozen
class Rollup:
    """Totals of a day, an older month or year, of a user, provider, model and key source; kept for ever."""

    date: date
    """The day; of a month or a year, its first."""
    user: str
    provider: str
    model: str
    key_source: KeySource
    turns: int = 0
    input: int = 0
    output: int = 0
    cached_input: int = 0
    reasoning: int = 0
    tokens: int = 0
    estimated: int = 0
    cost: int = 0
    """Nano-dollars of the priced rows."""
    unpriced: int = 0
    """Tokens of rows without a price."""
    period: Period = Period.DAY
    """How long a time it counts (`tui.core.periods`)."""


@frozen
class AlertRecord:
    """An alert that was raised: the same (scope, level, epoch) is never raised twice."""

    scope: str
    """`day:<user>`, or `pool:<provider>` to the local user and `pool:<provider>:<user>` to another admin."""
    level: AlertLevel
    epoch: str
    """The pool's purchase epoch, or the day and its limit."""
    at: datetime
    message: str


@frozen
class Admission:
    """A turn may go, with this much output."""

    max_output: int
    hold: int
    """Tokens to hold: the input estimate + `max_output`."""


@frozen
class Refusal:
    """A turn may not go."""

    reason: RefusalReason
    left: int
    """Tokens that the binding limit has left, holds not counted."""
    scope: str
    """`pool` or `day`: the limit that binds."""


@frozen
class Limit:
    """A pool or a day as admission sees it. None in `left`: no limit."""

    left: int | None
    """Tokens: purchased - used, or limit - used."""
    held: int = 0
    """Tokens that open holds stand for."""

    @property
    def available(self) -> int | None:
        """What is left once every open hold is spent."""
        return None if self.left is None else self.left - self.held


def headroom(pool: Limit, day: Limit) -> int | None:
    """Tokens that a new turn may spend: the smaller of both limits' AVAILABLE. None: unlimited."""
    known = [limit.available for limit in (pool, day) if limit.available is not None]
    return min(known) if known else None


def admit(input_estimate: int, wanted_output: int, pool: Limit, day: Limit) -> Admission | Refusal:
    """Decide on a turn, and cap its output to what is left.

    Args:
        input_estimate: Tokens that the prompt and history are estimated at.
        wanted_output: The configured `max_output`, in tokens.
        pool: The provider's pool.
        day: The user's day.
    """
    room = headroom(pool, day)
    output = wanted_output if room is None else min(wanted_output, room - input_estimate)
    floor = min(FLOOR, wanted_output)
    if output >= floor:
        return Admission(output, input_estimate + output)
    needed = input_estimate + floor
    binding = [("pool", pool.left), ("day", day.left)]
    scope, left = min(((s, n) for s, n in binding if n is not None), key=lambda pair: pair[1])
    if left >= needed:
        return Refusal(RefusalReason.HELD_BY_OTHERS, left, scope)
    if left >= 2 * FLOOR and input_estimate > FLOOR:
        return Refusal(RefusalReason.PROMPT_TOO_LONG, left, scope)
    gone = RefusalReason.POOL_EXHAUSTED if scope == "pool" else RefusalReason.DAY_EXHAUSTED
    return Refusal(gone, left, scope)


def alert_level(left: int, whole: int) -> AlertLevel | None:
    """The level that `left` of `whole` tokens has reached; compared exactly, in integers."""
    if left <= 0:
        return AlertLevel.EXHAUSTED
    if left * 10 < whole:
        return AlertLevel.CRITICAL
    if left * 5 < whole:
        return AlertLevel.LOW
    return None


def percent(part: int, whole: int) -> float:
    """`part` of `whole` in percent, one decimal, rounded half up, from 0 to 100; 0 of no whole."""
    if whole <= 0 or part <= 0:
        return 0.0
    return min(1000, (part * 2000 + whole) // (2 * whole)) / 10


def percent_floor(part: int, whole: int) -> int:
    """`part` of `whole` in whole percent, rounded down, not below 0: the number that an alert names."""
    return 0 if whole <= 0 else max(0, part * 100 // whole)
