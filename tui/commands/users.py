"""`ctroom users`: who may sign in to a host that serves a team, and what each may spend."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tui.commands.runtime import DONE, run, utc_now
from tui.core.errors import InvalidValueError
from tui.core.settings import UserRole

if TYPE_CHECKING:
    from datetime import tzinfo

    from tui.services.services import Services

MOST_BYTES = 400_000
"""Of a file of keys: many times what the most keys that are taken have."""

_json = click.option("--json", "as_json", is_flag=True, help="One JSON object.")
_name = click.argument("name")
_key = click.option("--key", "keys", multiple=True, metavar="TEXT", help='As in "ssh-ed25519 AAAA...".')
_key_file = click.option(
    "--key-file", "files", multiple=True, metavar="PATH", help="A .pub or an authorized_keys file."
)
_stdin = click.argument("stdin", required=False, metavar="[-]")


@click.group(no_args_is_help=False)
def command() -> None:
    """Let people sign in to `ctroom serve` with their SSH keys, and see what they use."""


@command.command("add")
@_name
@_stdin
@_key
@_key_file
@click.option("--tier", default="free", show_default=True, help="Theirs.")
@click.option("--admin", is_flag=True, help="They may change what you may.")
def add(
    name: str, stdin: str | None, keys: tuple[str, ...], files: tuple[str, ...], tier: str, admin: bool
) -> int:
    """Add NAME, who signs in with these public keys; "-" reads them from standard input, one a line."""
    text = _read_keys(stdin, keys, files)

    async def work(services: "Services") -> int:
        kept = await services.users.conversations_of(name)
        added = await services.users.add(name, text, tier, admin=admin)
        click.echo(f"Added {name} ({'admin' if admin else 'member'}, {tier}).")
        for key in added:
            click.echo(f"  {key.fingerprint} {key.comment}".rstrip())
        if kept:
            click.echo(f"Theirs again: {_conversations(kept)} kept for that name.")
        return DONE

    return run(work)


@command.command("list")
@_json
def list_(as_json: bool) -> int:
    """Everyone, with their use of the default keys today and in total."""

    async def work(services: "Services") -> int:
        from tui.services.user_reports import users_json, users_table

        entries, removed = services.users.list(), services.users.used_by_removed()
        if as_json:
            click.echo(json.dumps(users_json(entries, removed, utc_now()), indent=2))
        else:
            click.echo("\n".join(users_table(entries, removed)))
        return DONE

    return run(work)


@command.command("show")
@_name
@_json
def show(name: str, as_json: bool) -> int:
    """All that is known of NAME: their figures and their public keys."""

    async def work(services: "Services") -> int:
        from tui.services.user_reports import user_json, user_lines

        entry = services.users.get(name)
        lines = [json.dumps(user_json(entry), indent=2)] if as_json else user_lines(entry, _zone(services))
        click.echo("\n".join(lines))
        return DONE

    return run(work)


@command.command("tier")
@_name
@click.argument("tier")
def tier(name: str, tier: str) -> int:
    """Move NAME to another TIER, from their next turn on."""

    async def work(services: "Services") -> int:
        await services.users.set_tier(name, tier)
        limit = services.users.get(name).day.limit
        allowance = "unlimited" if limit is None else f"{limit:,} tokens"
        click.echo(f"{name} is of tier {tier} now: {allowance} today.")
        return DONE

    return run(work)


@command.command("role")
@_name
@click.argument("role", type=click.Choice([role.value for role in UserRole]), metavar="admin|member")
def role(name: str, role: str) -> int:
    """Make NAME an admin, or a member again."""

    async def work(services: "Services") -> int:
        await services.users.set_role(name, UserRole(role))
        click.echo(f"{name} is {'an admin' if role == UserRole.ADMIN else 'a member'} now.")
        return DONE

    return run(work)


@command.command("remove")
@_name
@click.option("--conversations", is_flag=True, help="Remove what they wrote too; else it is kept.")
@click.option("--yes", is_flag=True, help="Without being asked, as scripts must.")
def remove(name: str, conversations: bool, yes: bool) -> int:
    """Let NAME in no longer, and end their sessions. What they used stays counted."""
    if not yes and not _on_terminal():
        raise click.UsageError("Nothing was changed: add --yes to remove without being asked")

    async def work(services: "Services") -> int:
        services.users.get(name)
        count = await services.users.conversations_of(name)
        if not yes:
            fate = "goes too" if conversations else "is kept"
            click.echo(f"{name} has {_conversations(count)}. What they wrote {fate}.")
            if not click.confirm(f"Remove {name}?"):
                click.echo("Nothing was changed.")
                return DONE
        removed = await services.users.remove(name, conversations=conversations)
        fate = "removed" if removed.deleted else "kept"
        click.echo(f"Removed {name}; {_conversations(removed.conversations)} {fate}.")
        return DONE

    return run(work)


@command.command("reset")
@_name
def reset(name: str) -> int:
    """Give NAME today's allowance back. What was used stays counted."""

    async def work(services: "Services") -> int:
        given = await services.users.reset(name)
        left = services.users.get(name).day.remaining
        allowance = "unlimited" if left is None else f"{left:,} tokens left today"
        click.echo(f"{name} got {given:,} tokens back: {allowance}.")
        return DONE

    return run(work)


@command.group("keys", no_args_is_help=False)
def keys() -> None:
    """Add and remove the public keys that someone signs in with."""


@keys.command("add")
@_name
@_stdin
@_key
@_key_file
def add_key(name: str, stdin: str | None, keys: tuple[str, ...], files: tuple[str, ...]) -> int:
    """Let NAME sign in with these keys too; "-" reads them from standard input."""
    text = _read_keys(stdin, keys, files)

    async def work(services: "Services") -> int:
        added = await services.users.add_key(name, text)
        for key in added:
            click.echo(f"Added {key.fingerprint} {key.comment}".rstrip())
        if not added:
            click.echo(f"{name} had that already.")
        return DONE

    return run(work)


@keys.command("remove")
@_name
@click.argument("fingerprint")
def remove_key(name: str, fingerprint: str) -> int:
    """Let NAME no longer sign in with the key of that FINGERPRINT; `ctroom users show` has it."""

    async def work(services: "Services") -> int:
        await services.users.remove_key(name, fingerprint)
        left = len(services.users.get(name).keys)
        click.echo("Removed." if left else f"Removed. {name} can't sign in any more: that was the last key.")
        return DONE

    return run(work)


def _read_keys(stdin: str | None, keys: tuple[str, ...], files: tuple[str, ...]) -> str:
    """The lines of every key that was given, however it was.

    Raises:
        InvalidValueError: A file can't be read.
    """
    if stdin not in (None, "-"):
        raise click.UsageError('Give a key with --key or --key-file, or "-" for standard input.')
    texts = [*keys, *map(_read_file, files)]
    if stdin or "-" in files:
        texts.append("" if sys.stdin is None else sys.stdin.read(MOST_BYTES))
    if not texts:
        raise click.UsageError('Give a public key: --key, --key-file, or "-" for standard input.')
    return "\n".join(texts)


def _read_file(path: str) -> str:
    if path == "-":
        return ""
    try:
        with Path(path).expanduser().open("rb") as file:
            return file.read(MOST_BYTES).decode("utf-8", "replace")
    except OSError as error:
        raise InvalidValueError(f"{path} can't be read ({error.strerror}): check the path.") from None


def _on_terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()


def _zone(services: "Services") -> "tzinfo":
    from tui.core.days import zone

    return zone(services.settings.display_zone())


def _conversations(count: int) -> str:
    return f"{count:,} conversation{'' if count == 1 else 's'}"
