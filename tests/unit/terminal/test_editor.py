"""The user's own editor, as real programs: small scripts."""

import stat
from pathlib import Path

import pytest

from tui.core.errors import InvalidValueError
from tui.terminal import editor
from tui.terminal.editor import edit, editor_command

PATH = "/usr/bin:/bin"


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the text is handed over."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def script(directory: Path, body: str) -> list[str]:
    path = directory / "an editor"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o700)
    return [str(path)]


def left(directory: Path) -> list[str]:
    """The texts that stayed behind."""
    return [path.read_text() for path in directory.glob("ctroom-*")]


def test_visual_comes_before_editor_and_may_have_arguments() -> None:
    assert editor_command({"VISUAL": "sh -c 'x y'", "EDITOR": "cat", "PATH": PATH}) == ["sh", "-c", "x y"]
    assert editor_command({"VISUAL": " ", "EDITOR": "cat", "PATH": PATH}) == ["cat"]


def test_without_either_the_usual_ones_are_tried(tmp_path: Path) -> None:
    script(tmp_path, "").copy()
    (tmp_path / "an editor").rename(tmp_path / "vi")
    assert editor_command({"PATH": str(tmp_path)}) == ["vi"]


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({"EDITOR": "no-such-editor --wait"}, "The editor 'no-such-editor' can't be found: correct EDITOR"),
        ({"VISUAL": "un'closed", "EDITOR": "cat"}, "correct VISUAL"),
        ({}, "No editor was found: set EDITOR"),
    ],
)
def test_a_wrong_editor_is_one_sentence(tmp_path: Path, environ: dict[str, str], says: str) -> None:
    with pytest.raises(InvalidValueError, match=says):
        editor_command({"PATH": str(tmp_path), **environ})


async def test_what_is_written_comes_back(directory: Path) -> None:
    command = script(directory, 'echo "and more" >> "$1"')
    assert await edit(command, "first\n", {"PATH": PATH}) == "first\nand more"
    assert left(directory) == []


async def test_only_the_user_can_read_the_text(directory: Path) -> None:
    command = script(directory, 'stat -c %a "$1" > mode.txt; cp "$1" copy.md')
    await edit(["/bin/sh", "-c", f"cd '{directory}'; exec '{command[0]}' \"$0\""], "secret", {"PATH": PATH})
    assert (directory / "mode.txt").read_text().strip() == "600"
    assert (directory / "copy.md").read_text() == "secret"
    assert stat.S_IMODE((directory / "an editor").stat().st_mode) == 0o700


async def test_escape_sequences_do_not_come_back(directory: Path) -> None:
    command = script(directory, "printf 'a\\033]52;c;eA==\\007b' > \"$1\"")
    assert "\x1b" not in await edit(command, "", {"PATH": PATH})


async def test_an_editor_that_fails_leaves_the_prompt_and_what_was_written(directory: Path) -> None:
    command = script(directory, 'echo changed > "$1"; exit 3')
    with pytest.raises(InvalidValueError, match=r"status 3: .* What you wrote is in"):
        await edit(command, "first", {"PATH": PATH})
    assert left(directory) == ["changed\n"]


async def test_an_editor_that_gives_up_leaves_nothing_behind(directory: Path) -> None:
    with pytest.raises(InvalidValueError, match=r"as it was before\.$"):
        await edit(script(directory, "exit 1"), "first", {"PATH": PATH})
    assert left(directory) == []


async def test_a_program_that_can_not_be_run_is_one_sentence(directory: Path) -> None:
    (directory / "an editor").write_text("no program")
    with pytest.raises(InvalidValueError, match="could not be used"):
        await edit([str(directory / "an editor")], "first", {"PATH": PATH})
    assert left(directory) == []


async def test_a_text_that_is_too_long_stays_in_its_file(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(editor, "MOST_CHARACTERS", 5)
    with pytest.raises(InvalidValueError, match="too long"):
        await edit(script(directory, 'echo 123456 > "$1"'), "", {"PATH": PATH})
    assert left(directory) == ["123456\n"]
