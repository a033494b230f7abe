"""What holds for a turn: the conversation's options over the user's settings."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from tests.support.session import START
from tui.core.chat import REASONING_EFFORTS, Conversation, TurnOptions
from tui.core.settings import UserRole, UserSettings
from tui.services.options import EffectiveOptions, effective_options, nearest_effort, option_words

USER = UserSettings(
    "local",
    UserRole.ADMIN,
    "basic",
    START,
    max_output=4_096,
    temperature=0.5,
    reasoning_effort="high",
    system_prompt="Be brief.",
)
NONE = TurnOptions()
ENTRY = Conversation("abc", "local", "Talk", START, START)


def test_the_settings_hold_where_nothing_else_is_said() -> None:
    found = effective_options(USER, ENTRY, REASONING_EFFORTS, NONE)
    assert found == EffectiveOptions("Be brief.", 4_096, 0.5, "high")
    assert effective_options(USER, None, REASONING_EFFORTS, NONE) == found


def test_a_conversation_s_options_come_first() -> None:
    options = TurnOptions("Poet", "Rhyme.", 0.0, 800, "low")
    wanted = EffectiveOptions("Rhyme.", 800, 0.0, "low")
    assert effective_options(USER, replace(ENTRY, options=options), REASONING_EFFORTS, NONE) == wanted
    assert effective_options(USER, None, REASONING_EFFORTS, options) == wanted


def test_an_empty_system_prompt_is_none_at_all() -> None:
    options = TurnOptions(system_prompt="")
    assert effective_options(USER, None, (), options).system_prompt == ""


def test_a_system_prompt_of_the_entry_holds_under_the_options() -> None:
    old = replace(ENTRY, system_prompt="From the entry.")
    assert effective_options(USER, old, (), NONE).system_prompt == "From the entry."
    new = replace(old, options=TurnOptions(system_prompt="Chosen."))
    assert effective_options(USER, new, (), NONE).system_prompt == "Chosen."


@pytest.mark.parametrize(
    ("wanted", "efforts", "nearest"),
    [
        ("", REASONING_EFFORTS, None),
        ("high", (), None),
        ("nonsense", REASONING_EFFORTS, None),
        ("max", ("low", "medium", "high"), "high"),
        ("none", ("minimal", "low"), "minimal"),
        ("minimal", ("none", "low"), "none"),
        ("medium", ("low", "medium"), "medium"),
    ],
)
def test_a_model_is_told_the_nearest_effort_that_it_knows(
    wanted: str, efforts: Sequence[str], nearest: str | None
) -> None:
    assert nearest_effort(wanted, efforts) == nearest


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (NONE, ""),
        (
            TurnOptions("Poet", "Rhyme.", 0.3, 8_000, "low"),
            "Poet · temperature 0.3 · at most 8,000 tokens · low effort",
        ),
        (TurnOptions(system_prompt="Rhyme."), "own system prompt"),
        (TurnOptions(system_prompt=""), "no system prompt"),
    ],
)
def test_what_differs_from_the_settings_in_words(options: TurnOptions, words: str) -> None:
    assert option_words(options) == words
