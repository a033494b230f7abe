import asyncio
from collections.abc import Callable

from textual.app import App, ComposeResult
from textual.screen import Screen
from textual.widgets import Static

from tui.core.pace import Pace
from tui.ssh.paint_queue import PaintQueue
from tui.ssh.screen import PacedScreen


class WatchedQueue(PaintQueue):
    """Counts those who joined."""

    joined = 0

    def join(self, called: Callable[[], object]) -> None:
        self.joined += 1
        super().join(called)


class WatchedScreen(PacedScreen):
    """Its opening is over; it says when it was drawn."""

    def __init__(self, pace: Pace, queue: PaintQueue) -> None:
        super().__init__(pace, queue)
        self._hasty_until = 0.0
        self.drawn = asyncio.Event()

    @property
    def waits(self) -> bool:
        return self._waking is not None

    def _draw(self) -> None:
        super()._draw()
        self.drawn.set()


class PacedApp(App[None]):
    def __init__(self, pace: Pace) -> None:
        super().__init__()
        self.queue = WatchedQueue()
        self.paced = WatchedScreen(pace, self.queue)

    def get_default_screen(self) -> Screen[None]:
        return self.paced

    def compose(self) -> ComposeResult:
        yield Static("one")

    def change(self, words: str) -> None:
        self.paced.drawn.clear()
        self.query_one(Static).update(words)


async def test_what_changes_by_itself_is_drawn_in_the_queue() -> None:
    app = PacedApp(Pace())
    async with app.run_test():
        before = app.queue.joined
        app.change("two")
        await app.paced.drawn.wait()
        assert app.queue.joined == before + 1


async def test_what_comes_of_a_key_is_drawn_past_the_queue() -> None:
    app = PacedApp(Pace())
    async with app.run_test():
        app.paced.hasten()
        before = app.queue.joined
        app.change("two")
        await app.paced.drawn.wait()
        assert app.queue.joined == before


async def test_a_busy_server_draws_rarely_but_for_a_key() -> None:
    app = PacedApp(Pace())
    async with app.run_test() as pilot:
        app.change("two")
        await app.paced.drawn.wait()
        app.paced._pace.paint_seconds = 3600.0
        app.change("three")
        while not app.paced.waits:
            await pilot.pause(0.01)
        assert not app.paced.drawn.is_set()
        app.paced.hasten()
        await app.paced.drawn.wait()
