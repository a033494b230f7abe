"""What people do with Ctroom in a terminal, over real wires: start, add a key, chat, stop, come back."""

import json
import re
import signal
from typing import Any

import pytest

from tests.peers.gemini_double import GeminiDouble
from tests.peers.servers import AIMock, LLMock
from tests.peers.wire import Hold, Wire, sse
from tests.program import Program
from tests.pty.fixtures import OpenCtroom
from tests.pty.harness import Terminal

pytestmark = pytest.mark.pty

SIZES = ((120, 40), (80, 24))
OPENAI_KEY = "sk-proj-Xq7LmT2vRbN8wKcZ4hJdPfGs9yEa91f3"
GEMINI_KEY = "AIzaSyQ4wE7rT1yU8iO3pA6sD9fG2hJ5kL0zXc"
PARTIAL = "Half of an answer that never ends"
CHARGED = re.compile(r"~?[\d,]+ in · ~?[\d,]+ out · [\d.]+ s")
"""What a reply took, once it is over."""
FIGURES = re.compile(r"OpenAI .*?~?([\d,]+) remaining .* · ~?([\d,]+) / 1,000,000")


def figures(run_ctroom: Program, provider: str, env: dict[str, str]) -> dict[str, Any]:
    """The provider's figures as another process reads them."""
    told = json.loads(run_ctroom("usage", "--json", env=env).stdout)
    [found] = [each for each in told["providers"] if each["provider"] == provider]
    return dict(found)


def wait_twice(terminal: Terminal, text: str) -> None:
    terminal.wait_until(lambda screen: screen.count(text) == 2, f"{text!r} twice")


def leave(terminal: Terminal) -> None:
    terminal.key("ctrl+q")
    assert terminal.wait_exit() == 0


def reopen_conversation(terminal: Terminal, title: str) -> None:
    """Open the only conversation from the list."""
    terminal.wait_for("remaining")
    terminal.key("f8")
    terminal.wait_for(f"› {title}")
    terminal.key("enter")


def holding_wire(wire: Wire) -> dict[str, str]:
    """Let every reply begin and never end; the environment with a default key that leads there."""
    wire.script(sse({"choices": [{"index": 0, "delta": {"content": PARTIAL}}]}, Hold()))
    return {"OPENAI_API_KEY": OPENAI_KEY, "OPENAI_BASE_URL": wire.openai_url}


@pytest.mark.parametrize(("cols", "rows"), SIZES)
def test_first_start_without_a_key(open_ctroom: OpenCtroom, cols: int, rows: int) -> None:
    terminal = open_ctroom(cols=cols, rows=rows)
    terminal.wait_for("This is the offline demo")
    terminal.wait_for("To chat for real, add a key in Settings (F4).")
    terminal.wait_for("Demo offline · 0 tokens")
    terminal.wait_for("F1 help")

    terminal.paste("/long 20\nsecond line\nthird line")
    terminal.wait_for("third line")
    terminal.wait_for(re.compile(r"about [\d,]+ to [\d,]+ tokens"))
    assert "You " not in terminal.text, "The paste was sent."
    terminal.key("enter")
    terminal.wait_for(CHARGED)
    terminal.wait_for(re.compile(r"Demo offline · [1-9]\d* tokens"))
    for line in ("/long 20", "second line", "third line"):
        terminal.wait_for(line)


