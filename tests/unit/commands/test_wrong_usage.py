"""Help, wrong usage, storage that fails, output that nobody reads: one sentence, never a traceback."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.program import COMMAND, Program
from tests.support.command_line import CommandLine, Ran

FULL = Path("/dev/full")
"""A device that is always full (Linux)."""


def sentence(finished: subprocess.CompletedProcess[str] | Ran, status: int) -> str:
    """The only line on standard error, of a command that ended with a status and printed nothing else."""
    assert (finished.returncode, finished.stdout) == (status, ""), finished
    [line] = finished.stderr.splitlines()
    assert line.endswith(".")
    return line


def test_every_command_has_help(ctroom: CommandLine, run_ctroom: Program) -> None:
    top = run_ctroom("--help")
    assert (top.returncode, top.stderr) == (0, "")
    for name in ("ask", "usage", "keys", "quota", "settings", "doctor"):
        assert f"\n  {name} " in top.stdout
    expected = {
        ("ask", "-h"): ("PROMPT", "--provider", "--model", "--system", "--json"),
        ("usage", "--help"): ("--json", "--watch"),
        ("keys", "--help"): ("set", "test", "remove"),
        ("keys", "set", "--help"): ("PROVIDER", "--default", "--no-test"),
        ("quota", "--help"): ("set", "add", '"$100"'),
        ("quota", "add", "--help"): ("PROVIDER", "AMOUNT", "--note", "--model"),
        ("settings", "--help"): ("get", "set"),
        ("doctor", "--help"): ("keyring",),
    }
    for arguments, words in expected.items():
        shown = ctroom(*arguments)
        assert (shown.returncode, shown.stderr) == (0, "")
        assert [word for word in words if word not in shown.stdout] == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("bogus",), "No such command 'bogus'. Try 'ctroom --help'."),
        (("ask", "--bogus"), "No such option '--bogus'. Try 'ctroom ask --help'."),
        (("usage", "extra"), "Got unexpected extra argument (extra). Try 'ctroom usage --help'."),
        (("keys",), "Missing command. Try 'ctroom keys --help'."),
        (("quota", "set", "openai"), "Missing argument 'AMOUNT'. Try 'ctroom quota set --help'."),
    ],
)
def test_wrong_usage_is_one_sentence(ctroom: CommandLine, arguments: tuple[str, ...], said: str) -> None:
    assert sentence(ctroom(*arguments), 2) == said


def test_nothing_to_ask_and_no_such_provider(ctroom: CommandLine) -> None:
    assert sentence(ctroom("ask", "-", input=" \n"), 2).startswith("There is nothing to ask: ")
    said = sentence(ctroom("ask", "Hello", "-p", "nobody"), 2)
    assert said == "There is no provider 'nobody': choose one of openai, google, demo."


def test_the_app_says_that_it_needs_a_terminal(run_ctroom: Program) -> None:
    assert sentence(run_ctroom(), 1).startswith("Ctroom needs a terminal: ")


def test_damaged_data_is_left_as_it_is(run_ctroom: Program, ctroom_home: Path) -> None:
    ctroom_home.mkdir()
    state = ctroom_home / "ctroom.json"
    state.write_text('{"_meta": {', encoding="utf-8")
    said = sentence(run_ctroom("usage"), 1)
    assert said.startswith(f"{state} is damaged (")
    assert "begin anew with 'ctroom restore anew' (there is no backup yet)" in said
    assert run_ctroom("settings", "set", "bell", "false").returncode == 1
    assert state.read_text(encoding="utf-8") == '{"_meta": {'


def test_data_that_can_not_be_read(run_ctroom: Program, ctroom_home: Path) -> None:
    (ctroom_home / "ctroom.json").mkdir(parents=True)
    said = sentence(run_ctroom("ask", "Hello", "-p", "demo"), 1)
    assert said.startswith(f"{ctroom_home / 'ctroom.json'} is not a regular file: ")


def test_data_of_a_newer_version(run_ctroom: Program, ctroom_home: Path) -> None:
    assert run_ctroom("settings", "set", "bell", "false").returncode == 0
    state = ctroom_home / "ctroom.json"
    tables = json.loads(state.read_text(encoding="utf-8"))
    tables["_meta"]["1"]["schema"] = 99
    state.write_text(json.dumps(tables), encoding="utf-8")
    said = sentence(run_ctroom("usage", "--json"), 1)
    assert said.startswith(f"{state} was written by a newer version of Ctroom (format 99, ")
    assert said.endswith("update Ctroom.")
    assert json.loads(state.read_text(encoding="utf-8")) == tables


@pytest.mark.parametrize("arguments", [("usage",), ("--help",)])
def test_a_reader_that_leaves_is_no_error_to_talk_of(run_ctroom: Program, arguments: tuple[str, ...]) -> None:
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=run_ctroom.environment(),
        cwd=run_ctroom.directory,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    with process.stderr:
        assert process.stderr.read() == ""
    assert process.wait(30) == 1


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("arguments", [("settings", "get"), ("--help",)])
def test_output_to_a_full_disk(run_ctroom: Program, arguments: tuple[str, ...]) -> None:
    with FULL.open("w") as full:
        finished = subprocess.run(
            [*COMMAND, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=full,
            stderr=subprocess.PIPE,
            env=run_ctroom.environment(),
            cwd=run_ctroom.directory,
            text=True,
            timeout=30,
            check=False,
        )
    assert finished.returncode == 1
    assert finished.stderr == "The output could not be written (No space left on device).\n"
