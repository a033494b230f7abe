"""Text from outside: made safe to show, and cleared of secrets before it is shown or logged."""

import re
from collections.abc import Iterable

# Patterns as text: `re` compiles and keeps each when it is first needed; most are not before the first frame.
_UNSAFE = r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufff9-\ufffb]"
_CONTROLS = _UNSAFE[:-1] + r"\t\n\ud800-\udfff]"
_NEWLINES = r"\r\n?|\u2028|\u2029"
_SECRETS = r"""(?x)
    \b(?: sk-[A-Za-z0-9_\-]{8,} | sk_[A-Za-z0-9]{8,} | AIza[A-Za-z0-9_\-]{10,} | AQ\.[A-Za-z0-9_\-]{10,} )
    | (?<=Bearer\ )[A-Za-z0-9._\-]{8,}
    | (?<=[?&]key=)[^&\s"']+
"""
_BULLETS = "\u2022" * 8


def sanitize(text: str) -> str:
    """Text that can do nothing to a terminal: newlines and tabs stay, other controls become visible.

    C0 controls and DEL become their Unicode control pictures, C1 controls, bidirectional overrides and
    line separators are dropped or folded, and lone surrogates become the replacement character.
    """
    if text.isascii() and text.isprintable():
        return text
    text = re.sub(_NEWLINES, "\n", text)
    text = re.sub(_UNSAFE, _picture, text)
    return text.encode("utf-8", "replace").decode("utf-8")


def without_controls(text: str) -> str:
    """A piece of one line, as it goes to a terminal: whatever a terminal could act on is left out.

    `sanitize` shows controls where text comes in; this is for the last point before the terminal, where the
    width is settled. Each tab, which is as wide as the terminal likes, becomes a space.
    """
    if text.isascii() and text.isprintable():
        return text
    return re.sub(_CONTROLS, "", text.replace("\t", " "))


def sanitize_line(text: str, limit: int = 200) -> str:
    """One line of safe text for a title, a name or an error, cut to `limit` characters with an ellipsis."""
    line = " ".join(sanitize(text).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "\u2026"


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """The text with every known secret, and whatever looks like an API key, replaced by bullets."""
    for secret in secrets:
        if len(secret) >= 4:
            text = text.replace(secret, _BULLETS)
    return re.sub(_SECRETS, _BULLETS, text)


def last_four(key: str) -> str:
    """The part of a key that may be shown: its last four characters, or none of a key shorter than 12."""
    return key[-4:] if len(key) >= 12 else ""


def _picture(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else ""
