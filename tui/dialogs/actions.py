"""Every action of a screen by name: the one list behind the command palette and the help."""

from collections import Counter
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
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

    What several nodes offer in the same words is there once: as the node nearest to the focus has it, else as
    the first has it. Of what there are several of, such as fields and buttons, only the one in focus counts.

    Args:
        screen: The screen that the palette or the help covers.
    """
    near = set(screen.focused.ancestors_with_self) if screen.focused else set[DOMNode]()
    return _named([screen.app, screen, *_shown(screen)], near)


def actions_behind(tab: DOMNode) -> list[Action]:
    """The actions that a tab will have once it is shown.

    Args:
        tab: It is not shown.
    """
    return _named([tab, *_shown(tab)], set())


def _named(shown: Sequence[DOMNode], near: AbstractSet[DOMNode]) -> list[Action]:
    alike = Counter(map(type, shown))
    found: dict[str, Action] = {}
    for node in shown:
        if node not in near and alike[type(node)] > 1:
            continue
        for action in _actions_at(node):
            if action.help not in found or node in near:
                found[action.help] = action
    return list(found.values())


def _actions_at(node: DOMNode) -> Iterator[Action]:
    """What can be done at a node at present, each with the first of its keys."""
    ids = set[str]()
    for binding in chain.from_iterable(bindings_of(node).values()):
        if binding.id is None or binding.system or not binding.description or binding.id in ids:
            continue
        if node.app._check_action_state(binding.action, node) is not True:
            continue
        ids.add(binding.id)
        title = binding.description[:1].upper() + binding.description[1:]
        key = node.app.get_key_display(binding)
        yield Action(node, binding.action, title, key, binding.tooltip or title)


def _shown(root: DOMNode) -> Iterator[DOMNode]:
    """What is shown below a node, once that is shown."""
    hidden = set[DOMNode]()
    for node in root.walk_children():
        if node.parent in hidden or not node.display:
            hidden.add(node)
        else:
            yield node
