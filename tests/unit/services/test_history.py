"""What is sent of a conversation, and how large a reply is asked for."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.session import START
from tui.core.chat import Message, MessageStatus, Role
from tui.core.quota import FLOOR
from tui.providers import tokens
from tui.services.history import Limits, Plan, Planner, counted_input

OPEN = Limits(max_output=4_096)


def chat(*texts: str, status: MessageStatus = MessageStatus.COMPLETE) -> list[Message]:
    """Prompts and replies in turn, the last of them a prompt."""
    roles = (Role.USER, Role.ASSISTANT)
    return [
        Message(str(index), roles[index % 2], text, START, status=status) for index, text in enumerate(texts)
    ]


def plan(branch: list[Message], limits: Limits = OPEN, system: str = "") -> Plan:
    return Planner().plan(branch, system, "openai", "some-model", limits)


def texts(made: Plan) -> list[str]:
    return [message.text for message in made.messages]


def test_all_is_sent_where_all_fits() -> None:
    made = plan(chat("One", "Two", "Three"))
    assert texts(made) == ["One", "Two", "Three"]
    assert (made.sent_from, made.wanted_output) == (None, 4_096)


@given(st.lists(st.text(max_size=200).filter(str.strip), min_size=1, max_size=9), st.integers(0, 600))
def test_what_is_sent_fits_or_is_the_prompt_alone(words: list[str], headroom: int) -> None:
    words = words if len(words) % 2 else words[1:] or ["x"]
    limits = Limits(max_output=4_096, headroom=headroom)
    branch = chat(*words)
    made = plan(branch, limits)
    assert texts(made) == words[-len(made.messages) :]
    assert made.messages[0].role is Role.USER
    assert made.input_estimate >= tokens.estimate_input(made.messages, "some-model", "openai")
    assert len(made.messages) == 1 or made.input_estimate <= headroom - min(FLOOR, headroom // 2)
    assert made.sent_from == (None if len(made.messages) == len(words) else branch[-len(made.messages)].id)


def test_the_newest_are_sent_and_the_first_of_them_is_a_prompt() -> None:
    branch = chat(*("word " * 50 for _ in range(9)))
    three = plan(branch[-3:]).input_estimate
    made = plan(branch, Limits(max_output=100, context=three + 100))
    assert (len(made.messages), made.sent_from, made.input_estimate) == (3, branch[-3].id, three)
    # Two would fit, but what is sent begins with a prompt.
    made = plan(branch, Limits(max_output=100, context=three + 99))
    assert (len(made.messages), made.sent_from) == (1, branch[-1].id)


def test_the_system_prompt_is_always_sent() -> None:
    made = plan(chat("Old", "Reply", "New"), Limits(max_output=100, headroom=0), "Be brief.")
    assert texts(made) == ["Be brief.", "New"]


def test_the_last_prompt_is_sent_however_long() -> None:
    made = plan(chat("word " * 1_000), Limits(max_output=100, context=200))
    assert len(made.messages) == 1
    assert made.wanted_output == FLOOR


@pytest.mark.parametrize("status", [MessageStatus.FAILED, MessageStatus.STREAMING])
def test_a_failed_reply_is_left_out_and_both_prompts_stay(status: MessageStatus) -> None:
    branch = chat("One", "Half", "Two")
    branch[1] = replace(branch[1], status=status)
    assert texts(plan(branch)) == ["One", "Two"]


@pytest.mark.parametrize("status", [MessageStatus.STOPPED, MessageStatus.INTERRUPTED])
def test_a_reply_that_was_cut_short_is_sent_as_far_as_it_came(status: MessageStatus) -> None:
    branch = chat("One", "Half", "Two")
    branch[1] = replace(branch[1], status=status, reasoning="Never sent")
    assert texts(plan(branch)) == ["One", "Half", "Two"]


def test_an_empty_reply_is_left_out() -> None:
    assert texts(plan(chat("One", " \n", "Two"))) == ["One", "Two"]


@pytest.mark.parametrize(
    ("limits", "wanted"),
    [
        (Limits(4_096), 4_096),
        (Limits(4_096, model_output=2_000), 2_000),
        (Limits(4_096, context=4_096), 2_048),
        (Limits(10, context=100_000), 10),
        (Limits(4_096, headroom=100), 4_096),
    ],
)
def test_the_reply_that_is_asked_for(limits: Limits, wanted: int) -> None:
    assert limits.wanted_output == wanted
    assert plan(chat("Hi"), limits).wanted_output == wanted


@pytest.mark.parametrize(
    ("limits", "most"),
    [
        (Limits(4_096), None),
        (Limits(4_096, context=128_000), 123_904),
        (Limits(4_096, headroom=1_000), 500),
        (Limits(100, headroom=1_000), 900),
        (Limits(4_096, headroom=100), 36),
        (Limits(4_096, context=8_192, headroom=1_000_000), 4_096),
    ],
)
def test_the_room_for_input(limits: Limits, most: int | None) -> None:
    assert limits.input == most


def test_the_free_tier_holds_a_conversation() -> None:
    """1,000 tokens a day: with what is left of them, each turn still has room for its reply."""
    branch = chat(*("A sentence of some ten words, as people write them." for _ in range(41)))
    for headroom in range(200, 1_001, 50):
        made = plan(branch, Limits(4_096, context=400_000, headroom=headroom))
        assert made.input_estimate + FLOOR <= headroom


def test_sizes_are_remembered_only_where_they_are_exact() -> None:
    planner = Planner()
    branch = chat("The same words, counted twice.")
    guess = planner.plan(branch, "", "google", "gemini-2.5-flash", OPEN)
    assert planner.plan(branch, "", "google", "gemini-2.5-flash", OPEN) == guess
    tokens.warm()
    first = planner.plan(branch, "", "openai", "gpt-4o", OPEN)
    assert planner.plan(branch, "", "openai", "gpt-4o", OPEN) == first
    assert planner.plan(chat("Other words."), "", "openai", "gpt-4o", OPEN) != first


def test_an_openai_input_is_counted_as_the_cookbook_does() -> None:
    tokens.warm()
    made = plan(chat("Hello"), system="Be brief.")
    words = sum(tokens.count_text(text, "gpt-4o", "openai") for text in ("Be brief.", "Hello"))
    assert counted_input(made.messages, "openai", "gpt-4o") == words + 2 * 4 + 3
