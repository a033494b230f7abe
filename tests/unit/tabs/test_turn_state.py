"""What stands over the prompt, moment by moment."""

from datetime import UTC, datetime

import pytest
from textual.app import App, ComposeResult
from textual.widgets import Static

from tui.core.chat import Message, MessageStatus, Role, TextDelta
from tui.core.errors import ProviderErrorKind
from tui.core.turns import ReplyEnded, ReplyStarted, Retrying
from tui.tabs import turn_state
from tui.tabs.turn_state import TurnState, trouble_words

REPLY = Message(
    "2",
    Role.ASSISTANT,
    "",
    datetime(2026, 11, 23, tzinfo=UTC),
    status=MessageStatus.STREAMING,
    provider="openai",
    model="gpt-5.1",
)


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(turn_state, "monotonic", clock)
    return clock


class PromptApp(App[None]):
    def compose(self) -> ComposeResult:
        yield Static()

    shown = ""

    def state(self) -> TurnState:
        def show() -> None:
            self.shown = state.text

        state = TurnState(self.query_one(Static), show)
        return state

    @property
    def classes_of_prompt(self) -> set[str]:
        return {name for name in self.query_one(Static).classes if name != "-textual-system"}


async def test_a_turn_says_how_long_it_takes_after_a_moment(clock: Clock) -> None:
    app = PromptApp()
    async with app.run_test():
        state = app.state()
        state.show("Replying · Esc stops", "openai")
        state.take(ReplyStarted(REPLY, None), None)
        assert state.text == "Replying · Esc stops"
        clock.now += 4.9
        assert state.text == "Replying · Esc stops · 4 s"
        assert app.classes_of_prompt == set()
        state.show("", "openai")
        assert state.text == ""
        assert app.classes_of_prompt == set()


async def test_a_retry_counts_down_and_a_word_of_the_reply_ends_it(clock: Clock) -> None:
    app = PromptApp()
    async with app.run_test():
        state = app.state()
        state.show("Replying", "openai")
        state.take(ReplyStarted(REPLY, None), None)
        state.take(Retrying("Busy.", 12.0, 2, ProviderErrorKind.RATE_LIMIT), REPLY)
        assert state.text == "rate limited by OpenAI, trying again in 12 s · Esc stops"
        assert app.classes_of_prompt == {"-waiting"}
        clock.now += 11.2
        assert "trying again in 1 s" in state.text
        clock.now += 1
        assert "trying again now" in state.text
        state.take(TextDelta("So"), REPLY)
        assert state.text == "Replying · 12 s"
        assert app.classes_of_prompt == set()


async def test_a_provider_out_of_reach_is_named_until_it_answers(clock: Clock) -> None:
    app = PromptApp()
    async with app.run_test():
        state = app.state()
        failed = ReplyEnded(REPLY, 0, failure=ProviderErrorKind.NETWORK)
        state.show("", "openai")
        state.take(failed, REPLY)
        assert state.text == "no connection to OpenAI"
        assert app.classes_of_prompt == {"-unreachable"}
        state.show("", "google")
        assert state.text == ""
        state.show("Sending…", "openai")
        assert state.text == "Sending…"
        state.show("", "openai")
        assert state.text == "no connection to OpenAI"
        state.take(TextDelta("So"), REPLY)
        state.take(ReplyEnded(REPLY, 9), REPLY)
        assert state.text == app.shown == ""


async def test_nothing_ticks_while_nothing_runs(clock: Clock) -> None:
    app = PromptApp()
    async with app.run_test():
        state = app.state()
        state.show("Replying", "openai")
        state.take(ReplyStarted(REPLY, None), None)
        assert state._timer is not None
        state.show("", "openai")
        assert state._timer is None


def test_names_of_endpoints_can_do_nothing_to_the_line() -> None:
    assert trouble_words(ProviderErrorKind.SERVER, "bad\x1b]0;x\x07") == "bad␛]0;x␇ has a problem"
