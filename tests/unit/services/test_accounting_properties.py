"""The eight properties of the design, section 3: any interleaving of sessions, crashes, clocks and settings.

What is done, and what must hold after each step, is in `tests.support.accounting_machine`.
"""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.support.accounting_machine import Accounts
from tests.support.accounting_worlds import InMemory
from tui.storage import upkeep

SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)


class AccountsInMemory(Accounts):
    """On the store in memory alone, which is several times as fast."""

    backends = (InMemory,)


@pytest.fixture(autouse=True)
def early_archiving(monkeypatch: pytest.MonkeyPatch) -> None:
    """Move ledger rows to their months' files when there are five, not some hundreds."""
    monkeypatch.setattr(upkeep, "KEPT_LIVE", 2)
    monkeypatch.setattr(upkeep.Upkeep._move_rows, "__defaults__", (4,))


@pytest.mark.parametrize(("machine", "examples"), [(AccountsInMemory, 40), (Accounts, 20)])
def test_every_interleaving_holds(machine: type[Accounts], examples: int) -> None:
    check(machine, examples, steps=30)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("machine", "examples"), [(AccountsInMemory, 2_000), (Accounts, 1_000)])
def test_every_interleaving_holds_at_length(machine: type[Accounts], examples: int) -> None:
    check(machine, examples, steps=50)


def check(machine: type[Accounts], examples: int, steps: int) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(max_examples=examples, stateful_step_count=steps, suppress_health_check=SLOW),
    )
