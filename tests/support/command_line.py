"""Runs many commands in one process, where each start of another would cost half a second."""

import io
import sys
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from tui.cli import main
from tui.providers import demo


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended and what it printed; the names are those of `subprocess.CompletedProcess`."""

    returncode: int
    stdout: str
    stderr: str


@dataclass(frozen=True, slots=True)
class CommandLine:
    """`ctroom("usage", "--json", env={...})` runs `ctroom usage --json` to its end, in this process.

    The demo's replies come without pauses.
    """

    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]

    def __call__(
        self,
        *args: str,
        input: str = "",  # noqa: A002  # as `tests.program.Program` has it
        env: Mapping[str, str] | None = None,
    ) -> Ran:
        """Run to the end; standard input is `input`."""
        self.capsys.readouterr()
        with self.monkeypatch.context() as patch:
            patch.setattr(sys, "stdin", io.StringIO(input))
            patch.setattr(demo, "TOKENS_PER_SECOND", 0.0)
            for name, value in (env or {}).items():
                patch.setenv(name, value)
            status = main([*args])
        printed = self.capsys.readouterr()
        return Ran(status, printed.out, printed.err)
