"""What stands on the terminal from the first milliseconds on, until the app draws its own first frame.

Plain escape sequences, with nothing imported that costs time: Textual alone takes some hundred milliseconds.
The keys pressed meanwhile wait in the terminal, unseen, and reach the prompt.
"""

# pathlib takes as long to import as all of this.
# ruff: noqa: PTH100, PTH111, PTH118, PTH123

import os
import sys
import termios

# What `typing` would be imported for.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    Environ = Mapping[str, str]

DEFAULT_THEME = "textual-dark"
MOST_READ = 4_194_304
"""Bytes of `ctroom.json` that are looked through for the theme: a few milliseconds' worth."""
NARROW = 80
"""Columns from which on there is a margin around the prompt."""
WIDE = 120
"""Columns from which on the list of conversations stands at the left."""
LIST_WIDTH = 28
PARTS = ("ground", "panel", "name", "tab", "chosen", "chosen_ground", "prompt", "list", "title")
"""What the colours of a theme are for: the screen; the first and the last line; the app's name; a tab; the
chosen tab and what it stands on; the frames of the prompt and of the list; the list's title."""

COLOURS: dict[str, str] = {
    "textual-dark": "121212 242f38 57a5e2 a7abaf ddedf9 0178d4 0178d4 454545 a0a0a0",
    "textual-light": "e0e0e0 d0d0d0 002d4f 535353 dde6ed 004578 004578 afafaf 595959",
    "nord": "2e3440 434c5e b0d5df b3b7be 11181b 88c0d0 88c0d0 585e6a abadb2",
    "gruvbox": "282828 504945 aec3bb b9b6b4 111513 85a598 85a598 5c5a4f a9a9a9",
    "catppuccin-mocha": "181825 45475a f8d6ef b4b5bd 1f191e f5c2e7 f5c2e7 454758 a2a2a7",
    "dracula": "282a36 313442 d3b7fb acadb3 181320 bd93f9 bd93f9 5c5d65 a9a9ae",
    "tokyo-night": "1a1b26 414868 d2bcf9 b3b5c2 181420 bb9af7 bb9af7 3d4052 a3a3a8",
    "monokai": "272822 3e3d32 c9abff b1b1ad 161021 ae81ff ae81ff 52534f a8a9a6",
    "flexoki": "100f0f 282726 6b94c4 a9a8a8 e2eaf3 205ea6 205ea6 4b4a47 9f9f9f",
    "catppuccin-latte": "eff1f5 ccd0da 59259d 515357 efe5fc 8839ef 8839ef c6c8d2 5f6062",
    "catppuccin-frappe": "303446 51576d dcbeee b9bbc4 1a141d ca9ee6 ca9ee6 555b71 acadb5",
    "catppuccin-macchiato": "24273a 494d64 d9c0f9 b6b7c1 19141f c6a0f6 c6a0f6 4d5268 a7a8b0",
    "solarized-light": "fdf6e3 eee8d5 195b8a 5f5c55 e2eff9 268bd2 268bd2 d3d4c7 65625a",
    "solarized-dark": "002b36 073642 6fb2e1 9baeb3 e2eff9 268bd2 268bd2 20454e 99aaae",
    "rose-pine": "191724 26233a d8c4ef a8a7b0 19151e c4a7e7 c4a7e7 4a4858 a3a2a7",
    "rose-pine-moon": "232136 393552 d8c4ef afaeb9 19151e c4a7e7 c4a7e7 525065 a7a6ae",
    "rose-pine-dawn": "faf4ed f2e9e1 5f506f 605d5a 120f15 907aa9 907aa9 d1cbd0 64615e",
    "atom-one-dark": "282c34 4f5666 96caf4 b8bbc1 0c161f 61afef 61afef 484d56 a9aaad",
    "atom-one-light": "fafafa cccccc 2a4f9f 515151 e6edfd 4078f2 4078f2 c9cacc 646464",
    "ansi-dark": "",
    "ansi-light": "",
    "high-contrast-dark": "000000 1c1c1c b3e2ff dcdcdc 121b21 8cd4ff 8cd4ff b2b2b2 ffffff",
    "high-contrast-light": "ffffff e6e6e6 00265c 2e2e2e dde5f0 00398c 00398c 4c4c4c 000000",
}
"""By theme, the colours of `PARTS` as Textual mixes them from it and `styles/`; empty: the terminal's own."""

