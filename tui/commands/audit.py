"""`ctroom audit`: whether every balance is what the ledger says."""

import asyncio
import json
import os

import click

from tui.commands.runtime import DONE, FAILED, guarded, utc_now
from tui.paths import data_directory
from tui.services.audit import AuditReport, audit, report_json
from tui.storage.store import JsonStore


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def command(as_json: bool) -> int:
    """Replay the ledger, and prove every balance; exit status 1 where one does not hold."""
    return guarded(lambda: _tell(asyncio.run(_audit()), as_json=as_json))


async def _audit() -> AuditReport:
    store = await JsonStore.open(data_directory(os.environ), utc_now)
    try:
        return await audit(store)
    finally:
        await store.aclose()


def _tell(report: AuditReport, *, as_json: bool) -> int:
    click.echo(json.dumps(report_json(report), indent=2) if as_json else report.sentence)
    return DONE if report.holds else FAILED
