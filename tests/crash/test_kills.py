"""Processes that write to one data directory are killed at random moments, one or both at once."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.crash.conftest import FIGURES
from tests.crash.recovery import prepare
from tests.crash.rounds import Rounds


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


@pytest.mark.long
@pytest.mark.timeout(1_800)
async def test_200_kills_lose_and_double_nothing(
    home: Path, record_property: Callable[[str, object], None]
) -> None:
    rounds = await _killed(home, kills=200, seed=200)

    record_property(FIGURES, rounds.summary())
    assert rounds.violations == []
    assert rounds.kills >= 200
