"""Keys as people write them: "F5", "ctrl+s", "f12, ctrl+q"."""

import re
import unicodedata

from tui.core.errors import InvalidValueError

PREFIX = "keymap."
"""In front of a binding's id, the dotted name of its setting."""
DEFAULT = "default"
"""The value that gives a binding its own keys back."""
MOST_KEYS = 4

_ID = re.compile(r"[a-z]\w{0,30}(\.[a-z]\w{0,30}){1,3}", re.ASCII)
_MODIFIERS = ("ctrl", "alt", "shift", "super", "meta", "hyper")
_SYMBOLS = frozenset({"at", "backslash", "minus", "plus", "slash", "underscore"})
"""Characters that Textual calls by other names than Unicode does."""
_NAMED = frozenset(
    {"backspace", "delete", "down", "end", "enter", "escape", "home", "insert", "left", "pagedown", "pageup"}
    | {"right", "space", "tab", "up"}
    | _SYMBOLS
    | {f"f{number}" for number in range(1, 25)}
)
_OTHER_NAMES = {"esc": "escape", "pgup": "pageup", "pgdn": "pagedown", "del": "delete", "return": "enter"}


def check_binding_id(name: str) -> str:
    """The id, if a binding could have it.

    Raises:
        InvalidValueError: It is none.
    """
    if not _ID.fullmatch(name):
        raise InvalidValueError(f"There is no action {name[:60]!r}: Settings, section 5, lists them all.")
    return name


def parse_keys(text: str) -> str:
    """The keys of a text, as Textual names them, separated by commas.

    Raises:
        InvalidValueError: One is no key, or there are too many.
    """
    keys = [_key(part.strip()) for part in (text.split(",") if text.strip() != "," else [","])]
    if len(keys) > MOST_KEYS:
        raise InvalidValueError(f"At most {MOST_KEYS} keys can do the same.")
    return ",".join(dict.fromkeys(keys))


def is_plain(key: str) -> bool:
    """Whether a key types a character where text is written."""
    return "+" not in key and key not in _NAMED - _SYMBOLS - {"space"}


def _key(written: str) -> str:
    *modifiers, name = written.split("+") if len(written) > 1 else [written]
    modifiers = [modifier.strip().lower() for modifier in modifiers]
    name = name.strip()
    if len(name) > 1 or modifiers:
        name = name.lower()
    name = _OTHER_NAMES.get(name, name)
    if not (_is_key(name) and all(modifier in _MODIFIERS for modifier in modifiers)):
        raise InvalidValueError(f"{written[:30]!r} is no key: write it as f5, ctrl+s, alt+enter or pageup.")
    return "+".join([*modifiers, name])


def _is_key(name: str) -> bool:
    if name in _NAMED:
        return True
    if len(name) == 1:
        return name.isprintable() and name != " "
    try:  # such as "question_mark"
        unicodedata.lookup(name.replace("_", " "))
    except KeyError:
        return False
    return True
