"""Leaving while a reply streams, in every way there is: what came is kept, and charged exactly once."""

import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.crash.accounts import read_accounts
from tests.crash.streams import DEMO, Stream, begin, latest_turn, recover_later, stream_over
from tests.peers.wire import Wire
from tests.program import COMMAND, Program
from tests.pty.fixtures import OpenCtroom
from tests.pty.harness import Terminal
from tui.core.chat import MessageStatus

GONE_SECONDS = 8.0
"""In which a process that was told to end must be gone: five, and three for a machine that is busy."""
LATEST = 1.2
"""Seconds of a stream before it is interrupted, at most: before and after its first checkpoint."""
ROUNDS = [3, pytest.param(30, marks=[pytest.mark.long, pytest.mark.timeout(900)])]


@dataclass(frozen=True, slots=True)
class Way:
    """A way to leave the app."""

    name: str
    leave: Callable[[Terminal], None]
    status: int

    def __str__(self) -> str:
        return self.name


def sending(number: signal.Signals) -> Callable[[Terminal], None]:
    return lambda terminal: terminal.signal(number)


WAYS = (
    Way("ctrl-q", lambda terminal: terminal.key("ctrl+q"), 0),
    Way("sigterm", sending(signal.SIGTERM), 128 + signal.SIGTERM),
    Way("sigint", sending(signal.SIGINT), 128 + signal.SIGINT),
    Way("sighup", sending(signal.SIGHUP), 128 + signal.SIGHUP),
    Way("terminal-closed", Terminal.hang_up, 128 + signal.SIGHUP),
)


def assert_kept(home: Path, stream: Stream, status: MessageStatus) -> None:
    """Prompt and partial reply are on disk, with a charge of their own."""
    prompt, reply = latest_turn(home)
    assert prompt.text == stream.prompt
    assert (reply.status, reply.provider) == (status, stream.provider)
    assert stream.whole.startswith(reply.text)
    accounts = read_accounts(home)
    accounts.assert_settled()
    [row] = [row for row in accounts.rows if row.turn_id == reply.turn_id]
    assert reply.usage is not None
    assert row.tokens == reply.usage.total > 0


@pytest.mark.pty
@pytest.mark.parametrize("rounds", ROUNDS)
@pytest.mark.parametrize("way", WAYS, ids=str)
def test_leaving_the_app_keeps_and_charges_what_came(
    open_ctroom: OpenCtroom, wire: Wire, ctroom_home: Path, way: Way, rounds: int
) -> None:
    chance = random.Random(f"{way}, {rounds} rounds")
    for number in range(rounds):
        stream = DEMO if number % 3 else stream_over(wire)
        terminal = open_ctroom(env=stream.env)
        begin(terminal, stream)
        time.sleep(chance.uniform(0, LATEST))
        way.leave(terminal)
        assert terminal.wait_exit(GONE_SECONDS) == way.status
        assert_kept(ctroom_home, stream, MessageStatus.STOPPED)
        assert b"Traceback" not in terminal.raw
    assert all(request.wait_client_left() for request in wire.requests)
    assert len(read_accounts(ctroom_home).rows) == rounds


@pytest.mark.pty
@pytest.mark.parametrize("rounds", ROUNDS)
def test_a_kill_while_the_app_leaves_costs_no_record(
    open_ctroom: OpenCtroom, ctroom_home: Path, rounds: int
) -> None:
    chance = random.Random(rounds)
    for number in range(rounds):
        terminal = open_ctroom()
        begin(terminal, DEMO)
        time.sleep(chance.uniform(0, LATEST))
        terminal.key("ctrl+q")
        time.sleep(chance.uniform(0, 0.2))
        terminal.signal(signal.SIGKILL)
        assert terminal.wait_exit(GONE_SECONDS) in (0, -signal.SIGKILL)
        recover_later(ctroom_home)
        prompt, reply = latest_turn(ctroom_home)
        assert prompt.text == DEMO.prompt
        assert DEMO.whole.startswith(reply.text)
        assert reply.status in (MessageStatus.STOPPED, MessageStatus.INTERRUPTED)
        accounts = read_accounts(ctroom_home)
        accounts.assert_settled()
        assert len(accounts.rows) == number + 1
        assert recover_later(ctroom_home) == 0
        assert read_accounts(ctroom_home).rows == accounts.rows


@pytest.mark.pty
@pytest.mark.parametrize("way", [way for way in WAYS if way.name != "ctrl-q"], ids=str)
def test_leaving_an_ask_keeps_and_charges_what_came(
    open_ctroom: OpenCtroom, ctroom_home: Path, way: Way
) -> None:
    chance = random.Random(way.name)
    for number in range(3):
        terminal = open_ctroom("ask", DEMO.prompt)
        terminal.wait_for(DEMO.begins)
        time.sleep(chance.uniform(0, LATEST))
        way.leave(terminal)
        assert terminal.wait_exit(GONE_SECONDS) == way.status
        assert_kept(ctroom_home, DEMO, MessageStatus.STOPPED)
        assert len(read_accounts(ctroom_home).rows) == number + 1


@pytest.mark.pty
def test_a_terminal_that_closes_without_a_signal_ends_the_app_too(
    run_ctroom: Program, ctroom_home: Path
) -> None:
    # As under nohup. Textual's own driver would read the end of its input again and again.
    deaf = ("sh", "-c", 'trap "" HUP; exec "$@"', "sh", *COMMAND)
    with Terminal(deaf, env=run_ctroom.environment(), cwd=run_ctroom.directory) as terminal:
        begin(terminal, DEMO)
        terminal.hang_up()
        assert terminal.wait_exit(GONE_SECONDS) == 128 + signal.SIGHUP
    assert_kept(ctroom_home, DEMO, MessageStatus.STOPPED)
