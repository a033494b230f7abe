"""A data directory in a bad state: one sentence with the way out, status 1, nothing lost or replaced."""

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.program import Program
from tests.pty.fixtures import OpenCtroom
from tests.pty.harness import Terminal
from tests.support.command_line import CommandLine
from tests.support.unprivileged import UNPRIVILEGED
from tests.unit.storage.support import mode, put

COMMANDS = (("usage",), ("quota", "set", "openai", "5M"), ("ask", "--provider", "demo", "hello"))
READING, WRITING, TALKING = COMMANDS


@pytest.fixture
def home(ctroom: CommandLine, ctroom_home: Path) -> Path:
    """A data directory that was used."""
    assert ctroom("quota", "set", "openai", "1M").returncode == 0
    assert ctroom("ask", "--provider", "demo", "hello").returncode == 0
    return ctroom_home


@pytest.fixture
def unprivileged(run_ctroom: Program) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run Ctroom as somebody to whom permissions apply."""

    def run(*args: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*UNPRIVILEGED, *args],
            env=run_ctroom.environment(),
            cwd=run_ctroom.directory,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )

    return run


def _contents(home: Path) -> dict[str, bytes | str]:
    """Every file, link and directory, but for evidence and the log."""

    def found(path: Path) -> Iterator[tuple[str, bytes | str]]:
        if path.is_symlink():
            yield str(path), str(path.readlink())
        elif path.is_file():
            yield str(path), path.read_bytes()
        elif path.is_dir():
            yield str(path), "directory"
            for below in path.iterdir():
                yield from found(below)

    return {name: content for name, content in found(home) if ".corrupt-" not in name and ".log" not in name}


def _replace_by_a_file(path: Path) -> None:
    path.rename(path.with_name(f"{path.name}-away"))
    put(path, b"in the way")


def _replace_by_a_directory(path: Path) -> None:
    path.rename(path.with_name(f"{path.name}-away"))
    path.mkdir()


def _edit(home: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = home / "ctroom.json"
    document = json.loads(path.read_bytes())
    change(document)
    path.write_text(json.dumps(document))


def _loop(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


_RESTORE = "'ctroom restore'"
_PLACES: dict[str, tuple[Callable[[Path], object], tuple[tuple[str, ...], ...], tuple[str, ...]]] = {
    "a file in the directory's place": (_replace_by_a_file, COMMANDS, ("ctroom is not a directory", "move")),
    "a directory in the state's place": (
        lambda home: _replace_by_a_directory(home / "ctroom.json"),
        COMMANDS,
        ("ctroom.json is not a regular file", "move", _RESTORE),
    ),
    "a link to itself": (
        lambda home: _loop(home / "ctroom.json"),
        COMMANDS,
        ("ctroom.json is not a regular file", "move", _RESTORE),
    ),
    "a directory in the lock's place": (
        lambda home: _replace_by_a_directory(home / "ctroom.lock"),
        (WRITING, TALKING),
        ("ctroom.lock", "something else has its name", "move that away"),
    ),
    "a file in the conversations' place": (
        lambda home: _replace_by_a_file(home / "conversations"),
        (TALKING,),
        ("conversations is not a directory", "move"),
    ),
    "an empty file": (
        lambda home: (home / "ctroom.json").write_bytes(b""),
        COMMANDS,
        ("ctroom.json is damaged (it is empty)", _RESTORE),
    ),
    "half a file": (
        lambda home: os.truncate(home / "ctroom.json", 500),
        COMMANDS,
        ("ctroom.json is damaged (it is not complete JSON)", _RESTORE),
    ),
    "another program's file": (
        lambda home: (home / "ctroom.json").write_bytes(b'{"_default": {"1": {"a": 1}}}'),
        COMMANDS,
        ("may not be Ctroom's", _RESTORE),
    ),
    "no TinyDB file": (
        lambda home: (home / "ctroom.json").write_bytes(b"[1, 2]"),
        COMMANDS,
        ("it is not a TinyDB file", _RESTORE),
    ),
    "a field of the wrong type": (
        lambda home: _edit(home, lambda document: document["quotas"]["1"].update(used="many")),
        COMMANDS,
        ("ctroom.json", "table 'quotas'", "document 1", "field 'used'", "'many'", _RESTORE),
    ),
    "a field that is missing": (
        lambda home: _edit(home, lambda document: document["quotas"]["1"].pop("provider")),
        COMMANDS,
        ("ctroom.json", "table 'quotas'", "field 'provider'", "missing", _RESTORE),
    ),
    "a newer file": (
        lambda home: _edit(home, lambda document: document["_meta"]["1"].update(schema=99)),
        COMMANDS,
        ("ctroom.json was written by a newer version", "update Ctroom"),
    ),
    "a file that is gone": (
        lambda home: (home / "ctroom.json").unlink(),
        COMMANDS,
        ("ctroom.json is missing though it was there before", _RESTORE),
    ),
}
"""How each place is made bad, what fails there, and words of the sentence."""


def _assert_told(ran: Any, *words: str) -> None:
    assert ran.returncode == 1, ran
    assert len(ran.stderr.splitlines()) == 1
    assert ran.stderr.endswith(".\n")
    for word in words:
        assert word in ran.stderr
    for word in ("Traceback", "error of its own"):
        assert word not in ran.stderr


@pytest.mark.parametrize("name", _PLACES)
def test_a_bad_place_is_told_and_left_as_it_is(name: str, home: Path, ctroom: CommandLine) -> None:
    make_bad, failing, words = _PLACES[name]
    make_bad(home)
    before = _contents(home)

    for command in failing:
        _assert_told(ctroom(*command), *words)

    after = _contents(home)
    if failing == (TALKING,):  # the state is sound: it may have an entry for the talk
        before[str(home / "ctroom.json")] = after[str(home / "ctroom.json")]
    assert after == before


@pytest.mark.parametrize("name", ["an empty file", "a field of the wrong type", "a file that is gone"])
def test_a_restore_mends_what_its_sentence_offers_it_for(name: str, home: Path, ctroom: CommandLine) -> None:
    _PLACES[name][0](home)
    backup = ctroom("restore").stdout.split()[0]

    assert ctroom("restore", backup, "--yes").returncode == 0

    for command in COMMANDS:
        assert ctroom(*command).returncode == 0


def test_a_directory_that_one_may_only_read_shows_its_figures(
    home: Path, unprivileged: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    home.chmod(0o500)
    before = _contents(home)
    shown, refused = unprivileged(*READING), unprivileged(*WRITING)
    assert _contents(home) == before
    home.chmod(0o700)

    assert (shown.returncode, shown.stderr) == (0, "")
    assert "1,000,000 remaining" in shown.stdout
    _assert_told(refused, f"You may not write to {home}:", "CTROOM_HOME")


def test_a_turn_that_can_not_be_saved_is_shown_and_told(
    home: Path, unprivileged: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    (home / "conversations").chmod(0o500)
    ran = unprivileged(*TALKING)
    (home / "conversations").chmod(0o700)

    assert "Welcome to Ctroom" in ran.stdout
    _assert_told(ran, "This turn was not saved", "who may write to the data directory")


def test_what_one_may_not_read_is_told(
    home: Path, unprivileged: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    (home / "ctroom.json").chmod(0)
    _assert_told(unprivileged(*READING), f"You may not read {home / 'ctroom.json'}:", "permissions")
    (home / "ctroom.json").chmod(0o600)
    home.chmod(0)
    _assert_told(unprivileged(*READING), f"You may not read {home}:", "permissions")
    home.chmod(0o700)


@pytest.mark.parametrize("link", ["directory", "file"])
def test_links_are_followed_and_stay_links(
    link: str, home: Path, ctroom: CommandLine, tmp_path: Path
) -> None:
    place = home if link == "directory" else home / "ctroom.json"
    place.rename(tmp_path / "elsewhere")
    place.symlink_to(tmp_path / "elsewhere")

    assert ctroom(*WRITING).returncode == 0

    assert place.is_symlink()
    assert "5,000,000 remaining" in ctroom(*READING).stdout


@pytest.mark.parametrize("umask", [0, 0o077])
def test_everything_is_private_under_any_umask(umask: int, ctroom: CommandLine, ctroom_home: Path) -> None:
    before = os.umask(umask)
    try:
        for command in COMMANDS:
            assert ctroom(*command).returncode == 0
    finally:
        os.umask(before)

    everything = [ctroom_home, *ctroom_home.rglob("*")]
    assert {mode(path) for path in everything if path.is_dir()} == {0o700}
    assert {mode(path) for path in everything if path.is_file()} == {0o600}


def test_what_others_could_read_is_mended(home: Path, ctroom: CommandLine) -> None:
    home.chmod(0o755)
    (home / "conversations").chmod(0o755)
    (home / "ctroom.json").chmod(0o644)

    assert ctroom(*READING).returncode == 0

    assert [mode(path) for path in (home, home / "conversations", home / "ctroom.json")] == [
        0o700,
        0o700,
        0o600,
    ]


@pytest.mark.parametrize("name", ["with spaces and \u00fcml\u00e4uts", "relative"])
def test_the_directory_may_have_any_name_and_be_relative(
    name: str, ctroom: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    place = {"CTROOM_HOME": name if name == "relative" else str(tmp_path / name)}

    assert ctroom(*WRITING, env=place).returncode == 0

    assert "5,000,000 remaining" in ctroom(*READING, env=place).stdout
    assert (tmp_path / name / "ctroom.json").is_file()


def test_the_app_says_on_a_terminal_why_it_can_not_start(home: Path, open_ctroom: OpenCtroom) -> None:
    (home / "ctroom.json").write_bytes(b"")

    terminal = open_ctroom(cols=200)
    assert terminal.wait_exit() == 1

    assert "is damaged (it is empty) and was left as it is: restore a backup with 'ctroom restore'." in (
        terminal.text
    )
    assert "Traceback" not in terminal.text


@contextmanager
def unprivileged_app(run_ctroom: Program) -> Iterator[Terminal]:
    """The app, open, of a user who may not write where the data lies."""
    with Terminal(
        UNPRIVILEGED, env=run_ctroom.environment(), cols=120, rows=40, cwd=run_ctroom.directory
    ) as terminal:
        terminal.wait_for("Ask anything")
        yield terminal


def test_the_app_can_be_used_where_nothing_can_be_saved(
    home: Path, run_ctroom: Program, ctroom: CommandLine
) -> None:
    home.chmod(0o500)
    with unprivileged_app(run_ctroom) as terminal:
        terminal.type("hello")
        terminal.key("enter")
        terminal.wait_for(re.compile("You may not write to|not saved|can.t be saved|could not be saved"))
        assert "Traceback" not in terminal.text
    home.chmod(0o700)
    assert ctroom(*READING).returncode == 0


@pytest.mark.parametrize(("written", "said"), [("a thought", True), ("", False), ("   ", False)])
def test_a_draft_that_could_not_be_kept_is_told_of_at_the_end(
    home: Path, run_ctroom: Program, written: str, said: bool
) -> None:
    home.chmod(0o500)
    with unprivileged_app(run_ctroom) as terminal:
        terminal.type(written)
        terminal.key("ctrl+q")
        assert terminal.wait_exit() == 0
        words = f"What you were writing is not kept. You may not write to {home}"
        assert (words.encode() in terminal.raw) == said
        assert "Traceback" not in terminal.text
    home.chmod(0o700)


def test_it_works_without_a_home(run_ctroom: Program, ctroom_home: Path) -> None:
    environment = run_ctroom.environment()
    del environment["HOME"]
    ran = subprocess.run(
        [*UNPRIVILEGED[:2], "tui", *WRITING], env=environment, capture_output=True, text=True, check=False
    )

    assert (ran.returncode, ran.stderr) == (0, "")
    assert (ctroom_home / "ctroom.json").is_file()