@pytest.mark.parametrize(("cols", "rows"), SIZES)
def test_a_key_of_ones_own(
    open_ctroom: OpenCtroom, run_ctroom: Program, llmock: LLMock, cols: int, rows: int
) -> None:
    terminal = open_ctroom(cols=cols, rows=rows, env={"OPENAI_BASE_URL": llmock.openai_url})
    terminal.wait_for("Demo offline")
    terminal.key("f4")
    terminal.wait_for("▸ 1 API keys")
    terminal.key("tab", "tab")
    terminal.wait_for("key          ▌")
    terminal.paste(OPENAI_KEY)
    terminal.wait_for(f"••{OPENAI_KEY[-4:]}")
    terminal.key("enter")
    terminal.wait_for(re.compile(r"works: \d+ models"))
    terminal.wait_for("keyring · in use")
    terminal.wait_for(f"sk-proj-••••••••••••••••{OPENAI_KEY[-4:]}")
    terminal.wait_for("(•) Use my own keys")
    terminal.wait_for("OpenAI 0 tokens used (Using your API keys)")
    kept = json.loads((run_ctroom.directory / "keyring.json").read_text("utf-8"))
    assert kept == {"ctroom": {"local/openai": OPENAI_KEY}}

    terminal.key("f6")
    terminal.wait_for("OpenAI  your key")
    terminal.type("gpt-4o-mini")
    terminal.wait_gone("gpt-4-turbo")
    terminal.key("enter")
    terminal.wait_for("OpenAI · gpt-4o-mini")
    assert "offline demo" not in terminal.text
    llmock.reply("Good evening, and welcome.")
    terminal.type("hello there")
    terminal.key("enter")
    terminal.wait_for("Good evening, and welcome.")
    terminal.wait_for(re.compile(r"OpenAI [1-9]\d* tokens used \(Using your API keys\)"))
    assert llmock.requests()[-1]["model"] == "gpt-4o-mini"
    assert OPENAI_KEY.encode() not in terminal.raw


def test_a_streamed_turn_over_openai_adds_exactly_what_was_reported(
    open_ctroom: OpenCtroom, run_ctroom: Program, aimock: AIMock
) -> None:
    env = {"OPENAI_API_KEY": OPENAI_KEY, "OPENAI_BASE_URL": aimock.openai_url}
    assert run_ctroom("quota", "set", "openai", "1,000,000", env=env).returncode == 0
    terminal = open_ctroom(env=env)
    terminal.wait_for("1,000,000 remaining (100.0%) · 0 / 1,000,000")
    terminal.type("exact, please")
    terminal.key("enter")
    terminal.wait_for("The quick brown fox jumps over the lazy dog")
    terminal.wait_for(re.compile(r"\b1,234 in · 567 out"))
    terminal.wait_for(re.compile(r" 998,199 remaining \(99\.8%\) · 1,801 / 1,000,000"))
    leave(terminal)
    told = figures(run_ctroom, "openai", env)
    assert (told["used"], told["held"], told["estimated"]) == (1_801, 0, 0)


def test_a_streamed_turn_over_gemini(
    open_ctroom: OpenCtroom, run_ctroom: Program, gemini_double: GeminiDouble
) -> None:
    env = {"GEMINI_API_KEY": GEMINI_KEY, "GOOGLE_GEMINI_BASE_URL": gemini_double.gemini_url}
    assert run_ctroom("quota", "set", "google", "500k", env=env).returncode == 0
    terminal = open_ctroom(cols=120, rows=40, env=env)
    terminal.wait_for("500,000 remaining")
    terminal.type("What is 6 times 7?")
    terminal.key("enter")
    terminal.wait_for("It is 42.")
    terminal.wait_for(re.compile(r"\b10 in · 46 out"))
    terminal.wait_for(re.compile(r" 499,944 remaining \(100\.0%\) · 56 / 500,000 tokens · today 56 / 10,000"))
    leave(terminal)
    told = figures(run_ctroom, "google", env)
    assert (told["used"], told["held"], told["estimated"]) == (56, 0, 0)


def test_stopping_and_leaving_keep_and_charge_what_came(
    open_ctroom: OpenCtroom, run_ctroom: Program, wire: Wire
) -> None:
    env = holding_wire(wire)
    run_ctroom("quota", "set", "openai", "1M", env=env)
    terminal = open_ctroom(env=env)
    terminal.wait_for("remaining")
    terminal.type("count")
    terminal.key("enter")
    terminal.wait_for(PARTIAL)
    terminal.key("escape")
    terminal.wait_for("Stopped")
    charged = terminal.wait_for(re.compile(r"~(\d+) in · ~(\d+) out · "))
    stopped = int(charged[1]) + int(charged[2])
    terminal.wait_for(f"~{stopped} / 1,000,000")
    assert wire.requests[0].wait_client_left()

    terminal.type("go on")
    terminal.key("enter")
    wait_twice(terminal, PARTIAL)
    leave(terminal)
    assert wire.requests[1].wait_client_left()
    told = figures(run_ctroom, "openai", env)
    assert told["used"] > stopped > 0
    assert told["held"] == 0

    again = open_ctroom(cols=120, rows=40, env=env)
    reopen_conversation(again, "count")
    wait_twice(again, "Stopped")
    assert again.text.count(PARTIAL) == 2
    assert "go on" in again.text
    again.wait_for(f"~{told['used']} / 1,000,000 tokens")


