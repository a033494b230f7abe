"""The wait of the tests' pilots: it is over when the app has done all, and not before."""

import asyncio
import time
from pathlib import Path

from textual.app import App
from textual.widgets import Static

from tests.support.at_rest import HORIZON_SECONDS, at_rest
from tests.support.session import ManualClock
from tui.storage.store import JsonStore


async def test_a_chain_of_callbacks_timers_and_threads_is_waited_for() -> None:
    done: list[str] = []

    async def work() -> None:
        for number in range(3):
            await asyncio.sleep(HORIZON_SECONDS / 2)
            await asyncio.to_thread(time.sleep, 2 * HORIZON_SECONDS)
            done.append(f"{number}")

    task = asyncio.create_task(work())
    await at_rest()
    assert done == ["0", "1", "2"]
    await task


async def test_a_change_of_the_store_is_waited_for(tmp_path: Path) -> None:
    store = await JsonStore.open(tmp_path, ManualClock())
    changes = [asyncio.create_task(store.transaction(lambda state: time.sleep(0.1))) for _ in range(3)]
    await at_rest()
    assert all(change.done() for change in changes)
    await store.aclose()


async def test_what_is_not_due_is_not_waited_for() -> None:
    later = asyncio.get_running_loop().call_later(60, str)
    began = time.monotonic()
    await at_rest()
    assert time.monotonic() - began < 1
    later.cancel()


async def test_what_never_rests_is_waited_for_up_to_the_limit() -> None:
    loop = asyncio.get_running_loop()
    ended = False

    def busy() -> None:
        if not ended:
            loop.call_soon(busy)

    busy()
    began = time.monotonic()
    await at_rest(max_sleep=0.2)
    assert time.monotonic() - began >= 0.2
    ended = True


async def test_a_press_ends_when_what_it_began_is_drawn() -> None:
    class Counting(App[None]):
        BINDINGS = [("x", "count", "")]
        shown = 0

        def compose(self) -> "list[Static]":
            return [Static("0", id="number")]

        async def action_count(self) -> None:
            self.run_worker(self._count())

        async def _count(self) -> None:
            await asyncio.to_thread(time.sleep, 0.05)
            self.shown += 1
            self.query_one("#number", Static).update(str(self.shown))

    app = Counting()
    async with app.run_test() as pilot:
        for number in range(1, 4):
            await pilot.press("x")
            strip = app.screen._compositor.render_strips()[0]
            assert strip.text.strip() == str(number)
