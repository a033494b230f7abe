"""Sessions over SSH while replies stream, beside a server with a process for each session.

    python -m tests.benchmarks.bench_ssh [--sessions 1 10 50 100] [--seconds 20] [--idle 10] [--only serve]

Both run the same app with the demo as its provider, one after the other for each number of sessions, with
clients in another process. Memory is what is private to the server's processes and their share of the rest.
"""

import argparse
import asyncio
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import asyncssh

from tests.benchmarks.figures import show
from tests.environment import child_environment
from tests.program import COMMAND

USERS = 20
READY, PROMPT = b"Ask anything", "/long 4000\r"
REPLYING = b"Esc stops"
TYPED = "бвгджзийклмнптфцчшщъыьэюяђћџњљѓќѕєїґ"
"""What no reply and no label holds: each is seen on the screen when it is drawn."""
SIZE = (120, 40)
AT_ONCE = 10
"""Clients that connect at the same time; each of their first frames is timed from its own beginning."""
PATIENCE = 120.0
SETTLE_SECONDS = 15.0
"""After the last reply: it is saved and charged, and everyone's figures are drawn."""


@dataclass
class Taken:
    """What was measured with one number of sessions."""

    memory: float = 0.0
    """MB a session."""
    frames: list[float] = field(default_factory=list)
    keys: list[float] = field(default_factory=list)
    loaded_cpu: float = 0.0
    idle_cpu: float = 0.0
    """Percent of a core, all sessions together."""
    clean_up: float = 0.0
    """Seconds until nothing of the sessions is left."""
    left: str = ""

    def cells(self) -> list[str]:
        keys = sorted(self.keys) or [float("nan")]
        return [
            f"{self.memory:.1f}",
            f"{statistics.median(self.frames):.0f}",
            f"{max(self.frames):.0f}",
            f"{statistics.median(keys):.0f}",
            f"{keys[int(len(keys) * 0.95)]:.0f}",
            f"{self.loaded_cpu:.0f}",
            f"{self.idle_cpu:.1f}",
            f"{self.clean_up:.1f}",
            self.left,
        ]


COLUMNS = (
    "MB/session", "frame p50 ms", "worst", "key p50 ms", "p95", "CPU % load", "CPU % idle", "clean-up s",
    "left",
)  # fmt: skip


class Process:
    """A server under test, with whatever it starts."""

    def __init__(self, process: "subprocess.Popen[str]", port: int) -> None:
        self.process = process
        self.port = port

    def pids(self) -> list[int]:
        found, queue = [], [self.process.pid]
        while queue:
            pid = queue.pop()
            found.append(pid)
            with suppress(OSError):
                for task in Path(f"/proc/{pid}/task").iterdir():
                    queue += map(int, (task / "children").read_text().split())
        return found

    def memory(self) -> float:
        """MB."""
        total = 0
        for pid in self.pids():
            with suppress(OSError):
                for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                    if line.startswith("Pss:"):
                        total += int(line.split()[1])
        return total / 1024

    def cpu(self) -> float:
        """Seconds so far."""
        ticks = 0
        for pid in self.pids():
            with suppress(OSError):
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def sockets(self) -> int:
        """How many are open, and pseudo-terminals; the store keeps a few files open, always as many."""
        found = 0
        for descriptor in Path(f"/proc/{self.process.pid}/fd").iterdir():
            with suppress(OSError):
                found += descriptor.readlink().name.startswith(("socket:", "ptmx"))
        return found


@contextmanager
def serve(directory: Path, keys: list[Path]) -> Iterator[Process]:
    env = child_environment(directory)
    for number, key in enumerate(keys):
        subprocess.run(
            [*COMMAND, "users", "add", f"user{number}", "--key-file", str(key.with_suffix(".pub"))],
            env=env, check=True, capture_output=True,
        )  # fmt: skip
    command = [*COMMAND, "serve", "--port", "0", "--max-sessions", "500", "--max-sessions-per-user", "50"]
    with subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        port = int(line.partition("port=")[2].split()[0])
        drain = subprocess.Popen(["cat"], stdin=process.stderr, stdout=subprocess.DEVNULL)
        try:
            yield Process(process, port)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)
            drain.wait(10)


@contextmanager
def processes(directory: Path, keys: list[Path]) -> Iterator[Process]:
    env = child_environment(directory)
    command = [sys.executable, "-m", "tests.benchmarks.ssh_processes", str(keys[0])]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Process(process, int(process.stdout.readline()))
        finally:
            process.kill()


