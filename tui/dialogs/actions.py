"""Every action of a screen by name: the one list behind the command palette and the help."""

from collections.abc import Iterator
from itertools import chain

from textual.dom import DOMNode
from textual.screen import Screen

from tui.core.frozen import frozen
from tui.widgets.hint_bar import bindings_of

_MOVES = frozenset({"move", "page", "edge", "submit", "newline", "command_palette"})


@frozen
class Action:
    """Something that can be done by key, and so by name."""

    node: DOMNode
    """Where it is bound."""
    action: str
    """In Textual's notation."""
    title: str
    key: str
    """As shown to people."""
    help: str
    """One phrase that says what it does."""

    @property
    def moves(self) -> bool:
        """Whether it only moves a cursor, or types: nothing that anyone looks up by name."""
        return self.action.partition("(")[0] in _MOVES


def actions_of(screen: Screen[object]) -> list[Action]:
    """The actions of the app and of what the screen shows, those with a binding id: ours.

    Args:
        screen: The screen that the palette or the help covers.
    """
    found: dict[str, Action] = {}
    for node in _shown(screen):
        for binding in chain.from_iterable(bindings_of(node).values()):
            if binding.id is None or binding.system or not binding.description or binding.id in found:
                continue
            if screen.app._check_action_state(binding.action, node) is not True:
                continue
            title = binding.description[:1].upper() + binding.description[1:]
            key = screen.app.get_key_display(binding)
            found[binding.id] = Action(node, binding.action, title, key, binding.tooltip or title)
    return list(found.values())


def _shown(screen: Screen[object]) -> Iterator[DOMNode]:
    yield screen.app
    yield screen
    for node in screen.walk_children():
        if all(ancestor.display for ancestor in node.ancestors_with_self):
            yield node
