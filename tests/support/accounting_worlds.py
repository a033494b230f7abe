"""Data directories in which the same is done: one in memory, one on disk with two processes' stores."""

import errno
import os
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import fields, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol, TypeVar

from tests.support.memory_store import MemoryStore
from tests.support.session import ManualClock, Session, add_user, session
from tui.core.errors import QuotaRefusedError, StorageError, StorageErrorKind
from tui.core.ports import State, Store
from tui.core.quota import LedgerRow
from tui.core.settings import UserRole
from tui.core.usage import Usage
from tui.services.accounting import Accounting
from tui.services.prices import Prices
from tui.storage.files import FileLayer
from tui.storage.store import JsonStore

T = TypeVar("T")

USERS = {"local": "basic", "sam": "free", "kim": "basic"}
"""Every user's tier at the start; `local` is the admin."""
PROCESSES = 2


class Fault(StrEnum):
    """How a transaction fails."""

    UNCOMMITTED = "uncommitted"
    """It ran, but was not saved."""
    UNACKNOWLEDGED = "unacknowledged"
    """It was saved, but whoever asked for it is not told."""


class Price(Prices):
    """The same nano-dollars for each token of any model; a test may change them."""

    def __init__(self) -> None:
        self.nano = 0

    async def cost(self, provider: str, model: str, usage: Usage) -> int | None:
        return usage.total * self.nano


class FaultyMemoryStore(MemoryStore):
    """A store in memory whose commits fail when they are told to."""

    def __init__(self) -> None:
        super().__init__()
        self.fault: Fault | None = None

    async def _do(self, work: Callable[[State], T], state: State) -> T:
        return work(state)  # a thread each time would take longer than all the rest

    def _commit(self, state: State) -> None:
        if self.fault is not Fault.UNCOMMITTED:
            super()._commit(state)
        if self.fault:
            raise StorageError(StorageErrorKind.FULL, f"The state could not be saved: {self.fault}.")


class FaultyCommits(FileLayer):
    """The system's files without their syncs, whose commits fail when they are told to."""

    def __init__(self) -> None:
        self.fault: Fault | None = None

    def fsync(self, descriptor: int) -> None:
        """No power is cut here, and a sync costs milliseconds."""

    def replace(self, source: Path, target: Path) -> None:
        if self.fault is Fault.UNCOMMITTED and target.name == "ctroom.json":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        super().replace(source, target)

    def fsync_directory(self, directory: Path) -> None:
        if self.fault is Fault.UNACKNOWLEDGED and (directory / "ctroom.json").exists():
            raise OSError(errno.EIO, os.strerror(errno.EIO))


class Backend(Protocol):
    """What a world needs of a kind of store."""

    async def open(self, process: int) -> Store:
        """The store as a process sees it."""
        ...

    def fail(self, fault: Fault | None) -> None:
        """Fail every commit in this way; None: none."""
        ...

    async def archive(self, store: Store) -> None:
        """Move old ledger rows, where this kind does."""
        ...

    async def ledger(self, store: Store) -> list[LedgerRow]:
        """Every row there ever was, in any order."""
        ...

    async def close(self) -> None: ...


class InMemory:
    """One store in memory, which every process shares."""

    def __init__(self, clock: ManualClock) -> None:
        self._store = FaultyMemoryStore()

    async def open(self, process: int) -> Store:
        return self._store

    def fail(self, fault: Fault | None) -> None:
        self._store.fault = fault

    async def archive(self, store: Store) -> None:
        """Nothing moves in memory."""

    async def ledger(self, store: Store) -> list[LedgerRow]:
        return [row for _, row in self._store.view.ledger]

    async def close(self) -> None:
        await self._store.aclose()


