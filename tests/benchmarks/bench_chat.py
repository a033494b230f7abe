"""Opening, typing, streaming and searching in a terminal, beside bare Textual apps and elia, in one run.

    python -m tests.benchmarks.bench_chat [--messages 10 1000] [--tokens 2000 8000] [--pace 200] [--elia PATH]

All talk to the same local server, which streams at a set pace, and hold the same conversation. `log` writes
plain lines and is the limit; `markdown` has a widget for each message. CPU is to be trusted more than wall
time. `--elia` names the command of an installed elia (PyPI: elia-chat), which can't search in messages.
"""

import argparse
import asyncio
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tests.benchmarks.bench_search import fill
from tests.benchmarks.figures import show
from tests.benchmarks.paced_server import SAMPLE
from tests.environment import child_environment
from tests.program import COMMAND
from tests.pty.harness import Terminal
from tests.support.years import UnsyncedFiles
from tui.core.chat import Conversation, Message, Role
from tui.core.ports import State
from tui.storage.store import JsonStore

LAST = "This was the last of them"
TYPED = "zqvkzjqxvzkqjzvxqkzjvqxkzq"
PATIENCE = 300.0
"""Seconds after which a client is given up, and with it the longer replies."""
QUIET_SECONDS = 0.4
MAKE_ELIAS = """import asyncio, elia_chat.database.models
from elia_chat.database.database import create_database
asyncio.run(create_database())"""
BARE = [sys.executable, "-m", "tests.benchmarks.bare_chats"]


@dataclass
class Client:
    """A chat client: how it is started, and which keys open the conversation and send a prompt."""

    name: str
    command: Sequence[str]
    ready: str
    opens: tuple[str, ...]
    sends: str
    environment: dict[str, str] = field(default_factory=dict)


@contextmanager
def started(client: Client, directory: Path) -> Iterator[Terminal]:
    """Run a client; what it writes is gone afterwards, so that the next run begins with the same."""
    with tempfile.TemporaryDirectory() as kept:
        shutil.copytree(directory, kept, dirs_exist_ok=True)
        try:
            with _running(client, directory) as terminal:
                yield terminal
        finally:
            shutil.rmtree(directory)
            shutil.copytree(kept, directory)


@contextmanager
def _running(client: Client, directory: Path) -> Iterator[Terminal]:
    env = child_environment(directory) | client.environment
    with Terminal(client.command, env=env, cols=120, rows=40, cwd=directory) as terminal:
        terminal.wait_for(client.ready, 60)
        time.sleep(1)  # what follows the first frame in the background
        yield terminal


def cpu_ms(pid: int) -> float:
    """CPU of a process so far, threads that ended included."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def settle(pid: int) -> None:
    """Wait until a process has next to nothing left to do."""
    before = cpu_ms(pid)
    while True:
        time.sleep(QUIET_SECONDS)
        now = cpu_ms(pid)
        if now - before <= QUIET_SECONDS * 50:
            return
        before = now


def opened(client: Client, terminal: Terminal) -> tuple[float, float]:
    """Open the conversation: CPU ms until there is nothing more to do, wall ms until its end is shown."""
    cpu, began = cpu_ms(terminal.pid), time.perf_counter()
    for key in client.opens:
        terminal.key(key)
        time.sleep(0.3)
    waited = 0.3 * len(client.opens)
    terminal.wait_for(LAST, PATIENCE)
    wall = (time.perf_counter() - began - waited) * 1000
    settle(terminal.pid)
    return cpu_ms(terminal.pid) - cpu, max(0.0, wall)


def typed(terminal: Terminal, text: str) -> list[float]:
    """Wall ms from each key to the frame that shows it."""
    taken = []
    for count in range(1, len(text) + 1):
        began = time.perf_counter()
        terminal.type(text[count - 1])
        terminal.wait_for(text[:count], PATIENCE)
        taken.append((time.perf_counter() - began) * 1000)
    return taken


class Server:
    """The server, and when it last ended a reply."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.benchmarks.paced_server"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self._lines = self._process.stdout
        self.url = f"http://127.0.0.1:{int(self._lines.readline())}/v1"

    def ended(self) -> float:
        """The monotonic time, in seconds, at which the reply was sent whole; waits for it."""
        return float(self._lines.readline().split()[1])

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self._lines.close()


