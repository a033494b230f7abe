"""What the command palette finds: actions, themes, models, settings and conversations."""

from collections.abc import Iterable, Iterator

from textual.dom import DOMNode
from textual.screen import Screen
from textual.theme import Theme

from tui.core.chat import Conversation
from tui.core.frozen import frozen
from tui.core.keymap import PREFIX
from tui.core.settings import provider_name
from tui.core.text import sanitize_line
from tui.dialogs.actions import Action, actions_behind, actions_of
from tui.services.services import Services

MOST_TITLE = 60
"""Characters of a conversation's title."""


@frozen
class Entry:
    """Something that can be chosen by name."""

    title: str
    detail: str
    """At the right: its key, or what kind of thing it is."""
    action: str
    """In Textual's notation."""
    node: DOMNode
    """Where the action is looked up."""
    searched: str
    """What is matched; it begins with the title."""
    tab: str = ""
    """The tab that is shown first; empty for whichever is shown."""


def actions(screen: Screen[object], behind: DOMNode | None = None) -> Iterator[Entry]:
    """Every action that the screen has at present, the app's first, those of a tab behind it last.

    Args:
        screen: The screen that the palette covers.
        behind: The tab that is not shown.
    """
    # The app's come first, in the order of their function keys; Quit, which Textual has too, after them.
    shown = sorted(actions_of(screen), key=lambda action: action.action == "quit")
    known = {action.help for action in shown}
    for action in shown:
        if not action.moves:
            yield _entry_of(action, action.key)
    if behind is None or behind.id is None:
        return
    for action in actions_behind(behind):
        if not action.moves and action.help not in known:
            yield _entry_of(action, f"{behind.id.capitalize()} · {action.key}", behind.id)


def _entry_of(action: Action, detail: str, tab: str = "") -> Entry:
    return Entry(action.help, detail, action.action, action.node, f"{action.help} {action.title}", tab)


def themes(screen: Screen[object], offered: Iterable[Theme]) -> Iterator[Entry]:
    """Every theme."""
    for theme in offered:
        title = f"Colours: {theme.name}"
        light = "dark" if theme.dark else "light"
        words = f"{title} theme {light}"
        yield Entry(title, f"{light} theme", f"app.use_theme({theme.name!r})", screen.app, words)


def models(screen: Screen[object], services: Services) -> Iterator[Entry]:
    """Every model that is known without asking its provider again."""
    for provider in services.models.providers():
        name = provider_name(provider)
        for model in services.models.known(provider):
            title = f"Ask {sanitize_line(model.id, MOST_TITLE)}"
            action = f"app.use_model({provider!r}, {model.id!r})"
            yield Entry(
                title, f"model of {name}", action, screen.app, f"{title} {name} {model.name or ''} model"
            )


def settings(screen: Screen[object], services: Services) -> Iterator[Entry]:
    """Every setting, by what it is and by its dotted name."""
    for name in services.settings.names():
        if not name.startswith(PREFIX):
            title = services.settings.describe(name).partition(".")[0].partition(":")[0]
            yield Entry(
                sanitize_line(title, MOST_TITLE),
                f"setting {name}",
                f"app.show_setting({name!r})",
                screen.app,
                f"{title} {name} setting",
            )


def conversations(screen: Screen[object], found: Iterable[Conversation]) -> Iterator[Entry]:
    """Conversations by title and tags."""
    for conversation in found:
        title = sanitize_line(conversation.title, MOST_TITLE) or "Untitled"
        tags = "".join(f" #{tag}" for tag in conversation.tags)
        detail = f"chat of {conversation.updated_at:%d %b %Y}"
        action = f"app.open_conversation({conversation.id!r})"
        yield Entry(title, detail, action, screen.app, f"{title}{tags}")
