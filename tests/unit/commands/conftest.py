"""Many commands in one process: each start of another costs half a second."""

import io
import sys
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tui.cli import main


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended and what it printed; the names are those of `subprocess.CompletedProcess`."""

    returncode: int
    stdout: str
    stderr: str


InProcess = Callable[..., Ran]
"""`ctroom("usage", "--json")` runs `ctroom usage --json`; `input` is its standard input."""


@pytest.fixture
def ctroom(sandboxed: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> InProcess:
    """Run `ctroom` within this process, in this test's sandbox."""

    def run(*arguments: str, input: str = "") -> Ran:  # noqa: A002  # as `subprocess.run` has it
        monkeypatch.setattr(sys, "stdin", io.StringIO(input))
        capsys.readouterr()
        status = main(arguments)
        printed = capsys.readouterr()
        return Ran(status, printed.out, printed.err)

    return run
