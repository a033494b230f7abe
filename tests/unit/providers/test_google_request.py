"""What is sent to Gemini, without Gemini."""

import pytest

from tests.unit.providers.replies import request
from tui.providers.google_request import thinking, thinks


@pytest.mark.parametrize(
    ("model", "effort", "asked"),
    [
        ("gemini-3.5-flash", None, {}),
        ("gemini-3.5-flash", "none", {"thinking_level": "minimal"}),
        ("gemini-3.5-flash", "medium", {"thinking_level": "medium"}),
        ("gemini-3.5-flash", "max", {"thinking_level": "high"}),
        ("gemini-3.1-pro-preview", "minimal", {"thinking_level": "low"}),
        ("gemini-2.5-flash", "none", {"thinking_budget": 0}),
        ("gemini-2.5-flash", "low", {"thinking_budget": 1_024}),
        ("gemini-2.5-flash", "xhigh", {"thinking_budget": 24_576}),
        ("gemini-2.5-pro", "none", {"thinking_budget": 512}),
    ],
)
def test_an_effort_is_a_level_or_a_budget(model: str, effort: str | None, asked: dict[str, object]) -> None:
    wanted = request("hi", model=model, max_output=60_000, reasoning_effort=effort)
    assert thinking(wanted, effort=True) == {"include_thoughts": True, **asked}


def test_a_budget_leaves_half_of_the_output_to_the_reply() -> None:
    wanted = request("hi", model="gemini-2.5-flash", max_output=4_096, reasoning_effort="high")
    assert thinking(wanted, effort=True)["thinking_budget"] == 2_048


def test_an_effort_that_was_refused_is_not_sent() -> None:
    wanted = request("hi", model="gemini-3.5-flash", reasoning_effort="high")
    assert thinking(wanted, effort=False) == {"include_thoughts": True}


@pytest.mark.parametrize(
    ("model", "does"), [("gemini-2.0-flash", False), ("gemini-2.5-flash", True), ("gemini-12-x", True)]
)
def test_which_models_think(model: str, does: bool) -> None:
    assert thinks(model) is does
