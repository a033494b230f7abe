"""Runs the installed program as its users do: another process, its own sandbox, no terminal."""

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.environment import child_environment

COMMAND = (sys.executable, "-m", "tui")
"""What starts Ctroom."""


@dataclass(frozen=True)
class Program:
    """`run_ctroom("ask", "hello", env={...})` runs `ctroom ask hello` to its end."""

    directory: Path
    """Where its home, data and keyring lie; also its working directory."""

    def environment(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the whole environment that it runs in, with the given variables added."""
        return child_environment(self.directory, extra)

    def __call__(
        self,
        *args: str,
        input: str | None = None,  # noqa: A002  # the name that subprocess.run gives it
        env: Mapping[str, str] | None = None,
        timeout: float = 60,
    ) -> subprocess.CompletedProcess[str]:
        """Run to the end; standard input is `input`, else empty; a hang of `timeout` seconds raises."""
        return subprocess.run(
            [*COMMAND, *args],
            input=input or "",
            env=self.environment(env),
            cwd=self.directory,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
