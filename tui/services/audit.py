"""An audit: the whole ledger is replayed, and every balance that is shown or enforced is proved by it."""

from collections.abc import Iterable
from typing import Any

from tui.core.frozen import frozen
from tui.core.ports import State, Store
from tui.core.quota import LedgerRow, Pool
from tui.core.settings import POOLED, provider_name
from tui.services import tables
from tui.services.audit_rows import Problem, RowAudit
from tui.services.audit_totals import TotalsAudit

TRIES = 3
"""How often data that changes meanwhile is looked at before it is said not to hold."""


@frozen
class AuditReport:
    """What an audit found."""

    rows: int
    months: int
    pools: tuple[Pool, ...]
    problem: Problem | None = None
    """The first thing that does not hold."""

    @property
    def holds(self) -> bool:
        """Whether everything is as the ledger says."""
        return self.problem is None

    @property
    def sentence(self) -> str:
        """The whole finding in one line."""
        if self.problem is not None:
            return f"The ledger does not hold: {self.problem.text}."
        counted = (_counted(self.rows, "row"), _counted(self.months, "month"), *map(_used, self.pools))
        return f"The ledger holds: {', '.join(counted)}."


async def audit(store: Store) -> AuditReport:
    """Prove every balance. Nothing is written, and nobody who writes meanwhile is kept waiting.

    All but archived rows is of one moment. Rows only move from the state to months' files, and those are
    read after it: so none is missed, and what was written since is told by its number.

    Raises:
        StorageError: A file is damaged or can't be read; the message names it.
    """
    await store.refresh()
    for _ in range(TRIES - 1):
        report = await _audit(store, store.view)
        if report.holds or not await store.refresh():
            return report
    return await _audit(store, store.view)


def report_json(report: AuditReport) -> dict[str, Any]:
    """The report in the shape that `ctroom audit --json` prints."""
    problem = report.problem
    return {
        "holds": report.holds,
        "summary": report.sentence,
        "rows": report.rows,
        "months": report.months,
        "pools": [
            {"provider": pool.provider, "used": pool.used, "purchased": pool.purchased}
            for pool in report.pools
        ],
        "problem": problem
        and {
            "row": problem.number,
            "attempt": problem.attempt_id,
            "place": problem.place,
            "text": problem.text,
        },
    }


async def _audit(store: Store, state: State) -> AuditReport:
    live = _by_month(row for _, row in state.ledger)
    months = sorted({*await store.ledger_months(), *live})
    rows = RowAudit(tables.meta(state).last_row, {attempt.id for _, attempt in state.attempts})
    totals = TotalsAudit(state)
    count = 0
    for month in months:
        checked = rows.month(month, await store.load_archived(month), live.get(month, []))
        totals.add(checked)
        count += len(checked)
    rows.finish()
    providers = dict.fromkeys([*POOLED, *(pool.provider for _, pool in state.quotas)])
    pools = tuple(tables.pool(state, provider) for provider in providers)
    return AuditReport(count, len(months), pools, _first(rows, totals))


def _first(rows: RowAudit, totals: TotalsAudit) -> Problem | None:
    """The problem to be told of: a row before a total, which it may have spoiled.

    Rows from before rows were numbered have no chain. Where their sum is not what the first numbered row goes
    on from, a total that differs too says more closely where.
    """
    first, beginning = rows.first, rows.beginning
    if beginning and (first is None or (beginning.number or 0) < (first.number or 0)):
        return totals.problem() or beginning
    return first or totals.problem()


def _by_month(rows: Iterable[LedgerRow]) -> dict[str, list[LedgerRow]]:
    months: dict[str, list[LedgerRow]] = {}
    for row in rows:
        months.setdefault(f"{row.date:%Y-%m}", []).append(row)
    return months


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _used(pool: Pool) -> str:
    of = "" if pool.purchased is None else f" of {pool.purchased:,}"
    return f"{provider_name(pool.provider)} {pool.used:,} used{of}"