def streamed(client: Client, terminal: Terminal, server: Server, tokens: int, pace: int) -> list[float]:
    """CPU ms for each 1,000 tokens, key p50 and worst while it streams, and the lag after the last token."""
    terminal.type(f"stream {tokens} at {pace}")
    terminal.wait_for(f"stream {tokens} at {pace}")
    cpu = cpu_ms(terminal.pid)
    terminal.key(client.sends)
    time.sleep(1.5)
    keys, began = [], time.perf_counter()
    length = 0
    while time.perf_counter() - began < tokens / pace * 0.7 - 1.5 and length < len(TYPED):
        length += 1
        at = time.perf_counter()
        terminal.type(TYPED[length - 1])
        terminal.wait_for(TYPED[:length], PATIENCE)
        keys.append((time.perf_counter() - at) * 1000)
        time.sleep(0.25)
    ended = server.ended()
    terminal.wait_for("THE-END", PATIENCE)
    lag = (time.monotonic() - ended) * 1000
    settle(terminal.pid)
    spent = (cpu_ms(terminal.pid) - cpu) / tokens * 1000
    return [spent, statistics.median(keys), max(keys), max(0.0, lag)]


def texts(count: int) -> list[str]:
    """A conversation: short prompts, and replies as models write them."""
    return [*(SAMPLE if n % 2 else f"Question {n}: go on." for n in range(count - 1)), LAST]


async def fill_ctroom(home: Path, messages: list[str]) -> None:
    now = datetime.now(UTC)
    store = await JsonStore.open(home, lambda: now, UnsyncedFiles())
    entry = Conversation(
        "long",
        "local",
        "The long one",
        now,
        now,
        "bench",
        "bench",
        head_id=f"m{len(messages) - 1}",
        message_count=len(messages),
    )
    await store.save_messages(
        "long",
        [
            Message(
                f"m{n}", (Role.USER, Role.ASSISTANT)[n % 2], text, now, parent_id=f"m{n - 1}" if n else None
            )
            for n, text in enumerate(messages)
        ],
    )

    def add(state: State) -> None:
        state.conversations.insert(entry)

    await store.transaction(add)
    await store.aclose()


def chatgpt_export(messages: list[str]) -> str:
    nodes = {
        str(n): {
            "message": {
                "author": {"role": ("user", "assistant")[n % 2]},
                "content": {"parts": [text]},
                "create_time": 1_700_000_000 + n,
                "metadata": {},
            }
        }
        for n, text in enumerate(messages)
    }
    return json.dumps([{"title": "The long one", "create_time": 1_700_000_000, "mapping": nodes}])


