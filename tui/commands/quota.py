"""`ctroom quota`: what was purchased, in tokens or in dollars."""

from typing import TYPE_CHECKING

import click

from tui.commands.runtime import DONE, run
from tui.core.amounts import Dollars, parse_amount
from tui.core.settings import POOLED

if TYPE_CHECKING:
    from tui.services.services import Services

_arguments = (
    click.argument("provider", type=click.Choice(POOLED), metavar="PROVIDER"),
    click.argument("amount"),
    click.option("--note", default="", help="Kept with the purchase."),
    click.option("--model", default=None, help="Whose price converts dollars; else the default model's."),
)


@click.group(no_args_is_help=False)
def command() -> None:
    """Enter what was purchased: "1,000,000", "1M" or "$100"."""


@command.command("set")
@_arguments[0]
@_arguments[1]
@_arguments[2]
@_arguments[3]
def set_(provider: str, amount: str, note: str, model: str | None) -> int:
    """Correct PURCHASED to AMOUNT; USED stays as it is."""
    return _purchase(provider, amount, note, model, add=False)


@command.command("add")
@_arguments[0]
@_arguments[1]
@_arguments[2]
@_arguments[3]
def add(provider: str, amount: str, note: str, model: str | None) -> int:
    """Increase PURCHASED by AMOUNT, a top-up."""
    return _purchase(provider, amount, note, model, add=True)


def _purchase(provider: str, amount: str, note: str, model: str | None, *, add: bool) -> int:
    async def work(services: "Services") -> int:
        tokens, remark = await _in_tokens(services, provider, amount, model)
        if remark:
            click.echo(remark)
        change = services.accounting.add_purchased if add else services.accounting.set_purchased
        await change(provider, tokens, note=" · ".join(part for part in (note, remark) if part))
        figures = services.accounting.snapshot().provider(provider)
        if figures and figures.purchased is not None:
            click.echo(
                f"Purchased {figures.purchased:,} · used {figures.used:,} · remaining {figures.remaining:,}"
            )
        return DONE

    return run(work)


async def _in_tokens(services: "Services", provider: str, amount: str, model: str | None) -> tuple[int, str]:
    value = parse_amount(amount)
    if not isinstance(value, Dollars):
        return value, ""
    conversion = await services.prices.convert(value, provider, model or services.models.default(provider))
    return conversion.tokens, conversion.assumption
