"""Starting and stopping the servers that tests talk to, and talking to their control routes."""

import json
import os
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.environment import ROOT, is_private

START_SECONDS = 60.0
"""How long a peer may take to answer. A cold llama.cpp on a busy machine took 20."""

_POLL_SECONDS = 0.02
_ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class PeerProcess:
    """One server process, which prints the address that it listens on.

    Args:
        command: What to run.
        log: Where its output goes; shown when it does not start.
        env: Variables added to the environment, which is otherwise free of keys and endpoints.
    """

    def __init__(self, command: Sequence[str], log: Path, env: Mapping[str, str] | None = None) -> None:
        environment = {name: value for name, value in os.environ.items() if not is_private(name)}
        self._log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=environment | dict(env or {}),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def wait_ready(self, path: str) -> str:
        """Return the address once `path` there answers with any HTTP status.

        Raises:
            RuntimeError: The process ended or did not answer in time; the message holds its output.
        """
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.running:
            address = _ADDRESS.search(self._log.read_text(errors="replace"))
            if address and answers(address.group() + path):
                return address.group()
            time.sleep(_POLL_SECONDS)
        state = "did not answer in time" if self.running else f"ended with status {self._process.returncode}"
        self.stop()
        raise RuntimeError(f"The peer {state}:\n{self._log.read_text(errors='replace')}")

    def stop(self) -> None:
        """Terminate the process and what it started; kill what has not ended after 3 seconds."""
        stop_group(self._process.pid, signal.SIGTERM)
        try:
            self._process.wait(3)
        except subprocess.TimeoutExpired:
            stop_group(self._process.pid, signal.SIGKILL)
            self._process.wait()


def stop_group(pid: int, number: signal.Signals) -> None:
    """Send a signal to the process group of a process that leads one; gone already is fine."""
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        return


def answers(url: str) -> bool:
    """Tell whether a server answers at `url`, with whatever status."""
    try:
        with _direct.open(url, timeout=5):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def call(url: str, body: object = None, *, method: str | None = None) -> Any:
    """Send JSON, or nothing when `body` is None, and return the decoded answer.

    Raises:
        urllib.error.HTTPError: The server refused.
    """
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json"}, method=method)
    with _direct.open(request, timeout=30) as response:
        return json.loads(response.read() or b"null")
