"""The figures that the footer, the settings and `ctroom usage` show: one immutable snapshot."""

from datetime import date, datetime

from tui.core.frozen import frozen
from tui.core.quota import AlertLevel, KeySource, percent


@frozen
class DayFigures:
    """A user's day on default keys, all providers together."""

    date: date
    limit: int | None
    """Tokens per day. None: unlimited."""
    used: int
    held: int
    resets_at: datetime
    """UTC."""
    estimated: int = 0

    @property
    def remaining(self) -> int | None:
        """Tokens left today; may be below 0. None: unlimited."""
        return None if self.limit is None else self.limit - self.used


@frozen
class ProviderFigures:
    """What is known of one provider's tokens, as this user sees it."""

    provider: str
    name: str
    """For people: "OpenAI"."""
    key_source: KeySource
    used: int
    """The pool's with default keys, else this user's own-key tokens."""
    purchased: int | None = None
    """None with own keys, where nothing was entered, and where it is not this user's to see."""
    held: int = 0
    estimated: int = 0
    """The part of `used` that is not exact."""
    pending: int = 0
    """Tokens that this session's streaming turn seems to have used so far; not yet in `used`."""
    alert: AlertLevel | None = None
    day: DayFigures | None = None
    """None where no day limit applies to this provider."""
    pool_percent: float | None = None
    """The pool's remaining percentage, for members who may not see the amounts."""
    key_missing: bool = False
    """No key can be used: a turn would be refused."""

    @property
    def remaining(self) -> int | None:
        """PURCHASED - USED; may be below 0."""
        return None if self.purchased is None else self.purchased - self.used

    @property
    def remaining_percent(self) -> float | None:
        """REMAINING of PURCHASED, in percent with one decimal, from 0 to 100."""
        if self.purchased is None:
            return None
        return percent(self.purchased - self.used, self.purchased)

    @property
    def approximate(self) -> bool:
        """Whether `used` is shown with a "~"."""
        return self.estimated > 0 or self.pending > 0


@frozen
class UsageSnapshot:
    """Every figure on the screen at one instant."""

    as_of: datetime
    user: str
    admin: bool
    tier: str
    providers: tuple[ProviderFigures, ...] = ()

    def provider(self, provider: str) -> ProviderFigures | None:
        """The figures of one provider."""
        return next((figures for figures in self.providers if figures.provider == provider), None)


@frozen
class TurnForecast:
    """What a turn may cost, before it is sent."""

    input: int
    """Estimated tokens of the prompt and the history sent with it."""
    most: int
    """Input and the largest reply that would be admitted."""
    left: int | None
    """Tokens that the largest cost leaves of the day or the pool. None: unlimited, or not for a member to
    know."""
    scope: str = ""
    """`today` or `pool`: what `left` speaks of."""
    refused: str | None = None
    """The sentence of the refusal, where it would not be admitted."""
    sent_from: str | None = None
    """The id of the oldest message that would be sent along; None: all would, or the prompt alone."""
    alone: bool = False
    """Whether none of the earlier messages would be sent with the prompt."""
    fits: int | None = None
    """The most tokens of input that can be sent. None: no limit is known."""
