"""Trouble with the data directory in the server's log: once, however many sessions meet it."""

import logging

import pytest

from tui.core.errors import StorageError, StorageErrorKind
from tui.ssh import journal
from tui.ssh.storage_log import QUIET_SECONDS, StorageLog

FULL = StorageError(StorageErrorKind.FULL, "The disk is full, so /srv/x\x1b[31m was not saved.")


def test_the_same_trouble_is_written_once_a_minute(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal.LOG, "propagate", True)
    caplog.set_level(logging.INFO, journal.LOG.name)
    now = 5.0
    log = StorageLog(lambda: now)
    for _ in range(100):
        log.note(FULL)
    [line] = caplog.messages
    assert line == "storage kind=full: The disk is full, so /srv/x\u241b[31m was not saved."
    log.note(StorageError(StorageErrorKind.BUSY, "Another trouble."))
    assert len(caplog.messages) == 2
    now += QUIET_SECONDS
    log.note(FULL)
    assert len(caplog.messages) == 3
