"""Kill -9 while a reply streams: prompt and partial reply are there, and its cost is charged and marked."""

import random
import re
import signal
import time
from pathlib import Path

import pytest

from tests.crash.accounts import Accounts, read_accounts
from tests.crash.streams import DEMO, Stream, begin, latest_turn, recover_later, stream_over
from tests.peers.wire import Wire
from tests.pty.fixtures import OpenCtroom
from tests.pty.harness import Terminal
from tests.support.command_line import CommandLine
from tui.core.chat import MessageStatus
from tui.core.quota import Attempt
from tui.core.usage import Provenance

pytestmark = pytest.mark.pty

LATEST = 2.5
"""Seconds of a stream before the kill, at most: before, while and after it is saved for the first time."""
ROUNDS = [3, pytest.param(30, marks=[pytest.mark.long, pytest.mark.timeout(900)])]


def kill(terminal: Terminal) -> None:
    terminal.signal(signal.SIGKILL)
    assert terminal.wait_exit() == -signal.SIGKILL


def assert_recovered(home: Path, stream: Stream, attempt: Attempt) -> Accounts:
    """The only open attempt was charged at what is known of it, and its reply says so."""
    prompt, reply = latest_turn(home)
    assert (prompt.text, prompt.status) == (stream.prompt, MessageStatus.COMPLETE)
    assert (reply.id, reply.status) == (attempt.reply_id, MessageStatus.INTERRUPTED)
    assert stream.whole.startswith(reply.text)
    accounts = read_accounts(home)
    accounts.assert_settled()
    [row] = [row for row in accounts.rows if row.attempt_id == attempt.id]
    assert row.provenance is Provenance.ORPHANED
    spent = attempt.checkpoint.total if attempt.checkpoint else max(attempt.held, attempt.input_estimate)
    assert row.tokens == spent > 0
    assert (reply.usage and reply.usage.total, reply.provenance) == (spent, Provenance.ORPHANED)
    return accounts


@pytest.mark.parametrize("rounds", ROUNDS)
@pytest.mark.parametrize("command", ["app", "ask"])
def test_a_killed_turn_is_recovered(
    open_ctroom: OpenCtroom,
    ctroom: CommandLine,
    wire: Wire,
    ctroom_home: Path,
    command: str,
    rounds: int,
) -> None:
    assert ctroom("settings", "set", "tier", "unlimited").returncode == 0, "many kills are charged in full"
    chance = random.Random(f"{command}, {rounds} rounds")
    for number in range(rounds):
        stream = DEMO if number % 3 else stream_over(wire)
        terminal = open_ctroom(*(("ask", stream.prompt) if command == "ask" else ()), env=stream.env)
        if command == "app":
            begin(terminal, stream)
        else:
            terminal.wait_for(stream.begins)
        time.sleep(chance.uniform(0, LATEST))
        kill(terminal)
        [(_, attempt)] = read_accounts(ctroom_home).state.attempts
        assert recover_later(ctroom_home) == 1
        accounts = assert_recovered(ctroom_home, stream, attempt)
        assert len(accounts.rows) == number + 1
        state = (ctroom_home / "ctroom.json").read_bytes()
        assert recover_later(ctroom_home) == 0
        assert (ctroom_home / "ctroom.json").read_bytes() == state


def test_what_was_on_the_screen_for_a_second_is_there_again(
    open_ctroom: OpenCtroom, ctroom: CommandLine, wire: Wire, ctroom_home: Path
) -> None:
    assert ctroom("quota", "set", "openai", "1M").returncode == 0
    stream = stream_over(wire)
    terminal = open_ctroom(env=stream.env)
    begin(terminal, stream)
    terminal.wait_for(re.compile(r"~[1-9]\d* / 1,000,000"))  # shown once the partial reply is on disk
    kill(terminal)
    [(_, attempt)] = read_accounts(ctroom_home).state.attempts
    assert attempt.checkpoint is not None

    recover_later(ctroom_home)
    accounts = assert_recovered(ctroom_home, stream, attempt)
    assert latest_turn(ctroom_home)[-1].text.startswith("word-0 word-1")
    again = open_ctroom(env=stream.env)
    again.wait_for(f"~{accounts.used} / 1,000,000")
    again.key("f8")
    again.wait_for(f"› {stream.prompt}")
    again.key("enter")
    again.wait_for("word-0 word-1")
    again.wait_for("Interrupted")
