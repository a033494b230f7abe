"""OpenSSH's own programs, against servers on loopback."""

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

needs_client = pytest.mark.skipif(shutil.which("ssh") is None, reason="OpenSSH's client is not installed")


def new_key(path: Path, kind: str = "ed25519") -> Path:
    """A key pair of ssh-keygen."""
    subprocess.run(
        ["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "sam@laptop", "-f", str(path)], check=True
    )
    return path


@dataclass(frozen=True)
class Ssh:
    """`ssh` with a key, at a port of loopback, with nothing of the developer's own."""

    key: Path
    port: int
    known_hosts: Path
    user: str = "whoever"

    def options(self) -> list[str]:
        chosen = (
            "StrictHostKeyChecking=accept-new",
            f"UserKnownHostsFile={self.known_hosts}",
            "GlobalKnownHostsFile=/dev/null",
            "IdentitiesOnly=yes",
            "IdentityAgent=none",
            f"IdentityFile={self.key}",
            "NumberOfPasswordPrompts=0",
            "LogLevel=ERROR",
            "ConnectTimeout=10",
        )
        return ["-F", "/dev/null", *(part for option in chosen for part in ("-o", option))]

    def command(self, *arguments: str, before: Sequence[str] = ()) -> list[str]:
        """The whole command line.

        Args:
            arguments: What runs there.
            before: More options.
        """
        target = ["-p", str(self.port), "-l", self.user, "127.0.0.1", *arguments]
        return ["ssh", *self.options(), *before, *target]

    def run(
        self, *arguments: str, before: Sequence[str] = (), piped: str | None = None, timeout: float = 30
    ) -> "subprocess.CompletedProcess[str]":
        """Run to the end; without `piped`, standard input is empty."""
        return subprocess.run(
            self.command(*arguments, before=before), input=piped or "", capture_output=True, text=True,
            timeout=timeout, check=False,
        )  # fmt: skip
