"""`ctroom quota`: what was purchased, in tokens or in dollars."""

import json
import re
from typing import TYPE_CHECKING

import click

from tui.commands.runtime import DONE, run, utc_now
from tui.core.amounts import Dollars, parse_amount
from tui.core.days import zone
from tui.core.settings import POOLED, provider_name
from tui.core.text import sanitize_line

if TYPE_CHECKING:
    from tui.services.services import Services

_context = {"ignore_unknown_options": True}
"""A negative amount is no option: it is refused as an amount, in words that fit."""
_arguments = (
    click.argument("provider", type=click.Choice(POOLED), metavar="PROVIDER"),
    click.argument("amount"),
    click.option("--note", default="", help="Kept with the purchase."),
    click.option("--model", default=None, help="Whose price converts dollars; else the default model's."),
)


@click.group(no_args_is_help=False)
def command() -> None:
    """Enter what was purchased: "1,000,000", "1M" or "$100"; and see what was entered."""


@command.command("set", context_settings=_context)
@_arguments[0]
@_arguments[1]
@_arguments[2]
@_arguments[3]
def set_(provider: str, amount: str, note: str, model: str | None) -> int:
    """Correct PURCHASED to AMOUNT; USED stays as it is."""
    return _purchase(provider, amount, note, model, add=False)


@command.command("add", context_settings=_context)
@_arguments[0]
@_arguments[1]
@_arguments[2]
@_arguments[3]
def add(provider: str, amount: str, note: str, model: str | None) -> int:
    """Increase PURCHASED by AMOUNT, a top-up."""
    return _purchase(provider, amount, note, model, add=True)


@command.command("history")
@click.argument("provider", required=False, type=click.Choice(POOLED), metavar="[PROVIDER]")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def history(provider: str | None, as_json: bool) -> int:
    """What was entered, of PROVIDER or of all, newest first."""

    async def work(services: "Services") -> int:
        from tui.services.purchases import entry_json, entry_words

        entries = services.accounting.purchases((provider,) if provider else POOLED)
        if as_json:
            click.echo(json.dumps({"purchases": [entry_json(entry) for entry in entries]}, indent=2))
            return DONE
        here, now = zone(services.settings.display_zone()), utc_now()
        for entry in entries:
            click.echo(f"{provider_name(entry.purchase.provider)} · {entry_words(entry, here, now)}")
        if not entries:
            click.echo("Nothing was entered yet: ctroom quota set PROVIDER AMOUNT")
        return DONE

    return run(work)


def _purchase(provider: str, amount: str, note: str, model: str | None, *, add: bool) -> int:
    if re.match(r"-+[^\W\d]", amount):
        raise click.NoSuchOption(amount, ctx=click.get_current_context())

    async def work(services: "Services") -> int:
        tokens, remark = await _in_tokens(services, provider, amount, model)
        if remark:
            click.echo(remark)
        change = services.accounting.add_purchased if add else services.accounting.set_purchased
        await change(provider, tokens, note=" · ".join(filter(None, (sanitize_line(note), remark))))
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
