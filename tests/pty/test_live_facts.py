"""What a user sees while a provider makes them wait, and after one could not be reached."""

import re
import socket
from contextlib import closing

import pytest

from tests.peers.wire import Wire, answer, sse
from tests.pty.fixtures import OpenCtroom

pytestmark = pytest.mark.pty

KEY = "sk-proj-Xq7LmT2vRbN8wKcZ4hJdPfGs9yEa91f3"
DONE = sse(
    {"choices": [{"index": 0, "delta": {"content": "Here it is."}}]},
    {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
    {"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13}},
)


def test_a_rate_limit_counts_down_over_the_prompt(open_ctroom: OpenCtroom) -> None:
    with Wire() as wire:
        busy = answer({"error": {"message": "slow down"}}, status=429, headers={"retry-after": "4"})
        wire.script(busy, DONE)
        terminal = open_ctroom(env={"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": wire.openai_url})
        terminal.wait_for("today 0")
        terminal.type("hello")
        terminal.key("enter")
        for seconds in (3, 2):
            terminal.wait_for(f"rate limited by OpenAI, trying again in {seconds} s · Esc stops")
        terminal.wait_for("Attempt 2 follows")
        terminal.wait_for("Here it is.")
        terminal.wait_for(re.compile(r"9 in · 4 out · [\d.]+ s"))
        terminal.wait_gone("rate limited")


def test_a_provider_out_of_reach_is_named_until_it_answers(open_ctroom: OpenCtroom) -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and never listened at: connections are refused
        port = taken.getsockname()[1]
        env = {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": f"http://127.0.0.1:{port}/v1"}
        terminal = open_ctroom(env=env)
        terminal.wait_for("today 0")
        terminal.type("hello")
        terminal.key("enter")
        terminal.wait_for(re.compile(r"no connection to OpenAI, trying again (in \d s|now) · Esc stops"))
        terminal.wait_for("Failed")
        terminal.wait_for(re.compile(r"╭─ no connection to OpenAI ─+"))
        terminal.key("f5")
        terminal.wait_for("Ask anything")
        terminal.wait_for(re.compile(r"╭─ no connection to OpenAI ─+"))
