"""The log's lines about who was refused: each with its reason, and never so many that they flood it."""

import asyncio

from tui.ssh.journal import note, warn
from tui.ssh.limits import Counter, Limits

MINUTE = 60.0
_MOST_ADDRESSES = 10_000
"""Addresses that are told apart within a minute; further ones are counted together."""
_MOST_SUMMARIES = 10
"""Addresses that get a line of their own about what was left out."""
_OTHERS = "others"
_TOO_MANY = "too many to write each down"


class Refusals:
    """Writes refusals down, and counts those that would be too many.

    Args:
        limits: How many lines a minute may have.
        seconds: How long that minute lasts.
    """

    def __init__(self, limits: Limits, seconds: float = MINUTE) -> None:
        self._limits = limits
        self._seconds = seconds
        self._written = Counter()
        self._left_out = Counter()
        self._timer: asyncio.TimerHandle | None = None

    def note(self, origin: str, why: str, **facts: object) -> None:
        """A client was refused something.

        Args:
            origin: What its address is counted as.
            why: The reason, in words of ours.
            facts: What else is known; made safe to show.
        """
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._seconds, self.sum_up)
        if not self._written[origin] and len(self._written) >= _MOST_ADDRESSES:
            origin = _OTHERS
        full = self._written.total >= self._limits.refusals
        if full or self._written[origin] >= self._limits.refusals_per_address:
            crowded = not self._left_out[origin] and len(self._left_out) >= _MOST_ADDRESSES
            self._left_out.add(_OTHERS if crowded else origin)
            return
        self._written.add(origin)
        note("refused", **facts, why=why)

    def sum_up(self) -> None:
        """The minute is over, or the server ends: say how many lines were left out."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        loudest = self._left_out.most(_MOST_SUMMARIES)
        for origin, more in loudest:
            warn("refused", address=origin, more=more, why=_TOO_MANY)
        if others := self._left_out.total - sum(more for _, more in loudest):
            addresses = len(self._left_out) - len(loudest)
            warn("refused", addresses=addresses, more=others, why=_TOO_MANY)
        self._written, self._left_out = Counter(), Counter()
