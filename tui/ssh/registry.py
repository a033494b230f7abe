"""Who is connected: implements `core.sessions.Sessions`, for the server and for its admins."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tui.core.sessions import SessionInfo
from tui.ssh.journal import note

REMOVED = "This user was removed from the host, or the key that the session began with was."
ENDED = "An admin of this host ended the session."
ENDED_THEMSELVES = "You ended this session from another one."
CLOSING = "The server is shutting down. What you wrote and what came is saved."


@dataclass(slots=True)
class Entry:
    """A session that runs."""

    info: SessionInfo
    fingerprint: str
    """Of the key that it began with."""
    end: Callable[[str], None]
    """Ends it, with a sentence for the user."""
    removed: bool = False
    """Whether it is ending because its user or key was removed."""


class Registry:
    """The sessions of a server."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}
        self._listeners: list[Callable[[], None]] = []

    def __iter__(self) -> Iterator[Entry]:
        return iter([*self._entries.values()])

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, entry: Entry) -> None:
        """A session began."""
        self._entries[entry.info.id] = entry
        self._tell()

    def remove(self, session_id: str) -> None:
        """A session ended."""
        if self._entries.pop(session_id, None) is not None:
            self._tell()

    def connected(self) -> tuple[SessionInfo, ...]:
        """Every session that runs, the longest first."""
        return tuple(sorted((entry.info for entry in self), key=lambda info: info.since))

    def end(self, session_id: str, why: str = ENDED) -> bool:
        """End a session, with a sentence for its user; whether there was such a one."""
        entry = self._entries.get(session_id)
        if entry is not None:
            entry.end(why)
        return entry is not None

    def subscribe(self, changed: Callable[[], None]) -> Callable[[], None]:
        """Call `changed` when a session began or ended."""
        self._listeners.append(changed)

        def end() -> None:
            if changed in self._listeners:
                self._listeners.remove(changed)

        return end

    def _tell(self) -> None:
        for listener in tuple(self._listeners):
            listener()


class SessionsOf:
    """The sessions that one user may see and end: an admin all of them, a member their own.

    Args:
        registry: All sessions.
        user: Who asks.
        is_admin: Whether they are an admin at present.
    """

    def __init__(self, registry: Registry, user: str, is_admin: Callable[[], bool]) -> None:
        self._registry = registry
        self._user = user
        self._is_admin = is_admin

    def connected(self) -> tuple[SessionInfo, ...]:
        """Those that run, the longest first."""
        everyone = self._is_admin()
        return tuple(info for info in self._registry.connected() if everyone or info.user == self._user)

    def end(self, session_id: str) -> bool:
        """End one; False where there is none that this user may end."""
        ended = next((info for info in self.connected() if info.id == session_id), None)
        if ended is None:
            return False
        note("ended", id=ended.id, user=ended.user, by=self._user)
        return self._registry.end(session_id, ENDED_THEMSELVES if ended.user == self._user else ENDED)

    def subscribe(self, changed: Callable[[], None]) -> Callable[[], None]:
        """Call `changed` when any session began or ended."""
        return self._registry.subscribe(changed)