class Session:
    """A client with a terminal that nobody looks at."""

    def __init__(self, key: Path, port: int) -> None:
        self._key = key
        self._port = port
        self._tail = b""
        self._came = asyncio.Event()
        self.frame = 0.0

    async def open(self) -> None:
        began = time.perf_counter()
        self._connection = await asyncssh.connect(
            "127.0.0.1", self._port, username="u", client_keys=[str(self._key)], known_hosts=None, config=None
        )
        self._process = await self._connection.create_process(
            term_type="xterm-256color", term_size=SIZE, encoding=None
        )
        self._reading = asyncio.create_task(self._read())
        await self.wait_for(READY)
        self.frame = (time.perf_counter() - began) * 1000

    async def _read(self) -> None:
        with suppress(asyncssh.Error, OSError):
            while data := await self._process.stdout.read(65_536):
                self._tail = self._tail[-16_384:] + data
                self._came.set()

    async def wait_for(self, what: bytes) -> None:
        async with asyncio.timeout(PATIENCE):
            while what not in self._tail:
                self._came.clear()
                await self._came.wait()

    def send(self, text: str) -> None:
        self._process.stdin.write(text.encode())

    async def key(self, key: str) -> float:
        """Milliseconds until a key is on the screen."""
        began = time.perf_counter()
        self.send(key)
        await self.wait_for(key.encode())
        return (time.perf_counter() - began) * 1000

    def drop(self) -> None:
        self._reading.cancel()
        self._connection.abort()


async def opened(session: Session, at_once: asyncio.Semaphore) -> None:
    async with at_once:
        await session.open()


async def measure(process: Process, keys: list[Path], count: int, seconds: float, idle: float) -> Taken:
    taken = Taken()
    first = Session(keys[0], process.port)
    await first.open()  # what the first session of all loads stays
    first.drop()
    await asyncio.sleep(2)
    before, sockets = process.memory(), process.sockets()
    sessions = [Session(keys[number % len(keys)], process.port) for number in range(count)]
    at_once = asyncio.Semaphore(AT_ONCE)
    await asyncio.gather(*(opened(session, at_once) for session in sessions))
    taken.frames = [session.frame for session in sessions]
    for session in sessions:
        session.send(PROMPT)
    await asyncio.gather(*(session.wait_for(REPLYING) for session in sessions))
    cpu, began = process.cpu(), time.perf_counter()
    probe = sessions[0]
    for key in TYPED:
        if time.perf_counter() - began > seconds:
            break
        taken.keys.append(await probe.key(key))
        await asyncio.sleep(0.2)
    taken.loaded_cpu = (process.cpu() - cpu) / (time.perf_counter() - began) * 100
    taken.memory = (process.memory() - before) / count
    for session in sessions:
        session.send("\x1b")
    await asyncio.sleep(SETTLE_SECONDS)
    cpu, began = process.cpu(), time.perf_counter()
    await asyncio.sleep(idle)
    taken.idle_cpu = (process.cpu() - cpu) / (time.perf_counter() - began) * 100
    began = time.perf_counter()
    for session in sessions:
        session.drop()
    while process.sockets() > sockets or len(process.pids()) > 1:
        if time.perf_counter() - began > 12:
            break
        await asyncio.sleep(0.05)
    taken.clean_up = time.perf_counter() - began
    taken.left = f"{process.sockets() - sockets} fds, {len(process.pids()) - 1} procs"
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, nargs="+", default=[1, 10, 50, 100])
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--idle", type=float, default=10)
    parser.add_argument("--only", choices=("serve", "processes"))
    arguments = parser.parse_args()
    rows = {}
    for count in arguments.sessions:
        for name, server in (("serve", serve), ("processes", processes)):
            if arguments.only not in (None, name):
                continue
            with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as directory:
                place = Path(directory)
                (place / "home").mkdir()
                keys = []
                for number in range(USERS):
                    key = asyncssh.generate_private_key("ssh-ed25519")
                    path = place / f"key{number}"
                    key.write_private_key(path)
                    key.write_public_key(path.with_suffix(".pub"))
                    keys.append(path)
                with server(place, keys) as process:
                    work = measure(process, keys, count, arguments.seconds, arguments.idle)
                    try:
                        rows[f"{name}, {count}"] = asyncio.run(work).cells()
                    except TimeoutError:
                        rows[f"{name}, {count}"] = [f"no reply within {PATIENCE:.0f} s"]
                    show("sessions with streaming replies", COLUMNS, rows)


if __name__ == "__main__":
    main()
