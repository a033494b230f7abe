"""Processes that write to one data directory are killed at random moments, one or both at once."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.crash.books import Reader
from tests.crash.checker import final_violations
from tests.crash.fleet import Child
from tests.crash.journal import Journal
from tests.crash.recovery import PREPARED, USERS, prepare, recover
from tests.crash.rounds import Rounds
from tests.crash.worker import AT_ONCE, Order, run
from tests.support.figures import FIGURES


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "ctroom"


async def _killed(home: Path, kills: int, seed: int) -> Rounds:
    await prepare(home)
    rounds = Rounds(home, random.Random(seed))
    while (rounds.kills < kills or rounds.journal.acknowledged < 25 * kills) and not rounds.violations:
        rounds.round()
    rounds.finish()
    await rounds.recover()
    return rounds


async def test_no_kill_loses_or_doubles_what_was_acknowledged(home: Path) -> None:
    rounds = await _killed(home, kills=12, seed=3)

    assert rounds.violations == []
    assert rounds.kills >= 12
    assert rounds.books.archived  # rows moved meanwhile


async def test_processes_that_write_at_once_lose_and_double_nothing(home: Path) -> None:
    await prepare(home)
    orders = [Order(home, user, seed, ("shared",), turns=4) for seed, user in enumerate([*USERS, *USERS])]
    children = [Child(run, order) for order in orders]
    journal = Journal()
    journal.add([*PREPARED, *(entry for child in children for entry in child.last_words())])

    assert [child.exit_code for child in children] == [0, 0, 0, 0]
    assert len(journal.held) == 4 * AT_ONCE * 4
    assert await recover(home) == []
    assert final_violations(Reader(home).read(), journal) == []


@pytest.mark.long
@pytest.mark.timeout(1_800)
async def test_200_kills_lose_and_double_nothing(
    home: Path, record_property: Callable[[str, object], None]
) -> None:
    rounds = await _killed(home, kills=200, seed=200)

    record_property(FIGURES, rounds.summary())
    assert rounds.violations == []
    assert rounds.kills >= 200
