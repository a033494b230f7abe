"""`ctroom ask` with options: what is asked for is kept with the conversation."""

import json
from typing import Any

import pytest

from tests.program import Program
from tests.support.command_line import CommandLine


def options(run_ctroom: Program) -> dict[str, Any]:
    """Those of the only conversation, as they stand on disk; empty where none do."""
    state = json.loads((run_ctroom.directory / "ctroom" / "ctroom.json").read_bytes())
    [conversation] = state["conversations"].values()
    return dict(conversation.get("options", {}))


def test_what_is_asked_for_is_kept(ctroom: CommandLine, run_ctroom: Program) -> None:
    said = ctroom(
        *(
            "ask",
            "-p",
            "demo",
            "--system",
            "Be brief.",
            "-t",
            "0.3",
            "--effort",
            "HIGH",
            "--max-output",
            "2k",
        ),
        "hello",
    )
    assert said.returncode == 0, said
    assert options(run_ctroom) == {
        "persona": "",
        "system_prompt": "Be brief.",
        "temperature": 0.3,
        "max_output": 2_000,
        "reasoning_effort": "high",
    }


def test_nothing_is_kept_of_what_is_as_in_the_settings(ctroom: CommandLine, run_ctroom: Program) -> None:
    assert ctroom("ask", "-p", "demo", "hello").returncode == 0
    assert options(run_ctroom) == {}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--persona", "Poet"), "There is no persona 'Poet': name one in a conversation's options (F12)."),
        (("--persona", "Poet", "--system", "x"), "Give a persona or a system prompt, not both."),
        (("--temperature", "3"), "Enter a number from 0 to 2"),
        (("--effort", "huge"), "'huge' is not a reasoning effort"),
        (("--max-output", "0"), "Enter a number of tokens from 1"),
    ],
)
def test_a_wrong_option_is_one_sentence_and_costs_nothing(
    ctroom: CommandLine, run_ctroom: Program, arguments: tuple[str, ...], says: str
) -> None:
    said = ctroom("ask", "-p", "demo", *arguments, "hello")
    assert said.returncode == 2
    [line] = said.stderr.splitlines()
    assert says in line
    state = run_ctroom.directory / "ctroom" / "ctroom.json"
    assert not state.exists() or "hello" not in state.read_text()
