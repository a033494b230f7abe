"""`ctroom keys`: keys are read from a hidden prompt or from standard input, never from an argument."""

import sys
from typing import TYPE_CHECKING

import click

from tui.commands.runtime import DONE, FAILED, NO_KEY, run, say
from tui.core.errors import InvalidValueError
from tui.core.quota import KeySource
from tui.core.settings import POOLED

if TYPE_CHECKING:
    from tui.services.services import Services

_for_host = click.option("--default", "default", is_flag=True, help="The host's key, for everyone.")


@click.group(no_args_is_help=False)
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
        _check_provider(services, provider, default=default)
        if not services.keys.durable:
            say(
                "There is no keyring here, so no key can be kept: set it in the environment, "
                "or enter it in the app for one session."
            )
            return FAILED
        if not no_test:
            check = await services.keys.test(provider, key)
            if check.rejected:
                say(f"{check.message} Nothing was kept.")
                return NO_KEY
            click.echo(check.message)
        save = services.keys.save_default if default else services.keys.save_own
        place = await save(provider, key)
        click.echo(f"Kept in {place}.")
        if not default and services.keys.source(provider) is KeySource.DEFAULT:
            click.echo("It is used once you choose your own keys: ctroom settings set keys.use_custom true")
        return DONE

    return run(work)


@command.command("test")
@click.argument("provider")
@_for_host
def test(provider: str, default: bool) -> int:
    """Ask PROVIDER about the key that is kept."""

    async def work(services: "Services") -> int:
        _check_provider(services, provider, default=default)
        check = await services.keys.test(provider, default=default)
        if not check.ok:
            say(check.message)
            status = services.keys.status(provider)
            missing = not status.default_available if default else status.missing
            return NO_KEY if check.rejected or missing else FAILED
        click.echo(check.message)
        return DONE

    return run(work)


@command.command("remove")
@click.argument("provider")
@_for_host
def remove(provider: str, default: bool) -> int:
    """Remove the key that is kept for PROVIDER."""

    async def work(services: "Services") -> int:
        _check_provider(services, provider, default=default)
        await (services.keys.remove_default if default else services.keys.remove_own)(provider)
        click.echo("Removed.")
        return DONE

    return run(work)


def _check_provider(services: "Services", provider: str, *, default: bool) -> None:
    takers = POOLED if default else tuple(name for name in services.settings.providers() if name != "demo")
    if provider not in takers:
        what = "has no default key" if default else "takes no key"
        raise InvalidValueError(f"{provider!r} {what}: choose one of {', '.join(takers)}.")


def _read_key(provider: str) -> str:
    if sys.stdin is not None and sys.stdin.isatty():
        key = click.prompt(f"Key for {provider}", hide_input=True, default="", show_default=False)
    else:
        key = "" if sys.stdin is None else sys.stdin.readline()
    if not (key := key.strip()):
        raise click.UsageError("No key was given: type it at the prompt, or pipe it to standard input.")
    if not key.isascii() or not key.isprintable() or " " in key:
        raise click.UsageError("That is not a key: it has spaces or characters that keys don't have.")
    return key
