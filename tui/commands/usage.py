"""`ctroom usage`: the figures of the footer, once or as they change."""

import asyncio
import json
import sys
from typing import TYPE_CHECKING

import click

from tui.commands.runtime import DONE, run

if TYPE_CHECKING:
    from tui.services.services import Services


@click.command()
@click.option(
    "--json", "as_json", is_flag=True, help="One JSON object (a line for each change with --watch)."
)
@click.option("--watch", is_flag=True, help="Print again whenever the figures change; Ctrl+C ends it.")
def command(as_json: bool, watch: bool) -> int:
    """Print what remains."""

    async def work(services: "Services") -> int:
        _print(services, as_json=as_json, one_line=watch, redraw=False)
        if watch:
            await _watch(services, as_json=as_json)
        return DONE

    return run(work)


async def _watch(services: "Services", *, as_json: bool) -> None:
    changed = asyncio.Event()
    stop = services.store.subscribe(changed.set)
    poll = asyncio.ensure_future(services.poll())
    try:
        while True:
            await changed.wait()
            changed.clear()
            _print(services, as_json=as_json, one_line=True, redraw=_on_terminal() and not as_json)
    finally:
        stop()
        poll.cancel()


def _on_terminal() -> bool:
    return sys.stdout is not None and sys.stdout.isatty()


def _print(services: "Services", *, as_json: bool, one_line: bool, redraw: bool) -> None:
    from tui.services.reports import usage_json, usage_lines

    endpoints = [endpoint.name for endpoint in services.settings.host().endpoints]
    snapshot = services.accounting.snapshot(endpoints)
    if as_json:
        click.echo(json.dumps(usage_json(snapshot), indent=None if one_line else 2))
        return
    lines = usage_lines(snapshot, services.settings.display_zone())
    if redraw:
        click.echo(f"\x1b[{len(lines)}A\x1b[J", nl=False)
    click.echo("\n".join(lines))
