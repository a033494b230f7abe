"""`ctroom settings`: every setting that the Settings tab has, by its dotted name."""

from typing import TYPE_CHECKING

import click

from tui.commands.runtime import DONE, run
from tui.core.keymap import PREFIX

if TYPE_CHECKING:
    from tui.services.services import Services


@click.group(no_args_is_help=False)
def command() -> None:
    """Read and change settings by their dotted names."""


@command.command("get")
@click.argument("name", required=False)
def get(name: str | None) -> int:
    """Print the setting NAME, or all of them."""

    async def work(services: "Services") -> int:
        if name is not None:
            click.echo(services.settings.get(name))
            return DONE
        for each in services.settings.names():
            click.echo(f"{each} = {services.settings.get(each)}")
        return DONE

    return run(work)


@command.command("set", context_settings={"ignore_unknown_options": True})  # "-5" is a value
@click.argument("name")
@click.argument("value")
def set_(name: str, value: str) -> int:
    """Give the setting NAME the value VALUE."""

    async def work(services: "Services") -> int:
        if name.startswith(PREFIX):
            from tui.dialogs.catalogue import check_keys

            check_keys(name, value, services.settings.user().keymap)
        await services.settings.set(name, value)
        if name.startswith(PREFIX):
            click.echo(f"{name} = {services.settings.get(name)}")
            return DONE
        there = name in services.settings.names()
        click.echo(f"{name} = {services.settings.get(name)}" if there else f"Removed {name}.")
        return DONE

    return run(work)
