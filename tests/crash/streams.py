"""Replies that stream slowly enough to be interrupted anywhere, and what is found on disk afterwards."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from tests.peers.wire import Pause, Wire, sse
from tests.pty.harness import Terminal
from tui.commands.runtime import utc_now
from tui.core.chat import Message
from tui.core.ports import Provider
from tui.providers.demo_texts import PARAGRAPH
from tui.services.build import build
from tui.services.ledger import LEASE
from tui.storage.secrets import MemorySecrets
from tui.storage.store import JsonStore

KEY = "sk-test-0123456789abcdef"
WORD_SECONDS = 0.05
WORDS = [f"word-{number} " for number in range(1_000)]


@dataclass(frozen=True, slots=True)
class Stream:
    """A reply that streams for most of a minute."""

    provider: str
    prompt: str
    begins: str
    """What the screen shows once it has begun."""
    whole: str
    """All that would come, or more."""
    env: Mapping[str, str]


DEMO = Stream("demo", "/long 3000", "Ctroom shows what", PARAGRAPH * 100, {})
"""From the demo, which needs no SDK and so starts at once."""


def stream_over(wire: Wire) -> Stream:
    """From a server, with a default key."""
    steps: list[object] = []
    for word in WORDS:
        steps += [{"choices": [{"index": 0, "delta": {"content": word}}]}, Pause(WORD_SECONDS)]
    wire.script(sse(*steps))
    env = {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": wire.openai_url}
    return Stream("openai", "count", WORDS[1].strip(), "".join(WORDS), env)


def begin(terminal: Terminal, stream: Stream) -> None:
    """Ask for a reply that streams, and see it begin."""
    terminal.wait_for("Ask anything")
    terminal.type(stream.prompt)
    terminal.key("enter")
    terminal.wait_for(stream.begins)


def latest_turn(home: Path) -> tuple[Message, ...]:
    """The messages of the conversation that was made last."""

    async def read() -> tuple[Message, ...]:
        store = await JsonStore.open(home, utc_now)
        try:
            conversations = [entry for _, entry in store.view.conversations]
            return await store.load_messages(conversations[-1].id)
        finally:
            await store.aclose()

    return asyncio.run(read())


def recover_later(home: Path) -> int:
    """Recover as the app does, once every lease has ended; how many attempts were charged."""

    def later() -> datetime:
        return utc_now() + LEASE + timedelta(seconds=1)

    async def recover() -> int:
        store = await JsonStore.open(home, later)
        services = build(store, MemorySecrets(), _connect, later, {})
        try:
            return await services.turns.recover()
        finally:
            await services.aclose()

    return asyncio.run(recover())


def _connect(kind: str, *, api_key: str | None, base_url: str | None, name: str) -> Provider:
    raise AssertionError("Recovery calls no provider.")
