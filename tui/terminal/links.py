"""Opening links of a reply in the user's browser, where that browser is on this machine."""

import asyncio
import re
import sys
from collections.abc import Mapping, Sequence

from tui.core.text import sanitize
from tui.terminal import tools

OPENED = ("http", "https", "mailto")
"""Schemes that are opened; what others do is up to whatever program took them."""
OPEN_SECONDS = 3.0
"""Some desktops' openers stay for as long as the browser that they start."""
_SAFE = re.compile(r"(?i)(?:https?://|mailto:)[!-~\u00a1-\U0010ffff]{1,8000}")


def can_be_opened(href: str) -> bool:
    """Whether a link goes to the web or to a mail address, and holds nothing but visible characters."""
    return _SAFE.fullmatch(href) is not None and sanitize(href) == href


async def open_link(href: str, environ: Mapping[str, str]) -> bool:
    """Ask the desktop to open a link.

    Args:
        href: The link; nothing is done with one that `can_be_opened` refuses.
        environ: The session's environment. Over SSH nothing is opened: the desktop is the host's.

    Returns:
        Whether a program of the desktop took it.
    """
    return can_be_opened(href) and await asyncio.to_thread(_open, href, environ)


def _open(href: str, environ: Mapping[str, str]) -> bool:
    forwarded = _forwarding_browser(environ)
    if not forwarded and tools.seen_from_afar(environ):
        return False
    for command in forwarded or openers(environ):
        found = tools.find(command, environ)
        if found and tools.start([*found, href], environ, seconds=OPEN_SECONDS):
            return True
    return False


def _forwarding_browser(environ: Mapping[str, str]) -> list[Sequence[str]]:
    """An editor's remote terminal names a program that opens links at the user's own machine."""
    browser = environ.get("BROWSER", "")
    return [(browser,)] if browser.startswith("/") and environ.get("VSCODE_IPC_HOOK_CLI") else []


def openers(environ: Mapping[str, str], platform: str = sys.platform) -> list[Sequence[str]]:
    """The programs of the desktop that open a link; browsers for the terminal are not among them."""
    if platform == "darwin":
        return [("open",)]
    found: list[Sequence[str]] = []
    if environ.get("TERMUX_VERSION"):
        found.append(("termux-open-url",))
    if environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY"):
        found += [("xdg-open",), ("gio", "open")]
    if tools.is_wsl(environ):
        found += [("wslview",), ("rundll32.exe", "url.dll,FileProtocolHandler")]
    return found
