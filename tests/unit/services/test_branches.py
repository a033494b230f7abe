"""What another process said while a reply streamed: found on the active branch, wherever it stands."""

import pytest

from tests.support.session import START
from tui.core.chat import Message, Role
from tui.services.branches import lies_after, said_beside


def prompt(name: str, after: str | None) -> Message:
    return Message(name, Role.USER, name, START, parent_id=after)


def reply(name: str, after: str) -> Message:
    return Message(name, Role.ASSISTANT, name, START, parent_id=after)


BEFORE = (prompt("p0", None), reply("r0", "p0"))
MINE = (prompt("p1", "r0"), reply("r1", "p1"))


@pytest.mark.parametrize("parent", ["p1", "r0"], ids=["after the prompt", "at the same moment"])
@pytest.mark.parametrize("head", ["p2", "r2", "r3"])
def test_what_another_process_said_is_found(parent: str, head: str) -> None:
    other = (prompt("p2", parent), reply("r2", "p2"), prompt("p3", "r2"), reply("r3", "p3"))
    assert said_beside((*BEFORE, *MINE, *other), MINE[1], head) == other[0]


def test_two_first_prompts_stand_beside_each_other() -> None:
    one, other = (prompt("p1", None), reply("r1", "p1")), (prompt("p2", None), reply("r2", "p2"))
    assert said_beside((*one, *other), one[1], "r2") == other[0]


@pytest.mark.parametrize("head", ["p1", "r1", "r0", "gone", None])
def test_nothing_was_said_beside_a_reply_that_is_alone(head: str | None) -> None:
    assert said_beside((*BEFORE, *MINE), MINE[1], head) is None


def test_another_reply_to_the_same_prompt_is_none_of_it() -> None:
    again = reply("r1b", "p1")
    assert said_beside((*BEFORE, *MINE, again), MINE[1], "r1b") is None


@pytest.mark.parametrize(("head", "after"), [("p1", True), ("p0", True), ("gone", True), ("r1", False)])
def test_the_branch_goes_on_with_a_reply_that_lies_after_its_end(head: str, *, after: bool) -> None:
    assert lies_after((*BEFORE, *MINE), MINE[1], head) is after


@pytest.mark.parametrize("parent", ["r1", "p0", None])
def test_the_branch_does_not_leave_what_was_said_or_edited_elsewhere(parent: str | None) -> None:
    assert not lies_after((*BEFORE, *MINE, prompt("p2", parent)), MINE[1], "p2")
