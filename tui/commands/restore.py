"""`ctroom restore`: what backups there are, what each holds, and going back to one of them."""

import os
import sys
from datetime import datetime, tzinfo
from pathlib import Path

import click

from tui.commands.runtime import DONE, guarded, utc_now
from tui.core.chat import Conversation
from tui.core.days import zone
from tui.core.errors import CtroomError, StorageError
from tui.core.quota import Pool
from tui.core.settings import LOCAL_USER, provider_name
from tui.core.text import sanitize_line
from tui.paths import data_directory
from tui.services.restoring import bring_forward, restored_sentences
from tui.storage.backup import Backup, BackupContents, inspect_backup, list_backups, zone_name
from tui.storage.restore import ANEW, Restoration, Restored
from tui.storage.state_file import StateFile

_TITLES_SHOWN = 10


@click.command()
@click.argument("name", required=False)
@click.option(
    "--show", is_flag=True, help="Show what NAME holds and what going back would do; change nothing."
)
@click.option("--yes", is_flag=True, help="Go back without being asked, as scripts must.")
def command(name: str | None, show: bool, yes: bool) -> int:
    """List the backups, newest first, or go back to the one called NAME.

    Going back loses nothing that came after the backup. Settings are the backup's again, and what was
    deleted or damaged since comes back. Charges, purchases, conversations, messages, users and tiers since
    stay, so that USED never goes back; open holds stay open until their turns end. What was there is first
    kept as a backup of its own, called before-restore-.... Ctroom may run meanwhile.

    Where there is no backup and ctroom.json is damaged, NAME is "anew": Ctroom begins anew and keeps all
    that can still be read, conversations among it.

    Backups are made with the first change of a day (the last 7 are kept), and before each migration and
    restore (the last 5 of each).
    """
    if name is None:
        return guarded(_list)
    if not (show or yes or _on_terminal()):
        raise click.UsageError("Nothing was changed: add --yes to go back without being asked")
    return guarded(lambda: _show(name) if show else _restore(name, yes=yes))


def _on_terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()


def _home() -> Path:
    return data_directory(os.environ)


def _list() -> int:
    backups = list_backups(_home())
    if not backups:
        StateFile(_home(), utc_now).load()  # where it can't be read, that says what to do
        click.echo("There are no backups yet: the first is made with the first change of a day.")
        return DONE
    where, damaged = _zone(), 0
    for backup in backups:
        click.echo(f"{backup.name:<40}  {_moment(backup.made_at, where)}  {backup.size / 1024:>9,.0f} KB")
        try:
            lines = _summary(backup)
        except StorageError as error:
            damaged += 1
            lines = [str(error)]
        for line in lines:
            click.echo(f"  {line}")
    click.echo("To see more of one: ctroom restore NAME --show. To go back to it: ctroom restore NAME.")
    if damaged == len(backups):
        click.echo("To begin anew with all that can still be read: ctroom restore anew.")
    return DONE


def _summary(backup: Backup) -> list[str]:
    """One backup's contents in two lines.

    Raises:
        StorageError: It is damaged.
    """
    holds = inspect_backup(_home(), backup.name)
    return [f"{_conversations(holds)} \u00b7 {_ledger(holds)}", " \u00b7 ".join(_pools(holds.pools))]


def _show(name: str) -> int:
    if name == ANEW:
        return _say(_restoration(name).preview())
    holds, where = inspect_backup(_home(), name), _zone()
    made_at = next(backup.made_at for backup in list_backups(_home()) if backup.name == name)
    click.echo(f"{name}, made {_moment(made_at, where)}")
    for line in (*_pools(holds.pools), _ledger(holds), _count(holds.users, "user"), _conversations(holds)):
        click.echo(f"  {line}")
    newest = sorted(holds.conversations, key=lambda entry: entry.updated_at, reverse=True)
    for entry in newest[:_TITLES_SHOWN]:
        click.echo(f"    {_entry(entry, where)}")
    if len(newest) > _TITLES_SHOWN:
        click.echo(f"    and {len(newest) - _TITLES_SHOWN:,} older ones")
    return _say(_restoration(name).preview())


def _restore(name: str, *, yes: bool) -> int:
    restoration = _restoration(name)
    if not yes:
        _say(restoration.preview())
        if not click.confirm("Begin anew?" if name == ANEW else f"Go back to {name}?"):
            click.echo("Nothing was changed.")
            return DONE
    return _say(restoration.run())


def _say(restored: Restored) -> int:
    for sentence in restored_sentences(restored):
        click.echo(sentence)
    return DONE


def _restoration(name: str) -> Restoration:
    return Restoration(_home(), name, bring_forward, utc_now)


def _zone() -> tzinfo:
    """The zone that times are shown in; UTC where the settings can't be read."""
    try:
        return zone(zone_name(_home(), LOCAL_USER))
    except CtroomError:
        return zone("UTC")


def _moment(moment: datetime, where: tzinfo) -> str:
    return f"{moment.astimezone(where):%Y-%m-%d %H:%M}"


def _conversations(holds: BackupContents) -> str:
    messages = sum(entry.message_count for entry in holds.conversations)
    return f"{_count(len(holds.conversations), 'conversation')}, {_count(messages, 'message')}"


def _entry(entry: Conversation, where: tzinfo) -> str:
    title = sanitize_line(entry.title, 60)
    deleted = ", deleted" if entry.deleted_at else ""
    return f"{_moment(entry.updated_at, where)}  {title} ({_count(entry.message_count, 'message')}{deleted})"


def _ledger(holds: BackupContents) -> str:
    rows = _count(holds.ledger_rows, "recent ledger row")
    if not holds.months:
        return rows
    first, last = holds.months[0], holds.months[-1]
    return f"{rows}, older ones of {first if first == last else f'{first} to {last}'}"


def _pools(pools: tuple[Pool, ...]) -> list[str]:
    if not pools:
        return ["no tokens entered or used"]
    return [f"{provider_name(pool.provider)} {_amounts(pool)}" for pool in pools]


def _amounts(pool: Pool) -> str:
    return f"{pool.used:,} used" + ("" if pool.purchased is None else f" of {pool.purchased:,} purchased")


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
