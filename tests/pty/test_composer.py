"""The prompt in a real terminal: drafts that survive a kill."""

import json
import signal
import time
from pathlib import Path

import pytest

from tests.program import Program
from tests.pty.fixtures import OpenCtroom
from tests.pty.harness import WAIT_SECONDS

pytestmark = pytest.mark.pty


def kept_drafts(home: Path) -> list[str]:
    """The drafts on disk, as plain TinyDB would read them."""
    state = home / "ctroom.json"
    tables = json.loads(state.read_bytes()) if state.exists() else {}
    return [draft["text"] for draft in tables.get("drafts", {}).values()]


def wait_for_draft(home: Path, text: str) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while text not in kept_drafts(home):
        assert time.monotonic() < deadline, f"{text!r} was not kept."
        time.sleep(0.02)


@pytest.mark.parametrize(("cols", "rows"), [(120, 40), (80, 24)])
def test_a_draft_survives_a_kill(
    open_ctroom: OpenCtroom, run_ctroom: Program, cols: int, rows: int
) -> None:
    first = open_ctroom(cols=cols, rows=rows)
    first.wait_for("Ask anything")
    first.paste("half a thought\nin two lines")
    wait_for_draft(run_ctroom.directory / "ctroom", "half a thought\nin two lines")
    first.signal(signal.SIGKILL)
    assert first.wait_exit() == -signal.SIGKILL

    second = open_ctroom(cols=cols, rows=rows)
    second.wait_for("in two lines")
    second.wait_for("half a thought")
    second.type(", and more")
    second.wait_for("in two lines, and more")
    second.key("enter")
    second.wait_for("You")
    second.key("ctrl+q")
    assert second.wait_exit() == 0
    assert kept_drafts(run_ctroom.directory / "ctroom") == []
