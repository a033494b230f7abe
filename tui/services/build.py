"""Builds the services of one user's session from the ports that the composition root made."""

from collections.abc import Mapping
from dataclasses import field
from functools import partial
from typing import TYPE_CHECKING

from tui import providers
from tui.core.frozen import frozen
from tui.core.pace import Pace
from tui.core.ports import Clock, Secrets, Store
from tui.core.settings import LOCAL_USER
from tui.services.accounting import Accounting
from tui.services.alerts import Alerts
from tui.services.connections import Connections
from tui.services.conversation import Turns
from tui.services.keys import Connect, KeyEnvironment, Keys
from tui.services.library import Library
from tui.services.models import Models
from tui.services.prices import Prices
from tui.services.services import Services
from tui.services.settings import SettingsService
from tui.storage.environment import environment_key
from tui.storage.secrets import MemorySecrets

if TYPE_CHECKING:
    from tui.core.sessions import Sessions

_ADDRESSES = {"openai": "OPENAI_BASE_URL", "google": "GOOGLE_GEMINI_BASE_URL"}
"""The SDKs' own variables (design, section 8)."""


@frozen
class Shared:
    """What the sessions of a server have in common, beside the store."""

    connections: Connections
    pace: Pace = field(default_factory=Pace)
    """How often what streams is drawn."""

    @classmethod
    def over(cls, connect: Connect) -> "Shared":
        """Nothing yet.

        Args:
            connect: Makes providers.
        """
        return cls(Connections(connect))

    async def aclose(self) -> None:
        """Close what is open, once no session is left."""
        await self.connections.aclose()


def build(
    store: Store,
    secrets: Secrets,
    connect: Connect,
    clock: Clock,
    environ: Mapping[str, str],
    user: str = LOCAL_USER,
    sessions: "Sessions | None" = None,
    shared: "Shared | None" = None,
) -> Services:
    """The services of a session.

    Args:
        store: An open store; `Services.aclose` closes it.
        secrets: Where keys are kept.
        connect: Makes providers: `tui.providers.connect`.
        clock: The present moment, in UTC.
        environ: The environment that default keys and addresses may come from.
        user: Whose session it is.
        sessions: Who is connected, where this is a server.
        shared: What its sessions have in common.
    """
    addresses = {name: environ[variable] for name, variable in _ADDRESSES.items() if environ.get(variable)}
    environment = KeyEnvironment(partial(environment_key, environ), addresses)
    settings = SettingsService(store, user, clock)
    keys = Keys(store, settings, secrets, MemorySecrets(), environment, connect, clock, user)
    prices = Prices()
    accounting = Accounting(store, settings, keys, prices, clock, user)
    models = Models(settings, keys, connect, providers)
    library = Library(store, user, clock)
    clients = shared.connections if shared else None
    turns = Turns(store, settings, keys, accounting, models, library, connect, clock, shared=clients)
    return Services(
        user,
        store,
        settings,
        keys,
        prices,
        accounting,
        Alerts(store, keys, clock, user),
        models,
        library,
        turns,
        clock,
        sessions,
        shared.pace if shared else Pace(),
    )
