"""Sequences that the terminal acts on, wrapped so that a multiplexer hands them on."""

import base64
from collections.abc import Mapping
from enum import StrEnum

from tui.core.text import sanitize_line

SCREEN_CHUNK = 252
"""Bytes of a string that GNU screen hands on at once; its own limit is 256 in old versions, 768 in newer."""
_ESCAPE = "\x1b"
_STRING_ENDS = "\x1b\\"
_BELL = "\a"


class Multiplexer(StrEnum):
    """What stands between the app and the terminal."""

    NONE = ""
    TMUX = "tmux"
    SCREEN = "screen"


def multiplexer(environ: Mapping[str, str]) -> Multiplexer:
    """The multiplexer that the app runs in.

    Args:
        environ: The session's environment. Over SSH only `TERM` tells, and "screen" may be either.
    """
    if environ.get("TMUX") or environ.get("TERM", "").startswith("tmux"):
        return Multiplexer.TMUX
    return Multiplexer.SCREEN if environ.get("STY") else Multiplexer.NONE


def is_remote(environ: Mapping[str, str]) -> bool:
    """Whether the user sits at another machine: what happens on this one's desktop is not seen."""
    return any(environ.get(name) for name in ("SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"))


def handed_on(sequence: str, environ: Mapping[str, str]) -> str:
    """The sequence as the multiplexer passes it to the terminal; unchanged where there is none.

    tmux wants `allow-passthrough on` for it, which is off by default since 3.3.
    """
    match multiplexer(environ):
        case Multiplexer.TMUX:
            return f"{_ESCAPE}Ptmux;{sequence.replace(_ESCAPE, _ESCAPE * 2)}{_STRING_ENDS}"
        case Multiplexer.SCREEN:
            pieces = (sequence[at : at + SCREEN_CHUNK] for at in range(0, len(sequence), SCREEN_CHUNK))
            return "".join(f"{_ESCAPE}P{piece}{_STRING_ENDS}" for piece in pieces)
    return sequence


def clipboard_sequence(text: str, environ: Mapping[str, str]) -> str:
    """What asks the terminal to put a text on its clipboard (OSC 52).

    In tmux it is sent twice: as it is, for `set-clipboard on`, and wrapped, for `allow-passthrough on`.
    """
    encoded = base64.b64encode(text.encode("utf-8", "replace")).decode("ascii")
    plain = f"{_ESCAPE}]52;c;{encoded}{_BELL}"
    if multiplexer(environ) is Multiplexer.TMUX:
        return plain + handed_on(plain, environ)
    return handed_on(plain, environ)


def notice_sequence(title: str, body: str, environ: Mapping[str, str]) -> str:
    """What asks the terminal for a notice on the desktop; empty for terminals that show none.

    kitty has OSC 99; foot, Ghostty, Konsole, rxvt and VTE-based ones OSC 777; iTerm2, WezTerm and others
    OSC 9, which Windows Terminal takes for something else.

    Args:
        title: A few words.
        body: A line.
        environ: The session's environment.
    """
    title, body = (sanitize_line(text, 120).replace(";", ",") for text in (title, body))
    terminal = environ.get("TERM", "")
    program = environ.get("TERM_PROGRAM", "").lower()
    if environ.get("KITTY_WINDOW_ID") or "kitty" in terminal:
        notice = "".join(
            f"{_ESCAPE}]99;i=ctroom:{part}{_STRING_ENDS}" for part in (f"d=0;{title}", f"p=body;{body}")
        )
    elif terminal.startswith(("foot", "rxvt", "xterm-ghostty")) or environ.get("VTE_VERSION"):
        notice = f"{_ESCAPE}]777;notify;{title};{body}{_BELL}"
    elif program in ("iterm.app", "wezterm", "ghostty") or environ.get("LC_TERMINAL") == "iTerm2":
        notice = f"{_ESCAPE}]9;{title}: {body}{_BELL}"
    else:
        return ""
    return handed_on(notice, environ)
