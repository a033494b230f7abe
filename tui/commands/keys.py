"""`ctroom keys`: keys are read from a hidden prompt or from standard input, never from an argument."""

import sys
from typing import TYPE_CHECKING

import click

from tui.commands.runtime import DONE, FAILED, NO_KEY, run, say

if TYPE_CHECKING:
    from tui.services.services import Services

_for_host = click.option("--default", "default", is_flag=True, help="The host's key, for everyone.")


@click.group()
def command() -> None:
    """Set, test and remove API keys."""


@command.command("set")
@click.argument("provider")
@_for_host
@click.option("--no-test", is_flag=True, help="Keep the key without asking the provider about it.")
def set_(provider: str, default: bool, no_test: bool) -> int:
    """Keep a key for PROVIDER, read from a hidden prompt or from standard input."""
    key = _read_key(provider)

    async def work(services: "Services") -> int:
        if not no_test:
            check = await services.keys.test(provider, key)
            if check.rejected:
                say(f"{check.message} Nothing was kept.")
                return NO_KEY
            click.echo(check.message)
        save = services.keys.save_default if default else services.keys.save_own
        place = await save(provider, key)
        click.echo(f"Kept in {place}.")
        if not services.keys.durable:
            say("There is no keyring here, so the key is forgotten when this command ends.")
            return FAILED
        return DONE

    return run(work)


@command.command("test")
@click.argument("provider")
@_for_host
def test(provider: str, default: bool) -> int:
    """Ask PROVIDER about the key that is kept."""

    async def work(services: "Services") -> int:
        check = await services.keys.test(provider, default=default)
        if not check.ok:
            say(check.message)
            return NO_KEY if check.rejected else FAILED
        click.echo(check.message)
        return DONE

    return run(work)


@command.command("remove")
@click.argument("provider")
@_for_host
def remove(provider: str, default: bool) -> int:
    """Remove the key that is kept for PROVIDER."""

    async def work(services: "Services") -> int:
        await (services.keys.remove_default if default else services.keys.remove_own)(provider)
        click.echo("Removed.")
        return DONE

    return run(work)


def _read_key(provider: str) -> str:
    if sys.stdin.isatty():
        key = click.prompt(f"Key for {provider}", hide_input=True, default="", show_default=False)
    else:
        key = sys.stdin.readline()
    if not (key := key.strip()):
        raise click.UsageError("No key was given: type it at the prompt, or pipe it to standard input.")
    if not key.isascii() or not key.isprintable() or " " in key:
        raise click.UsageError("That is not a key: it has spaces or characters that keys don't have.")
    return key
