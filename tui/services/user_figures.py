"""Everyone's use of the default keys, today and in total, with what a host knows of each user."""

from collections.abc import Iterable
from datetime import datetime

from tui.core.days import day_ends
from tui.core.figures import DayFigures
from tui.core.frozen import frozen
from tui.core.ports import State
from tui.core.quota import KeySource
from tui.core.settings import LOCAL_USER, UserRole, UserSettings
from tui.core.users import PublicKey
from tui.services import tables
from tui.services.settings import allowance_of


@frozen
class UserEntry:
    """A user, as an admin sees them."""

    name: str
    role: UserRole
    tier: str
    created_at: datetime
    keys: tuple[PublicKey, ...]
    """What they sign in with, the oldest first."""
    day: DayFigures
    """Their day on default keys, all providers together."""
    used: int
    """Tokens that they ever used with default keys."""
    estimated: int
    """The part of `used` that is not exact."""
    own: int
    """Tokens that they ever used with their own keys."""


def entries(state: State, now: datetime) -> tuple[UserEntry, ...]:
    """Everyone: the local user first, then by name."""
    records = {record.user: record for _, record in state.user_settings}
    records.setdefault(LOCAL_USER, tables.user_settings(state, LOCAL_USER, now))
    keys: dict[str, list[PublicKey]] = {}
    for _, key in state.public_keys:
        keys.setdefault(key.user, []).append(key)
    totals = _totals(state)
    days = _Days(state, now)
    ordered = sorted(records.values(), key=lambda record: (record.user != LOCAL_USER, record.user))
    return tuple(
        UserEntry(
            record.user,
            record.role,
            record.tier,
            record.created_at,
            tuple(keys.get(record.user, ())),
            days.of(record),
            *totals.get(record.user, (0, 0, 0)),
        )
        for record in ordered
    )


def used_by_others(state: State, users: Iterable[str]) -> int:
    """Tokens that users who were removed since ever used with default keys."""
    known = set(users)
    return sum(used for user, (used, _, _) in _totals(state).items() if user not in known)


def _totals(state: State) -> dict[str, tuple[int, int, int]]:
    """Tokens with default keys, those of them that are not exact, and tokens with own keys, by user."""
    found: dict[str, tuple[int, int, int]] = {}
    for _, total in state.usage_rollup:
        used, estimated, own = found.get(total.user, (0, 0, 0))
        if total.key_source is KeySource.DEFAULT:
            used, estimated = used + total.tokens, estimated + total.estimated
        elif total.key_source is KeySource.OWN:
            own += total.tokens
        found[total.user] = (used, estimated, own)
    return found


class _Days:
    """The days of all users, from one look at the table."""

    def __init__(self, state: State, now: datetime) -> None:
        self._host = tables.host_settings(state)
        self._date = tables.today(state, now)
        self._ends = day_ends(self._date, self._host.time_zone)
        self._sums: dict[str, tuple[int, int, int]] = {}
        for record in tables.days_of_all(state, self._date):
            used, held, estimated = self._sums.get(record.user, (0, 0, 0))
            self._sums[record.user] = (used + record.used, held + record.held, estimated + record.estimated)

    def of(self, record: UserSettings) -> DayFigures:
        """A user's day."""
        used, held, estimated = self._sums.get(record.user, (0, 0, 0))
        limit = allowance_of(self._host, record, self._date)
        return DayFigures(self._date, limit, used, held, self._ends, estimated)
