"""What the transcript costs: run `python -m tests.benchmarks.bench_transcript`; figures are CPU milliseconds.

Wall times depend on what else the machine does; CPU times and the ratios between them are to be trusted.
"""

import asyncio
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.widgets import Log

from tests.benchmarks.paced_server import SAMPLE
from tui.core.chat import MessageStatus
from tui.widgets.transcript import Entry, EntryRole, Transcript

STYLES = Path(__file__).parents[2] / "styles" / "transcript.tcss"
SIZE = (120, 40)
REPEATS = 5
LENGTHS = (8_000, 48_000, 100_000)
"""Tokens of a reply that still streams."""
TICK = 0.005
"""Seconds between two looks at the event loop's lag."""
TOKENS_PER_SAMPLE = len(SAMPLE) // 4


class BenchApp(App[None]):
    """A transcript and nothing else."""

    CSS_PATH = STYLES

    def compose(self) -> ComposeResult:
        yield Transcript()


class LogApp(App[None]):
    """Plain lines: the least that can be done."""

    def compose(self) -> ComposeResult:
        yield Log()


def conversation(count: int) -> list[Entry]:
    return [
        Entry(
            str(n), EntryRole.ASSISTANT if n % 2 else EntryRole.USER, SAMPLE if n % 2 else "Go on.", "model"
        )
        for n in range(count)
    ]


def show(line: str) -> None:
    sys.stdout.write(line + "\n")


@asynccontextmanager
async def running(entries: list[Entry]) -> AsyncIterator[tuple[Transcript, Pilot[None]]]:
    app = BenchApp()
    async with app.run_test(size=SIZE) as pilot:
        transcript = app.query_one(Transcript)
        transcript.load(entries)
        await pilot.pause()
        yield transcript, pilot


async def cpu(action: Callable[[], Awaitable[object]]) -> float:
    started = time.process_time()
    await action()
    return (time.process_time() - started) * 1000


async def history(count: int) -> dict[str, float]:
    """Open, append and resize at a number of messages."""
    async with running(conversation(2)) as (transcript, pilot):
        entries = conversation(count)

        async def load() -> None:
            transcript.load(entries)
            await pilot.pause()

        async def append() -> None:
            transcript.append(Entry(f"new{len(transcript.store)}", EntryRole.ASSISTANT, SAMPLE, "model"))
            await pilot.pause()

        widths = iter(range(100, 120))

        async def resize() -> None:
            await pilot.resize_terminal(next(widths), SIZE[1])
            await pilot.pause()

        actions = {"open": load, "append": append, "resize": resize}
        return {
            name: statistics.median([await cpu(action) for _ in range(REPEATS)])
            for name, action in actions.items()
        }


async def streaming(tokens: int, seconds: float) -> dict[str, float]:
    """Stream 50 tokens a second onto a reply that already has a length."""
    async with running(conversation(20)) as (transcript, pilot):
        transcript.append(Entry("reply", EntryRole.ASSISTANT, title="model", status=MessageStatus.STREAMING))
        for _ in range(tokens // TOKENS_PER_SAMPLE):
            transcript.stream("reply", SAMPLE)
            transcript.entry_text("reply")
        await pilot.pause()
        renders, started = transcript.store.renders, time.process_time()
        lags = await _lags_while_streaming(partial(transcript.stream, "reply"), seconds)
        spent = (time.process_time() - started) * 1000
        flushes = max(1, transcript.store.renders - renders)

        async def finish() -> None:
            transcript.finish("reply")
            await pilot.pause()

        return {
            "flush": spent / flushes,
            "stall p50": statistics.median(lags),
            "stall p99": statistics.quantiles(lags, n=100)[98],
            "finish": await cpu(finish),
        }


async def plain_lines(tokens: int, seconds: float) -> dict[str, float]:
    """The same onto a `Log`, which is drawn at each token."""
    app = LogApp()
    async with app.run_test(size=SIZE) as pilot:
        log = app.query_one(Log)
        log.write(SAMPLE * (tokens // TOKENS_PER_SAMPLE))
        await pilot.pause()
        lags = await _lags_while_streaming(log.write, seconds)
        return {"stall p50": statistics.median(lags), "stall p99": statistics.quantiles(lags, n=100)[98]}


async def _lags_while_streaming(write: Callable[[str], object], seconds: float) -> list[float]:
    lags: list[float] = []
    end, next_token = time.monotonic() + seconds, 0.0
    while (now := time.monotonic()) < end:
        if now >= next_token:
            write("word ")
            next_token = now + 0.02
        await asyncio.sleep(TICK)
        lags.append(max(0.0, time.monotonic() - now - TICK) * 1000)
    return lags


async def main(seconds: float = 6.0) -> None:
    show(f"{'messages':>10} {'open':>8} {'append':>8} {'resize':>8}   CPU ms, medians of {REPEATS}")
    for count in (10, 1_000, 10_000):
        figures = await history(count)
        show(f"{count:>10,} {figures['open']:>8.1f} {figures['append']:>8.1f} {figures['resize']:>8.1f}")
    rounds: dict[int, list[dict[str, float]]] = {tokens: [] for tokens in LENGTHS}
    lines: list[dict[str, float]] = []
    for _ in range(3):  # interleaved, so that all meet the same machine
        for tokens in rounds:
            rounds[tokens].append(await streaming(tokens, seconds))
        lines.append(await plain_lines(LENGTHS[-1], seconds))
    show(f"\n{'tokens':>10} {'flush':>8} {'finish':>8} {'p50':>8} {'p99':>8}   CPU ms; stalls in wall ms")
    best = {tokens: _least(runs) for tokens, runs in rounds.items()}
    plain = _least(lines)
    for tokens, run in best.items():
        figures_shown = (run["flush"], run["finish"], run["stall p50"], run["stall p99"])
        show(f"{tokens:>10,} " + " ".join(f"{figure:>8.1f}" for figure in figures_shown))
    show(f"{'a Log':>10} {'':>8} {'':>8} {plain['stall p50']:>8.1f} {plain['stall p99']:>8.1f}")
    for tokens in LENGTHS[1:]:
        ratio = best[tokens]["stall p99"] / best[LENGTHS[0]]["stall p99"]
        against = best[tokens]["stall p99"] / plain["stall p99"]
        show(f"stall p99 at {tokens:,}: {ratio:.2f} of that at {LENGTHS[0]:,}, {against:.2f} of a Log's")


def _least(runs: list[dict[str, float]]) -> dict[str, float]:
    return {name: min(run[name] for run in runs) for name in runs[0]}


if __name__ == "__main__":
    asyncio.run(main(*map(float, sys.argv[1:])))
