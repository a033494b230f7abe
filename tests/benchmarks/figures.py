"""How benchmarks take their figures and print them."""

import asyncio
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TypeAlias

ROUNDS = 25
PATIENCE = 6.0
"""Seconds after which a slow contender sits out, once it has been measured three times."""

Work: TypeAlias = Callable[[int], Awaitable[object]]
"""Something to measure; it is given the number of the round."""


def show(title: str, columns: Iterable[object], rows: Mapping[str, Iterable[str]]) -> None:
    """Print a table."""
    sys.stdout.write(f"\n{title:<48}" + "".join(f"{column!s:>14}" for column in columns) + "\n")
    for name, cells in rows.items():
        sys.stdout.write(f"  {name:<46}" + "".join(f"{cell:>14}" for cell in cells) + "\n")


async def take_turns(works: Mapping[str, Work], rounds: int = ROUNDS) -> dict[str, float]:
    """Median milliseconds of each, measured one after the other in every round."""
    taken: dict[str, list[float]] = {name: [] for name in works}
    for number in range(rounds):
        for name, work in works.items():
            if len(taken[name]) < 3 or sum(taken[name]) < PATIENCE * 1000:
                began = time.perf_counter()
                await work(number)
                taken[name].append((time.perf_counter() - began) * 1000)
    return {name: statistics.median(times) for name, times in taken.items()}


async def longest_stall(work: Callable[[], Awaitable[object]]) -> float:
    """Milliseconds that the event loop was not free, at most, while something was done."""
    longest = 0.0

    async def watch() -> None:
        nonlocal longest
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0.001)
            longest = max(longest, (time.perf_counter() - began) * 1000 - 1)

    watching = asyncio.ensure_future(watch())
    await asyncio.sleep(0.02)
    longest = 0.0
    await work()
    await asyncio.sleep(0.002)
    watching.cancel()
    return longest
