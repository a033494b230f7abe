"""Many processes on one data directory: the pool and the day hold, and the sums are exact."""

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
from tinydb import TinyDB

from tests.peers.servers import AIMock
from tests.program import Program

pytestmark = pytest.mark.peers

PROMPT, COMPLETION = 20, 60
TURN = PROMPT + COMPLETION
"""What the scripted answer charges: less than is held for it, as where a provider keeps to its cap."""
LIMIT = 300
"""Three turns fit, one after the other; a fourth has fewer than the 64 tokens left that a reply needs."""
KEY = "sk-test-0123456789abcdef"


@pytest.mark.parametrize(("purchased", "per_day"), [(LIMIT, "unlimited"), (1_000_000, str(LIMIT))])
def test_a_limit_is_not_overshot_by_processes_at_once(
    run_ctroom: Program, aimock: AIMock, purchased: int, per_day: str
) -> None:
    aimock.answer("A short answer.", prompt=PROMPT, completion=COMPLETION)
    env = {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": aimock.openai_url}
    assert run_ctroom("quota", "set", "openai", str(purchased)).returncode == 0
    assert run_ctroom("settings", "set", "tiers.basic", per_day).returncode == 0

    def ask(_: int) -> "subprocess.CompletedProcess[str]":
        return run_ctroom("ask", "-p", "openai", "hello", env=env, timeout=110)

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(ask, range(8)))

    statuses = [answer.returncode for answer in answers]
    assert set(statuses) <= {0, 3}, [answer.stderr for answer in answers]
    answered = statuses.count(0)
    assert 1 <= answered <= LIMIT // TURN
    assert 3 in statuses

    figures = json.loads(run_ctroom("usage", "--json", env=env).stdout)["providers"][0]
    assert figures["used"] == figures["day"]["used"] == answered * TURN
    assert figures["held"] == 0
    assert figures["remaining"] == purchased - answered * TURN

    with TinyDB(run_ctroom.directory / "ctroom" / "ctroom.json", access_mode="r") as stored:
        rows = stored.table("ledger").all()
        assert len(rows) == answered
        assert sum(row["tokens"] for row in rows) == answered * TURN
        assert stored.table("attempts").all() == []