_ENTER = "\x1b[?1049h\x1b[?25l"
_LEAVE = "\x1b[0m\x1b[?1049l\x1b[?25h"


class FirstSight:
    """A terminal that shows the skeleton; it is handed over to the app, or given back as it was.

    Args:
        attributes: The terminal's attributes before.
    """

    def __init__(self, attributes: "termios._AttrReturn") -> None:
        self._attributes: termios._AttrReturn | None = attributes

    def hand_over(self) -> "termios._AttrReturn | None":
        """Leave the terminal to whoever asks first.

        Returns:
            The attributes to give it back with; None where it was handed over or given back before.
        """
        attributes, self._attributes = self._attributes, None
        return attributes

    def end(self) -> None:
        """Give the terminal back as it was, unless it was handed over."""
        attributes = self.hand_over()
        if attributes is None:
            return
        try:
            os.write(1, _LEAVE.encode())
            termios.tcsetattr(0, termios.TCSANOW, attributes)
        except (OSError, termios.error):
            return  # the terminal is gone, and nobody sees it


def first_sight() -> FirstSight | None:
    """Show the skeleton, where this process has a terminal to itself.

    Echo is off from here on, and Ctrl+Z does nothing. SIGTERM and SIGHUP give the terminal back before they
    end the process. Ctrl+C raises `KeyboardInterrupt` as always; whoever catches that, or anything else,
    calls `FirstSight.end`.

    Returns:
        What gives the terminal back; None where nothing was shown.
    """
    try:
        if not os.isatty(1) or os.tcgetpgrp(0) != os.getpgrp():
            return None
        size = os.get_terminal_size(1)
        attributes = termios.tcgetattr(0)
        termios.tcsetattr(0, termios.TCSANOW, _silent(attributes))
    except (OSError, termios.error):
        return None
    sight = FirstSight(attributes)
    try:
        os.write(1, (_ENTER + skeleton(*size, pens(os.environ))).encode())
        _end_on_signals(sight)
    except BaseException:
        sight.end()
        raise
    return sight


