"""`ctroom export` and `ctroom import`: what goes where, and what is refused."""

import json
from pathlib import Path

import pytest

from tests.support.command_line import CommandLine
from tests.unit.services.test_importing import conversation


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with ChatGPT's export in it."""
    monkeypatch.chdir(tmp_path)
    entries = [
        conversation(conversation_id=str(n), title=title) for n, title in enumerate(("Lisbon", "Porto"))
    ]
    (tmp_path / "conversations.json").write_text(json.dumps(entries))
    return tmp_path


def test_there_and_back(ctroom: CommandLine, here: Path) -> None:
    ran = ctroom("import", "conversations.json")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout == "conversations.json: 2 conversations with 8 messages imported.\n"
    ran = ctroom("import", "conversations.json")
    assert ran.stdout == "conversations.json: nothing new; 2 conversations were there already.\n"

    ran = ctroom("export", "porto")
    assert ran.returncode == 0
    assert ran.stdout.startswith('---\ntitle: "Porto"\n')
    assert json.loads(ctroom("export", "lisbon", "-f", "json").stdout)["conversation"]["title"] == "Lisbon"

    assert ctroom("export", "lisbon", "-o", "trip.json").returncode == 0
    assert json.loads((here / "trip.json").read_text())["format"] == "ctroom-conversation"
    ran = ctroom("export", "porto", "-o", "trip.json")
    assert ran.returncode == 2
    assert "trip.json is there already" in ran.stderr
    assert json.loads((here / "trip.json").read_text())["conversation"]["title"] == "Lisbon"


def test_all_go_to_a_directory(ctroom: CommandLine, here: Path) -> None:
    ctroom("import", "conversations.json")
    for _ in range(2):
        ran = ctroom("export", "--all", "-o", "out")
        assert ran.stdout == "2 exported to out\n"
    names = sorted(path.name.partition(" ")[2] for path in (here / "out").iterdir())
    assert names == [
        "Lisbon 2.md",
        "Lisbon.md",
        "Porto 2.md",
        "Porto.md",
    ]
    ran = ctroom("export", "porto", "-o", "out")
    assert ran.stdout.strip().endswith("Porto 3.md")


def test_what_is_not_there_or_not_clear_is_refused(ctroom: CommandLine, here: Path) -> None:
    ran = ctroom("export")
    assert (ran.returncode, ran.stderr) == (2, "There is no conversation to export.\n")
    ctroom("import", "conversations.json")
    assert "no conversation 'Faro'" in ctroom("export", "Faro").stderr
    assert "give an id" in ctroom("export", "0").stderr
    assert "not both" in ctroom("export", "porto", "--all").stderr
    (here / "broken.json").write_text("{")
    ran = ctroom("import", "broken.json")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "broken.json is not JSON" in ran.stderr


def test_what_could_not_be_read_is_told(ctroom: CommandLine, here: Path) -> None:
    entries = [conversation(), *({"title": f"Broken {number}"} for number in range(12))]
    (here / "mixed.json").write_text(json.dumps(entries))
    ran = ctroom("import", "mixed.json")
    assert ran.returncode == 1
    assert ran.stdout == "mixed.json: 1 conversation with 4 messages imported.\n"
    assert ran.stderr.count("could not be read: it has no messages.") == 10
    assert "2 more could not be read." in ran.stderr
