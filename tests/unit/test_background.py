"""What goes on beside the screen."""

import asyncio
import gc
import inspect
from collections.abc import Iterator

import pytest
from textual.app import App

from tui.background import Workers, resume_collector


@pytest.fixture
def collector() -> Iterator[None]:
    """The collector as it was, after the test."""
    yield
    gc.unfreeze()
    gc.enable()


@pytest.mark.usefixtures("collector")
def test_the_collector_resumes_without_what_the_start_made() -> None:
    gc.disable()
    resume_collector()
    assert gc.isenabled()
    assert gc.get_freeze_count() > 0


@pytest.mark.usefixtures("collector")
def test_a_collector_that_was_never_put_off_is_left_alone() -> None:
    gc.unfreeze()
    resume_collector()
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0


class WorkingApp(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self._workers = Workers(self)


async def test_work_that_is_cancelled_before_it_begins_leaves_no_coroutine() -> None:
    async def never() -> None:
        raise AssertionError

    async with WorkingApp().run_test() as pilot:
        work = never()
        pilot.app.run_worker(work).cancel()
        await pilot.pause()
        assert inspect.getcoroutinestate(work) == inspect.CORO_CLOSED


async def test_work_runs_to_its_end() -> None:
    begun, done = asyncio.Event(), asyncio.Event()

    async def some() -> int:
        begun.set()
        await done.wait()
        return 7

    async with WorkingApp().run_test() as pilot:
        worker = pilot.app.run_worker(some())
        await begun.wait()
        done.set()
        assert await worker.wait() == 7
        assert not pilot.app.workers
