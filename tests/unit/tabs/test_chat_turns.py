"""Deltas are gathered before they reach the screen, and none is lost or overtaken."""

from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime

from tui.core.chat import Message, ReasoningDelta, Role, TextDelta
from tui.core.pace import Pace
from tui.core.turns import PromptSaved, ReplyEnded, TurnEvent
from tui.tabs.chat_turns import DeltaBuffer, LiveTurn, feed

SAVED = PromptSaved(Message("1", Role.USER, "Why?", datetime(2026, 11, 23, tzinfo=UTC)))
ENDED = ReplyEnded(Message("2", Role.ASSISTANT, "abc", datetime(2026, 11, 23, tzinfo=UTC)), 3)


class Later:
    """Timers that run when the test says so."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], None]] = []

    def __call__(self, seconds: float, call: Callable[[], None]) -> None:
        assert seconds == Pace().flush_seconds
        self.waiting.append(call)

    def tick(self) -> None:
        self.waiting.pop()()


def test_the_first_delta_is_shown_at_once_and_the_next_together() -> None:
    shown: list[TurnEvent] = []
    later = Later()
    buffer = DeltaBuffer(shown.append, later, Pace())
    for character in "abcd":
        buffer.add(TextDelta(character))
    assert shown == [TextDelta("a")]
    later.tick()
    assert shown == [TextDelta("a"), TextDelta("bcd")]
    later.tick()
    assert later.waiting == []
    buffer.add(TextDelta("e"))
    assert shown[-1] == TextDelta("e")


def test_an_event_comes_after_the_deltas_before_it() -> None:
    shown: list[TurnEvent] = []
    buffer = DeltaBuffer(shown.append, Later(), Pace())
    for event in (ReasoningDelta("hm"), ReasoningDelta("m"), TextDelta("a"), ENDED):
        buffer.add(event)
    assert shown == [ReasoningDelta("hm"), ReasoningDelta("m"), TextDelta("a"), ENDED]


async def test_a_turn_is_fed_whole() -> None:
    async def turn() -> AsyncGenerator[TurnEvent, None]:
        yield SAVED
        yield TextDelta("a")
        yield TextDelta("b")

    shown: list[TurnEvent] = []
    await feed(turn(), DeltaBuffer(shown.append, Later(), Pace()))
    assert shown == [SAVED, TextDelta("a"), TextDelta("b")]


def test_a_live_turn_knows_its_reply_so_far() -> None:
    live = LiveTurn()
    assert live.message() is None
    live.reply = ENDED.reply
    live.text += ["x", "y"]
    message = live.message()
    assert message is not None
    assert (message.id, message.text) == ("2", "abcxy"), (
        "what it began with, where it is continued, and what came"
    )
