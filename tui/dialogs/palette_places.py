"""What the command palette finds of Settings beside each setting by name: deeds, and sections."""

from collections.abc import Iterator

from textual.screen import Screen

from tui.core.frozen import frozen
from tui.core.quota import KeySource
from tui.core.settings import POOLED, provider_name
from tui.dialogs.palette_entries import Entry
from tui.services.services import Services
from tui.widgets.settings import titles
from tui.widgets.settings.titles import TITLES, way_to


@frozen
class _Place:
    """Somewhere in Settings."""

    title: str
    words: str
    """What else it is looked up by."""
    selector: str = ""
    """Of what gets the focus; empty for the tab."""
    action: str = ""
    """What it then does."""


def places(screen: Screen[object], services: Services) -> Iterator[Entry]:
    """What there is to do in Settings, as far as the user may."""
    yield Entry(
        "See and change keys",
        "Settings",
        "app.change_keys",
        screen.app,
        "See and change keys keymap key bindings keyboard shortcuts",
    )
    admin = services.settings.is_admin()
    for place in (*_own_keys(), *(_of_admins(services) if admin else ()), *_sections(services, admin=admin)):
        action = f"app.in_settings({place.selector!r}, {place.action!r})"
        yield Entry(place.title, "Settings", action, screen.app, f"{place.title} {place.words}")


def _own_keys() -> Iterator[_Place]:
    for provider in POOLED:
        title = f"Enter your own key for {provider_name(provider)}"
        yield _Place(title, "API keys add paste", f"#own-key-{provider} KeyField")


def _of_admins(services: Services) -> Iterator[_Place]:
    for provider in POOLED:
        name = provider_name(provider)
        credits_of = f"{name} credits token quotas pool"
        yield _Place(f"Enter what was purchased from {name}", credits_of, f"#set-{provider}")
        yield _Place(f"Top up what was purchased from {name}", f"{credits_of} add", f"#add-{provider}")
        if services.accounting.purchases((provider,)):
            history = f"{credits_of} history"
            yield _Place(f"See all that was purchased from {name}", history, f"#purchases-{provider}", "open")
    for provider in POOLED:
        title = f"Enter the default key for {provider_name(provider)}, for everyone"
        yield _Place(title, "API keys add paste host", f"#default-key-{provider} KeyField")
    yield _Place("Add an OpenAI-compatible server", "endpoint local Ollama base URL", "#new-endpoint")
    yield _Place("Add a tier", "tiers tokens per day limits", "#new-tier")
    yield _Place("Add a user", "users member SSH public key", "#new-user")


def _sections(services: Services, *, admin: bool) -> Iterator[_Place]:
    for number in TITLES:
        if admin or (number != titles.USERS and (number != titles.QUOTAS or _on_default_keys(services))):
            yield _Place(way_to(number), "Settings", action=f"jump({number})")


def _on_default_keys(services: Services) -> bool:
    return any(services.keys.source(provider) is KeySource.DEFAULT for provider in POOLED)
