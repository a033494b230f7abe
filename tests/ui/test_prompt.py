"""The prompt under the fingers: memory, undo, and the keys that every line editor has."""

import time
from pathlib import Path

import pytest
from textual import events

from tests.ui.app_harness import Running, running

MEGABYTE = 1_000_000


async def remembering(run: Running) -> None:
    run.prompt.remember(["first", "second"])


async def test_up_keeps_what_is_being_written_and_down_brings_it_back(tmp_path: Path) -> None:
    async with running(tmp_path) as run:
        await remembering(run)
        await run.type("half a thought")
        await run.pilot.press("up")
        assert (run.prompt.text, run.prompt.cursor_location) == ("half a thought", (0, 0))
        await run.pilot.press("up")
        assert run.prompt.text == "second"
        await run.pilot.press("up")
        assert run.prompt.text == "first"
        await run.pilot.press("up")
        assert run.prompt.text == "first"
        await run.pilot.press("down", "down")
        assert (run.prompt.text, run.prompt.cursor_location) == ("half a thought", (0, 14))


async def test_an_earlier_prompt_that_was_changed_stays_changed_until_one_is_sent(tmp_path: Path) -> None:
    async with running(tmp_path) as run:
        await remembering(run)
        await run.type("mine")
        await run.pilot.press("home", "up")
        await run.type("!")
        await run.pilot.press("home", "up")
        assert run.prompt.text == "first"
        await run.pilot.press("down")
        assert run.prompt.text == "second!"
        await run.pilot.press("down")
        assert run.prompt.text == "mine"
        await run.pilot.press("home", "up")
        await run.send("")
        await run.pilot.press("up")
        assert run.prompt.text == "second!"
        await run.pilot.press("up")
        assert run.prompt.text == "second"


async def test_the_arrows_move_within_several_lines(tmp_path: Path) -> None:
    async with running(tmp_path) as run:
        await remembering(run)
        await run.type("one")
        await run.pilot.press("ctrl+j")
        await run.type("two")
        await run.pilot.press("up")
        assert (run.prompt.text, run.prompt.cursor_location[0]) == ("one\ntwo", 0)
        await run.pilot.press("down")
        assert (run.prompt.text, run.prompt.cursor_location[0]) == ("one\ntwo", 1)


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        (("ctrl+w",), "one two "),
        (("ctrl+u",), ""),
        (("home", "ctrl+k"), ""),
        (("ctrl+left", "ctrl+left", "ctrl+k"), "one "),
        (("home", "ctrl+right", "ctrl+u"), " two three"),
        (("ctrl+w", "ctrl+z"), "one two three"),
        (("ctrl+w", "ctrl+z", "ctrl+y"), "one two "),
        (("ctrl+a", "delete"), "ne two three"),
        (("ctrl+a", "ctrl+e", "backspace"), "one two thre"),
    ],
)
async def test_the_keys_of_a_line_editor(tmp_path: Path, keys: tuple[str, ...], text: str) -> None:
    async with running(tmp_path) as run:
        await run.type("one two three")
        await run.pilot.press(*keys)
        assert run.prompt.text == text


async def test_the_prompt_grows_to_a_bound_and_shrinks_again(tmp_path: Path) -> None:
    async with running(tmp_path) as run:
        low = run.prompt.size.height
        for _ in range(30):
            await run.pilot.press("x", "ctrl+j")
        assert low < run.prompt.outer_size.height <= 8
        assert run.transcript.size.height > 20
        run.prompt.show("")
        await run.pilot.pause()
        assert run.prompt.size.height == low


@pytest.mark.parametrize(
    "text", ["x" * MEGABYTE, "a line of some words\n" * (MEGABYTE // 21)], ids=["one line", "many lines"]
)
async def test_a_megabyte_is_pasted_without_a_freeze(tmp_path: Path, text: str) -> None:
    async with running(tmp_path) as run:
        began = time.process_time()
        run.prompt.post_message(events.Paste(text))
        await run.until(lambda: len(run.prompt.text) == len(text))
        pasted = time.process_time() - began
        began = time.process_time()
        await run.pilot.press("y")
        assert run.prompt.text[-1] == "y"
        assert (pasted, time.process_time() - began) < (5.0, 2.0)


async def test_where_nothing_can_be_undone_it_says_so(tmp_path: Path) -> None:
    async with running(tmp_path) as run:
        said = run.app._notifications
        await run.type("a", "ctrl+z")
        assert run.prompt.text == ""
        assert not said
        await run.pilot.press("ctrl+z")
        await run.until(lambda: bool(said))
        assert [notice.message for notice in said] == [
            "Ctrl+Z takes back typing: there is nothing to take back."
        ]


async def test_what_an_editor_gives_back_can_be_undone(tmp_path: Path) -> None:
    async with running(tmp_path) as run:
        await run.type("begun")
        run.prompt.rewrite("begun", "begun, and gone on")
        assert (run.prompt.text, run.prompt.cursor_location) == ("begun, and gone on", (0, 18))
        await run.pilot.press("ctrl+z")
        assert run.prompt.text == "begun"


async def test_what_came_to_the_prompt_while_an_editor_was_open_is_kept(tmp_path: Path) -> None:
    async with running(tmp_path) as run:
        run.prompt.put_back("not sent")
        run.prompt.rewrite("begun", "begun, and gone on")
        assert run.prompt.text == "begun, and gone on\nnot sent"
