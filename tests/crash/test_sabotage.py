"""The tests of the tests: with a protection taken away, the same work and the same looks find the harm."""

import random
import re
from pathlib import Path

import pytest

from tests.crash.recovery import prepare
from tests.crash.rounds import Rounds
from tests.crash.sabotage import Sabotage

MOST_ROUNDS = 25
"""Within these the harm must be found; most often it is in the first."""


@pytest.mark.parametrize(
    ("taken_away", "harm"),
    [
        (Sabotage.LOCK, "is lost"),
        (Sabotage.EXACTLY_ONCE, "was charged [23] times"),
        (Sabotage.REPLACE, "can't be read"),
    ],
)
async def test_kills_find_that_a_protection_is_missing(
    tmp_path: Path, taken_away: Sabotage, harm: str
) -> None:
    await prepare(tmp_path / "ctroom")
    rounds = Rounds(tmp_path / "ctroom", random.Random(5), taken_away)

    while not _found(harm, rounds) and rounds.number < MOST_ROUNDS:
        rounds.round()
    rounds.finish()

    assert _found(harm, rounds), rounds.violations


def _found(harm: str, rounds: Rounds) -> bool:
    return any(re.search(harm, violation) for violation in rounds.violations)
