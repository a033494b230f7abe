"""`ctroom restore`, from outside."""

import json
import re
from pathlib import Path

import pytest

from tests.program import Program
from tests.pty.fixtures import OpenCtroom
from tests.support.command_line import CommandLine


def _backup(ctroom: CommandLine) -> str:
    """Make a backup of what was purchased, and its name."""
    assert ctroom("quota", "set", "openai", "1M").returncode == 0
    name = re.match(r"\d{4}-\d\d-\d\d", ctroom("restore").stdout)
    assert name
    return name[0]


def _purchased(ctroom: CommandLine) -> int:
    figures = json.loads(ctroom("usage", "--json").stdout)["providers"]
    return next(int(entry["purchased"]) for entry in figures if entry["provider"] == "openai")


def test_a_damaged_file_is_explained_and_a_backup_restores_it(ctroom: CommandLine, ctroom_home: Path) -> None:
    assert "no backups yet" in ctroom("restore").stdout
    name = _backup(ctroom)
    assert ctroom("quota", "add", "openai", "500k").returncode == 0
    state = ctroom_home / "ctroom.json"
    damaged = state.read_bytes()[:-40]
    state.write_bytes(damaged)

    refused = ctroom("usage")
    assert refused.returncode == 1
    assert "is damaged" in refused.stderr
    assert "ctroom restore" in refused.stderr
    assert state.read_bytes() == damaged

    restored = ctroom("restore", name, "--yes")
    assert (restored.returncode, restored.stderr) == (0, "")
    assert "Damaged: ctroom.json. What could be read was kept" in restored.stdout
    assert "is kept as before-restore-" in restored.stdout
    assert _purchased(ctroom) == 1_500_000


def test_a_script_must_say_yes(ctroom: CommandLine, ctroom_home: Path) -> None:
    name = _backup(ctroom)
    ctroom("settings", "set", "theme", "nord")
    before = (ctroom_home / "ctroom.json").read_bytes()

    refused = ctroom("restore", name)
    assert refused.returncode == 2
    assert "Nothing was changed: add --yes" in refused.stderr
    assert (ctroom_home / "ctroom.json").read_bytes() == before

    assert ctroom("restore", name, "--yes").returncode == 0
    assert ctroom("settings", "get", "theme").stdout.strip() == "textual-dark"


def test_the_list_and_one_backup_are_shown(ctroom: CommandLine) -> None:
    name = _backup(ctroom)
    assert "there is nothing to go back to" in ctroom("restore", name, "--show").stdout
    ctroom("ask", "--provider", "demo", "hello there")
    ctroom("settings", "set", "theme", "nord")

    listed = ctroom("restore").stdout
    assert re.search(rf"^{name} +\d{{4}}-\d\d-\d\d \d\d:\d\d +\d+ KB$", listed, re.MULTILINE)
    assert "0 conversations, 0 messages" in listed
    assert "OpenAI 0 used of 1,000,000 purchased" in listed

    shown = ctroom("restore", name, "--show").stdout
    assert "OpenAI 0 used of 1,000,000 purchased" in shown
    assert re.search(r"bring back its settings, and keep 1 charge \(\d+ tokens\) and 1 conv", shown)


def test_times_are_in_the_users_zone(ctroom: CommandLine) -> None:
    _backup(ctroom)
    in_utc = ctroom("restore").stdout
    ctroom("settings", "set", "display_time_zone", "Asia/Kathmandu")  # 5:45 ahead

    assert ctroom("restore").stdout.splitlines()[0] != in_utc.splitlines()[0]


@pytest.mark.parametrize("name", ["2001-01-01", "../x", "before-restore-20260101T000000000000Z"])
def test_what_is_not_there_is_said(ctroom: CommandLine, name: str) -> None:
    for arguments in (["--yes"], ["--show"]):
        missing = ctroom("restore", name, *arguments)
        assert missing.returncode == 1
        assert missing.stderr == f"There is no backup {name!r}: 'ctroom restore' lists what there is.\n"


def test_a_damaged_backup_is_listed_as_such_and_not_restored(ctroom: CommandLine, ctroom_home: Path) -> None:
    name = _backup(ctroom)
    (ctroom_home / "backups" / name / "ctroom.json").write_bytes(b"")
    before = (ctroom_home / "ctroom.json").read_bytes()

    assert f"The backup {name} is damaged" in ctroom("restore").stdout
    refused = ctroom("restore", name, "--yes")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "choose another" in refused.stderr
    assert (ctroom_home / "ctroom.json").read_bytes() == before


def test_on_a_terminal_one_is_asked_first(
    ctroom: CommandLine, run_ctroom: Program, open_ctroom: OpenCtroom
) -> None:
    name = _backup(ctroom)
    ctroom("settings", "set", "theme", "nord")

    for answer, theme in (("n", "nord"), ("y", "textual-dark")):
        terminal = open_ctroom("restore", name, cols=120)
        terminal.wait_for(f"Go back to {name}? [y/N]")
        assert "would bring back its settings" in " ".join(terminal.screen)
        terminal.type(answer)
        terminal.key("enter")
        assert terminal.wait_exit() == 0
        assert ctroom("settings", "get", "theme").stdout.strip() == theme
