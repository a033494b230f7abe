"""Sequences for the terminal, as multiplexers hand them on."""

import base64
import re

import pytest

from tui.terminal.sequences import (
    SCREEN_CHUNK,
    Multiplexer,
    clipboard_sequence,
    handed_on,
    is_remote,
    multiplexer,
    notice_sequence,
)

TMUX = {"TMUX": "/tmp/tmux-0/default,1,0", "TERM": "screen-256color"}
SCREEN = {"STY": "1.pts-0.host", "TERM": "screen"}
TEXT = "Grüße, 世界\n"


def decoded(sequence: str) -> str:
    [encoded] = re.findall(r"\]52;c;([A-Za-z0-9+/=]*)\a", sequence)
    return base64.b64decode(encoded).decode()


@pytest.mark.parametrize(
    ("environ", "found"),
    [
        ({"TERM": "xterm-256color"}, Multiplexer.NONE),
        (TMUX, Multiplexer.TMUX),
        ({"TERM": "tmux-256color", "SSH_CONNECTION": "1 2 3 4"}, Multiplexer.TMUX),
        (SCREEN, Multiplexer.SCREEN),
        ({"TERM": "screen-256color", "SSH_CONNECTION": "1 2 3 4"}, Multiplexer.NONE),
        ({}, Multiplexer.NONE),
    ],
)
def test_the_multiplexer_is_told_by_the_environment(environ: dict[str, str], found: Multiplexer) -> None:
    assert multiplexer(environ) is found


def test_remote_sessions_are_told_by_any_of_sshs_variables() -> None:
    assert is_remote({"SSH_TTY": "/dev/pts/0"})
    assert is_remote({"SSH_CONNECTION": "::1 1 ::1 22"})
    assert not is_remote({"SSH_CONNECTION": "", "DISPLAY": ":0"})


def test_a_copy_is_one_sequence_for_the_terminal() -> None:
    sequence = clipboard_sequence(TEXT, {"TERM": "xterm"})
    assert sequence.startswith("\x1b]52;c;")
    assert decoded(sequence) == TEXT


def test_tmux_gets_it_plain_and_wrapped_with_doubled_escapes() -> None:
    plain = clipboard_sequence(TEXT, {})
    assert clipboard_sequence(TEXT, TMUX) == plain + "\x1bPtmux;\x1b" + plain + "\x1b\\"


def test_screen_gets_it_in_pieces_that_join_to_the_whole() -> None:
    text = "x" * 5_000
    sequence = clipboard_sequence(text, SCREEN)
    pieces = re.findall(r"\x1bP(.*?)\x1b\\", sequence, re.DOTALL)
    assert "".join(f"\x1bP{piece}\x1b\\" for piece in pieces) == sequence
    assert max(map(len, pieces)) == SCREEN_CHUNK
    assert decoded("".join(pieces)) == text


def test_nothing_is_wrapped_where_nothing_stands_between() -> None:
    assert handed_on("\x1b]9;x\a", {"TERM": "xterm"}) == "\x1b]9;x\a"


@pytest.mark.parametrize(
    ("environ", "start"),
    [
        ({"TERM": "xterm-kitty"}, "\x1b]99;i=ctroom:d=0;Reply from m\x1b\\"),
        ({"TERM": "foot"}, "\x1b]777;notify;Reply from m;Why, then?\a"),
        ({"TERM": "xterm-256color", "VTE_VERSION": "7600"}, "\x1b]777;notify;"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm"}, "\x1b]9;Reply from m: Why, then?\a"),
        ({**TMUX, "LC_TERMINAL": "iTerm2"}, "\x1bPtmux;\x1b\x1b]9;"),
    ],
)
def test_each_terminal_gets_a_notice_in_its_own_words(environ: dict[str, str], start: str) -> None:
    assert notice_sequence("Reply from m", "Why; then?", environ).startswith(start)


def test_terminals_that_show_none_get_none() -> None:
    assert notice_sequence("a", "b", {"TERM": "xterm-256color"}) == ""


def test_a_title_can_not_end_the_notice_and_go_on_as_another_sequence() -> None:
    sequence = notice_sequence("a\a\x1b]52;c;eA==\a", "b\x9c\x1b\\c", {"TERM": "foot"})
    assert sequence.count("\x1b") == 1
    assert sequence.index("\a") == len(sequence) - 1
    assert "\x9c" not in sequence
