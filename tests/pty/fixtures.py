"""Fixtures that open Ctroom in a pseudo-terminal."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Protocol

import pytest

from tests.program import COMMAND, Program
from tests.pty.harness import Terminal


class OpenCtroom(Protocol):
    """Starts `ctroom` with the given arguments in a terminal of the given size, in the test's sandbox."""

    def __call__(
        self, *args: str, cols: int = 80, rows: int = 24, env: Mapping[str, str] | None = None
    ) -> Terminal: ...


@pytest.fixture
def open_ctroom(run_ctroom: Program) -> Iterator[OpenCtroom]:
    """Open Ctroom any number of times; whatever still runs when the test ends is killed."""
    with ExitStack() as terminals:

        def start(
            *args: str, cols: int = 80, rows: int = 24, env: Mapping[str, str] | None = None
        ) -> Terminal:
            terminal = Terminal(
                [*COMMAND, *args],
                env=run_ctroom.environment(env),
                cols=cols,
                rows=rows,
                cwd=run_ctroom.directory,
            )
            return terminals.enter_context(terminal)

        yield start
