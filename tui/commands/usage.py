"""`ctroom usage`: the figures of the footer, once or as they change."""

import asyncio
import json
import sys
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from tui.commands.runtime import DONE, run

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

    async def work(services: "Services") -> int:
        if watch:
            await watch_usage(services, as_json=as_json)
        else:
            click.echo("\n".join(_lines(services, _snapshot(services), as_json=as_json, indent=2)))
        return DONE

    return run(work)


async def watch_usage(services: "Services", *, as_json: bool) -> None:
    """Print the figures, and again whenever they are others: by any process, or by the end of a day.

    Args:
        services: The session's services.
        as_json: One JSON object a line, else lines for people, drawn over on a terminal.
    """
    changed = asyncio.Event()
    stop = services.store.subscribe(changed.set)
    poll = asyncio.ensure_future(services.poll())
    redraw = not as_json and sys.stdout is not None and sys.stdout.isatty()
    shown: list[str] = []
    known: UsageSnapshot | None = None
    try:
        while True:
            latest = _snapshot(services)
            if known is None or replace(latest, as_of=known.as_of) != known:
                if redraw and shown:
                    click.echo(f"\x1b[{len(shown)}A\x1b[J", nl=False)
                shown = _lines(services, latest, as_json=as_json, indent=None)
                click.echo("\n".join(shown))
            known = latest
            with suppress(TimeoutError):
                await asyncio.wait_for(changed.wait(), _until_reset(latest))
            changed.clear()
    finally:
        stop()
        poll.cancel()


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
