"""What stands on the terminal before the app, and how the terminal is when the start fails."""

import re
import signal
import sys
import termios

import pytest

from tests.program import COMMAND, Program
from tests.pty.fixtures import OpenCtroom
from tests.pty.harness import Terminal

pytestmark = pytest.mark.pty

ENTER, LEAVE = b"\x1b[?1049h", b"\x1b[?1049l"
HIDE, SHOW = b"\x1b[?25l", b"\x1b[?25h"
SILENT = termios.ECHO | termios.ICANON


def echoes(terminal: Terminal) -> bool:
    """Whether the terminal shows what is typed, and hands it over by lines, as a shell left it."""
    return bool(terminal.attributes[3] & SILENT == SILENT)


def starting(program: Program, what: str, env: dict[str, str] | None = None) -> Terminal:
    """The program, with a statement that is run in place of the app's own start."""
    imports = "import asyncio, sys, time, tui.commands.screen as screen, tui.cli"
    code = f"{imports}\n{what}\nsys.exit(tui.cli.main([]))"
    environment = program.environment(env)
    return Terminal([sys.executable, "-c", code], env=environment, cwd=program.directory)


@pytest.mark.parametrize(("cols", "rows"), [(80, 24), (130, 40), (60, 20)])
def test_the_skeleton_is_where_the_apps_frame_will_be(run_ctroom: Program, cols: int, rows: int) -> None:
    code = "import sys, tui.skeleton as s; s.first_sight(); sys.stdin.readline()"
    command = [sys.executable, "-c", code]
    env = run_ctroom.environment()
    with Terminal(command, env=env, cols=cols, rows=rows) as terminal:
        terminal.wait_raw("╯".encode())
        skeleton = terminal.screen
    with Terminal(COMMAND, env=env, cols=cols, rows=rows, cwd=run_ctroom.directory) as terminal:
        terminal.wait_for("F1")
        frame = terminal.screen
    assert "Ctroom" in skeleton[0]
    for before, after in zip(skeleton, frame, strict=True):
        for column, cell in enumerate(before):
            # The frame's words may stand in for its lines.
            assert cell in (" ", "─", after.ljust(cols)[column]), (before, after)


def test_the_app_takes_over_without_clearing_the_screen(open_ctroom: OpenCtroom) -> None:
    terminal = open_ctroom()
    terminal.wait_for("F1")
    assert terminal.raw.startswith(ENTER + HIDE)
    assert terminal.raw.count(ENTER) == 1
    assert terminal.raw.count(b"\x1b[2J") == 1
    terminal.key("ctrl+q")
    assert terminal.wait_exit() == 0
    assert LEAVE in terminal.raw
    assert terminal.raw.rindex(SHOW) > terminal.raw.rindex(HIDE)
    assert echoes(terminal)


def test_keys_typed_ahead_reach_the_prompt_and_are_not_echoed(open_ctroom: OpenCtroom) -> None:
    terminal = open_ctroom()
    terminal.wait_raw(ENTER)
    assert not echoes(terminal)
    terminal.type("typed ahead of the frame")
    terminal.wait_for(re.compile(r"│ typed ahead of the frame"))
    assert terminal.raw.index(b"typed ahead") > terminal.raw.index(b"\x1b[?2004h")


def test_a_store_that_cannot_be_used_is_said_on_the_main_screen(
    open_ctroom: OpenCtroom, run_ctroom: Program
) -> None:
    home = run_ctroom.directory / "ctroom"
    home.mkdir()
    (home / "ctroom.json").write_text("not JSON at all")
    terminal = open_ctroom()
    assert terminal.wait_exit() == 1
    screen, _, said = terminal.raw.partition(LEAVE + SHOW)
    assert screen.startswith(ENTER)
    assert b"ctroom.json" in said
    assert said.count(b"\n") == 1
    assert b"Traceback" not in terminal.raw
    assert echoes(terminal)


def test_an_error_of_our_own_is_said_on_the_main_screen(run_ctroom: Program) -> None:
    with starting(run_ctroom, "screen.open_services = lambda _: 1 / 0") as terminal:
        assert terminal.wait_exit() == 1
        screen, _, said = terminal.raw.partition(LEAVE + SHOW)
        assert screen.startswith(ENTER)
        assert said.startswith(b"Ctroom met an error of its own")
        assert echoes(terminal)


def test_ctrl_c_during_the_start_gives_the_terminal_back(run_ctroom: Program) -> None:
    with starting(run_ctroom, "screen.open_services = lambda _: asyncio.sleep(60)") as terminal:
        terminal.wait_raw("╯".encode())
        terminal.key("ctrl+c")
        assert terminal.wait_exit() == 130
        assert terminal.raw.endswith(LEAVE + SHOW + b"Interrupted.\r\n")
        assert echoes(terminal)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_during_the_start_gives_the_terminal_back(
    run_ctroom: Program, number: signal.Signals
) -> None:
    what = "screen.open_services = lambda _: (print('opening', flush=True), time.sleep(60))"
    with starting(run_ctroom, what) as terminal:
        terminal.wait_raw(b"opening")
        terminal.signal(number)
        assert terminal.wait_exit() == -number
        assert terminal.raw.endswith(LEAVE + SHOW)
        assert echoes(terminal)


def test_ctrl_z_during_the_start_does_not_leave_a_silent_shell(run_ctroom: Program) -> None:
    with starting(run_ctroom, "screen.open_services = lambda _: asyncio.sleep(60)") as terminal:
        terminal.wait_raw("╯".encode())
        terminal.key("ctrl+z", "ctrl+c")
        assert terminal.wait_exit() == 130


def test_the_theme_of_the_settings_colours_the_skeleton(open_ctroom: OpenCtroom, run_ctroom: Program) -> None:
    assert run_ctroom("settings", "set", "theme", "textual-light").returncode == 0
    terminal = open_ctroom()
    terminal.wait_for("F1")
    first, _, _ = terminal.raw.partition(b"\x1b[2J")
    assert b"48;2;224;224;224m" in first


def test_no_color_has_none(open_ctroom: OpenCtroom) -> None:
    terminal = open_ctroom(env={"NO_COLOR": "1"})
    terminal.wait_raw("╯".encode())
    skeleton, _, _ = terminal.raw.partition("╯".encode())
    assert b"m" not in re.sub(rb"[^\x1b]*(\x1b\[[0-9;?]*[a-zA-Z])?", rb"\1", skeleton)


@pytest.mark.parametrize("args", [("usage",), ("--help",)])
def test_commands_write_to_the_terminal_as_it_is(open_ctroom: OpenCtroom, args: tuple[str, ...]) -> None:
    terminal = open_ctroom(*args)
    assert terminal.wait_exit() == 0
    assert ENTER not in terminal.raw


def test_nothing_heavy_is_imported_before_the_skeleton_stands(run_ctroom: Program) -> None:
    report = run_ctroom.directory / "modules"
    code = (
        "import sys; import tui.cli; from pathlib import Path; "
        f"Path({str(report)!r}).write_text(' '.join(sys.modules))"
    )
    with Terminal([sys.executable, "-S", "-c", code], env=run_ctroom.environment()) as terminal:
        assert terminal.wait_exit() == 0
    ours = {name for name in report.read_text().split() if name.startswith("tui")}
    assert ours == {"tui", "tui.cli", "tui.skeleton"}
