"""The changes of an attempt's life, each within one transaction: hold, checkpoint, settle, release, expire.

An attempt is in the table `attempts` while it is held; its end is the row it leaves in the ledger. So a
second settle finds no attempt and changes nothing, and a settle that comes after recovery finds the orphan's
row and posts only the difference. Rows are numbered and carry their account's balance, so that a replay can
name the first row that was edited, removed or doubled.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from tui.core.chat import new_id
from tui.core.days import day_ends
from tui.core.errors import QuotaRefusedError
from tui.core.frozen import frozen
from tui.core.ports import State
from tui.core.quota import (
    Attempt,
    AttemptState,
    KeySource,
    LedgerRow,
    Limit,
    Refusal,
    RowKind,
    admit,
)
from tui.core.settings import UserRole
from tui.core.usage import Measured, Provenance, Usage, read_count
from tui.services import tables
from tui.services.refusals import Viewer, refused
from tui.services.settings import allowance_of

LEASE = timedelta(seconds=120)
"""How long an attempt lives without a checkpoint: many missed ones, longer than a machine's short stall."""


@frozen
class AdmissionRequest:
    """A turn that wants to start."""

    turn_id: str
    provider: str
    model: str
    key_source: KeySource
    input_estimate: int
    """Tokens of the prompt and of the history sent with it."""
    wanted_output: int
    """The configured `max_output`, in tokens."""
    conversation_id: str | None = None
    reply_id: str | None = None


@frozen
class Hold:
    """An admitted attempt."""

    attempt_id: str
    max_output: int
    """What the request must be capped at, in tokens."""
    attempt: Attempt


@frozen
class Charge:
    """What is to be recorded for an attempt."""

    measured: Measured
    cost: int | None = None
    """Nano-dollars; None: unpriced."""


def limits(state: State, user: str, provider: str, day: date, now: datetime) -> tuple[Limit, Limit]:
    """The provider's pool and the user's day, as admission sees them."""
    pool = tables.pool(state, provider)
    allowed = allowance_of(tables.host_settings(state), tables.user_settings(state, user, now), day)
    records = list(tables.days_of_user(state, user, day))
    left = None if allowed is None else allowed - sum(record.used for record in records)
    return Limit(pool.remaining, pool.held), Limit(left, sum(record.held for record in records))


def refusal_of(
    state: State, user: str, refusal: Refusal, needed: int, day: date, now: datetime
) -> QuotaRefusedError:
    """The error for a refusal, in the user's time zone."""
    host = tables.host_settings(state)
    settings = tables.user_settings(state, user, now)
    viewer = Viewer(now, settings.display_time_zone or host.time_zone, settings.role is UserRole.ADMIN)
    return refused(refusal, needed, day_ends(day, host.time_zone), viewer)


def hold(state: State, user: str, request: AdmissionRequest, now: datetime) -> Hold:
    """Admit a turn and record its hold; with an own key, or none, it is recorded but never refused.

    Raises:
        QuotaRefusedError: The pool or the day has no room.
        InvalidValueError: The user was removed.
    """
    tables.present_user(state, user, now)
    day = tables.today(state, now)
    estimate, output, held = max(0, request.input_estimate), request.wanted_output, 0
    if request.key_source is KeySource.DEFAULT:
        pool, allowance = limits(state, user, request.provider, day, now)
        decision = admit(estimate, output, pool, allowance)
        if isinstance(decision, Refusal):
            raise refusal_of(state, user, decision, estimate, day, now)
        output, held = decision.max_output, decision.hold
        record = tables.pool(state, request.provider)
        tables.change_pool(state, replace(record, held=record.held + held))
        tables.add_to_day(state, user, request.provider, day, held=held)
    tables.enter_day(state, day)
    attempt = Attempt(
        id=new_id(),
        turn_id=request.turn_id,
        user=user,
        provider=request.provider,
        model=request.model,
        key_source=request.key_source,
        state=AttemptState.HELD,
        held=held,
        input_estimate=estimate,
        date=day,
        created_at=now,
        lease_until=now + LEASE,
        conversation_id=request.conversation_id,
        reply_id=request.reply_id,
    )
    state.attempts.insert(attempt)
    return Hold(attempt.id, output, attempt)


