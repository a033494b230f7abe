"""The history of purchases: what each entry did to PURCHASED, when, by whom and why."""

from collections.abc import Sequence
from datetime import datetime, tzinfo
from enum import StrEnum
from typing import Any

from tui.core.frozen import frozen
from tui.core.ports import State
from tui.core.quota import Purchase, PurchaseKind
from tui.core.text import sanitize_line


class Effect(StrEnum):
    """What an entry did."""

    SET = "set"
    """Entered the first amount."""
    TOP_UP = "top-up"
    CORRECTION = "correction"


@frozen
class PurchaseEntry:
    """A purchase with what it changed."""

    purchase: Purchase
    effect: Effect
    change: int
    """Tokens by which PURCHASED grew; below 0 where it was corrected downwards."""


def purchase_history(state: State, providers: Sequence[str]) -> tuple[PurchaseEntry, ...]:
    """The entries of some providers, newest first."""
    entries: list[PurchaseEntry] = []
    before: dict[str, int] = {}
    for _, purchase in state.purchases:
        if purchase.provider in providers:
            known = before.get(purchase.provider)
            effect = Effect.SET if known is None else Effect.CORRECTION
            if purchase.kind is PurchaseKind.ADD:
                effect = Effect.TOP_UP
            entries.append(PurchaseEntry(purchase, effect, purchase.purchased - (known or 0)))
            before[purchase.provider] = purchase.purchased
    return tuple(reversed(entries))


def amount_words(entry: PurchaseEntry) -> str:
    """What an entry did: "set to 1,000,000", "top-up +250,000", "corrected to 900,000"."""
    match entry.effect:
        case Effect.SET:
            return f"set to {entry.purchase.purchased:,}"
        case Effect.TOP_UP:
            return f"top-up {entry.change:+,}"
        case Effect.CORRECTION:
            return f"corrected to {entry.purchase.purchased:,}"


def entry_words(entry: PurchaseEntry, zone: tzinfo, now: datetime) -> str:
    """An entry in one line: when on the reader's clock, what, by whom, and the note.

    Args:
        entry: The entry.
        zone: Where its time is shown in.
        now: The present; the year is named where it is another.
    """
    at = entry.purchase.at.astimezone(zone)
    when = f"{at:%d %b %H:%M}" if at.year == now.astimezone(zone).year else f"{at:%Y-%m-%d}"
    parts = [f"{when} {amount_words(entry)}", entry.purchase.by, entry.purchase.note]
    return " · ".join(filter(None, map(sanitize_line, parts)))


def entry_json(entry: PurchaseEntry) -> dict[str, Any]:
    """An entry for programs."""
    purchase = entry.purchase
    return {
        "provider": purchase.provider,
        "effect": entry.effect.value,
        "amount": purchase.amount,
        "change": entry.change,
        "purchased": purchase.purchased,
        "at": f"{purchase.at:%Y-%m-%dT%H:%M:%SZ}",
        "by": purchase.by,
        "note": purchase.note,
    }
