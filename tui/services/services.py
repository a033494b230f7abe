"""Everything that a user's session works with."""

from dataclasses import field
from typing import TYPE_CHECKING

from tui.core.frozen import frozen
from tui.core.pace import Pace
from tui.core.ports import Clock, Store
from tui.services.accounting import Accounting
from tui.services.alerts import Alerts
from tui.services.conversation import Turns
from tui.services.keys import Keys
from tui.services.library import Library
from tui.services.models import Models
from tui.services.prices import Prices
from tui.services.settings import SettingsService

if TYPE_CHECKING:
    from tui.core.sessions import Sessions
    from tui.services.personas import Personas
    from tui.services.users import Users


@frozen
class Services:
    """The services of one user's session, made once by `tui.services.build` and handed down."""

    user: str
    store: Store
    settings: SettingsService
    keys: Keys
    prices: Prices
    accounting: Accounting
    alerts: Alerts
    models: Models
    library: Library
    turns: Turns
    clock: Clock
    sessions: "Sessions | None" = None
    """Who is connected; None outside `ctroom serve`."""
    pace: Pace = field(default_factory=Pace)
    """How often what streams is drawn."""

    @property
    def remote(self) -> bool:
        """Whether the user sits at another machine: files and programs of this one are not theirs."""
        return self.sessions is not None

    @property
    def users(self) -> "Users":
        """The host's users, as this one may see and change them; imported when they are asked for."""
        from tui.services.users import Users

        return Users(self.store, self.clock, self.user, self.keys.forget_user)

    @property
    def personas(self) -> "Personas":
        """The user's personas; what they are is imported when they are asked for."""
        from tui.services.personas import Personas

        return Personas(self.store, self.user)

    async def poll(self) -> None:
        """Take over what other processes commit, until cancelled."""
        await self.store.poll()

    async def aclose(self) -> None:
        """Let running turns settle, then end the store's writer thread."""
        await self.turns.aclose()
        await self.store.aclose()
