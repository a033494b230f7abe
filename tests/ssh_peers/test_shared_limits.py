"""The daily limit and the pool hold across any number of sessions of any number of users, at once."""

import asyncio
import json
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.support.ssh import READY, Served, serving
from tests.support.working_provider import WorkingProvider, end
from tui.core.chat import ChatRequest, ModelInfo, StreamEvent, TextDelta
from tui.core.ports import Provider
from tui.core.quota import KeySource
from tui.core.usage import Usage

PURCHASED, FREE = 4_000, 1_000


class Metered(WorkingProvider):
    """A provider that uses all that it may, and says so."""

    spent = 0
    busiest = 0
    running = 0

    async def stream(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        Metered.running += 1
        Metered.busiest = max(Metered.busiest, Metered.running)
        try:
            yield TextDelta("Here ")
            await asyncio.sleep(0.05)
            yield TextDelta("it is.")
            used = Usage(input=20, output=request.max_output or 0)
            Metered.spent += used.total
            for event in end(used):
                yield event
        finally:
            Metered.running -= 1


def metered(kind: str, *, api_key: str | None, base_url: str | None, name: str) -> Provider:
    assert api_key == "sk-host-key-0123456789abcdef"
    return Metered(ModelInfo("gpt-5.1", 100_000, 4_096))


@pytest.fixture(autouse=True)
def host_key(monkeypatch: pytest.MonkeyPatch, sandboxed: None) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-host-key-0123456789abcdef")
    Metered.spent = Metered.busiest = Metered.running = 0


async def ask_all(served: Served, users: list[str], times: int) -> list[int]:
    """Everyone asks so often, each time in a session of their own, all at once; the exit statuses."""
    connections = [await served.connect(user) for user in users for _ in range(times)]
    ran = await asyncio.gather(
        *(connection.run("ask --provider openai hi", check=False, input="") for connection in connections)
    )
    return [each.exit_status or 0 for each in ran]


async def test_the_day_of_each_and_the_pool_of_all_hold(ctroom_home: Path) -> None:
    async with serving(ctroom_home, connect=metered) as served:
        await served.services.accounting.set_purchased("openai", PURCHASED)
        users = [f"user{number}" for number in range(6)]
        for user in users:
            await served.add(user, "free")
        statuses = []
        for _ in range(4):
            statuses += await ask_all(served, users, 4)
        state = served.services.store.view
        [pool] = [pool for _, pool in state.quotas if pool.provider == "openai"]
        assert pool.used == Metered.spent <= PURCHASED
        assert pool.used > PURCHASED - 200, "it was used to the end"
        assert pool.held == 0
        assert [*state.attempts] == []
        for user in users:
            assert sum(day.used for _, day in state.daily_usage if day.user == user) <= FREE
        assert {*statuses} == {0, 3}
        assert Metered.busiest > 1
        charged = [row for _, row in state.ledger if row.key_source is KeySource.DEFAULT]
        assert sum(row.tokens for row in charged) == pool.used


async def test_sessions_with_a_terminal_and_without_share_a_day(ctroom_home: Path) -> None:
    async with serving(ctroom_home, connect=metered) as served:
        await served.services.accounting.set_purchased("openai", 1_000_000)
        await served.add("sam", "free")
        client = await served.open("sam", size=(120, 40))
        await client.until(READY)
        assert set(await ask_all(served, ["sam"], 6)) == {0, 3}
        await client.until("0 left")
        client.send("me too\r")
        await client.until("used all available tokens")
        ran = await served.run("sam", "usage --json")
        [figures] = [
            each for each in json.loads(str(ran.stdout))["providers"] if each["provider"] == "openai"
        ]
        assert figures["day"]["used"] <= FREE
        assert figures["purchased"] is None, "what was purchased is the admin's to know"
