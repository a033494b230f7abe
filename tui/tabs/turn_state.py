"""What stands over the prompt while a turn runs or a provider can't be reached, second by second."""

import math
from collections.abc import Callable
from time import monotonic

from textual.timer import Timer
from textual.widget import Widget

from tui.core.chat import Message, ReasoningDelta, TextDelta
from tui.core.errors import ProviderErrorKind
from tui.core.settings import provider_name
from tui.core.text import sanitize_line
from tui.core.turns import ReplyEnded, ReplyStarted, Retrying, TurnEvent

SHOWN_AFTER = 2
"""Seconds after which a turn says how long it takes: quick ones do not flicker."""
TICK_SECONDS = 0.5
_OUT_OF_REACH = frozenset({ProviderErrorKind.NETWORK, ProviderErrorKind.TIMEOUT})


def trouble_words(kind: ProviderErrorKind | None, provider: str) -> str:
    """What keeps a provider from answering, in a few words: "rate limited by OpenAI".

    Args:
        kind: What went wrong; None where that is not known.
        provider: The provider.
    """
    name = sanitize_line(provider_name(provider), 24)
    match kind:
        case ProviderErrorKind.RATE_LIMIT:
            return f"rate limited by {name}"
        case ProviderErrorKind.NETWORK:
            return f"no connection to {name}"
        case ProviderErrorKind.TIMEOUT:
            return f"no answer from {name}"
        case ProviderErrorKind.SERVER:
            return f"{name} has a problem"
    return f"{name} did not answer"


class TurnState:
    """The words at the prompt's upper edge.

    Args:
        prompt: `-waiting` and `-unreachable` on it tell the stylesheet.
        changed: Shows `text`; called whenever that is different, and as time goes by.
    """

    def __init__(self, prompt: Widget, changed: Callable[[], object]) -> None:
        self._prompt = prompt
        self._changed = changed
        self._words = ""
        self._since: float | None = None
        self._waits: tuple[str, float] | None = None
        """What a retry waits for, and until when, by the monotonic clock."""
        self._out_of_reach: dict[str, str] = {}
        """What is said of providers that could not be reached when they were last asked."""
        self._provider = ""
        self._timer: Timer | None = None

    def show(self, words: str, provider: str) -> None:
        """Say what the turn does; empty: none runs.

        Args:
            words: What it does.
            provider: Whom the next turn goes to.
        """
        self._words, self._provider = words, provider
        self._since = self._waits = None
        self._keep_time()

    def take(self, event: TurnEvent, reply: Message | None) -> None:
        """Follow a turn.

        Args:
            event: What happened; what it means for the words of `show` is said there, before.
            reply: The reply as it started; None before that.
        """
        provider = (reply.provider if reply else None) or self._provider
        match event:
            case ReplyStarted():
                self._since = monotonic()
                self._keep_time()
            case Retrying(_, seconds, _, kind):
                self._waits = trouble_words(kind, provider), monotonic() + seconds
                self._keep_time()
            case TextDelta() | ReasoningDelta() if self._waits or provider in self._out_of_reach:
                self._waits = None
                self._out_of_reach.pop(provider, None)
                self._keep_time()
            case ReplyEnded(failure=failure):
                self._out_of_reach.pop(provider, None)
                if failure in _OUT_OF_REACH:
                    self._out_of_reach[provider] = trouble_words(failure, provider)
                self._keep_time()

    @property
    def text(self) -> str:
        """The words at this moment."""
        if not self._words:
            return self._out_of_reach.get(self._provider, "")
        now = monotonic()
        if self._waits is not None:
            trouble, until = self._waits
            left = math.ceil(until - now)
            return f"{trouble}, trying again {f'in {left} s' if left > 0 else 'now'} · Esc stops"
        took = int(now - self._since) if self._since is not None else 0
        return f"{self._words} · {took} s" if took >= SHOWN_AFTER else self._words

    def _keep_time(self) -> None:
        """Show the words, and again as time goes by for as long as they depend on it."""
        self._show()
        ticks = self._since is not None or self._waits is not None
        if ticks and self._timer is None:
            self._timer = self._prompt.set_interval(TICK_SECONDS, self._show, name="turn state")
        elif not ticks and self._timer is not None:
            self._timer.stop()
            self._timer = None

    def _show(self) -> None:
        self._prompt.set_class(self._waits is not None, "-waiting")
        self._prompt.set_class(bool(self.text) and not self._words, "-unreachable")
        self._changed()
