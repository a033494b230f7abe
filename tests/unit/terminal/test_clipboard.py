"""Copying, with tools that are little programs of the test."""

import base64
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tui.terminal import clipboard
from tui.terminal.clipboard import MOST_BYTES, Place, copied_words, copy, native_commands


@dataclass
class Desk:
    """A search path of tools, and what was written to the terminal."""

    bin: Path
    environ: dict[str, str] = field(default_factory=dict)
    written: list[str] = field(default_factory=list)

    def tool(self, name: str, script: str) -> None:
        path = self.bin / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    async def copy(self, text: str) -> Place:
        path = f"{self.bin}{os.pathsep}{os.defpath}"
        return await copy(text, {"PATH": path, **self.environ}, self.written.append)

    def taken(self) -> bytes:
        return (self.bin / "taken").read_bytes()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def keeps(desk: Desk) -> str:
    return f"cat > {desk.bin}/taken"


async def test_a_tool_of_the_system_takes_the_copy_and_the_terminal_gets_nothing(desk: Desk) -> None:
    desk.environ["WAYLAND_DISPLAY"] = "wayland-0"
    desk.tool("wl-copy", keeps(desk))
    assert await desk.copy("Grüße\n") is Place.CLIPBOARD
    assert desk.taken() == "Grüße\n".encode()
    assert desk.written == []


async def test_over_ssh_no_clipboard_of_the_host_is_touched(desk: Desk) -> None:
    desk.environ |= {"DISPLAY": "localhost:10.0", "SSH_CONNECTION": "1 2 3 4"}
    desk.tool("xclip", keeps(desk))
    assert await desk.copy("x") is Place.TERMINAL
    assert not (desk.bin / "taken").exists()
    assert desk.written == ["\x1b]52;c;eA==\a"]


async def test_where_a_tool_fails_the_next_is_tried_and_then_the_terminal(desk: Desk) -> None:
    desk.environ["DISPLAY"] = ":0"
    desk.tool("xclip", "echo 'no such display' >&2; exit 1")
    desk.tool("xsel", keeps(desk))
    assert await desk.copy("second") is Place.CLIPBOARD
    assert desk.taken() == b"second"
    desk.tool("xsel", "exit 1")
    assert await desk.copy("third") is Place.TERMINAL
    assert desk.written == [f"\x1b]52;c;{base64.b64encode(b'third').decode()}\a"]


async def test_a_tool_that_hangs_is_ended(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clipboard, "TOOL_SECONDS", 0.2)
    desk.environ["WAYLAND_DISPLAY"] = "wayland-0"
    desk.tool("wl-copy", "exec sleep 60")
    assert await desk.copy("x") is Place.TERMINAL


async def test_a_text_that_no_terminal_takes_is_not_sent(desk: Desk) -> None:
    assert await desk.copy("x" * (MOST_BYTES + 1)) is Place.NOWHERE
    assert desk.written == []
    assert await desk.copy("x" * MOST_BYTES) is Place.TERMINAL
    assert len(desk.written[0]) < 1 << 20


def test_only_tools_that_can_reach_a_clipboard_are_tried() -> None:
    assert native_commands({}, "linux") == []
    assert native_commands({}, "darwin") == [("pbcopy",)]
    both = native_commands({"DISPLAY": ":0", "WAYLAND_DISPLAY": "w"}, "linux")
    assert [command[0] for command in both] == ["wl-copy", "xclip", "xsel"]
    assert native_commands({"WSL_DISTRO_NAME": "Debian"}, "linux") == [("clip.exe",)]


@pytest.mark.parametrize(
    ("place", "words"),
    [
        (Place.CLIPBOARD, "Copied the reply (1,234 characters)."),
        (
            Place.TMUX,
            "Copied the reply to tmux's buffer (1,234 characters), and sent it to the terminal's clipboard.",
        ),
        (Place.TERMINAL, "Sent the reply to the terminal's clipboard (1,234 characters)."),
    ],
)
def test_the_words_promise_no_more_than_is_known(place: Place, words: str) -> None:
    assert copied_words("reply", "x" * 1_234, place) == words


def test_the_words_tell_of_limits_and_count_in_characters() -> None:
    assert copied_words("code block 2", "é", Place.CLIPBOARD) == "Copied code block 2 (1 character)."
    assert "no more than 74 kB" in copied_words("reply", "é" * 40_000, Place.TERMINAL)
    assert copied_words("reply", "x" * 2_000_000, Place.NOWHERE) == (
        "Not copied: the reply has 2.0 MB, and terminals take at most 0.8 MB. "
        "Select a part of it, or save it to a file."
    )


def in_tmux(tmux: dict[str, str], *command: str) -> bytes:
    return subprocess.run(["tmux", *command], env=tmux, capture_output=True, check=True).stdout


@pytest.fixture
def tmux(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A tmux server of the test; the environment of its pane."""
    program = shutil.which("tmux")
    if program is None:
        pytest.skip("tmux is not installed")
    socket = tmp_path / "tmux"
    command = [program, "-S", str(socket), "-f", os.devnull]
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TERM": "xterm", "LC_ALL": "C.UTF-8"}
    subprocess.run([*command, "new-session", "-d", "cat"], env=environ, check=True)
    try:
        yield {**environ, "TMUX": f"{socket},1,0"}
    finally:
        subprocess.run([*command, "kill-server"], env=environ, check=False)


async def test_tmux_with_its_defaults_keeps_the_copy_in_its_buffer(tmux: dict[str, str], desk: Desk) -> None:
    text = "Grüße aus tmux\n" * 10_000
    assert await copy(text, tmux, desk.written.append) is Place.TMUX
    assert in_tmux(tmux, "show-buffer").decode() == text
    assert desk.written == []


async def test_who_attached_by_ssh_is_not_taken_for_one_who_sits_here(
    tmux: dict[str, str], desk: Desk
) -> None:
    desk.tool("xclip", keeps(desk))
    path = f"{desk.bin}{os.pathsep}{tmux['PATH']}"
    here = {**tmux, "PATH": path, "DISPLAY": ":0"}
    assert await copy("x", here, desk.written.append) is Place.CLIPBOARD
    in_tmux(tmux, "set-environment", "SSH_CONNECTION", "1 2 3 4")
    assert await copy("y", here, desk.written.append) is Place.TMUX
    assert desk.taken() == b"x"
