"""The first part of an audit: each ledger row by itself, and in the chain of numbers and balances."""

from collections.abc import Container, Sequence
from datetime import date
from typing import NamedTuple, TypeAlias

from tui.core.frozen import frozen
from tui.core.quota import KeySource, LedgerRow, RowKind
from tui.core.usage import Provenance

LIVE = "ctroom.json, table ledger"
"""Where recent rows are; the others are in their months' files."""

Account: TypeAlias = tuple[str, str, str]
"""User (none for a pool), provider and key source: what a row's balance is the balance of."""


@frozen
class Problem:
    """Something that does not hold."""

    text: str
    """What is said and what should be: a sentence without its first word's capital and its full stop."""
    place: str
    """The file; in `ctroom.json` the table, too."""
    number: int | None = None
    """The ledger row's; None where it is about no row."""
    attempt_id: str | None = None


class _Entry(NamedTuple):
    """What the chain needs of a row. A tuple, because one is made for each of some hundred thousand rows."""

    number: int
    attempt_id: str
    place: str
    account: Account = ("", "", "")
    tokens: int = 0
    balance: int | None = None


class RowAudit:
    """Looks at rows month by month and keeps the problem with the lowest number.

    Memory is that of one month: rows that belong before ones of an earlier month (a turn that ended after
    midnight, a late adjustment) wait until those before them were seen, as numbers only.

    Args:
        last_row: The latest number that was given.
        open_attempts: Ids of attempts that are still held, and so have no row.
    """

    def __init__(self, last_row: int, open_attempts: Container[str]) -> None:
        self.first: Problem | None = None
        """The first row that does not hold, among those whose beginning is known."""
        self.beginning: Problem | None = None
        """The first numbered row that does not go on from the sum of the unnumbered ones before it."""
        self._last_row = last_row
        self._open = open_attempts
        self._next = 1
        self._waiting: dict[int, _Entry] = {}
        self._balances: dict[Account, int] = {}
        self._beginnings: dict[Account, _Entry] = {}
        self._unnumbered: dict[Account, int] = {}

    def month(
        self, month: str, archived: Sequence[LedgerRow], live: Sequence[LedgerRow]
    ) -> list[tuple[LedgerRow, int]]:
        """Check the rows of one month; months come oldest first.

        Args:
            month: Such as `2026-11`.
            archived: Those in its file, read after the live ones. What was written since then is left out.
            live: Those in `ctroom.json`.

        Returns:
            Each row once, in the order of its making, with its part of the tokens that are not exact.
        """
        file = f"ledger/{month}.json"
        archived = [row for row in archived if row.number <= self._last_row]
        self._check_order(archived, file)
        self._check_order(live, LIVE)
        placed = [(row, file) for row in archived]
        placed += [(row, LIVE) for row in self._not_moved(archived, live, file)]
        placed.sort(key=lambda entry: entry[0].number)
        charges: dict[str, LedgerRow] = {}
        adjusted: set[str] = set()
        checked = []
        first_day = date.fromisoformat(f"{month}-01")
        for row, place in placed:
            if row.date.replace(day=1) != first_day:
                self._note(row, place, f"is of {row.date}, which is another month's")
            if row.kind is RowKind.TURN:
                self._check_turn(row, place, charges)
                charges.setdefault(row.attempt_id, row)
                estimated = 0 if row.provenance.exact else row.tokens
            else:
                orphan = charges.get(row.attempt_id)
                self._check_adjustment(row, place, orphan, adjusted)
                adjusted.add(row.attempt_id)
                estimated = (row.tokens if not row.provenance.exact else -orphan.tokens) if orphan else 0
            self._link(row, place)
            checked.append((row, estimated))
        return checked

    def finish(self) -> None:
        """Look at what only the end shows: rows that are missing, and where each account began."""
        if self._next <= self._last_row:
            self._keep(self._missing())
        for account, entry in self._beginnings.items():
            before = self._unnumbered.get(account, 0)
            if entry.balance == before + entry.tokens:
                continue
            problem = _balance_wrong(entry, before)
            if account not in self._unnumbered:
                self._keep(problem)
            elif self.beginning is None or entry.number < (self.beginning.number or 0):
                self.beginning = problem

    def _missing(self) -> Problem:
        """What is not there between the last row that was followed and the next one that waits."""
        last = min(self._waiting, default=self._last_row + 1) - 1
        rows = f"row {last:,} is" if last == self._next else f"rows {self._next:,} to {last:,} are"
        if after := self._waiting.get(last + 1):
            return Problem(f"{rows} missing before {_named(after)}", after.place, self._next)
        return Problem(f"{rows} missing: {self._last_row:,} were written", LIVE, self._next)

    def _check_order(self, rows: Sequence[LedgerRow], place: str) -> None:
        before = 0
        for row in rows:
            if row.number < before or row.number == before != 0:
                stands = "stands there twice" if row.number == before else f"stands after row {before:,}"
                self._note(row, place, stands)
            before = row.number

    def _not_moved(
        self, archived: Sequence[LedgerRow], live: Sequence[LedgerRow], file: str
    ) -> list[LedgerRow]:
        """The live rows but for copies of archived ones, which a broken move leaves."""
        known = {_key(row): row for row in archived} if live else {}
        rest = []
        for row in live:
            twin = known.get(_key(row))
            if twin is None:
                rest.append(row)
            elif twin != row:
                self._note(row, LIVE, f"is not what it is in {file}")
        return rest

    def _check_turn(self, row: LedgerRow, place: str, charges: dict[str, LedgerRow]) -> None:
        if row.tokens != row.input + row.output:
            self._note(row, place, _sum_wrong(row))
        elif min(row.input, row.output, row.cached_input, row.reasoning) < 0:
            self._note(row, place, "counts less than no tokens")
        elif row.cached_input > row.input:
            self._note(row, place, f"says {row.cached_input:,} of {row.input:,} input tokens were cached")
        elif row.reasoning > row.output:
            self._note(row, place, f"says {row.reasoning:,} of {row.output:,} output tokens were reasoning")
        elif row.attempt_id in charges:
            other = charges[row.attempt_id].number
            self._note(
                row, place, f"charges an attempt that row {other:,} charged" if other else "stands twice"
            )
        elif row.attempt_id in self._open:
            self._note(row, place, "charges an attempt that is still held")

    def _check_adjustment(
        self, row: LedgerRow, place: str, orphan: LedgerRow | None, adjusted: set[str]
    ) -> None:
        if row.tokens != row.input + row.output:
            self._note(row, place, _sum_wrong(row))
        elif orphan is None:
            self._note(row, place, "adjusts a charge that is not there")
        elif orphan.provenance is not Provenance.ORPHANED:
            self._note(row, place, f"adjusts row {orphan.number:,}, which recovery did not charge")
        elif row.attempt_id in adjusted:
            self._note(row, place, "adjusts a charge for the second time")
        elif min(orphan.input + row.input, orphan.output + row.output) < 0:
            self._note(row, place, f"takes {-row.tokens:,} from a charge of {orphan.tokens:,} tokens")

    def _link(self, row: LedgerRow, place: str) -> None:
        """Put a row into the chain, and follow the chain as far as it is known."""
        account = _account(row)
        if row.number == 0:
            self._unnumbered[account] = self._unnumbered.get(account, 0) + row.tokens
        elif row.number < self._next or row.number in self._waiting:
            self._note(row, place, "stands twice")
        elif row.number > self._last_row:
            self._note(row, place, f"is above {self._last_row:,}, the latest number that was given")
        else:
            self._waiting[row.number] = _Entry(
                row.number, row.attempt_id, place, account, row.tokens, row.balance
            )
            while entry := self._waiting.pop(self._next, None):
                self._follow(entry)
                self._next += 1

    def _follow(self, entry: _Entry) -> None:
        if entry.balance is None:
            self._keep(_problem(entry, "has no balance"))
            return
        before = self._balances.get(entry.account)
        self._balances[entry.account] = entry.balance
        if before is None:
            self._beginnings[entry.account] = entry
        elif before + entry.tokens != entry.balance:
            self._keep(_balance_wrong(entry, before))

    def _note(self, row: LedgerRow, place: str, what: str) -> None:
        self._keep(_problem(_Entry(row.number, row.attempt_id, place), what))

    def _keep(self, problem: Problem) -> None:
        if self.first is None or (problem.number or 0) < (self.first.number or 0):
            self.first = problem


def _account(row: LedgerRow) -> Account:
    return ("" if row.key_source is KeySource.DEFAULT else row.user, row.provider, row.key_source)


def _key(row: LedgerRow) -> tuple[object, ...]:
    """What makes a row the same row in two places."""
    return row.attempt_id, row.kind, row.at


def _named(entry: _Entry) -> str:
    named = f"row {entry.number:,}" if entry.number else "an unnumbered row"
    return f"{named} (attempt {entry.attempt_id}, {entry.place})"


def _problem(entry: _Entry, what: str) -> Problem:
    return Problem(f"{_named(entry)} {what}", entry.place, entry.number, entry.attempt_id)


def _balance_wrong(entry: _Entry, before: int) -> Problem:
    says = f"charges {entry.tokens:,} tokens and says {entry.balance:,} were used after it"
    return _problem(entry, f"{says}, but it should say {before + entry.tokens:,}")


def _sum_wrong(row: LedgerRow) -> str:
    return f"charges {row.tokens:,} tokens, but its input and output are {row.input + row.output:,}"
