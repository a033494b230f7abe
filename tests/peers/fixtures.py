"""Fixtures for the servers of `tests.peers`: started once for each test process, reset before each test."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from tests.peers import servers
from tests.peers.gemini_double import GeminiDouble
from tests.peers.process import PeerProcess, stop_group
from tests.peers.servers import AIMock, Eliza, LlamaCpp, LLMock
from tests.peers.wire import Wire


def _serve(process: PeerProcess, ready: str) -> Iterator[str]:
    url = process.wait_ready(ready)
    yield url
    process.stop()


@pytest.fixture(scope="session")
def llmock_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    log = tmp_path_factory.mktemp("llmock") / "log"
    yield from _serve(servers.launch("llmock", log), "/_llmock/requests")


@pytest.fixture
def llmock(llmock_url: str) -> LLMock:
    """A clean llmock. Takes the place of the fixture that the package itself registers."""
    return LLMock(llmock_url).reset()


@pytest.fixture(scope="session")
def aimock_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if reason := servers.aimock_missing():
        pytest.skip(reason)
    yield from _serve(servers.launch_aimock(tmp_path_factory.mktemp("aimock") / "log"), "/health")


@pytest.fixture
def aimock(aimock_url: str) -> AIMock:
    """A clean aimock with its standing answers."""
    return AIMock(aimock_url).reset()


@pytest.fixture(scope="session")
def eliza(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Eliza]:
    """ELIZA behind an OpenAI interface; it keeps no state between requests."""
    log = tmp_path_factory.mktemp("eliza") / "log"
    for url in _serve(servers.launch("eliza", log), "/v1/models"):
        yield Eliza(url)


@pytest.fixture(scope="session")
def llamacpp(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[LlamaCpp]:
    """A real model. One server for all test processes of a run, since it needs 240 MB and every core."""
    if reason := servers.llamacpp_missing():
        pytest.skip(reason)
    # Under xdist each worker has its own base directory, below one that the run shares.
    alone = worker_id == "master"
    base = tmp_path_factory.getbasetemp()
    shared = SharedServer(base if alone else base.parent, owner=os.getpid() if alone else os.getppid())
    yield LlamaCpp(shared.join())
    shared.leave()


class SharedServer:
    """The llama.cpp server that test processes share: the first to come starts it, the last stops it.

    Args:
        directory: Common to the run.
        owner: The process with which it ends, should a test process be killed.
    """

    def __init__(self, directory: Path, owner: int) -> None:
        self._owner = owner
        self._log = directory / "llamacpp.log"
        self._state = directory / "llamacpp.json"
        self._lock = FileLock(directory / "llamacpp.lock")

    def join(self) -> str:
        with self._lock:
            if self._state.exists():
                state = json.loads(self._state.read_text())
            else:
                process = servers.launch("llamacpp", self._log, self._owner)
                state = {"pid": process.pid, "url": process.wait_ready("/health"), "users": 0}
            state["users"] += 1
            self._state.write_text(json.dumps(state))
        url: str = state["url"]
        return url

    def leave(self) -> None:
        with self._lock:
            state = json.loads(self._state.read_text())
            state["users"] -= 1
            if state["users"]:
                self._state.write_text(json.dumps(state))
            else:
                self._state.unlink()
                stop_group(state["pid"], signal.SIGKILL)


@pytest.fixture
def gemini_double() -> Iterator[GeminiDouble]:
    with GeminiDouble() as double:
        yield double


@pytest.fixture
def wire() -> Iterator[Wire]:
    with Wire() as server:
        yield server