def clients(directory: Path, messages: list[str], server: Server, elia: str | None) -> list[Client]:
    """All of them, each with the conversation and with the server as its provider."""
    history = directory / "history.json"
    history.write_text(json.dumps(messages))
    listed = [
        Client(kind, [*BARE, kind, str(history), server.url], "READY", ("f8",), "f5")
        for kind in ("log", "markdown")
    ]
    asyncio.run(fill_ctroom(directory / "ctroom", messages))
    env = child_environment(directory)
    for setting in (("endpoints.bench.base_url", server.url), ("provider", "bench")):
        subprocess.run([*COMMAND, "settings", "set", *setting], env=env, check=True, capture_output=True)
    listed.append(Client("ctroom", COMMAND, "F1 help", ("f8", "enter"), "enter"))
    if elia:
        places = {name: str(directory / name) for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME")}
        provider = {
            "OPENAI_API_KEY": "none",
            "OPENAI_API_BASE": server.url,
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        }
        made = places | provider
        export = directory / "export.json"
        export.write_text(chatgpt_export(messages))
        python = Path(elia).with_name("python")
        subprocess.run([python, "-c", MAKE_ELIAS], env=env | made, check=True, capture_output=True)
        subprocess.run([elia, "import", str(export)], env=env | made, check=True, capture_output=True)
        listed.append(Client("elia", [elia], "The long one", ("tab", "enter"), "ctrl+j", made))
    return listed


def one_size(count: int, options: argparse.Namespace) -> None:
    """Measure all clients at one length of conversation."""
    opening: dict[str, list[str]] = {}
    streaming: dict[str, list[str]] = {}
    server = Server()
    try:
        with tempfile.TemporaryDirectory() as name:
            directory = Path(name)
            (directory / "home").mkdir()
            for client in clients(directory, texts(count), server, options.elia):
                with started(client, directory) as terminal:
                    cpu, wall = opened(client, terminal)
                    keys = typed(terminal, TYPED)
                    cells = [
                        f"{cpu:.0f}",
                        f"{wall:.0f}",
                        f"{statistics.median(keys):.1f}",
                        f"{max(keys):.0f}",
                    ]
                    opening[client.name] = cells
                for tokens in sorted(options.tokens):
                    with started(client, directory) as terminal:
                        opened(client, terminal)
                        try:
                            figures = streamed(client, terminal, server, tokens, options.pace)
                        except AssertionError:
                            streaming[f"{client.name}, {tokens:,}"] = [f"not within {PATIENCE:.0f} s"]
                            break
                    streaming[f"{client.name}, {tokens:,}"] = [f"{figure:.0f}" for figure in figures]
        show(f"{count:,} messages", ("open CPU ms", "wall ms", "key p50 ms", "worst"), opening)
        show(
            f"a reply at {options.pace} tokens/s onto them",
            ("CPU ms/1,000", "key p50 ms", "worst", "lag at end ms"),
            streaming,
        )
    finally:
        server.close()


def searching() -> None:
    """Type a word that two of 1,000 conversations of 100 messages have, and wait for the first."""
    rows = {}
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        (directory / "home").mkdir()
        home = directory / "ctroom"

        async def filled() -> None:
            await (await fill(home)).aclose()

        asyncio.run(filled())
        bare = Client("find", [*BARE, "find", str(home / "conversations")], "READY", (), "")
        ctroom = Client("ctroom", COMMAND, "F1 help", ("f7",), "")
        for client, shown in ((bare, r"FOUND c\d"), (ctroom, r"A Needle in it")):
            times = []
            for _ in range(3):
                with started(client, directory) as terminal:
                    for key in client.opens:
                        terminal.key(key)
                    time.sleep(1)
                    cpu, began = cpu_ms(terminal.pid), time.perf_counter()
                    terminal.type("needle")
                    terminal.wait_for(re.compile(shown), PATIENCE)
                    first = (time.perf_counter() - began) * 1000
                    settle(terminal.pid)
                    times.append((first, cpu_ms(terminal.pid) - cpu))
            first, spent = (statistics.median(column) for column in zip(*times, strict=True))
            rows[client.name] = [f"{first:.0f}", f"{spent:.0f}"]
    show("a word in 1,000 x 100 messages", ("first shown ms", "CPU ms in all"), rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, nargs="*", default=[10, 1000])
    parser.add_argument("--tokens", type=int, nargs="*", default=[2000, 8000])
    parser.add_argument("--pace", type=int, default=200, help="tokens a second")
    parser.add_argument("--elia")
    parser.add_argument("--no-search", action="store_true")
    options = parser.parse_args()
    with suppress(KeyboardInterrupt):
        for count in options.messages:
            one_size(count, options)
        if not options.no_search:
            searching()


if __name__ == "__main__":
    main()
