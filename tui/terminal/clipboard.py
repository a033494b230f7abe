"""Copying: to the system's clipboard, to tmux's buffer, or to the terminal's clipboard by OSC 52."""

import asyncio
import sys
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum

from tui.terminal import tools
from tui.terminal.sequences import clipboard_sequence

TOOL_SECONDS = 2.0
"""How long a clipboard tool may take; one that asks a desktop which is gone would wait for ever."""
COMMON_LIMIT = 74_994
"""Bytes that every terminal with OSC 52 takes: some stop at 100,000 characters with the text in Base64."""
MOST_BYTES = 780_000
"""More is not sent: tmux drops sequences of more than 1 MB, and this is so much in Base64."""


class Place(StrEnum):
    """How far a copy is known to have got."""

    CLIPBOARD = "clipboard"
    """A tool of the system took it."""
    TMUX = "tmux"
    """tmux keeps it in its buffer, and sent it to the terminal."""
    TERMINAL = "terminal"
    """It was sent to the terminal, which does not say what became of it."""
    NOWHERE = "nowhere"
    """It is too large to be sent."""


async def copy(text: str, environ: Mapping[str, str], write: Callable[[str], None]) -> Place:
    """Copy a text by the best way there is; it is not sent to the terminal where a tool took it.

    Args:
        text: What is copied.
        environ: The session's environment. Where it tells of SSH, no clipboard of this machine is used.
        write: Writes a sequence to the terminal.
    """
    if (place := await asyncio.to_thread(_by_tool, text, environ)) is not None:
        return place
    if len(text.encode("utf-8", "replace")) > MOST_BYTES:
        return Place.NOWHERE
    write(clipboard_sequence(text, environ))
    return Place.TERMINAL


def _by_tool(text: str, environ: Mapping[str, str]) -> Place | None:
    data = text.encode("utf-8", "replace")
    # tmux sends its own buffers on by default, and heeds the sequences of programs only when told to.
    kept = bool(environ.get("TMUX")) and _run(("tmux", "load-buffer", "-w", "-"), data, environ)
    if not tools.seen_from_afar(environ):
        for command in native_commands(environ):
            encoded = text.encode("utf-16-le", "replace") if command[0] == "clip.exe" else data
            if _run(command, encoded, environ):
                return Place.CLIPBOARD
    return Place.TMUX if kept else None


def native_commands(environ: Mapping[str, str], platform: str = sys.platform) -> list[Sequence[str]]:
    """The system's clipboard tools that could work here, the best first."""
    if platform == "darwin":
        return [("pbcopy",)]
    found: list[Sequence[str]] = []
    if environ.get("TERMUX_VERSION"):
        found.append(("termux-clipboard-set",))
    if environ.get("WAYLAND_DISPLAY"):
        found.append(("wl-copy",))
    if environ.get("DISPLAY"):
        found += [("xclip", "-selection", "clipboard", "-in"), ("xsel", "--clipboard", "--input")]
    if tools.is_wsl(environ):
        found.append(("clip.exe",))
    return found


def _run(command: Sequence[str], data: bytes, environ: Mapping[str, str]) -> bool:
    found = tools.find(command, environ)
    # Without a locale, pbcopy takes the text for something other than UTF-8.
    spoken = environ if environ.get("LC_ALL") or environ.get("LANG") else {**environ, "LC_CTYPE": "UTF-8"}
    return found is not None and tools.run(found, data, spoken, seconds=TOOL_SECONDS)


def copied_words(what: str, text: str, place: Place) -> str:
    """What became of a copy, in a sentence that promises no more than is known.

    Args:
        what: What was copied, such as "reply" or "code block 2".
        text: The text.
        place: How far it got.
    """
    named = what if what[-1:].isdigit() else f"the {what}"
    size = len(text.encode("utf-8", "replace"))
    count = f"{len(text):,} character{'' if len(text) == 1 else 's'}"
    match place:
        case Place.CLIPBOARD:
            return f"Copied {named} ({count})."
        case Place.TMUX:
            return f"Copied {named} to tmux's buffer ({count}), and sent it to the terminal's clipboard."
        case Place.TERMINAL:
            doubt = (
                f" Some terminals take no more than {COMMON_LIMIT // 1000} kB." if size > COMMON_LIMIT else ""
            )
            return f"Sent {named} to the terminal's clipboard ({count}).{doubt}"
    most = f"{MOST_BYTES / 1e6:.1f}"
    return (
        f"Not copied: {named} has {size / 1e6:.1f} MB, and terminals take at most {most} MB. "
        "Select a part of it, or save it to a file."
    )
