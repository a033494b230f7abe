"""Many processes ask at once: no token of a pool or a day is promised twice, and the sums are the peer's."""

import json
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.crash.accounts import read_accounts, watched
from tests.crash.metered_peer import PROMPT, MeteredPeer, beyond_cap, within_cap
from tests.peers.servers import AIMock
from tests.program import Program
from tests.support.command_line import CommandLine
from tui.core.chat import ChatMessage, Role
from tui.core.errors import RefusalReason
from tui.providers.tokens import estimate_input

PROCESSES = 8
TURNS = 50
"""Of each process, where they don't start anew for each turn."""
MOST_OUTPUT = 100
"""The cap of a turn where there is room."""
LIMIT = 400
"""Holds three turns at a time, and has no room for the average turn of eight."""
PLENTY = 1_000_000
KEY = "sk-test-0123456789abcdef"
LONG = (pytest.mark.long, pytest.mark.timeout(3_600))


@dataclass(frozen=True, slots=True)
class Limits:
    """What the processes share; one of both is the limit that they run into."""

    purchased: int
    per_day: int

    def __str__(self) -> str:
        return "day" if self.purchased == PLENTY else "pool"

    def enter(self, ctroom: CommandLine, most_output: int = MOST_OUTPUT) -> None:
        """Make the data directory."""
        for command in (
            ("quota", "set", "openai", str(self.purchased)),
            ("settings", "set", "tiers.basic", str(self.per_day)),
            ("settings", "set", "max_output", str(most_output)),
        ):
            assert ctroom(*command).returncode == 0


def either(limit: int) -> tuple[Limits, Limits]:
    """The same limit for the pool, and for the day."""
    return Limits(limit, PLENTY), Limits(PLENTY, limit)


