"""Fixtures and guards for every test: no outside network, no real home directory, no developer's key.

Long forms are run by `-m long` and by nothing else.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests import offline
from tests.environment import is_private, sandbox
from tests.program import Program
from tests.support import at_rest
from tests.support.command_line import CommandLine
from tests.support.figures import FIGURES

pytest_plugins = ["tests.peers.fixtures", "tests.pty.fixtures"]

# One profile everywhere: the same examples in each run, and no deadline that a busy machine could miss.
settings.register_profile("ctroom", derandomize=True, deadline=None, print_blob=True)
settings.load_profile("ctroom")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the long forms, unless they are asked for."""
    if "long" in config.getoption("markexpr"):
        return
    long = [item for item in items if item.get_closest_marker("long")]
    config.hook.pytest_deselected(items=long)
    items[:] = [item for item in items if item not in long]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what was recorded; a worker's own output would not be seen."""
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, value in getattr(report, "user_properties", ()):
                if name == FIGURES and report.when == "call":
                    terminalreporter.write_line(f"{report.nodeid}: {value}")


@pytest.fixture(scope="session", autouse=True)
def offline_guard() -> Iterator[None]:
    """Refuse every connection that would leave this machine."""
    uninstall = offline.install()
    yield
    uninstall()


@pytest.fixture(scope="session", autouse=True)
def quick_pilots() -> Iterator[None]:
    """Let pilots wait for the app alone, not for the clock."""
    with pytest.MonkeyPatch.context() as patch:
        at_rest.install(patch)
        yield


@pytest.fixture(autouse=True)
def sandboxed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Give the test its own home, data and keyring, and fail it if it tried to leave the machine."""
    for name in [name for name in os.environ if is_private(name)]:
        monkeypatch.delenv(name)
    variables = sandbox(tmp_path)
    Path(variables["HOME"]).mkdir()
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    offline.attempts.clear()
    yield
    assert not offline.attempts, f"The test tried to leave this machine: {offline.attempts}"


@pytest.fixture
def ctroom_home(sandboxed: None, tmp_path: Path) -> Path:
    """The data directory of this test, not yet made; `CTROOM_HOME` names it here and in programs started."""
    return Path(sandbox(tmp_path)["CTROOM_HOME"])


@pytest.fixture
def run_ctroom(sandboxed: None, tmp_path: Path) -> Program:
    """Run `ctroom` in this test's sandbox; see `tests.program.Program`."""
    return Program(tmp_path)


@pytest.fixture
def ctroom(
    sandboxed: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> CommandLine:
    """Run `ctroom` within this process, in this test's sandbox, where its start would cost too much."""
    return CommandLine(monkeypatch, capsys)
