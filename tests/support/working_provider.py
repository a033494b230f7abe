"""What providers inside a test's own process share: they work, and only what they say differs."""

from collections.abc import Iterator

from tui.core.chat import Finish, FinishReason, KeyCheck, ModelInfo, StreamEvent, UsageReport
from tui.core.usage import Usage


class WorkingProvider:
    """The part of `core.ports.Provider` beside `stream`: every key works, and nothing is open.

    Args:
        offered: Its models.
    """

    def __init__(self, *offered: ModelInfo) -> None:
        self._offered = offered

    async def models(self) -> tuple[ModelInfo, ...]:
        return self._offered

    async def check_key(self) -> KeyCheck:
        return KeyCheck(ok=True, message="works")

    async def aclose(self) -> None:
        """Nothing is open."""


def end(usage: Usage) -> Iterator[StreamEvent]:
    """How a whole reply ends, with what it used."""
    yield UsageReport(usage)
    yield Finish(FinishReason.STOP)
