"""Tokens that a turn used, and how surely they are known."""

from collections.abc import Mapping
from enum import StrEnum

from tui.core.frozen import frozen

MOST_TOKENS = 100_000_000
"""A reading above this is absurd: fifty times the largest context window on offer in 2026 (2M tokens)."""


class Provenance(StrEnum):
    """Where a figure comes from."""

    REPORTED = "reported"
    """The provider said so."""
    COUNTED = "counted"
    """Counted here with the model's own tokenizer."""
    ESTIMATED = "estimated"
    """Computed here from the text."""
    ORPHANED = "orphaned"
    """Charged by recovery, after the process that held it died."""

    @property
    def exact(self) -> bool:
        """Whether a figure is shown without a "~"."""
        return self in (Provenance.REPORTED, Provenance.COUNTED)


@frozen
class Usage:
    """Tokens of one attempt. Readings are cumulative: a later one replaces an earlier one."""

    input: int = 0
    """Prompt tokens, cached ones included."""
    output: int = 0
    """Generated tokens, reasoning included."""
    cached_input: int = 0
    """The part of `input` that the provider had cached."""
    reasoning: int = 0
    """The part of `output` that was reasoning."""

    @property
    def total(self) -> int:
        """What is charged: input + output."""
        return self.input + self.output


@frozen
class Measured:
    """A usage with its provenance."""

    usage: Usage
    provenance: Provenance
    suspicious: bool = False
    """A reading was refused as impossible, and an estimate stands in its place."""


def read_count(value: object) -> int | None:
    """A token count from outside; None where absent or impossible (negative, bool, NaN, text, absurd)."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if value != value or value in (float("inf"), float("-inf")) or int(value) != value:
        return None
    return int(value) if 0 <= value <= MOST_TOKENS else None


def read_usage(
    fields: Mapping[str, object],
) -> Usage | None:
    """A usage from a provider's figures, or None where they cannot be trusted.

    Args:
        fields: `input` and `output` (both needed), `cached_input` and `reasoning` (0 where absent).

    Subsets larger than their whole are cut to it: they credit no one.
    """
    spent_in, spent_out = read_count(fields.get("input")), read_count(fields.get("output"))
    if spent_in is None or spent_out is None or spent_in + spent_out == 0:
        return None
    cached = read_count(fields.get("cached_input") or 0)
    reasoning = read_count(fields.get("reasoning") or 0)
    return Usage(
        input=spent_in,
        output=spent_out,
        cached_input=min(cached or 0, spent_in),
        reasoning=min(reasoning or 0, spent_out),
    )