def checkpoint(state: State, attempt_id: str, usage: Usage | None, now: datetime) -> bool:
    """Renew the lease and note what was spent so far; a reading below the last one is out of order.

    Returns:
        Whether the attempt is still held.
    """
    found = state.attempts.find(lambda attempt: attempt.id == attempt_id)
    if found is None:
        return False
    doc_id, attempt = found
    if usage is None or not _sane(usage) or (attempt.checkpoint and usage.total < attempt.checkpoint.total):
        usage = attempt.checkpoint
    state.attempts.replace(doc_id, replace(attempt, checkpoint=usage, lease_until=now + LEASE))
    return True


def settle(
    state: State, attempt_id: str, charge: Charge, now: datetime, archived: Sequence[LedgerRow] = ()
) -> int | None:
    """Charge an attempt, once; after recovery charged it, post the difference, once.

    Args:
        state: The tables.
        attempt_id: The hold's.
        charge: What was spent.
        now: The present moment.
        archived: Rows of the attempt that were found in its month's file.

    Returns:
        Tokens charged for the attempt in all; None where it is not open and no row of it is known.
    """
    found = state.attempts.find(lambda attempt: attempt.id == attempt_id)
    if found is None:
        rows = _rows_of(state, attempt_id, archived)
        if not rows:
            return None
        orphan = _orphan(rows)
        if orphan is None or not _possible(charge.measured.usage):
            return sum(row.tokens for row in rows)
        return _adjust(state, orphan, charge, now)
    doc_id, attempt = found
    state.attempts.remove(doc_id)
    row = _row(attempt, charge, now)
    post(state, row, held=-attempt.held, estimated=0 if row.provenance.exact else row.tokens)
    return row.tokens


def release(state: State, attempt_id: str, now: datetime, archived: Sequence[LedgerRow] = ()) -> bool | None:
    """End an attempt that was provably never accepted: nothing is charged, and an orphan's charge is undone.

    Args:
        state: The tables.
        attempt_id: The hold's.
        now: The present moment.
        archived: Rows of the attempt that were found in its month's file.

    Returns:
        Whether this call ended it; None where it is not open and no row of it is known.
    """
    found = state.attempts.find(lambda attempt: attempt.id == attempt_id)
    if found is None:
        rows = _rows_of(state, attempt_id, archived)
        if not rows:
            return None
        orphan = _orphan(rows)
        if orphan is not None:
            _adjust(state, orphan, Charge(Measured(Usage(), Provenance.REPORTED), 0), now)
        return orphan is not None
    doc_id, attempt = found
    state.attempts.remove(doc_id)
    _unhold(state, attempt)
    return True


def expired(attempt: Attempt, now: datetime) -> bool:
    """Whether recovery may charge an attempt: its lease ran out, or was made by a clock since set back."""
    return attempt.lease_until <= now or attempt.lease_until > now + 2 * LEASE


def lost(attempt: Attempt) -> Measured:
    """What recovery charges: the last checkpoint, else all that was held, else the prompt."""
    usage = attempt.checkpoint
    if usage is None or usage.total == 0:
        usage = Usage(attempt.input_estimate, max(0, attempt.held - attempt.input_estimate))
    return Measured(usage, Provenance.ORPHANED)


def trusted(measured: Measured, attempt: Attempt) -> Measured:
    """The measure, unless it is impossible: then what recovery would charge, as a suspicious estimate.

    A charge of nothing is impossible too: whoever knows that nothing was accepted releases the attempt.
    """
    if measured.provenance is Provenance.ORPHANED or _possible(measured.usage):
        return measured
    return Measured(lost(attempt).usage, Provenance.ESTIMATED, suspicious=True)


def _possible(usage: Usage) -> bool:
    return _sane(usage) and usage.total > 0


def _sane(usage: Usage) -> bool:
    counts = (usage.input, usage.output, usage.cached_input, usage.reasoning)
    return all(read_count(count) is not None for count in counts)


