"""Who is connected to a host that serves a team."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from tui.core.frozen import frozen


@frozen
class SessionInfo:
    """A session that runs."""

    id: str
    user: str
    address: str
    """Where it comes from, as text; safe to show."""
    since: datetime
    """When it began, in UTC."""


class Sessions(Protocol):
    """The sessions of a server, as its admins see and end them.

    Whoever implements it ends the sessions of users that are removed, and those of keys that are.
    """

    def connected(self) -> tuple[SessionInfo, ...]:
        """Every session that runs, the longest first; cheap."""
        ...

    def end(self, session_id: str) -> bool:
        """End a session as a hang-up would: what runs is stopped, saved and charged.

        Returns:
            Whether there was such a session.
        """
        ...

    def subscribe(self, changed: Callable[[], None]) -> Callable[[], None]:
        """Call `changed` on the event loop when a session began or ended.

        Returns:
            A function that ends the subscription.
        """
        ...
