"""First frame, key to frame and idling of the whole program in a pseudo-terminal, beside other programs.

    python -m tests.benchmarks.bench_start [--rounds 9] [--elia PATH] [--idle 10]

The programs take turns in one run, so that the machine's other work touches all alike; CPU and ratios are to
be trusted more than wall time. `--elia` names the command of an installed elia (PyPI: elia-chat).
"""

import argparse
import asyncio
import compileall
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import tests.benchmarks
import tui
from tests.benchmarks.storage_stalls import fill_days
from tests.environment import child_environment
from tests.pty.harness import Terminal
from tui.storage.store import JsonStore

TYPED = "zqabdefghkmnprstuvwxyacebfdgzh"
_STYLING = re.compile(rb"\x1b\[[0-9;:]*m")


@dataclass
class Candidate:
    """A program, how its first frame is known, and what was measured of it."""

    name: str
    command: list[str]
    directory: Path
    marker: str
    frames: list[tuple[float, float, float]] = field(default_factory=list)
    """CPU ms and wall ms to the first frame, peak memory in MB."""
    keys: list[float] = field(default_factory=list)
    """Wall ms from a key to the frame that shows it."""
    idle: float = 0.0
    """Percent of a core while nothing happens."""

    @contextmanager
    def open(self) -> Iterator[Terminal]:
        env = child_environment(self.directory)
        with Terminal(self.command, env=env, cols=120, rows=40, cwd=self.directory) as terminal:
            yield terminal


class Undrawn(Terminal):
    """A terminal that draws nothing, and notes what a program used when the marker's bytes came.

    The emulator takes some 20 ms for a frame; what the program goes on to do meanwhile is not the frame's.
    """

    def __init__(self, candidate: Candidate, env: Mapping[str, str]) -> None:
        self._marker = candidate.marker.encode()
        self.used: tuple[float, float, float] | None = None
        """CPU ms, the moment, and peak memory in MB; None before."""
        super().__init__(candidate.command, env=env, cols=120, rows=40, cwd=candidate.directory)

    def _draw(self, _data: bytes) -> None:
        if self.used is None and self._marker in _STYLING.sub(b"", self._raw):
            self.used = cpu_ms(self.pid), time.perf_counter(), peak_mb(self.pid)


def cpu_ms(pid: int) -> float:
    """CPU of a process so far, all its threads: its clock, numbered as `clock_getcpuclockid(3)` does."""
    return time.clock_gettime(~pid << 3 | 2) * 1000


def peak_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def first_frame(candidate: Candidate) -> None:
    began = time.perf_counter()
    with Undrawn(candidate, child_environment(candidate.directory)) as terminal:
        terminal.wait_until(lambda _: terminal.used is not None, "the first frame", 60)
        assert terminal.used is not None
        cpu, came, memory = terminal.used
        candidate.frames.append((cpu, (came - began) * 1000, memory))


def type_keys(candidates: list[Candidate], rounds: int) -> None:
    """Type the same keys into all, key by key in turn."""
    for _ in range(rounds):
        with contextmanager(_opened)(candidates) as terminals:
            for count in range(1, len(TYPED) + 1):
                for candidate, terminal in zip(candidates, terminals, strict=True):
                    began = time.perf_counter()
                    terminal.type(TYPED[count - 1])
                    terminal.wait_for(TYPED[:count])
                    if count > 3:
                        candidate.keys.append((time.perf_counter() - began) * 1000)


def _opened(candidates: list[Candidate]) -> Iterator[list[Terminal]]:
    opened = [candidate.open() for candidate in candidates]
    terminals = [each.__enter__() for each in opened]
    try:
        for candidate, terminal in zip(candidates, terminals, strict=True):
            terminal.wait_for(candidate.marker, 60)
        yield terminals
    finally:
        for each in opened:
            each.__exit__(None, None, None)


def idle(candidates: list[Candidate], seconds: float) -> None:
    with contextmanager(_opened)(candidates) as terminals:
        time.sleep(5)  # what follows the first frame in the background is not idling
        before = [cpu_ms(terminal.pid) for terminal in terminals]
        time.sleep(seconds)
        for candidate, terminal, start in zip(candidates, terminals, before, strict=True):
            candidate.idle = (cpu_ms(terminal.pid) - start) / (seconds * 10)


def candidates(root: Path, elia: str | None) -> list[Candidate]:
    def made(name: str, command: list[str], marker: str) -> Candidate:
        directory = root / name.replace(" ", "-")
        (directory / "home").mkdir(parents=True)
        return Candidate(name, command, directory, marker)

    bare = [sys.executable, "-m", "tests.benchmarks.bare_apps"]
    listed = [
        made("one Static", [*bare, "static"], "READY"),
        made("chat skeleton", [*bare, "chat"], "READY"),
        made("ctroom", [sys.executable, "-m", "tui"], "F1 help"),
        made("ctroom, a year", [sys.executable, "-m", "tui"], "F1 help"),
    ]
    asyncio.run(_fill(listed[-1].directory / "ctroom"))
    return [*listed, made("elia", [elia], "Send message")] if elia else listed


async def _fill(home: Path) -> None:
    store = await JsonStore.open(home, lambda: datetime.now(UTC))
    await fill_days(store, 365)
    await store.aclose()


def report(listed: list[Candidate]) -> None:
    skeleton = next(each for each in listed if each.name == "chat skeleton")
    base = statistics.median(cpu for cpu, _, _ in skeleton.frames)
    print(f"{'':16}{'CPU ms':>8}{'ratio':>7}{'wall ms':>9}{'MB':>6}{'key p50':>9}{'p95':>7}{'idle %':>8}")
    for each in listed:
        cpu, wall, memory = (statistics.median(column) for column in zip(*each.frames, strict=True))
        line = f"{each.name:16}{cpu:8.0f}{cpu / base:7.2f}{wall:9.0f}{memory:6.0f}"
        if each.keys:
            ordered = sorted(each.keys)
            p50, p95 = statistics.median(ordered), ordered[int(len(ordered) * 0.95)]
            line += f"{p50:9.1f}{p95:7.1f}{each.idle:8.2f}"
        print(line)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--elia")
    parser.add_argument("--idle", type=float, default=10)
    options = parser.parse_args()
    # As pip does when it installs: some environments keep Python from doing it by itself.
    for source in (tui, tests.benchmarks):
        compileall.compile_dir(Path(str(source.__file__)).parent, quiet=1)
    with tempfile.TemporaryDirectory() as directory:
        listed = candidates(Path(directory), options.elia)
        for number in range(options.rounds + 1):
            for each in listed:
                first_frame(each)
                if number == 0:
                    each.frames.clear()  # the first round fills the caches of files and bytecode
        typed = [each for each in listed if each.name != "one Static"]
        type_keys(typed, 3)
        idle(typed, options.idle)
        report(listed)


if __name__ == "__main__":
    main()
