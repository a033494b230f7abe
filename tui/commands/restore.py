"""`ctroom restore`: what backups there are, and going back to one of them."""

import os

import click

from tui.commands.runtime import DONE, guarded, utc_now
from tui.core.errors import StorageError
from tui.core.settings import provider_name
from tui.paths import data_directory
from tui.storage.backup import Backup, inspect_backup, list_backups, restore_backup


@click.command()
@click.argument("name", required=False)
def command(name: str | None) -> int:
    """List the backups, or go back to the one called NAME; what is there now is kept as a backup first."""
    return guarded(lambda: _list() if name is None else _restore(name))


def _list() -> int:
    backups = list_backups(data_directory(os.environ))
    if not backups:
        click.echo("There are no backups yet: the first is made with the first change of a day.")
    for backup in backups:
        click.echo(f"{backup.name:<44}{_contents(backup)}")
    return DONE


def _restore(name: str) -> int:
    kept = restore_backup(data_directory(os.environ), name, utc_now)
    click.echo(f"Restored {name}. What was there is kept as {kept}.")
    return DONE


def _contents(backup: Backup) -> str:
    """One backup's contents in words; a damaged one says so in the place of its figures."""
    try:
        holds = inspect_backup(data_directory(os.environ), backup.name)
    except StorageError as error:
        return str(error)
    pools = (f"{provider_name(pool.provider)} {pool.used:,} used" for pool in holds.pools)
    count = len(holds.conversations)
    parts = [f"{count} conversation{'' if count == 1 else 's'}", *pools, f"{backup.size / 1024:,.0f} KB"]
    return " \u00b7 ".join(parts)
