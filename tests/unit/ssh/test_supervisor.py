"""What systemd is told."""

import logging
import socket
from pathlib import Path

import pytest

from tui.ssh import journal
from tui.ssh.supervisor import tell_supervisor


def test_the_supervisor_gets_each_state(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(tmp_path / "notify"))
        tell_supervisor({"NOTIFY_SOCKET": str(tmp_path / "notify")}, "READY=1")
        assert receiver.recv(100) == b"READY=1"


@pytest.mark.parametrize("address", ["", "relative", "/nowhere/at/all"])
def test_without_one_nothing_happens(address: str) -> None:
    tell_supervisor({"NOTIFY_SOCKET": address}, "READY=1")


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    journal.LOG.propagate = True
    caplog.set_level(logging.INFO, journal.LOG.name)
    return caplog


def test_a_line_is_one_line_whatever_a_client_sends(lines: pytest.LogCaptureFixture) -> None:
    journal.note(
        "refused", name='a\nINFO login user="root"\x1b]0;x\x07', key="sk-proj-Xq7LmT2vRbN8wKcZ4hJdPfGs9yEa"
    )
    [message] = lines.messages
    assert "\n" not in message
    assert "\x1b" not in message
    assert "sk-proj" not in message
    assert message.startswith("refused name=\"a INFO login user='root'")


def test_a_line_is_never_long(lines: pytest.LogCaptureFixture) -> None:
    journal.warn("refused", name="x" * 100_000, why="y" * 100_000)
    assert len(lines.messages[0]) <= 400
