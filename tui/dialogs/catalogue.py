"""Every binding that Ctroom has, wherever it works: what can be given other keys, and which keys clash."""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache

from textual.binding import Binding

from tui.core.errors import InvalidValueError
from tui.core.frozen import frozen
from tui.core.keymap import DEFAULT, PREFIX, is_plain, parse_keys
from tui.widgets.hint_bar import APP_BINDINGS

_PACKAGES = ("tui.tabs", "tui.widgets", "tui.dialogs")
"""Where classes with bindings are."""
_GROUPS = {
    "app": "Everywhere",
    "prompt": "Prompt",
    "transcript": "Transcript",
    "conversations": "Conversations",
    "chat": "Chat",
    "settings": "Settings",
}
_EVERYWHERE = "app"


@frozen
class Bound:
    """An action that keys can be bound to."""

    id: str
    """As in the settings, after `keymap.`."""
    words: str
    """What it does."""
    keys: str
    """The keys that it has of itself, separated by commas, as Textual names them."""

    @property
    def group(self) -> str:
        """Where it works: the first part of its id."""
        return self.id.partition(".")[0]

    @property
    def place(self) -> str:
        """Where it works, for people."""
        return _GROUPS.get(self.group, f"{self.group.replace('_', ' ').capitalize()}")


@cache
def catalogue() -> Mapping[str, Bound]:
    """Every binding with an id, by id; those that work everywhere first."""
    found: dict[str, list[Binding]] = {}
    for binding in (*Binding.make_bindings(APP_BINDINGS), *_of_classes()):
        if binding.id is not None:
            found.setdefault(binding.id, []).append(binding)
    bounds = [
        Bound(
            name,
            next((b.tooltip for b in bindings if b.tooltip), bindings[0].description),
            ",".join(dict.fromkeys(binding.key for binding in bindings)),
        )
        for name, bindings in found.items()
    ]
    places = list(_GROUPS)
    return {bound.id: bound for bound in sorted(bounds, key=lambda bound: _order(bound, places))}


def keys_of(bound: Bound, keymap: Mapping[str, str]) -> str:
    """The keys that a binding has, chosen ones included."""
    return keymap.get(bound.id) or bound.keys


def clashes(bound: Bound, keys: str, keymap: Mapping[str, str]) -> tuple[Bound, ...]:
    """The other bindings that keys belong to in the same place; those that are so of themselves are meant so.

    Args:
        bound: The binding that has the keys, or is to have them.
        keys: Separated by commas.
        keymap: The keys that the user chose.
    """
    wanted = set(keys.split(","))
    return tuple(
        other
        for other in catalogue().values()
        if other.id != bound.id
        and (other.group == bound.group or _EVERYWHERE in (other.group, bound.group))
        and wanted & set(keys_of(other, keymap).split(","))
        and (keys != bound.keys or other.id in keymap)
    )


def check_keys(name: str, text: str, keymap: Mapping[str, str]) -> None:
    """Check the keys that a setting `keymap.<id>` is to have.

    Raises:
        InvalidValueError: There is no such binding, or the keys can't do it there, or do something else.
    """
    bound = catalogue().get(name.removeprefix(PREFIX))
    if bound is None:
        raise InvalidValueError(f"There is no action {name.removeprefix(PREFIX)[:60]!r} to give keys to.")
    keys = bound.keys if text.strip().lower() in ("", DEFAULT) else parse_keys(text)
    own_are_plain = all(is_plain(key) for key in bound.keys.split(","))
    if keys != bound.keys and not own_are_plain and any(is_plain(key) for key in keys.split(",")):
        raise InvalidValueError("That types a character there: choose F1 to F12, or a key with Ctrl or Alt.")
    for other in clashes(bound, keys, keymap):
        raise InvalidValueError(f"Taken by \u201c{other.words}\u201d ({other.id}): change that first.")


def _order(bound: Bound, places: list[str]) -> tuple[int, str]:
    return (places.index(bound.group) if bound.group in places else len(places), bound.group)


def _of_classes() -> Iterator[Binding]:
    for name in _PACKAGES:
        package = importlib.import_module(name)
        for module in pkgutil.walk_packages(package.__path__, f"{name}."):
            for thing in list(vars(importlib.import_module(module.name)).values()):
                if isinstance(thing, type) and thing.__module__ == module.name:
                    yield from Binding.make_bindings(vars(thing).get("BINDINGS", ()))
