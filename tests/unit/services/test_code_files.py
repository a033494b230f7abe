"""Saving code: names, modes, and what is never done."""

import os
import stat
from pathlib import Path

import pytest

from tui.core.errors import InvalidValueError
from tui.services.code_files import FileExistsAlreadyError, save_code, suggested_name


@pytest.mark.parametrize(
    ("language", "name"),
    [
        ("python", "code-2.py"),
        ("C++", "code-2.cpp"),
        ("", "code-2.txt"),
        ("../../etc/passwd", "code-2.txt"),
        ("Dockerfile", "Dockerfile"),
    ],
)
def test_a_name_goes_by_the_language(language: str, name: str) -> None:
    assert suggested_name(language, "2") == name


def test_code_is_saved_as_it_is_for_all_to_read(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        path = save_code(str(tmp_path / "a.py"), "print('ä')\r\n\tx", "local")
    finally:
        os.umask(before)
    assert path == str(tmp_path / "a.py")
    assert Path(path).read_bytes() == "print('ä')\r\n\tx\n".encode()
    assert stat.S_IMODE(Path(path).stat().st_mode) == 0o644


def test_a_file_is_replaced_only_when_that_is_asked_for(tmp_path: Path) -> None:
    there = tmp_path / "a.py"
    there.write_text("precious, and longer\n")
    with pytest.raises(FileExistsAlreadyError, match=r"^a\.py exists already: Enter again"):
        save_code(str(there), "new", "local")
    assert there.read_text() == "precious, and longer\n"
    save_code(str(there), "new", "local", replace=True)
    assert there.read_text() == "new\n"


def test_a_tilde_is_the_home_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert save_code(" ~/b.txt ", "x", "local") == str(tmp_path / "b.txt")


def test_what_cant_be_saved_is_said_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "pipe")
    for path, words in (
        ("", "Type the name of a file."),
        (str(tmp_path), f"{tmp_path.name} is no file: add a file's name."),
        (str(tmp_path / "none" / "a"), f"There is no directory {tmp_path / 'none'}: choose another place."),
        (str(tmp_path / "file" / "a"), f"There is no directory {tmp_path / 'file'}: choose another place."),
        (str(tmp_path / "pipe"), "pipe is no file: add a file's name."),
        ("~nobody-of-this-name/a", "There is no user as in ~nobody-of-this-name/a: write the whole path."),
        ("a\0b", "a␀b can't be the name of a file: choose another name."),
    ):
        with pytest.raises(InvalidValueError) as refused:
            save_code(path, "x", "local", replace=True)
        assert str(refused.value) == words
