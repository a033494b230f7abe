"""The command line against real servers: what it prints, how it ends, and what every token of it costs."""

import json
import signal
import socketserver
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.peers.gemini_double import GeminiDouble
from tests.peers.servers import AIMock, Eliza, LlamaCpp, LLMock
from tests.peers.wire import Hold, Wire, sse
from tests.program import COMMAND, Program
from tests.support.command_line import CommandLine
from tui.providers.discovery import KNOWN_PORTS

pytestmark = pytest.mark.peers

KEY = "sk-env-openai-0123456789"
EXACT = "The quick brown fox jumps over the lazy dog, again and again and again.\n"
"""aimock's answer to "exact": 1,234 tokens in, 567 out."""


def openai(url: str) -> dict[str, str]:
    """The environment of a host whose default key works at an address."""
    return {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": url}


def figures(ctroom: CommandLine, env: Mapping[str, str], provider: str = "openai") -> dict[str, Any]:
    shown = ctroom("usage", "--json", env=env)
    assert (shown.returncode, shown.stderr) == (0, "")
    [found] = [each for each in json.loads(shown.stdout)["providers"] if each["provider"] == provider]
    return dict(found)


class Models(BaseHTTPRequestHandler):
    """A server that lists two models, as Ollama does."""

    def do_GET(self) -> None:
        body = json.dumps({"data": [{"id": "one"}, {"id": "two"}]}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def serve_on_a_known_port() -> tuple[str, socketserver.TCPServer]:
    """A server on a port that `doctor` asks, and whose port that is."""
    for name, port in KNOWN_PORTS:
        with suppress(OSError):
            return name, socketserver.TCPServer(("127.0.0.1", port), Models)
    pytest.skip("every port that doctor asks is taken on this machine")


def replies(home: Path) -> list[tuple[str, str]]:
    """Text and status of every reply in the only conversation that is saved."""
    [saved] = (home / "conversations").rglob("*.json")
    messages = json.loads(saved.read_text(encoding="utf-8"))["messages"].values()
    return [(each["text"], each["status"]) for each in messages if each["role"] == "assistant"]


@contextmanager
def started(run_ctroom: Program, *arguments: str, env: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A command that runs while the test goes on."""
    with subprocess.Popen(
        [*COMMAND, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=run_ctroom.environment(env),
        cwd=run_ctroom.directory,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_a_turn_is_counted_to_the_token(run_ctroom: Program, ctroom: CommandLine, aimock: AIMock) -> None:
    env = openai(aimock.openai_url)
    ctroom("quota", "set", "openai", "1M")
    before = figures(ctroom, env)
    assert (before["used"], before["remaining"], before["day"]["used"]) == (0, 1_000_000, 0)

    asked = run_ctroom("ask", "exact", env=env)
    assert (asked.returncode, asked.stdout, asked.stderr) == (0, EXACT, "")
    after = figures(ctroom, env)
    assert (after["purchased"], after["used"], after["remaining"]) == (1_000_000, 1_801, 998_199)
    assert (after["held"], after["estimated"], after["remaining_percent"]) == (0, 0, 99.8)
    assert (after["day"]["used"], after["day"]["remaining"]) == (1_801, 8_199)

    ctroom("settings", "set", "tier", "unlimited")
    aimock.answer("Done.", prompt=43_000, completion=429, match="the rest")
    assert ctroom("ask", "the rest", env=env).stdout == "Done.\n"
    assert ctroom("usage", env=env).stdout == (
        "OpenAI\n  45,230 / 1,000,000 tokens\n  954,770 remaining (95.5%)\n  today 45,230, unlimited\n"
    )


def test_what_is_sent_and_what_json_says(
    run_ctroom: Program, ctroom: CommandLine, aimock: AIMock, ctroom_home: Path
) -> None:
    env = openai(aimock.openai_url)
    asked = run_ctroom(
        "ask", "exact:", "--json", "-m", "gpt-4o-mini", "--system", "Be brief.", input="one\ntwo\n", env=env
    )
    assert (asked.returncode, asked.stderr) == (0, "")
    report = json.loads(asked.stdout)
    conversation = report.pop("conversation")
    assert list(report.items()) == [
        ("status", "complete"),
        ("provider", "openai"),
        ("model", "gpt-4o-mini"),
        ("text", EXACT.rstrip("\n")),
        ("error", None),
        (
            "usage",
            {
                "input": 1_234,
                "cached_input": 0,
                "output": 567,
                "reasoning": 0,
                "total": 1_801,
                "provenance": "reported",
            },
        ),
        ("charged", 1_801),
    ]
    assert ctroom("ask", "-", input="exact, from a pipe", env=env).stdout == EXACT
    first, second = (request["body"] for request in aimock.requests())
    assert first["model"] == "gpt-4o-mini"
    assert [message["content"] for message in first["messages"]] == ["Be brief.", "exact:\n\none\ntwo"]
    assert first["messages"][0]["role"] in ("system", "developer")
    assert [message["content"] for message in second["messages"]] == ["exact, from a pipe"]
    [saved] = ctroom_home.rglob(f"*{conversation}*.json")
    assert "one\\ntwo" in saved.read_text(encoding="utf-8")


def test_without_room_nothing_is_sent(run_ctroom: Program, ctroom: CommandLine, aimock: AIMock) -> None:
    env = openai(aimock.openai_url)
    gone = "You've used all available tokens. Please add your own API key in Settings. "
    ctroom("quota", "set", "openai", "0")
    refused = run_ctroom("ask", "exact", env=env)
    assert (refused.returncode, refused.stdout) == (3, "")
    top_up = "If you bought more, enter it under Token quotas. The pool does not refill by itself."
    assert refused.stderr == f"{gone}{top_up}\n"

    ctroom("quota", "set", "openai", "1M")
    assert ctroom("ask", "exact", env=env).returncode == 0
    ctroom("settings", "set", "tier", "free")
    denied = ctroom("ask", "exact", "--json", env=env)
    assert denied.returncode == 3
    assert denied.stderr.startswith(f"{gone}Today's allowance returns at 00:00 (in ")
    report = json.loads(denied.stdout)
    assert (report["status"], report["usage"], report["charged"]) == ("failed", None, 0)
    assert report["error"] == denied.stderr.rstrip("\n")
    assert len(aimock.requests()) == 1
    now = figures(ctroom, env)
    assert (now["used"], now["held"], now["alert"]) == (1_801, 0, "exhausted")


def test_failures_are_sentences_and_free(run_ctroom: Program, ctroom: CommandLine, llmock: LLMock) -> None:
    env = openai(llmock.openai_url)
    ctroom("quota", "set", "openai", "1M")
    llmock.fail(429, retry_after=1).reply("Here I am.")
    asked = run_ctroom("ask", "Hello", env=env)
    assert (asked.returncode, asked.stdout) == (0, "Here I am.\n")
    [said] = asked.stderr.splitlines()
    assert said.endswith("Trying again in 1 s.")
    used = figures(ctroom, env)["used"]

    llmock.fail(401)
    refused = ctroom("ask", "Hello", env=env)
    assert (refused.returncode, refused.stdout) == (1, "")
    [said] = refused.stderr.splitlines()
    assert KEY not in said
    after = figures(ctroom, env)
    assert (after["used"], after["held"]) == (used, 0)


@pytest.mark.parametrize(
    ("signals", "status", "said"),
    [
        # Whoever is impatient presses Ctrl+C again while the turn is being saved.
        ((signal.SIGINT, signal.SIGINT), 130, "Interrupted."),
        ((signal.SIGTERM,), 143, ""),
    ],
)
def test_an_interrupted_reply_is_kept_and_charged(
    run_ctroom: Program,
    ctroom: CommandLine,
    wire: Wire,
    ctroom_home: Path,
    signals: tuple[signal.Signals, ...],
    status: int,
    said: str,
) -> None:
    env = openai(wire.openai_url)
    ctroom("quota", "set", "openai", "1M")
    wire.script(sse({"choices": [{"index": 0, "delta": {"content": "Half of it"}}]}, Hold()))
    with started(run_ctroom, "ask", "Hello", env=env) as asking:
        assert asking.stdout is not None
        # It is there before the reply has ended, though no terminal is.
        assert asking.stdout.read(10) == "Half of it"
        during = figures(ctroom, env)
        assert during["held"] > 0
        for number in signals:
            asking.send_signal(number)
            [request] = wire.requests
            assert request.wait_client_left()
        rest, last = asking.communicate(timeout=30)
    assert (asking.returncode, rest.strip(), last.strip()) == (status, "", said)
    after = figures(ctroom, env)
    assert after["held"] == 0
    assert 0 < after["used"] == after["estimated"] < during["held"]
    assert replies(ctroom_home) == [("Half of it", "stopped")]


def test_a_killed_reply_is_charged_by_the_next_command(
    run_ctroom: Program, ctroom: CommandLine, wire: Wire, ctroom_home: Path
) -> None:
    env = openai(wire.openai_url)
    ctroom("quota", "set", "openai", "1M")
    wire.script(sse({"choices": [{"index": 0, "delta": {"content": "Half of it"}}]}, Hold()))
    with started(run_ctroom, "ask", "Hello", env=env) as asking:
        assert asking.stdout is not None
        assert asking.stdout.read(10) == "Half of it"
        asking.kill()
    held = figures(ctroom, env)["held"]
    assert held > 0
    # The lease of the dead, which lasts for more than a minute, is made to have run out.
    state = ctroom_home / "ctroom.json"
    tables = json.loads(state.read_text(encoding="utf-8"))
    [attempt] = tables["attempts"].values()
    attempt["lease_until"] = attempt["created_at"]
    state.write_text(json.dumps(tables), encoding="utf-8")
    after = figures(ctroom, env)
    assert after["held"] == 0
    assert 0 < after["used"] == after["estimated"] <= held
    assert "streaming" not in [status for _, status in replies(ctroom_home)]


def test_a_server_that_never_reports_is_estimated(
    run_ctroom: Program, ctroom: CommandLine, eliza: Eliza
) -> None:
    env = openai(eliza.openai_url)
    ctroom("quota", "set", "openai", "1M")
    asked = run_ctroom("ask", "I feel watched.", "-m", "eliza", "--json", env=env)
    report = json.loads(asked.stdout)
    assert (asked.returncode, report["status"], report["usage"]["provenance"]) == (0, "complete", "estimated")
    now = figures(ctroom, env)
    assert now["used"] == now["estimated"] == report["charged"] == report["usage"]["total"] > 0
    assert f"\n  ~{now['used']:,} / 1,000,000 tokens\n" in ctroom("usage", env=env).stdout


def test_a_local_model_as_an_endpoint(run_ctroom: Program, ctroom: CommandLine, llamacpp: LlamaCpp) -> None:
    ctroom("settings", "set", "endpoints.local.base_url", llamacpp.openai_url)
    ctroom("settings", "set", "max_output", "16")
    asked = run_ctroom("ask", "What is the capital of France?", "-p", "local", "-s", "Be brief.", "--json")
    assert (asked.returncode, asked.stderr) == (0, "")
    report = json.loads(asked.stdout)
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "What is the capital of France?"},
    ]
    assert report["model"] == llamacpp.model
    assert report["text"]
    usage = report["usage"]
    assert usage["input"] == llamacpp.prompt_tokens(messages)
    assert 0 < usage["output"] <= 16
    assert (usage["provenance"], report["charged"]) == ("reported", usage["input"] + usage["output"])
    assert ctroom("usage").stdout == f"local\n  {usage['total']:,} tokens used\n"
    own = figures(ctroom, {}, "local")
    assert (own["key_source"], own["used"], own["purchased"], own["day"]) == (
        "none",
        usage["total"],
        None,
        None,
    )


def test_gemini_counts_thoughts(
    run_ctroom: Program, ctroom: CommandLine, gemini_double: GeminiDouble
) -> None:
    key = "AIza-env-google-0123456789"
    env = {"GEMINI_API_KEY": key, "GOOGLE_GEMINI_BASE_URL": gemini_double.gemini_url}
    ctroom("quota", "set", "google", "1,000")
    asked = run_ctroom("ask", "What is 6 times 7?", env=env)
    assert (asked.returncode, asked.stdout, asked.stderr) == (0, "It is 42.\n", "")
    assert ctroom("usage", env=env).stdout.startswith(
        "Google\n  56 / 1,000 tokens\n  944 remaining (94.4%)\n  today 56 / 10,000, resets 00:00\n"
    )


def test_watching_sees_another_process_spend(
    run_ctroom: Program, ctroom: CommandLine, aimock: AIMock
) -> None:
    env = openai(aimock.openai_url)
    ctroom("quota", "set", "openai", "1M")
    with started(run_ctroom, "usage", "--watch", "--json", env=env) as watching:
        assert watching.stdout is not None
        [first] = json.loads(watching.stdout.readline())["providers"]
        assert (first["used"], first["remaining"]) == (0, 1_000_000)
        assert run_ctroom("ask", "exact", env=env).returncode == 0
        for line in watching.stdout:
            [provider] = json.loads(line)["providers"]
            if provider["used"]:
                break
        assert (provider["used"], provider["remaining"], provider["held"]) == (1_801, 998_199, 0)
        watching.send_signal(signal.SIGINT)
        _, said = watching.communicate(timeout=30)
    assert (watching.returncode, said) == (130, "Interrupted.\n")


def test_keys_are_tested_before_they_are_kept(
    run_ctroom: Program, ctroom: CommandLine, llmock: LLMock
) -> None:
    env = {"OPENAI_BASE_URL": llmock.openai_url}
    keyring = run_ctroom.directory / "keyring.json"
    own = "sk-own-0123456789-EFGH"
    llmock.fail(401)
    rejected = run_ctroom("keys", "set", "openai", input=f"{own}\n", env=env)
    assert (rejected.returncode, rejected.stdout) == (4, "")
    assert rejected.stderr.endswith("Nothing was kept.\n")
    assert own not in keyring.read_text(encoding="utf-8")

    kept = ctroom("keys", "set", "openai", input=f"{own}\n", env=env)
    assert (kept.returncode, kept.stderr) == (0, "")
    assert kept.stdout.startswith("works: ")
    assert own in keyring.read_text(encoding="utf-8")
    for name in ("keys.use_custom", "openai.use_own_key"):
        ctroom("settings", "set", name, "true")
    assert ctroom("keys", "test", "openai", env=env).stdout == kept.stdout.splitlines()[0] + "\n"
    llmock.fail(401)
    assert ctroom("keys", "test", "openai", env=env).returncode == 4

    assert ctroom("ask", "Hello", env=env).returncode == 0
    shown = ctroom("usage", env=env).stdout.splitlines()
    assert (shown[0], shown[2]) == ("OpenAI", "  (Using your API keys)")
    mine = figures(ctroom, env)
    assert (mine["key_source"], mine["purchased"], mine["remaining"]) == ("own", None, None)
    assert mine["used"] > 0


def test_doctor_finds_servers_on_loopback(run_ctroom: Program) -> None:
    name, server = serve_on_a_known_port()
    with server:
        Thread(target=server.serve_forever, daemon=True).start()
        found = run_ctroom("doctor")
        server.shutdown()
    assert found.returncode == 0
    assert (
        f"On loopback     {name} at http://127.0.0.1:{server.server_address[1]}/v1, 2 models\n"
        in found.stdout
    )
