"""`ctroom restore`, from outside."""

import json
import re
import shutil
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


@pytest.mark.parametrize("content", [b"", b'{"_meta": {"1": {"sch', None], ids=["empty", "cut off", "gone"])
def test_without_a_backup_one_begins_anew_and_keeps_what_can_be_read(
    ctroom: CommandLine, ctroom_home: Path, content: bytes | None
) -> None:
    assert ctroom("ask", "--provider", "demo", "Where do trams go?").returncode == 0
    shutil.rmtree(ctroom_home / "backups")
    state = ctroom_home / "ctroom.json"
    state.unlink()
    if content is not None:
        state.write_bytes(content)

    for command in (("usage",), ("restore",)):
        refused = ctroom(*command)
        assert (refused.returncode, refused.stdout) == (1, "")
        assert "ctroom.json is " + ("damaged (" if content is not None else "missing") in refused.stderr
        assert "begin anew with 'ctroom restore anew' (there is no backup yet)" in refused.stderr

    shown = ctroom("restore", "anew", "--show")
    assert "Beginning anew would keep the settings and 1 conversation that can be read." in shown.stdout
    assert ctroom("usage").returncode == 1

    begun = ctroom("restore", "anew", "--yes")
    assert (begun.returncode, begun.stderr) == (0, "")
    assert "Began anew, and kept the settings and 1 conversation that can be read." in begun.stdout
    assert ctroom("usage").returncode == 0
    exported = ctroom("export", "Where do trams")
    assert exported.returncode == 0
    assert "Where do trams go?" in exported.stdout + "".join(
        path.read_text() for path in ctroom_home.parent.rglob("*.md")
    )


def test_what_can_be_read_of_a_damaged_state_is_kept_by_beginning_anew(
    ctroom: CommandLine, ctroom_home: Path
) -> None:
    _backup(ctroom)
    ctroom("settings", "set", "host_name", "Kingdom")
    ctroom("settings", "set", "theme", "nord")
    ctroom("ask", "--provider", "demo", "hello")
    shutil.rmtree(ctroom_home / "backups")
    state = ctroom_home / "ctroom.json"
    state.write_bytes(state.read_bytes()[:-9])

    assert ctroom("restore", "anew", "--yes").returncode == 0
    assert _purchased(ctroom) == 1_000_000
    assert ctroom("settings", "get", "theme").stdout.strip() == "nord"
    assert ctroom("settings", "get", "host_name").stdout.strip() == "Kingdom"
    assert "damaged" in ctroom("restore").stdout  # what was there, as it was


def test_nothing_begins_anew_where_everything_can_be_read(ctroom: CommandLine, ctroom_home: Path) -> None:
    _backup(ctroom)
    ctroom("settings", "set", "theme", "nord")
    before = (ctroom_home / "ctroom.json").read_bytes()

    kept = ctroom("restore", "anew", "--yes")
    assert (kept.returncode, kept.stderr) == (0, "")
    assert kept.stdout == "Everything can be read: there is no need to begin anew.\n"
    assert (ctroom_home / "ctroom.json").read_bytes() == before


def test_where_every_backup_is_damaged_the_list_says_how_to_begin_anew(
    ctroom: CommandLine, ctroom_home: Path
) -> None:
    name = _backup(ctroom)
    assert "restore anew" not in ctroom("restore").stdout
    for path in (ctroom_home / "backups" / name / "ctroom.json", ctroom_home / "ctroom.json"):
        path.write_bytes(b"")

    listed = ctroom("restore")
    assert listed.returncode == 0
    assert "To begin anew with all that can still be read: ctroom restore anew." in listed.stdout
    assert ctroom("restore", "anew", "--yes").returncode == 0
    assert ctroom("usage").returncode == 0


def test_on_a_terminal_one_is_asked_before_beginning_anew(ctroom_home: Path, open_ctroom: OpenCtroom) -> None:
    ctroom_home.mkdir()
    (ctroom_home / "ctroom.json").write_bytes(b"")
    terminal = open_ctroom("restore", "anew", cols=120)
    terminal.wait_for("Begin anew? [y/N]")
    terminal.type("y")
    terminal.key("enter")
    assert terminal.wait_exit() == 0
    assert "Began anew" in terminal.text
