"""Paths are completed as they are written, and recognised as terminals paste them."""

from pathlib import Path

import pytest

from tui.services.paths import MOST_OFFERED, complete, may_be_path, pasted_file


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    here = tmp_path / "here"
    (here / "src").mkdir(parents=True)
    for name in ("Main.py", "remain.txt", ".env", "src/a b.txt"):
        (here / name).write_text("x")
    monkeypatch.chdir(here)
    monkeypatch.setenv("HOME", str(here))
    return here


@pytest.mark.parametrize(
    ("written", "offered"),
    [
        ("", ["Main.py", "remain.txt", "src/"]),
        ("ma", ["Main.py", "remain.txt"]),
        (".", [".env"]),
        ("src/", ["src/a b.txt"]),
        ("~/sr", ["~/src/"]),
        ("~", ["~/"]),
        ("nothing/", []),
        ("Main.py/x", []),
    ],
)
def test_what_is_written_is_completed_in_its_own_way(written: str, offered: list[str]) -> None:
    assert [choice.path for choice in complete(written)] == offered


def test_a_large_directory_offers_a_few(folder: Path) -> None:
    for number in range(MOST_OFFERED + 9):
        (folder / "src" / f"{number}.txt").write_text("x")
    assert len(complete("src/")) == MOST_OFFERED


def test_a_pasted_path_is_found_however_the_terminal_wrote_it(folder: Path) -> None:
    file = folder / "src" / "a b.txt"
    escaped = str(file).replace(" ", "\\ ")
    for text in (str(file), f"'{file}'", f'"{file}" ', f"{escaped} ", "~/src/a b.txt"):
        assert may_be_path(text)
        assert pasted_file(text) == file
    assert pasted_file("file://" + str(file).replace(" ", "%20")) == file


def test_what_is_no_path_of_a_file_is_none(folder: Path) -> None:
    assert pasted_file(str(folder / "src")) is None
    assert pasted_file("/no/such/file") is None
    assert pasted_file(f"{folder}/Main.py {folder}/remain.txt") is None
    assert pasted_file("/it's\0") is None
    assert not may_be_path("Explain this:\n/etc/hosts")
    assert not may_be_path("and/or")
