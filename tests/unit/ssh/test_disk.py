"""A disk that fills up is told once, and so is its room."""

import logging
from pathlib import Path

import pytest

from tui.ssh import journal
from tui.ssh.disk import DiskWatch

MORE_THAN_THERE_IS = 1 << 62


async def test_it_is_told_once_and_again_when_there_is_room(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal.LOG, "propagate", True)
    caplog.set_level(logging.INFO, journal.LOG.name)
    watch = DiskWatch(tmp_path, least=0)
    await watch.look()
    assert caplog.messages == []
    watch._least = MORE_THAN_THERE_IS
    await watch.look()
    await watch.look()
    watch._least = 0
    await watch.look()
    full, free = caplog.messages
    assert full.startswith("disk free_mb=")
    assert "almost full" in full
    assert "there is room again" in free
    assert [record.levelno for record in caplog.records] == [logging.WARNING, logging.INFO]


async def test_a_directory_that_is_gone_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal.LOG, "propagate", True)
    caplog.set_level(logging.INFO, journal.LOG.name)
    await DiskWatch(tmp_path / "gone").look()
    assert caplog.messages == ['disk free_mb=0 why="it can\'t be looked at (No such file or directory)"']
