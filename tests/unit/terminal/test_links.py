"""Which links are opened, by what, and when not."""

import os
from pathlib import Path

import pytest

from tui.terminal.links import can_be_opened, open_link, openers

LINK = "https://example.com/a?b=c#d"


@pytest.fixture
def desktop(tmp_path: Path) -> dict[str, str]:
    """The environment of a desktop whose opener notes what it was given, and babbles."""
    opener = tmp_path / "xdg-open"
    opener.write_text(f'#!/bin/sh\necho noise; echo more >&2\nprintf %s "$1" > {tmp_path}/opened\n')
    opener.chmod(0o755)
    return {"PATH": f"{tmp_path}{os.pathsep}{os.defpath}", "DISPLAY": ":0"}


@pytest.mark.parametrize("href", [LINK, "HTTP://x", "mailto:a@example.com", "https://пример.рф/ж"])
def test_web_and_mail_links_can_be_opened(href: str) -> None:
    assert can_be_opened(href)


@pytest.mark.parametrize(
    "href",
    [
        "file:///etc/passwd",
        "javascript:alert(1)",
        "ftp://x/y",
        "--help",
        "example.com",
        "https://a b",
        "https://a\nb",
        "https://a\x1b]52;c;eA==\a",
        "https://\u202ea",
        "https://" + "x" * 9_000,
        "",
    ],
)
async def test_other_links_are_never_given_to_a_program(href: str, desktop: dict[str, str]) -> None:
    assert not can_be_opened(href)
    assert not await open_link(href, desktop)


async def test_the_desktop_opens_a_link_silently(
    desktop: dict[str, str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert await open_link(LINK, desktop)
    assert (tmp_path / "opened").read_text() == LINK
    assert capfd.readouterr() == ("", "")


async def test_over_ssh_nothing_is_opened_on_the_host(desktop: dict[str, str], tmp_path: Path) -> None:
    assert not await open_link(LINK, {**desktop, "SSH_TTY": "/dev/pts/3"})
    assert not (tmp_path / "opened").exists()


async def test_an_editors_remote_terminal_opens_links_at_the_user(
    desktop: dict[str, str], tmp_path: Path
) -> None:
    remote = {**desktop, "SSH_CONNECTION": "1 2 3 4", "BROWSER": str(tmp_path / "xdg-open")}
    assert not await open_link(LINK, remote)
    assert await open_link(LINK, {**remote, "VSCODE_IPC_HOOK_CLI": "/run/vscode.sock"})
    assert (tmp_path / "opened").read_text() == LINK


async def test_an_opener_that_fails_opened_nothing(desktop: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "xdg-open").write_text("#!/bin/sh\nexit 3\n")
    (tmp_path / "gio").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "gio").chmod(0o755)
    assert not await open_link(LINK, desktop)


def test_without_a_desktop_there_is_no_opener() -> None:
    assert openers({"TERM": "xterm"}, "linux") == []
    assert openers({}, "darwin") == [("open",)]
