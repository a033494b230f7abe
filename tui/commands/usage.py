"""`ctroom usage`: the figures of the footer, once or as they change."""

import asyncio
import json
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from tui.commands.runtime import DONE, run
from tui.commands.streams import ProcessStreams
from tui.core.streams import Streams

if TYPE_CHECKING:
    from tui.core.figures import UsageSnapshot
    from tui.services.services import Services

LOOK_SECONDS = 30.0
"""How long a change that nobody tells of may go unseen: a clock that was set, a machine that slept."""


@click.command()
@click.option(
    "--json", "as_json", is_flag=True, help="One JSON object (a line for each change with --watch)."
)
@click.option("--watch", is_flag=True, help="Print again whenever the figures change; Ctrl+C ends it.")
def command(as_json: bool, watch: bool) -> int:
    """Print what remains."""
    return run(lambda services: usage(services, ProcessStreams(), as_json=as_json, watch=watch, poll=True))


async def usage(services: "Services", streams: Streams, *, as_json: bool, watch: bool, poll: bool) -> int:
    """Print the figures.

    Args:
        services: Whose figures they are.
        streams: Where they go.
        as_json: One JSON object, or one a line, else lines for people.
        watch: Print again whenever they change.
        poll: Look for what other processes change; false where that is done anyway.

    Returns:
        The exit status.
    """
    if watch:
        await watch_usage(services, streams, as_json=as_json, poll=poll)
    else:
        lines = _lines(services, _snapshot(services), as_json=as_json, indent=2)
        streams.write("\n".join(lines) + "\n")
    return DONE


async def watch_usage(
    services: "Services", streams: Streams | None = None, *, as_json: bool, poll: bool = True
) -> None:
    """Print the figures, and again whenever they are others: by any process, or by the end of a day.

    Args:
        services: The session's services.
        streams: Where they go; those of this process, unless said otherwise.
        as_json: One JSON object a line, else lines for people, drawn over on a terminal.
        poll: Look for what other processes change.
    """
    streams = streams or ProcessStreams()
    changed = asyncio.Event()
    stop = services.store.subscribe(changed.set)
    polling = asyncio.ensure_future(services.poll()) if poll else None
    redraw = not as_json and streams.is_terminal
    shown: list[str] = []
    known: UsageSnapshot | None = None
    try:
        while True:
            latest = _snapshot(services)
            if known is None or replace(latest, as_of=known.as_of) != known:
                over = f"\x1b[{len(shown)}A\x1b[J" if redraw and shown else ""
                shown = _lines(services, latest, as_json=as_json, indent=None)
                streams.write(over + "\n".join(shown) + "\n")
            known = latest
            with suppress(TimeoutError):
                await asyncio.wait_for(changed.wait(), _until_reset(latest))
            changed.clear()
    finally:
        stop()
        if polling is not None:
            polling.cancel()


def _until_reset(snapshot: "UsageSnapshot") -> float:
    """Seconds until a day ends, but at most `LOOK_SECONDS`."""
    resets = (figures.day.resets_at for figures in snapshot.providers if figures.day)
    waits = [(at - snapshot.as_of).total_seconds() for at in resets]
    return max(0.01, min([*waits, LOOK_SECONDS]))


def _snapshot(services: "Services") -> "UsageSnapshot":
    endpoints = [endpoint.name for endpoint in services.settings.host().endpoints]
    return services.accounting.snapshot(endpoints)


def _lines(
    services: "Services", snapshot: "UsageSnapshot", *, as_json: bool, indent: int | None
) -> list[str]:
    from tui.services.reports import usage_json, usage_lines

    if as_json:
        return [json.dumps(usage_json(snapshot), indent=indent)]
    return usage_lines(snapshot, services.settings.display_zone())