def skeleton(width: int, height: int, pen: dict[str, str]) -> str:
    """The frame of the chat as escape sequences: header, list, prompt, and the bar of the key hints.

    Args:
        width: Columns of the terminal.
        height: Its rows.
        pen: What sets the colours of each part, by the names of `PARTS`; those of grounds, grounds alone.
    """
    drawn = [f"{pen['ground']}\x1b[2J"]

    def put(row: int, column: int, *pieces: str) -> None:
        drawn.append(f"\x1b[{row};{column}H" + "".join(pieces))

    chat, settings = " Chat ", "   Settings "
    taken = len(chat + settings)
    before = max(2, (width - 2 - taken) // 2 - len("Ctroom"))
    if width < 8 + before + taken or height < 8:
        return drawn[0]
    for row in 1, height:
        put(row, 1, pen["panel"], " " * width)
    put(1, 2, pen["panel"], pen["name"], "Ctroom")
    put(1, 8 + before, pen["chosen_ground"], pen["chosen"], chat, pen["panel"], pen["tab"], settings)
    drawn.append(pen["ground"])
    left = 1
    if width >= WIDE:
        left += LIST_WIDTH
        across = "─" * (LIST_WIDTH - 2)
        put(2, 1, pen["list"], "╭", across, "╮")
        put(2, 3, pen["title"], " Conversations ", pen["list"])
        for row in range(3, height - 2):
            put(row, 1, "│")
            put(row, LIST_WIDTH, "│")
        put(height - 2, 1, "╰", across, "╯")
    margin = 0 if width < NARROW else 1
    left, right = left + margin, width - margin
    across = "─" * (right - left - 1)
    put(height - 4, left, pen["prompt"], "╭", across, "╮")
    put(height - 3, left, "│")
    put(height - 3, right, "│")
    put(height - 2, left, "╰", across, "╯")
    return "".join(drawn)


def pens(environ: "Environ") -> dict[str, str]:
    """What sets the colours of each part in the user's theme, as well as the terminal can; else nothing.

    Args:
        environ: The process environment.
    """
    terminal = environ.get("TERM", "").strip().lower()
    true = environ.get("COLORTERM", "").strip().lower() in ("truecolor", "24bit")
    colours = COLOURS.get(_theme(environ), COLOURS[DEFAULT_THEME])
    if not colours or "NO_COLOR" in environ or not (true or terminal.endswith("256color")):
        return dict.fromkeys(PARTS, "")
    sequence = _true_colour if true else _of_256
    found = {}
    for part, colour in zip(PARTS, colours.split(), strict=True):
        red, green, blue = bytes.fromhex(colour)
        lies_below = part in ("ground", "panel", "chosen_ground")
        found[part] = f"\x1b[{48 if lies_below else 38};{sequence(red, green, blue)}m"
    bold, plain = "\x1b[1m", "\x1b[22m"
    found["name"] += bold
    found["chosen"] += bold
    found["panel"] += plain
    found["ground"] += plain
    return found


def _silent(attributes: "termios._AttrReturn") -> "termios._AttrReturn":
    """Attributes with which keys are kept as they are pressed, and not shown; Ctrl+C still interrupts."""
    silent = [*attributes]
    silent[0] &= ~(termios.IXON | termios.IXOFF | termios.ICRNL | termios.INLCR | termios.IGNCR)
    silent[3] &= ~(termios.ECHO | termios.ICANON | termios.IEXTEN)
    silent[6] = [*attributes[6]]
    silent[6][termios.VMIN] = 1
    silent[6][termios.VSUSP] = b"\x00"
    return silent


def _end_on_signals(sight: FirstSight) -> None:
    """Let the signals that end the process give the terminal back first; ignored ones stay ignored."""
    import signal

    def end(number: int, _frame: object) -> None:
        sight.end()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, end)


def home(environ: "Environ") -> str:
    """The data directory, as `tui.paths` finds it, without importing platformdirs.

    Args:
        environ: The process environment.
    """
    if chosen := environ.get("CTROOM_HOME", "").strip():
        return os.path.abspath(os.path.expanduser(chosen))
    if sys.platform == "darwin":
        return os.path.expanduser("~/Library/Application Support/ctroom")
    shared = environ.get("XDG_DATA_HOME", "").strip() or os.path.expanduser("~/.local/share")
    return os.path.join(shared, "ctroom")


def _theme(environ: "Environ") -> str:
    """The theme of the local user, found in the bytes of `ctroom.json`; the default where it isn't."""
    try:
        with open(os.path.join(home(environ), "ctroom.json"), "rb") as file:
            data = file.read(MOST_READ)
    except OSError:
        return DEFAULT_THEME
    _, _, settings = data.partition(b'"user_settings": {')
    _, _, record = settings.partition(b'"user": "local", ')
    _, found, value = record.partition(b'"theme": "')
    return value.partition(b'"')[0].decode("ascii", "replace") if found else DEFAULT_THEME


def _true_colour(red: int, green: int, blue: int) -> str:
    return f"2;{red};{green};{blue}"


def _of_256(red: int, green: int, blue: int) -> str:
    """The nearest of 256 colours, as Rich finds it for what is drawn afterwards."""
    high, low = max(red, green, blue) / 255, min(red, green, blue) / 255
    light = (high + low) / 2
    spread = high - low
    if spread == 0 or spread / (1 - abs(2 * light - 1)) < 0.15:
        grey = round(light * 25)
        return f"5;{16 if grey == 0 else 231 if grey == 25 else 231 + grey}"
    cube = [(shade / 95 if shade < 95 else 1 + (shade - 95) / 40) for shade in (red, green, blue)]
    return f"5;{16 + 36 * round(cube[0]) + 6 * round(cube[1]) + round(cube[2])}"
