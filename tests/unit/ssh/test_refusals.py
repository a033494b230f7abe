"""Refusals are written down, a bounded number of them a minute."""

import logging

import pytest

from tui.ssh import journal
from tui.ssh.limits import Limits
from tui.ssh.refusals import Refusals


@pytest.fixture(autouse=True)
def heard(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal.LOG, "propagate", True)
    caplog.set_level(logging.INFO, journal.LOG.name)


async def test_an_address_that_floods_leaves_room_for_others(caplog: pytest.LogCaptureFixture) -> None:
    refusals = Refusals(Limits(refusals_per_address=2))
    for _ in range(10):
        refusals.note("10.0.0.1", "unknown key", name="a\nb")
    refusals.note("10.0.0.2", "unknown key", name="kim")
    refusals.sum_up()
    refusals.note("10.0.0.1", "unknown key", name="again")
    refusals.sum_up()
    assert caplog.messages == [
        'refused name="a b" why="unknown key"',
        'refused name="a b" why="unknown key"',
        'refused name=kim why="unknown key"',
        'refused address=10.0.0.1 more=8 why="too many to write each down"',
        'refused name=again why="unknown key"',
    ]


async def test_a_flood_from_everywhere_is_summed_up_in_a_few_lines(caplog: pytest.LogCaptureFixture) -> None:
    refusals = Refusals(Limits(refusals=5))
    for number in range(12_000):
        refusals.note(str(number % 11_000), "unknown key")
    refusals.sum_up()
    assert len(caplog.messages) == 5 + 10 + 1
    counts = [int(line.partition("more=")[2].split()[0]) for line in caplog.messages[5:]]
    assert sum(counts) == 12_000 - 5


async def test_the_minute_ends_by_itself(caplog: pytest.LogCaptureFixture) -> None:
    from tests.support.ssh import until

    refusals = Refusals(Limits(refusals_per_address=1), seconds=0.01)
    refusals.note("10.0.0.1", "unknown key")
    refusals.note("10.0.0.1", "unknown key")
    await until(lambda: len(caplog.messages) == 2)
    assert "more=1" in caplog.messages[1]
