"""`ctroom.json` stays small for ever: what is kept in it is bounded, and nothing is lost by it."""

from datetime import datetime, timedelta
from pathlib import Path

from tests.support.session import ManualClock
from tests.support.years import MODELS, TURN, UnsyncedFiles, Years
from tui.core.chat import Conversation
from tui.core.periods import DAYS_KEPT, MONTHS_KEPT
from tui.core.ports import State
from tui.core.quota import DailyUsage, KeySource, Rollup
from tui.services import tables
from tui.services.audit import audit
from tui.services.library import Library
from tui.storage.archive import MOST_LIVE
from tui.storage.older import KEPT_CONVERSATIONS, KEPT_TRAIL, MOST_CONVERSATIONS, MOST_TRAIL
from tui.storage.store import JsonStore

DAYS = 75
FIVE_YEARS = 5 * 365
"""Days."""
MOST_KIB = 400
"""What ctroom.json may take: 300 rows, 500 conversations and 62 days of totals."""


async def test_months_of_use_leave_a_small_file_and_every_row(tmp_path: Path) -> None:
    clock = ManualClock()
    store = await JsonStore.open(tmp_path, clock, UnsyncedFiles())
    years = Years(store, clock, turns=8, turns_each=1)
    await years.begin()
    await years.pass_days(DAYS)
    await store.refresh()
    view = store.view

    assert len(view.ledger) <= MOST_LIVE
    assert len(view.conversations) <= MOST_CONVERSATIONS
    assert len(view.audit) <= MOST_TRAIL
    periods = DAYS_KEPT + MONTHS_KEPT
    assert len(view.usage_rollup) <= len(MODELS) * periods
    assert len(view.daily_usage) <= 2 * periods
    assert years.alerts > len(view.alerts)
    assert (tmp_path / "ctroom.json").stat().st_size < MOST_KIB * 1024

    report = await audit(store)
    assert report.holds, report.sentence
    assert report.rows == DAYS * 8
    assert sum(pool.used for _, pool in view.quotas) == years.tokens
    assert sum(total.tokens for _, total in view.usage_rollup) == years.tokens
    assert len(years.library.conversations()) + len(await years.library.older()) == DAYS * 8
    await store.aclose()


async def test_five_years_of_records_become_few_at_once(tmp_path: Path) -> None:
    """As after an update, or a restore: what was never folded or moved is, after the first commit."""
    clock = ManualClock()
    store = await JsonStore.open(tmp_path, clock, UnsyncedFiles())
    await store.transaction(lambda state: _add_five_years(state, clock()))
    await store.refresh()
    view = store.view

    assert len(view.usage_rollup) <= DAYS_KEPT + MONTHS_KEPT + 5
    assert len(view.daily_usage) <= DAYS_KEPT + MONTHS_KEPT + 5
    assert (len(view.conversations), len(view.audit)) == (KEPT_CONVERSATIONS, KEPT_TRAIL)
    assert sum(total.tokens for _, total in view.usage_rollup) == FIVE_YEARS * TURN
    assert len(await Library(store, "local", clock).older()) == FIVE_YEARS - KEPT_CONVERSATIONS
    await store.aclose()
    assert (tmp_path / "ctroom.json").stat().st_size < MOST_KIB * 1024


def _add_five_years(state: State, now: datetime) -> None:
    for ago in reversed(range(FIVE_YEARS)):
        at = now - timedelta(days=ago)
        state.daily_usage.insert(DailyUsage("local", "openai", at.date(), TURN))
        total = Rollup(at.date(), "local", "openai", "gpt-5.1", KeySource.DEFAULT, tokens=TURN)
        state.usage_rollup.insert(total)
        state.conversations.insert(Conversation(f"c{ago}", "local", f"{ago} days ago", at, at))
        tables.note(state, at, "local", "settings set", f"max_output = {ago}")
    tables.enter_day(state, now.date())
