"""The prompt in a real terminal: drafts that survive a kill, and an editor of the user's own."""

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
def test_a_draft_survives_a_kill(open_ctroom: OpenCtroom, run_ctroom: Program, cols: int, rows: int) -> None:
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


def editor_script(directory: Path, body: str) -> str:
    """An editor of the test's own; its path as it goes into `EDITOR`."""
    script = directory / "editor.sh"
    script.write_text(f"#!/bin/sh\n{body}\n")
    script.chmod(0o700)
    return str(script)


def test_the_prompt_is_written_in_an_editor_of_ones_own(open_ctroom: OpenCtroom, run_ctroom: Program) -> None:
    body = 'echo "EDITING $(cat "$1")"; read line; printf "%s\\nand a second line" "$line" >> "$1"'
    editor = editor_script(run_ctroom.directory, body)
    terminal = open_ctroom(env={"EDITOR": editor, "VISUAL": ""})
    terminal.wait_for("Ask anything")
    terminal.type("begun")
    terminal.wait_for("begun")
    terminal.key("f10")
    terminal.wait_for("EDITING begun")
    assert terminal.raw.rstrip().rfind(b"\x1b[?1049l") > terminal.raw.rfind(b"\x1b[?1049h")
    terminal.send(b", and gone on\n")
    terminal.wait_for("F1 help")
    terminal.wait_for("begun, and gone on")
    terminal.wait_for("and a second line")
    terminal.type("!")
    terminal.wait_for("and a second line!")
    terminal.key("ctrl+q")
    assert terminal.wait_exit() == 0


def test_ctrl_c_is_the_editor_s(open_ctroom: OpenCtroom, run_ctroom: Program) -> None:
    editor = editor_script(run_ctroom.directory, "echo EDITING; sleep 60")
    terminal = open_ctroom(env={"VISUAL": editor})
    terminal.wait_for("Ask anything")
    terminal.type("not lost")
    terminal.wait_for("not lost")
    terminal.key("f10")
    terminal.wait_for("EDITING")
    terminal.key("ctrl+c")
    terminal.wait_for("signal 2")
    terminal.wait_for("not lost")
    terminal.key("ctrl+q")
    assert terminal.wait_exit() == 0


def test_a_missing_editor_is_one_sentence(open_ctroom: OpenCtroom) -> None:
    terminal = open_ctroom(env={"EDITOR": "no-such-editor", "VISUAL": ""})
    terminal.wait_for("Ask anything")
    terminal.type("not lost")
    terminal.key("f10")
    terminal.wait_for("no-such-editor")
    terminal.wait_for("not lost")


def test_a_reply_streams_on_while_the_editor_has_the_terminal(
    open_ctroom: OpenCtroom, run_ctroom: Program
) -> None:
    editor = editor_script(run_ctroom.directory, "echo EDITING; read line")
    terminal = open_ctroom(env={"EDITOR": editor, "VISUAL": ""})
    terminal.wait_for("Ask anything")
    terminal.type("/long 60")
    terminal.key("enter")
    terminal.wait_for("Replying")
    terminal.key("f10")
    terminal.wait_for("EDITING")
    state = run_ctroom.directory / "ctroom" / "ctroom.json"
    deadline = time.monotonic() + WAIT_SECONDS
    while '"attempts": {}' not in state.read_text():
        assert time.monotonic() < deadline, "The reply did not end."
        time.sleep(0.05)
    after = terminal.raw.partition(b"EDITING")[2]
    assert after == b"\r\n", "The app drew over the editor."
    terminal.send(b"\n")
    terminal.wait_for("F1 help")
    terminal.wait_gone("Replying")
    terminal.key("ctrl+q")
    assert terminal.wait_exit() == 0
