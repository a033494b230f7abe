"""`ctroom usage --watch`: a line for each change, whoever made it, and at the end of a day."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.session import DictSecrets, ManualClock, reported
from tui.commands.usage import watch_usage
from tui.core.chat import new_id
from tui.core.quota import KeySource
from tui.core.settings import LOCAL_USER
from tui.providers import connect
from tui.services.accounting import AdmissionRequest
from tui.services.build import build
from tui.services.services import Services
from tui.storage.store import JsonStore

KEYS = {"OPENAI_API_KEY": "sk-proj-host0123456789abcdefa91f"}


async def opened(home: Path, clock: ManualClock) -> Services:
    store = await JsonStore.open(home, clock)
    return build(store, DictSecrets(), connect, clock, KEYS, LOCAL_USER)


async def spend(services: Services, tokens: int) -> None:
    request = AdmissionRequest(new_id(), "openai", "gpt-5.1", KeySource.DEFAULT, 1, tokens)
    hold = await services.accounting.admit(request)
    await services.accounting.settle(hold.attempt_id, reported(1, tokens - 1))


class Printed:
    """What the command printed, a JSON object a line."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self.lines: list[dict[str, Any]] = []

    async def until(self, count: int) -> dict[str, Any]:
        """The latest line, once there are so many."""
        while len(self.lines) < count:
            self.lines += map(json.loads, self._capsys.readouterr().out.splitlines())
            await asyncio.sleep(0.01)
        latest: dict[str, Any] = self.lines[-1]["providers"][0]
        return latest


@asynccontextmanager
async def watching(services: Services) -> AsyncIterator[None]:
    task = asyncio.create_task(watch_usage(services, as_json=True))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_it_prints_again_when_the_day_ends_though_nothing_else_changed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = ManualClock(datetime(2026, 11, 23, 23, 59, 59, 800_000, tzinfo=UTC))
    services, printed = await opened(tmp_path, clock), Printed(capsys)
    await spend(services, 1_204)
    async with watching(services):
        assert (await printed.until(1))["day"]["used"] == 1_204
        clock.move(seconds=1)
        day = (await printed.until(2))["day"]
    assert (day["date"], day["used"], day["remaining"]) == ("2026-11-24", 0, 10_000)
    await services.aclose()


async def test_it_prints_what_another_process_changed_within_a_second(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = ManualClock()
    services, other, printed = await opened(tmp_path, clock), await opened(tmp_path, clock), Printed(capsys)
    async with watching(services):
        assert (await printed.until(1))["purchased"] is None
        await other.accounting.set_purchased("openai", 5_000)
        async with asyncio.timeout(1):
            assert (await printed.until(2))["purchased"] == 5_000
        await other.settings.set("theme", "textual-light")  # no figure
        await other.settings.set("tiers.basic", "20000")
        async with asyncio.timeout(1):
            assert (await printed.until(3))["day"]["limit"] == 20_000
    await other.aclose()
    await services.aclose()
