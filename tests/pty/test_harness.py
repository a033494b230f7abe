"""The terminal harness sends what a terminal sends, shows what one shows, and leaves nothing behind."""

import fcntl
import re
import signal
import sys
from collections.abc import Iterator

import pytest

from tests.program import Program
from tests.pty.harness import KEYS, Terminal

pytestmark = pytest.mark.pty


@pytest.fixture
def probe(run_ctroom: Program) -> Iterator[Terminal]:
    """A full-screen program in a terminal, ready for input."""
    command = [sys.executable, "-m", "tests.pty.probe"]
    with Terminal(command, env=run_ctroom.environment(), cols=60, rows=12) as terminal:
        terminal.wait_for("size 60x12")
        yield terminal


def python(run_ctroom: Program, code: str) -> Terminal:
    return Terminal([sys.executable, "-c", code], env=run_ctroom.environment())


def test_keys_arrive_under_their_names(probe: Terminal) -> None:
    # Terminals send one byte for each of these pairs, and Textual names it by the first.
    same = {"ctrl+i": "tab", "ctrl+m": "enter", "ctrl+h": "backspace", "ctrl+q": None}
    for name in KEYS:
        if same.get(name, name) is not None:
            probe.key(name)
            probe.wait_for(re.compile(f"<({re.escape(name)}|{re.escape(str(same.get(name, name)))})>"))


def test_types_pastes_and_clicks(probe: Terminal) -> None:
    probe.type("x")
    probe.wait_for("<x>")
    probe.paste("two\nlines")
    probe.wait_for(re.compile(r"pasted 'two\\[rn]lines'"))
    probe.click("button")
    probe.wait_for("clicked 2,2")


def test_follows_a_new_size(probe: Terminal) -> None:
    probe.resize(100, 30)
    probe.wait_for("size 100x30")
    assert len(probe.screen) == 30


def test_keeps_the_clipboard(probe: Terminal) -> None:
    assert probe.clipboard is None
    probe.type("y")
    probe.wait_for("<y>")
    probe.wait_until(lambda _: probe.clipboard is not None, "a copy")
    assert probe.clipboard == "copied ✓"


def test_returns_the_exit_status(probe: Terminal) -> None:
    probe.type("z")
    assert probe.wait_exit() == 3


def test_returns_the_signal_that_ended_it(probe: Terminal) -> None:
    probe.signal(signal.SIGKILL)
    assert probe.wait_exit() == -signal.SIGKILL


def test_hanging_up_ends_an_ordinary_program(run_ctroom: Program) -> None:
    with python(run_ctroom, "print('ready'); input()") as terminal:
        terminal.wait_for("ready")
        terminal.hang_up()
        assert terminal.wait_exit() == -signal.SIGHUP


def test_a_failed_wait_shows_the_screen(run_ctroom: Program) -> None:
    with python(run_ctroom, "print('this is shown')") as terminal:
        terminal.wait_exit()
        with pytest.raises(AssertionError, match=r"'never'.*the program ended[^│]*│this is shown"):
            terminal.wait_for("never")
    with (
        python(run_ctroom, "print('ready', flush=True); input()") as terminal,
        pytest.raises(AssertionError, match=r"0\.1 s passed"),
    ):
        terminal.wait_for("never", timeout=0.1)


def test_raw_holds_what_the_screen_no_longer_shows(run_ctroom: Program) -> None:
    with python(run_ctroom, r"print('sec' + 'ret\x1b[2J\x1b[Hdone')") as terminal:
        terminal.wait_for("done")
        assert "secret" not in terminal.text
        assert b"secret" in terminal.raw


def test_shows_a_frame_only_when_it_is_whole(run_ctroom: Program) -> None:
    begin, end = r"\x1b[?2026h", r"\x1b[?2026l"
    with python(run_ctroom, f"input('whole {begin}half'); input('{end} frame')") as terminal:
        terminal.wait_for("whole")
        terminal.wait_raw(b"half")
        assert "half" not in terminal.text
        terminal.key("enter")
        terminal.wait_for(re.compile(r"half\s+frame"))


def test_kills_what_the_program_started(run_ctroom: Program) -> None:
    lock = run_ctroom.directory / "lock"
    hold = (
        f"import fcntl; f = open({str(lock)!r}, 'w'); fcntl.flock(f, fcntl.LOCK_EX); print('held'); input()"
    )
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-u', '-c', {hold!r}])"
    with python(run_ctroom, code) as terminal:
        terminal.wait_for("held")
    with lock.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # free only once its holder is dead; else the test times out


def test_the_sandbox_holds_in_programs_too(run_ctroom: Program) -> None:
    code = (
        "import keyring, os, pathlib, socket;"
        "keyring.set_password('ctroom', 'sam', 'kept');"
        "print(keyring.get_password('ctroom', 'sam'), pathlib.Path.home().parent == pathlib.Path.cwd());"
        "print(sorted(name for name in os.environ if name.endswith('_API_KEY')));"
        "socket.create_connection(('192.0.2.1', 443), 1)"
    )
    with Terminal(
        [sys.executable, "-c", code], env=run_ctroom.environment(), cwd=run_ctroom.directory, cols=120
    ) as terminal:
        terminal.wait_exit()
        assert terminal.screen[:2] == ["kept True", "[]"]
        assert "Tests never leave this machine: 192.0.2.1 was refused." in terminal.text