class OnDisk:
    """One directory, with a store for each process."""

    def __init__(self, clock: ManualClock) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="ctroom-accounts-")
        self._clock = clock
        self._files = FaultyCommits()
        self._stores: dict[int, JsonStore] = {}

    async def open(self, process: int) -> Store:
        if process in self._stores:
            await self._stores[process].aclose()
        home = Path(self._directory.name) / "home"
        self._stores[process] = await JsonStore.open(home, self._clock, self._files)
        return self._stores[process]

    def fail(self, fault: Fault | None) -> None:
        self._files.fault = fault

    async def archive(self, store: Store) -> None:
        assert isinstance(store, JsonStore)
        await store.archive_ledger()

    async def ledger(self, store: Store) -> list[LedgerRow]:
        assert isinstance(store, JsonStore)
        months = [await store.load_ledger(month) for month in await store.ledger_months()]
        return [row for month in months for row in month]

    async def close(self) -> None:
        for store in self._stores.values():
            await store.aclose()
        self._directory.cleanup()


class World:
    """A data directory, and in each process a session for each user.

    Args:
        backend: The kind of store.
        clock: The host's.
        price: What tokens cost.
    """

    def __init__(self, backend: Backend, clock: ManualClock, price: Price) -> None:
        self._backend = backend
        self._clock = clock
        self._price = price
        self.stores: list[Store] = []
        self._sessions: list[dict[str, Session]] = []
        self.attempts: list[str] = []
        """Their ids, in the order of their making."""

    async def start(self) -> None:
        for process in range(PROCESSES):
            store = await self._backend.open(process)
            self.stores.append(store)
            self._sessions.append(self._signed_in(store))
        for user, tier in USERS.items():
            role = UserRole.ADMIN if user == "local" else UserRole.MEMBER
            await add_user(self.stores[0], user, tier, role)

    async def crash(self, process: int) -> None:
        """Lose all that a process had in memory, and start it again."""
        self.stores[process] = await self._backend.open(process)
        self._sessions[process] = self._signed_in(self.stores[process])

    async def close(self) -> None:
        await self._backend.close()

    def session(self, process: int, user: str) -> Session:
        return self._sessions[process][user]

    async def under(self, fault: Fault | None, work: Callable[[], Awaitable[T]]) -> T | Fault | str:
        """The result of an operation, its refusal's reason, or how it failed."""
        self._backend.fail(fault)
        try:
            return await work()
        except QuotaRefusedError as error:
            return error.reason
        except StorageError:
            assert fault, "A transaction failed though nothing was wrong."
            return fault
        finally:
            self._backend.fail(None)

    async def admit(self, process: int, user: str, **asked: Any) -> int:
        """The output that the request is capped at."""
        known = set(self.attempts)
        made = self.session(process, user)
        try:
            hold = await made.hold(**asked)
        finally:
            # A hold that was saved without a word to whoever asked is there all the same.
            await made.store.refresh()
            self.attempts += [a.id for _, a in made.store.view.attempts if a.id not in known]
        assert self.attempts[-1] == hold.attempt_id
        return hold.max_output

    async def archive(self, process: int) -> None:
        await self._backend.archive(self.stores[process])

    async def ledger(self, process: int) -> list[LedgerRow]:
        """Every row there ever was, the attempts by their number."""
        numbers = {attempt_id: str(number) for number, attempt_id in enumerate(self.attempts)}
        rows = await self._backend.ledger(self.stores[process])
        named = [replace(row, attempt_id=numbers[row.attempt_id], turn_id="") for row in rows]
        return sorted(named, key=lambda row: (int(row.attempt_id), row.kind != "turn"))

    def _signed_in(self, store: Store) -> dict[str, Session]:
        return {user: self._session(store, user) for user in USERS}

    def _session(self, store: Store, user: str) -> Session:
        made = session(store, user, self._clock)
        made.accounting = Accounting(store, made.settings, made.keys, self._price, self._clock, user)
        return made


def contents(state: State) -> dict[str, list[str]]:
    """Every table but those with attempts' ids, and those whose old records are moved or folded on disk."""
    skipped = {"ledger", "attempts", "meta", "conversations", "daily_usage", "usage_rollup", "audit"}
    return {
        field.name: sorted(repr(record) for _, record in getattr(state, field.name))
        for field in fields(State)
        if field.name not in skipped
    }
