"""Connects and disconnects, half of them abrupt: no task, file, app, thread or hold is left behind."""

import asyncio
import random
import threading
from pathlib import Path
from weakref import WeakSet

import pytest

from tests.support.ssh import READY, Served, apps_alive, serving, until
from tui.ssh.served_app import ServedApp

ROUNDS = [
    pytest.param(40, marks=pytest.mark.timeout(300)),
    pytest.param(500, marks=[pytest.mark.long, pytest.mark.timeout(1_800)]),
]
AT_ONCE = 5


def descriptors() -> int:
    """Sockets and pipes of this process; the store keeps a few files open, always as many."""
    found = 0
    for each in Path("/proc/self/fd").iterdir():
        try:
            found += each.readlink().name.startswith(("socket:", "pipe:", "anon_inode:"))
        except OSError:
            continue
    return found


async def visit(served: Served, chance: random.Random) -> None:
    """One connect and disconnect, at any moment and in any way."""
    connection = await served.connect("sam")
    if chance.random() < 0.1:
        connection.abort()
        return
    client = await served.open(connection)
    if chance.random() < 0.8:
        await client.until(READY)
    if chance.random() < 0.6:
        client.send("/long 300\r" if chance.random() < 0.5 else "hello\r")
    await asyncio.sleep(chance.random() * 0.3)
    if chance.random() < 0.5:
        connection.abort()
    else:
        client.send("\x11")
        await asyncio.wait_for(client.gone(), 20)
        connection.close()
    await client.aclose()


@pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="counts open files by /proc")
@pytest.mark.parametrize("rounds", ROUNDS)
async def test_nothing_is_left_of_sessions(ctroom_home: Path, rounds: int) -> None:
    chance = random.Random(rounds)
    others = WeakSet(apps_alive())  # such as a failed test's, whose traceback holds it
    async with serving(ctroom_home) as served:
        await served.add("sam", "unlimited")
        await visit(served, chance)  # what the first session of all loads stays
        await settled(served, others)
        tasks, files, threads = len(asyncio.all_tasks()), descriptors(), threading.active_count()
        for _ in range(0, rounds, AT_ONCE):
            await asyncio.gather(*(visit(served, chance) for _ in range(AT_ONCE)))
        await settled(served, others)
        assert len(asyncio.all_tasks()) <= tasks + 1  # one of the store's poll comes and goes
        assert descriptors() <= files
        assert threading.active_count() <= threads + 6  # the pool for what blocks is kept
        state = served.services.store.view
        assert [*state.attempts] == []
        assert all(pool.held == 0 for _, pool in state.quotas)
        assert all(day.held == 0 for _, day in state.daily_usage)
        assert len(served.host.registry) == 0
        assert served.host.unsaved() == 0


async def settled(served: Served, others: WeakSet[ServedApp]) -> None:
    await served.settled()
    await until(lambda: not served.host.connections.total and not served.host.strangers.total)
    # A cancelled timer keeps its app until its time, and each look at the whole heap holds up everything.
    await until(lambda: all(app in others for app in apps_alive()), pause=1)