def test_a_killed_app_loses_neither_prompt_nor_partial_reply(
    open_ctroom: OpenCtroom, run_ctroom: Program, wire: Wire
) -> None:
    env = holding_wire(wire)
    run_ctroom("quota", "set", "openai", "1M", env=env)
    terminal = open_ctroom(env=env)
    terminal.wait_for("remaining")
    terminal.type("count")
    terminal.key("enter")
    terminal.wait_for(PARTIAL)
    terminal.wait_for(re.compile(r"~[1-9]\d* / 1,000,000"))  # shown once the partial reply is on disk
    terminal.signal(signal.SIGKILL)
    assert terminal.wait_exit() == -signal.SIGKILL
    # Nobody knows yet whether the reply goes on elsewhere: until its lease ends, its tokens stay held.
    assert figures(run_ctroom, "openai", env)["held"] > 0

    again = open_ctroom(env=env)
    reopen_conversation(again, "count")
    again.wait_for(PARTIAL)
    again.wait_for(re.compile(r"You .*\n *count"))


def test_everything_is_within_reach_at_80x24_without_colours(
    open_ctroom: OpenCtroom, run_ctroom: Program
) -> None:
    env = {"OPENAI_API_KEY": OPENAI_KEY, "NO_COLOR": "1"}
    run_ctroom("quota", "set", "openai", "1M", env=env)
    terminal = open_ctroom(env=env)
    terminal.wait_for("F9 commands")
    terminal.key("f1")
    terminal.wait_for("Write your prompt here.")
    terminal.key("escape")
    terminal.wait_gone("Write your prompt here.")
    terminal.key("f9")
    terminal.wait_for("Search for commands")
    terminal.key("escape")
    terminal.wait_gone("Search for commands")
    terminal.key("f6")
    terminal.wait_for("Provider and model")
    terminal.key("escape")
    terminal.wait_gone("Provider and model")
    terminal.key("f8")
    terminal.wait_for("Conversations")
    terminal.key("f4")
    terminal.wait_for("▸ 1 API keys")
    for section, last in (
        ("2 Token quotas", "Top up"),
        ("3 Models and endpoints", "Add endpoint"),
        ("4 Limits and time zone", "System prompt"),
        ("5 Appearance", "Bell"),
    ):
        terminal.key("pagedown")
        terminal.wait_for(f"▸ {section}")
        terminal.wait_for(last)
        terminal.wait_for(FIGURES)

    terminal.resize(130, 40)
    terminal.wait_for(re.compile(r"resets \d\d:\d\d"))
    terminal.resize(80, 24)
    terminal.wait_for(re.compile(r" 0 / 1,000,000 tokens *\n F1 help"))
    terminal.wait_for(FIGURES)
    terminal.key("f2")
    terminal.wait_for("Ask anything")
    assert coloured(terminal.raw) == set()


def coloured(raw: bytes) -> set[bytes]:
    """The sequences that select a colour; Textual gives NO_COLOR shades of grey, which are none."""
    found = set(re.findall(rb"\x1b\[([0-9;:]*)m", raw))
    return {each for each in found if not _grey(each)}


def _grey(parameters: bytes) -> bool:
    values = [int(value or 0) for value in re.split(rb"[;:]", parameters)]
    while values:
        if values[0] in (38, 48):
            kind, *shade = values[1:5]
            if kind != 2 or len(set(shade)) != 1:
                return False
            values = values[5:]
        elif 30 <= values[0] <= 37 or 40 <= values[0] <= 47 or 90 <= values[0] <= 107:
            return False
        else:
            values = values[1:]
    return True