def openai(url: str) -> dict[str, str]:
    """A host whose default key works at an address."""
    return {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": url}


@dataclass(slots=True)
class Asked:
    """What `ctroom ask` said, all runs together."""

    statuses: Counter[int] = field(default_factory=Counter)
    charged: int = 0
    used: int = 0
    """By the usage in their reports."""
    said: Counter[str] = field(default_factory=Counter)

    def take(self, run: "subprocess.CompletedProcess[str]") -> None:
        report = json.loads(run.stdout)
        self.statuses[run.returncode] += 1
        self.charged += report["charged"]
        self.used += report["usage"]["total"] if report["usage"] else 0
        self.said[run.stderr] += 1


def ask_at_once(run_ctroom: Program, url: str, each: int) -> Asked:
    """Run `ctroom ask` in 8 processes at a time, in each place so many one after the other."""
    command = ("ask", "--json", "-p", "openai", "hello")

    def ask(_: int) -> list["subprocess.CompletedProcess[str]"]:
        return [run_ctroom(*command, env=openai(url), timeout=110) for _ in range(each)]

    asked = Asked()
    with ThreadPoolExecutor(PROCESSES) as places:
        for runs in places.map(ask, range(PROCESSES)):
            for run in runs:
                asked.take(run)
    return asked


def assert_exact(home: Path, tokens: int) -> None:
    """Ledger, pool, day and rollup say what the provider said, and nothing is held."""
    accounts = read_accounts(home)
    accounts.assert_settled()
    assert accounts.used == tokens


@pytest.mark.peers
@pytest.mark.parametrize(
    ("each", "limits"),
    [
        (1, Limits(LIMIT, PLENTY)),
        *(pytest.param(50, limits, marks=LONG) for limits in either(20 * LIMIT)),
    ],
    ids=str,
)
def test_asks_at_once_never_overshoot(
    run_ctroom: Program, ctroom: CommandLine, ctroom_home: Path, each: int, limits: Limits
) -> None:
    limits.enter(ctroom)
    with MeteredPeer(within_cap(each)) as peer, watched(ctroom_home) as watch:
        asked = ask_at_once(run_ctroom, peer.openai_url, each)
    assert set(asked.statuses) == {0, 3}, asked
    assert asked.statuses.total() == PROCESSES * each
    assert asked.statuses[0] == len(peer.served)
    assert asked.charged == asked.used == peer.tokens
    assert watch.most_held > 1
    assert watch.looks > 2 * asked.statuses[0]
    assert_exact(ctroom_home, peer.tokens)


@pytest.mark.peers
def test_asks_of_a_server_that_is_not_ours(
    run_ctroom: Program, ctroom: CommandLine, ctroom_home: Path, aimock: AIMock
) -> None:
    aimock.answer("A short answer.", prompt=PROMPT, completion=60)
    Limits(PLENTY, LIMIT).enter(ctroom)
    with watched(ctroom_home):
        asked = ask_at_once(run_ctroom, aimock.openai_url, 1)
    assert set(asked.statuses) == {0, 3}, asked
    answered = asked.statuses[0]
    assert len(aimock.requests()) == answered
    assert_exact(ctroom_home, answered * (PROMPT + 60))


@pytest.mark.peers
@pytest.mark.parametrize(
    ("each", "beyond"), [(1, 7), pytest.param(50, 500, marks=LONG)], ids=["short", "long"]
)
def test_a_provider_that_ignores_the_cap_goes_over_by_exactly_what_it_exceeded(
    run_ctroom: Program, ctroom: CommandLine, ctroom_home: Path, each: int, beyond: int
) -> None:
    # Three turns fill the pool to the token, each spends all that is held for it and something more.
    model = "gpt-5.1"
    estimate = estimate_input([ChatMessage(Role.USER, "hello")], model, "openai")
    filled = 3 * (estimate + MOST_OUTPUT)
    Limits(filled, PLENTY).enter(ctroom)
    assert ctroom("settings", "set", "openai.model", model).returncode == 0
    peer = MeteredPeer(beyond_cap(beyond), prompt=estimate, together=3)
    with peer, watched(ctroom_home, lambda: peer.excess), ThreadPoolExecutor(1) as thread:
        answering = thread.submit(peer.answer_together)
        asked = ask_at_once(run_ctroom, peer.openai_url, each)
        answering.result()
    assert asked.statuses == {0: 3, 3: PROCESSES * each - 3}, asked
    assert peer.excess == 3 * beyond
    assert asked.charged == filled + 3 * beyond
    assert_exact(ctroom_home, filled + 3 * beyond)


class AskingProcess:
    """One process that sends many prompts at once; see `tests.crash.asking_process`.

    Args:
        run_ctroom: Whose sandbox it runs in.
        seed: Sets what its provider does.
        beyond: Tokens that its provider spends beyond each cap.
    """

    def __init__(self, run_ctroom: Program, seed: int, beyond: int) -> None:
        module = "tests.crash.asking_process"
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, str(TURNS), str(seed), str(beyond)],
            env=run_ctroom.environment({"OPENAI_API_KEY": KEY}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> "AskingProcess":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def wait_ready(self) -> None:
        """Wait until it has loaded what it needs."""
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n", self._process.communicate()[1]

    def result(self) -> dict[str, Any]:
        """Let it ask; what came of it."""
        output, errors = self._process.communicate("go\n", timeout=100)
        assert not errors
        return dict(json.loads(output))


@pytest.mark.parametrize(
    ("limits", "beyond"),
    [(Limits(10 * LIMIT, PLENTY), 30), (Limits(PLENTY, 10 * LIMIT), 0)],
    ids=str,
)
def test_four_hundred_turns_at_once_never_overshoot(
    run_ctroom: Program, ctroom: CommandLine, ctroom_home: Path, limits: Limits, beyond: int
) -> None:
    limits.enter(ctroom)
    with ExitStack() as running:
        watch = running.enter_context(watched(ctroom_home, lambda: PROCESSES * TURNS * beyond))
        threads = running.enter_context(ThreadPoolExecutor(PROCESSES))
        processes = [
            running.enter_context(AskingProcess(run_ctroom, seed, beyond)) for seed in range(PROCESSES)
        ]
        list(threads.map(AskingProcess.wait_ready, processes))
        told = list(threads.map(AskingProcess.result, processes))

    outcomes = sum((Counter(each["outcomes"]) for each in told), Counter[str]())
    assert outcomes.total() == PROCESSES * TURNS
    assert set(outcomes) <= {"complete", *RefusalReason}
    assert 0 < outcomes["complete"] < PROCESSES * TURNS
    assert not any(each["unsaved"] for each in told)
    assert watch.most_held > 10
    reported, excess = (sum(each[name] for each in told) for name in ("reported", "excess"))
    assert sum(each["charged"] for each in told) == reported
    assert reported - excess <= 10 * LIMIT
    assert excess == beyond * outcomes["complete"]
    assert_exact(ctroom_home, reported)
