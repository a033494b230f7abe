"""Editing and going between branches, attaching a file, and finding a message, in a real terminal."""

import re
from pathlib import Path

import pytest

from tests.pty.fixtures import OpenCtroom
from tests.pty.harness import Terminal

pytestmark = pytest.mark.pty

SIZES = pytest.mark.parametrize(("cols", "rows"), [(120, 40), (80, 24)])
CHARGED = re.compile(r"~?[\d,]+ in · ~?[\d,]+ out · [\d.]+ s")


def ask(terminal: Terminal, prompt: str) -> None:
    """Send a prompt, and wait until its reply is whole."""
    terminal.type(prompt)
    terminal.wait_for(prompt)
    terminal.key("enter")
    wait_for_reply(terminal, prompt)


def wait_for_reply(terminal: Terminal, prompt: str) -> None:
    """Wait until the reply to a prompt is whole."""
    terminal.wait_for(re.compile(rf"You (?s:.*){re.escape(prompt)}(?s:.*){CHARGED.pattern}"))
    terminal.wait_gone("Esc stops")


def to_transcript(terminal: Terminal) -> None:
    """From the prompt to the newest message."""
    terminal.key("f2", "k")
    terminal.wait_for("▌ demo")


@SIZES
def test_an_edited_prompt_and_its_branches(open_ctroom: OpenCtroom, cols: int, rows: int) -> None:
    terminal = open_ctroom(cols=cols, rows=rows)
    terminal.wait_for("Demo offline")
    ask(terminal, "/long 8 first")
    to_transcript(terminal)
    terminal.key("e")
    terminal.wait_for("Editing prompt 1 · Esc cancels")
    terminal.type(" better")
    terminal.key("enter")
    terminal.wait_for("‹ 2/2 ›")
    wait_for_reply(terminal, "/long 8 first better")
    to_transcript(terminal)
    terminal.type("[")
    terminal.wait_for("‹ 1/2 ›")
    terminal.wait_gone("first better")
    terminal.type("]")
    terminal.wait_for("‹ 2/2 ›")
    terminal.wait_for("first better")


@SIZES
def test_a_file_attached_by_its_name(
    open_ctroom: OpenCtroom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cols: int, rows: int
) -> None:
    (tmp_path / "notes.txt").write_text("A borrow ends where it is last used.\n" * 20, "utf-8")
    monkeypatch.chdir(tmp_path)
    terminal = open_ctroom(cols=cols, rows=rows)
    terminal.wait_for("Demo offline")
    terminal.type("@not")
    terminal.wait_for("Attach · Tab takes it, Esc closes")
    terminal.wait_for("notes.txt")
    terminal.key("tab")
    terminal.wait_for(re.compile(r"notes\.txt +740 B +~[\d,]+ tokens"))
    terminal.wait_gone("Tab takes it")
    terminal.type("/long 8 about it")
    terminal.key("enter")
    terminal.wait_for("Demo reply, made offline")
    terminal.wait_gone("Esc stops")
    terminal.key("f2", "home")
    terminal.wait_for(re.compile(r"notes\.txt · 740 B"))


@SIZES
def test_finding_a_message_and_going_there(open_ctroom: OpenCtroom, cols: int, rows: int) -> None:
    terminal = open_ctroom(cols=cols, rows=rows)
    terminal.wait_for("Demo offline")
    ask(terminal, "/long 8 the pelican")
    terminal.key("f5")
    terminal.wait_for("New conversation")
    ask(terminal, "/long 8 another thing")
    terminal.key("f7")
    terminal.wait_for("Find in all conversations")
    terminal.type("pelican")
    terminal.wait_for(re.compile(r"› You +.*pelican"))
    terminal.key("enter")
    terminal.wait_for(re.compile(r"/ pelican +.*n next"))
    terminal.key("escape")
    terminal.wait_gone("n next")
