"""A process that sends many prompts at once; started by tests as `python -m tests.crash.asking_process`.

Arguments: how many turns, a seed, and how many tokens its provider spends beyond each cap. Its provider is
in the process, everything else as in `ctroom`. It says "ready", waits for a line on standard input, and
prints at the end what came of the turns as one JSON object.
"""

import asyncio
import json
import os
import random
import sys
from collections import Counter
from collections.abc import AsyncGenerator

from tests.crash.metered_peer import PROMPT, Spend, beyond_cap, within_cap
from tests.support.working_provider import WorkingProvider, end
from tui.commands.runtime import utc_now
from tui.core.chat import ChatRequest, StreamEvent, TextDelta
from tui.core.ports import Provider
from tui.core.turns import ReplyEnded
from tui.core.usage import Usage
from tui.paths import data_directory
from tui.providers import tokens
from tui.services.build import build
from tui.services.services import Services
from tui.storage.secrets import MemorySecrets
from tui.storage.store import JsonStore

_LONGEST_WAIT = 0.05


class MeteredProvider(WorkingProvider):
    """Implements `core.ports.Provider`: spends as it is told, and notes what it reported.

    Args:
        spend: Chooses the output tokens of each request.
        chance: Chooses how long each takes.
    """

    def __init__(self, spend: Spend, chance: random.Random) -> None:
        super().__init__()
        self._spend = spend
        self._chance = chance
        self.reported = 0
        self.excess = 0

    async def stream(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        completion = self._spend(request.max_output)
        self.reported += PROMPT + completion
        self.excess += max(0, completion - request.max_output)
        for word in ("Well, ", "yes."):
            await asyncio.sleep(self._chance.uniform(0, _LONGEST_WAIT))
            yield TextDelta(word)
        for event in end(Usage(PROMPT, completion)):
            yield event


async def ask(services: Services) -> ReplyEnded:
    """One turn in a conversation of its own."""
    conversation = await services.library.create("openai", services.models.default("openai"))
    ended = [event async for event in services.turns.send(conversation.id, "hello")][-1]
    assert isinstance(ended, ReplyEnded)
    return ended


async def ask_at_once(count: int, provider: MeteredProvider) -> dict[str, object]:
    def connect(kind: str, *, api_key: str | None, base_url: str | None, name: str) -> Provider:
        return provider

    store = await JsonStore.open(data_directory(os.environ), utc_now)
    services = build(store, MemorySecrets(), connect, utc_now, os.environ)
    await asyncio.to_thread(tokens.warm)
    _say("ready")
    await asyncio.to_thread(sys.stdin.readline)
    try:
        turns = await asyncio.gather(*(ask(services) for _ in range(count)))
    finally:
        await services.aclose()
    return {
        "outcomes": Counter(str(turn.refusal or turn.reply.status) for turn in turns),
        "charged": sum(turn.charged for turn in turns),
        "reported": provider.reported,
        "excess": provider.excess,
        "unsaved": sum(not turn.saved for turn in turns),
    }


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    turns, seed, beyond = map(int, sys.argv[1:])
    spend = beyond_cap(beyond) if beyond else within_cap(seed)
    metered = MeteredProvider(spend, random.Random(seed))
    _say(json.dumps(asyncio.run(ask_at_once(turns, metered))))