def _row(attempt: Attempt, charge: Charge, now: datetime) -> LedgerRow:
    measured = trusted(charge.measured, attempt)
    usage = measured.usage
    return LedgerRow(
        attempt_id=attempt.id,
        turn_id=attempt.turn_id,
        kind=RowKind.TURN,
        at=now,
        date=attempt.date,
        user=attempt.user,
        provider=attempt.provider,
        model=attempt.model,
        key_source=attempt.key_source,
        input=usage.input,
        output=usage.output,
        cached_input=min(usage.cached_input, usage.input),
        reasoning=min(usage.reasoning, usage.output),
        tokens=usage.total,
        provenance=measured.provenance,
        suspicious=measured.suspicious,
        cost=charge.cost,
        conversation_id=attempt.conversation_id,
    )


def _rows_of(state: State, attempt_id: str, archived: Sequence[LedgerRow]) -> list[LedgerRow]:
    """What was charged for an attempt; a row that a broken move left in both places is one.

    None where the turn's own row is not among them: it moved before its adjustment, which alone says little.
    """
    live = [row for _, row in state.ledger if row.attempt_id == attempt_id]
    rows = list({(row.kind, row.at): row for row in (*archived, *live)}.values())
    return rows if any(row.kind is RowKind.TURN for row in rows) else []


def _orphan(rows: Sequence[LedgerRow]) -> LedgerRow | None:
    """The row that recovery wrote for an attempt, unless it was already adjusted."""
    if len(rows) == 1 and rows[0].provenance is Provenance.ORPHANED:
        return rows[0]
    return None


def _adjust(state: State, orphan: LedgerRow, charge: Charge, now: datetime) -> int:
    """Post the difference between what recovery charged and what was really spent."""
    usage, provenance = charge.measured.usage, charge.measured.provenance
    cost = None if charge.cost is None or orphan.cost is None else charge.cost - orphan.cost
    row = replace(
        orphan,
        kind=RowKind.ADJUSTMENT,
        at=now,
        input=usage.input - orphan.input,
        output=usage.output - orphan.output,
        cached_input=min(usage.cached_input, usage.input) - orphan.cached_input,
        reasoning=min(usage.reasoning, usage.output) - orphan.reasoning,
        tokens=usage.total - orphan.tokens,
        provenance=provenance,
        suspicious=charge.measured.suspicious,
        cost=cost,
    )
    post(state, row, held=0, estimated=(0 if provenance.exact else usage.total) - orphan.tokens)
    return usage.total


def _unhold(state: State, attempt: Attempt) -> None:
    if attempt.key_source is KeySource.DEFAULT:
        pool = tables.pool(state, attempt.provider)
        tables.change_pool(state, replace(pool, held=pool.held - attempt.held))
        tables.add_to_day(state, attempt.user, attempt.provider, attempt.date, held=-attempt.held)


def post(state: State, row: LedgerRow, *, held: int, estimated: int) -> None:
    """Append a row, and carry it to every total that it is part of.

    Args:
        state: The tables.
        row: What is charged; its number and balance are given here.
        held: By how much the tokens held change.
        estimated: By how much the tokens that are not exact change.
    """
    tables.add_to_rollup(state, row, estimated)
    if row.key_source is not KeySource.DEFAULT:
        source = row.key_source
        tables.add_to_own_usage(state, row.user, row.provider, source, row.tokens, estimated)
        _append(state, row, tables.own_usage(state, row.user, row.provider, source).used)
        return
    pool = tables.pool(state, row.provider)
    used = pool.used + row.tokens
    tables.change_pool(
        state, replace(pool, used=used, held=pool.held + held, estimated=pool.estimated + estimated)
    )
    tables.add_to_day(
        state, row.user, row.provider, row.date, used=row.tokens, held=held, estimated=estimated
    )
    _append(state, row, used)


def _append(state: State, row: LedgerRow, balance: int) -> None:
    number = tables.meta(state).last_row + 1
    tables.change_meta(state, replace(tables.meta(state), last_row=number))
    state.ledger.insert(replace(row, number=number, balance=balance))
