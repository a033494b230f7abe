import asyncio
from contextvars import ContextVar
from functools import partial

from tui.ssh.paint_queue import PaintQueue

WHO: ContextVar[str] = ContextVar("WHO")


async def test_what_comes_in_is_looked_at_between_two_of_them() -> None:
    queue, log, done = PaintQueue(), [], asyncio.Event()

    def key() -> None:
        log.append("key")
        if not done.is_set():
            asyncio.get_running_loop().call_soon(key)

    for name in ("ann", "kim", "max"):
        queue.join(partial(log.append, name))
    queue.join(done.set)
    asyncio.get_running_loop().call_soon(key)
    await done.wait()
    assert log[:6] == ["ann", "key", "kim", "key", "max", "key"]


async def test_who_joins_when_called_waits_behind_the_others() -> None:
    queue, log, done = PaintQueue(), [], asyncio.Event()

    def again() -> None:
        log.append("ann")
        queue.join(done.set)

    queue.join(again)
    queue.join(partial(log.append, "kim"))
    await done.wait()
    assert log == ["ann", "kim"]


async def test_each_is_called_in_its_own_context() -> None:
    queue, seen, done = PaintQueue(), [], asyncio.Event()

    async def session(name: str) -> None:
        WHO.set(name)
        queue.join(lambda: seen.append(WHO.get()))

    await asyncio.gather(session("ann"), session("kim"))
    queue.join(done.set)
    await done.wait()
    assert seen == ["ann", "kim"]


async def test_one_that_fails_holds_up_nobody() -> None:
    queue, done = PaintQueue(), asyncio.Event()
    reported: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, told: reported.append(told["exception"]))

    def fail() -> None:
        raise ValueError

    queue.join(fail)
    queue.join(done.set)
    async with asyncio.timeout(5):
        await done.wait()
    assert [type(error) for error in reported] == [ValueError]
