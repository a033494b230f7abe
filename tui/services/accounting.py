"""Tokens: admission, holds, charges and recovery, purchases, and the figures that follow from them."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, TypeVar

from tui.core.amounts import MOST_AMOUNT
from tui.core.errors import InvalidValueError
from tui.core.figures import TurnForecast, UsageSnapshot
from tui.core.ports import Clock, State, Store
from tui.core.quota import (
    Attempt,
    KeySource,
    LedgerRow,
    Pool,
    Purchase,
    PurchaseKind,
    Refusal,
    admit,
    headroom,
)
from tui.core.settings import POOLED
from tui.core.usage import Measured, Usage
from tui.services import ledger, tables
from tui.services.keys import Keys
from tui.services.ledger import AdmissionRequest, Charge, Hold
from tui.services.prices import Prices
from tui.services.settings import SettingsService
from tui.services.snapshots import SessionFacts, snapshot

if TYPE_CHECKING:
    from tui.services.purchases import PurchaseEntry

T = TypeVar("T")

__all__ = ["Accounting", "AdmissionRequest", "Hold"]


class Accounting:
    """The accounts of a data directory, as one user's session sees and changes them.

    Args:
        store: Where they are kept; every change is one transaction.
        settings: The user's role and tier.
        keys: Whose key each provider is used with.
        prices: What a charge cost, in dollars.
        clock: The present moment.
        user: Whose turns are counted.
    """

    def __init__(
        self, store: Store, settings: SettingsService, keys: Keys, prices: Prices, clock: Clock, user: str
    ) -> None:
        self._store = store
        self._settings = settings
        self._keys = keys
        self._prices = prices
        self._clock = clock
        self._user = user
        self._pending: dict[str, tuple[str, int]] = {}
        self._days: dict[str, date] = {}
        """The day of each attempt of this session: it says in which month's file an old row is."""
        self._late = asyncio.Lock()
        self._listeners: list[Callable[[], None]] = []

    async def admit(self, request: AdmissionRequest) -> Hold:
        """Hold tokens for a turn before its provider is called; its request must keep to the hold's output.

        Turns with an own key, or with none, are recorded and never refused.

        Raises:
            QuotaRefusedError: The pool or the day has no room; nothing was recorded.
            StorageError: The hold could not be recorded; the provider must not be called.
        """
        hold = await self._store.transaction(
            lambda state: ledger.hold(state, self._user, request, self._clock())
        )
        self._days[hold.attempt_id] = hold.attempt.date
        return hold

    async def checkpoint(self, attempt_id: str, usage: Usage | None) -> bool:
        """Renew an attempt's lease and record what it spent so far; to be called at least every 30 seconds.

        Args:
            attempt_id: The hold's.
            usage: Cumulative tokens; None only renews the lease, as while waiting for the first byte.

        Returns:
            Whether the attempt is still held.

        Raises:
            StorageError: It could not be saved; the turn may go on.
        """
        if usage is not None:
            self.progress(attempt_id, usage)
        return await self._store.transaction(
            lambda state: (
                self._is_mine(state, attempt_id)
                and ledger.checkpoint(state, attempt_id, usage, self._clock())
            )
        )

    def progress(self, attempt_id: str, usage: Usage) -> None:
        """Show what a streaming turn seems to have used so far, without recording it."""
        attempt = _attempt(self._store.view, attempt_id)
        if attempt is not None and attempt.user == self._user:
            self._pending[attempt_id] = (attempt.provider, max(0, usage.total))
            self._tell()

    async def settle(self, attempt_id: str, measured: Measured) -> int:
        """Charge an attempt, exactly once however often it is called.

        An impossible measure is replaced by an estimate and marked suspicious. Where recovery charged the
        attempt before, only the difference is posted, however long ago that was.

        Returns:
            Tokens charged for the attempt in all; 0 where nothing is known of it, or it is another user's.

        Raises:
            StorageError: Nothing was charged by this call, and settling can be tried again.
        """

        async def settle(archived: Sequence[LedgerRow]) -> int | None:
            cost = await self._cost(attempt_id, measured, archived)
            return await self._store.transaction(
                lambda state: (
                    ledger.settle(state, attempt_id, Charge(measured, cost), self._clock(), archived)
                    if self._is_mine(state, attempt_id)
                    else None
                )
            )

        charged = await self._end(attempt_id, settle)
        self._forget(attempt_id)
        return charged or 0

    async def release(self, attempt_id: str) -> bool:
        """End an attempt without a charge: only where the provider provably never accepted the request.

        Returns:
            Whether this call ended it, or undid what recovery charged for it.

        Raises:
            StorageError: It was not ended by this call, and releasing can be tried again.
        """
        released = await self._end(
            attempt_id,
            lambda archived: self._store.transaction(
                lambda state: (
                    ledger.release(state, attempt_id, self._clock(), archived)
                    if self._is_mine(state, attempt_id)
                    else None
                )
            ),
        )
        self._forget(attempt_id)
        return released or False

    async def sweep(self) -> int:
        """Charge the attempts whose process died: at their last checkpoint, else at the full hold.

        To be called at start and from time to time.

        Returns:
            How many were charged.

        Raises:
            StorageError: None was.
        """
        await self._store.refresh()
        found = [
            attempt for _, attempt in self._store.view.attempts if ledger.expired(attempt, self._clock())
        ]
        if not found:
            return 0
        costs = {attempt.id: await self._price(attempt, ledger.lost(attempt).usage) for attempt in found}

        def work(state: State) -> int:
            now = self._clock()
            expired = [
                attempt
                for _, attempt in state.attempts
                if attempt.id in costs and ledger.expired(attempt, now)
            ]
            for attempt in expired:
                ledger.settle(state, attempt.id, Charge(ledger.lost(attempt), costs[attempt.id]), now)
            return len(expired)

        return await self._store.transaction(work)

    def snapshot(self, include: Sequence[str] = ()) -> UsageSnapshot:
        """The figures of the footer.

        Args:
            include: Providers to show even where they are not otherwise in use, such as the chosen one.
        """
        pending: dict[str, int] = {}
        for provider, tokens in self._pending.values():
            pending[provider] = pending.get(provider, 0) + tokens
        statuses = {name: self._keys.status(name) for name in self._settings.providers()}
        facts = SessionFacts(self._user, self._clock(), statuses, pending)
        return snapshot(self._store.view, facts, include)

    def headroom(self, provider: str) -> int | None:
        """Tokens that a turn with this provider could spend at present; None: unlimited."""
        if self._keys.source(provider) is not KeySource.DEFAULT:
            return None
        view, now = self._store.view, self._clock()
        return headroom(*ledger.limits(view, self._user, provider, tables.today(view, now), now))

    def tells_room(self, provider: str) -> bool:
        """Whether this user may know `headroom`: what the pool has left is an admin's to see."""
        view, now = self._store.view, self._clock()
        if self._settings.is_admin() or self._keys.source(provider) is not KeySource.DEFAULT:
            return True
        pool, day = ledger.limits(view, self._user, provider, tables.today(view, now), now)
        return pool.available is None or headroom(pool, day) == day.available

    def forecast(self, provider: str, input_estimate: int, wanted_output: int) -> TurnForecast:
        """What a turn may cost and leave, decided as admission would at present.

        Args:
            provider: Whom it would be sent to.
            input_estimate: Tokens of the prompt and of the history sent with it.
            wanted_output: The configured `max_output`, in tokens.
        """
        most = input_estimate + wanted_output
        if self._keys.source(provider) is not KeySource.DEFAULT:
            return TurnForecast(input_estimate, most, None)
        view, now = self._store.view, self._clock()
        today = tables.today(view, now)
        pool, day = ledger.limits(view, self._user, provider, today, now)
        decision = admit(input_estimate, wanted_output, pool, day)
        if isinstance(decision, Refusal):
            error = ledger.refusal_of(view, self._user, decision, input_estimate, today, now)
            scope = "today" if decision.scope == "day" else "pool"
            left = max(0, decision.left) if scope == "today" or self._settings.is_admin() else None
            return TurnForecast(input_estimate, most, left, scope, str(error))
        room = headroom(pool, day)
        if room is None:
            return TurnForecast(input_estimate, decision.hold, None)
        scope = "today" if day.available == room else "pool"
        if not self.tells_room(provider):
            return TurnForecast(input_estimate, decision.hold, None, scope)
        return TurnForecast(input_estimate, decision.hold, room - decision.hold, scope)

    def purchases(self, providers: Sequence[str] = POOLED) -> "tuple[PurchaseEntry, ...]":
        """What was purchased of some providers, newest first.

        Raises:
            InvalidValueError: The user is no admin.
        """
        from tui.services.purchases import purchase_history

        self._settings.check_admin("see what was purchased")
        return purchase_history(self._store.view, providers)

    async def set_purchased(self, provider: str, tokens: int, note: str = "") -> Pool:
        """Correct PURCHASED to an amount; USED stays. The same amount again changes nothing.

        Args:
            provider: `openai` or `google`.
            tokens: All that was purchased so far.
            note: As typed, with the conversion's assumption where dollars were entered.

        Returns:
            The pool.

        Raises:
            InvalidValueError: The user is no admin, the provider has no pool, or the amount is impossible.
            StorageError: It could not be saved.
        """
        return await self._purchase(provider, PurchaseKind.SET, tokens, note)

    async def add_purchased(self, provider: str, tokens: int, note: str = "") -> Pool:
        """Increase PURCHASED by a top-up; arguments, result and errors as in `set_purchased`."""
        return await self._purchase(provider, PurchaseKind.ADD, tokens, note)

    def subscribe(self, changed: Callable[[], None]) -> Callable[[], None]:
        """Call `changed` whenever `snapshot()` may be different; often, so the receiver should coalesce.

        Returns:
            A function that ends the subscription.
        """
        self._listeners.append(changed)
        endings = (self._store.subscribe(changed), self._keys.subscribe(changed))

        def end() -> None:
            if changed in self._listeners:
                self._listeners.remove(changed)
            for unsubscribe in endings:
                unsubscribe()

        return end

    async def _purchase(self, provider: str, kind: PurchaseKind, tokens: int, text: str) -> Pool:
        self._settings.check_admin("change what was purchased")
        if provider not in POOLED:
            raise InvalidValueError(f"{provider!r} has no token quota: choose from {', '.join(POOLED)}.")
        if tokens < 0 or (kind is PurchaseKind.ADD and tokens == 0):
            raise InvalidValueError("Enter a number of tokens above 0.")

        def work(state: State) -> Pool:
            tables.check_admin(state, self._user, "change what was purchased")
            now = self._clock()
            pool = tables.pool(state, provider)
            purchased = tokens if kind is PurchaseKind.SET else (pool.purchased or 0) + tokens
            if purchased == pool.purchased:
                return pool
            if purchased > MOST_AMOUNT:
                raise InvalidValueError(f"That is too large: the most is {MOST_AMOUNT:,} tokens.")
            pool = replace(pool, purchased=purchased, epoch=pool.epoch + 1)
            tables.change_user(state, tables.user_settings(state, self._user, now))
            tables.change_pool(state, pool)
            state.purchases.insert(Purchase(provider, kind, tokens, purchased, now, self._user, text))
            tables.note(state, now, self._user, f"quota {kind}", f"{provider} {tokens:,}")
            return pool

        return await self._store.transaction(work)

    async def _end(
        self, attempt_id: str, work: Callable[[Sequence[LedgerRow]], Awaitable[T | None]]
    ) -> T | None:
        """Settle or release an attempt; where nothing live is known of it, with its rows from the archive.

        Rows only ever move to the archive, so what is not live when `work` looks is there afterwards. One
        call at a time: a second must see what the first one posted.
        """
        done = await work(())
        if done is not None or attempt_id not in self._days:
            return done
        async with self._late:
            rows = await self._store.load_ledger(f"{self._days[attempt_id]:%Y-%m}")
            return await work([row for row in rows if row.attempt_id == attempt_id])

    async def _cost(self, attempt_id: str, measured: Measured, archived: Sequence[LedgerRow]) -> int | None:
        """What an attempt cost; of one that recovery charged before, too."""
        view = self._store.view
        if attempt := _attempt(view, attempt_id):
            return await self._price(attempt, ledger.trusted(measured, attempt).usage)
        live = (row for _, row in view.ledger if row.attempt_id == attempt_id)
        row = next(live, next(iter(archived), None))
        return await self._price(row, measured.usage) if row else None

    async def _price(self, charged: Attempt | LedgerRow, usage: Usage) -> int | None:
        return await self._prices.cost(charged.provider, charged.model, usage)

    def _is_mine(self, state: State, attempt_id: str) -> bool:
        """Whether what is known of an attempt here is this user's; of archived rows, `_days` says so."""
        if attempt := _attempt(state, attempt_id):
            return attempt.user == self._user
        return all(row.user == self._user for _, row in state.ledger if row.attempt_id == attempt_id)

    def _forget(self, attempt_id: str) -> None:
        if self._pending.pop(attempt_id, None):
            self._tell()

    def _tell(self) -> None:
        for listener in tuple(self._listeners):
            listener()


def _attempt(state: State, attempt_id: str) -> Attempt | None:
    found = state.attempts.find(lambda attempt: attempt.id == attempt_id)
    return found[1] if found else None
