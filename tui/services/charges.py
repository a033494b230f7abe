"""What the attempts of one turn are charged: each exactly once, all together the turn's usage."""

from dataclasses import dataclass

from tui.core.errors import CtroomError, ProviderError
from tui.core.usage import Measured, Provenance, Usage
from tui.services.accounting import Accounting
from tui.services.meter import Meter
from tui.services.outbox import Outbox


@dataclass(slots=True)
class _OpenAttempt:
    id: str
    meter: Meter
    sent: bool = False
    measured: Measured | None = None


class Charges:
    """Opens and closes a turn's attempts, one at a time.

    Args:
        accounting: Releases attempts that were never accepted.
        outbox: Settles the others, now or later.
    """

    def __init__(self, accounting: Accounting, outbox: Outbox) -> None:
        self._accounting = accounting
        self._outbox = outbox
        self._attempt: _OpenAttempt | None = None
        self._spent: list[Measured] = []
        self.meter: Meter | None = None
        """Of the latest attempt."""
        self.charged = 0
        """Tokens charged for closed attempts."""

    def open(self, attempt_id: str, meter: Meter) -> None:
        """An attempt was admitted."""
        self._attempt = _OpenAttempt(attempt_id, meter)
        self.meter = meter

    def sent(self) -> None:
        """The provider is being called: from here on, tokens may be spent."""
        if self._attempt:
            self._attempt.sent = True

    async def measure(self, error: CtroomError | None) -> Measured | None:
        """The usage of the whole turn, the open attempt included as it would be closed; None for no charge.

        Args:
            error: How the turn failed, if it did.
        """
        attempt = self._attempt
        if attempt and not _is_free(attempt, error):
            attempt.measured = attempt.measured or await attempt.meter.measure()
            return _total([*self._spent, attempt.measured])
        return _total(self._spent)

    async def close(self, error: CtroomError | None) -> int:
        """Charge or release the open attempt, if there is one; the tokens charged for the turn so far."""
        attempt, self._attempt = self._attempt, None
        if attempt is None:
            return self.charged
        if _is_free(attempt, error):
            await self._outbox.release(attempt.id)
            return self.charged
        measured = attempt.measured or await attempt.meter.measure()
        self._spent.append(measured)
        self.charged += await self._outbox.settle(attempt.id, measured)
        return self.charged


def _is_free(attempt: _OpenAttempt, error: CtroomError | None) -> bool:
    """Whether an attempt provably cost nothing: it was never sent, or refused before it was accepted."""
    if not attempt.sent:
        return True
    return isinstance(error, ProviderError) and error.accepted is False and not attempt.meter.started


def _total(spent: list[Measured]) -> Measured | None:
    if not spent:
        return None
    usages = [measured.usage for measured in spent]
    usage = Usage(
        sum(usage.input for usage in usages),
        sum(usage.output for usage in usages),
        sum(usage.cached_input for usage in usages),
        sum(usage.reasoning for usage in usages),
    )
    inexact = any(not measured.provenance.exact for measured in spent)
    provenance = Provenance.ESTIMATED if inexact else spent[-1].provenance
    return Measured(usage, provenance, any(measured.suspicious for measured in spent))
