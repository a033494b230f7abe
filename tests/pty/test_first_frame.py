"""What the app imports before its first frame: the reason why it is there at once."""

import sys

import pytest

from tests.program import Program
from tests.pty.harness import Terminal

pytestmark = pytest.mark.pty

FORBIDDEN = (
    "asyncssh",
    "genai_prices",
    "google.genai",
    "google.generativeai",
    "grpc",
    "httpx",
    "httpx2",
    "keyring",
    "openai",
    "pydantic",
    "textual.widgets._markdown",
    "tiktoken",
    "tui.providers.google",
    "tui.providers.openai",
)
"""SDKs, the keyring, HTTP clients and Textual's Markdown: each costs 30 to 1,100 ms (design, section 9)."""

SKELETON = 379
"""Modules that a Textual app with a chat's widgets imports; our libraries may make it 1.15 times as many."""
OWN = 105
"""Modules of Ctroom itself: they are small on purpose, and together cost less than one library would."""
HARNESS = ("tests", "runpy", "sitecustomize")


def test_the_first_frame_needs_no_sdk(run_ctroom: Program) -> None:
    report = run_ctroom.directory / "modules"
    with Terminal(
        [sys.executable, "-m", "tests.pty.first_frame", str(report)],
        env=run_ctroom.environment(),
        cols=120,
        rows=40,
        cwd=run_ctroom.directory,
    ) as terminal:
        terminal.wait_for("F1")
    loaded = set(report.read_text("utf-8").split())
    assert "tui.app" in loaded
    heavy = {name for name in loaded if name.startswith(tuple(f"{prefix}." for prefix in FORBIDDEN))}
    assert heavy | (loaded & set(FORBIDDEN)) == set()
    own = {name for name in loaded if name.partition(".")[0] == "tui"}
    harness = {name for name in loaded if name.partition(".")[0] in HARNESS}
    assert len(loaded - own - harness) <= SKELETON * 1.15
    assert len(own) <= OWN
