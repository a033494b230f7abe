"""Alerts: once for each (scope, level, epoch), the gravest only, re-armed by a top-up or a new day."""

from collections.abc import Iterator
from datetime import datetime

from tui.core.ports import Clock, State, Store
from tui.core.quota import AlertLevel, AlertRecord, KeySource, percent_floor
from tui.core.settings import LOCAL_USER, POOLED, UserRole, provider_name
from tui.services import tables
from tui.services.keys import Keys
from tui.services.refusals import QUOTA_GONE
from tui.services.snapshots import SEVERITY, day_figures, day_level, pool_level


class Alerts:
    """Decides which alerts are due to this user, and records them as raised.

    Pool alerts go to admins, to each once; day alerts to the user whose day it is.

    Args:
        store: The accounts, and the record of alerts raised.
        keys: Whether a default key is in use at all.
        clock: The present moment.
        user: To whom they would be shown.
    """

    def __init__(self, store: Store, keys: Keys, clock: Clock, user: str) -> None:
        self._store = store
        self._keys = keys
        self._clock = clock
        self._user = user

    def due(self) -> tuple[AlertRecord, ...]:
        """The alerts that were not raised yet; cheap."""
        return tuple(self._due(self._store.view))

    async def raise_due(self) -> tuple[AlertRecord, ...]:
        """Record the alerts that are due, and return them to be shown: no other session will show them.

        Raises:
            StorageError: None was recorded, and none should be shown.
        """
        if not self.due():
            return ()
        return await self._store.transaction(self._record)

    def _record(self, state: State) -> tuple[AlertRecord, ...]:
        due = tuple(self._due(state))
        for alert in due:
            for doc_id, record in list(state.alerts):
                if _outdated(record, alert):
                    state.alerts.remove(doc_id)
            state.alerts.insert(alert)
        return due

    def _due(self, state: State) -> Iterator[AlertRecord]:
        now = self._clock()
        for alert in self._present(state, now):
            raised = (
                record.level
                for _, record in state.alerts
                if (record.scope, record.epoch) == (alert.scope, alert.epoch)
            )
            if all(SEVERITY.index(level) < SEVERITY.index(alert.level) for level in raised):
                yield alert

    def _present(self, state: State, now: datetime) -> Iterator[AlertRecord]:
        """The alert of each scope's present level, raised before or not."""
        default = [name for name in POOLED if self._keys.source(name) is KeySource.DEFAULT]
        user = tables.user_settings(state, self._user, now)
        if user.role is UserRole.ADMIN:
            for provider in POOLED:
                pool = tables.pool(state, provider)
                if (level := pool_level(pool)) and pool.purchased is not None:
                    words = _words(level, pool.purchased - pool.used, pool.purchased)
                    yield AlertRecord(self._pool_scope(provider), level, str(pool.epoch), now, words)
        day = day_figures(state, self._user, now)
        if default and day.limit is not None and (level := day_level(day)):
            words = _words(level, day.limit - day.used, day.limit)
            epoch = f"{day.date}:{day.limit}"
            yield AlertRecord(f"day:{self._user}", level, epoch, now, words)

    def _pool_scope(self, provider: str) -> str:
        """Every admin is told once, whoever else was told before."""
        return f"pool:{provider}" if self._user == LOCAL_USER else f"pool:{provider}:{self._user}"


def _outdated(record: AlertRecord, alert: AlertRecord) -> bool:
    """Whether a record can never matter again once `alert` was raised: purchases and days never go back.

    A limit that is changed may be changed back, so the other epochs of the same day are kept.
    """
    same_day = record.epoch.partition(":")[0] == alert.epoch.partition(":")[0]
    return record.scope == alert.scope and not same_day


def alert_title(alert: AlertRecord) -> str:
    """Whose tokens an alert speaks of: "OpenAI" for its pool, "Today" for the day's allowance."""
    kind, name, *_ = alert.scope.split(":")
    return provider_name(name) if kind == "pool" else "Today"


def _words(level: AlertLevel, left: int, whole: int) -> str:
    """The user's words (design, section 1), with the percentage rounded down."""
    match level:
        case AlertLevel.LOW:
            return f"Low on tokens! Only {percent_floor(left, whole)}% remaining."
        case AlertLevel.CRITICAL:
            return f"Critical: Only {percent_floor(left, whole)}% tokens left!"
        case AlertLevel.EXHAUSTED:
            return QUOTA_GONE
