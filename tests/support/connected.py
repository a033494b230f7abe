"""Sessions that a test says are there: implements `tui.core.sessions.Sessions`."""

from collections.abc import Callable

from tui.core.sessions import SessionInfo


class Connected:
    """Who is connected, until a test or an admin ends it."""

    def __init__(self, *sessions: SessionInfo) -> None:
        self._sessions = list(sessions)
        self._listeners: list[Callable[[], None]] = []

    def connected(self) -> tuple[SessionInfo, ...]:
        return tuple(self._sessions)

    def end(self, session_id: str) -> bool:
        kept = [session for session in self._sessions if session.id != session_id]
        ended = len(kept) < len(self._sessions)
        self._sessions = kept
        self._tell()
        return ended

    def begin(self, session: SessionInfo) -> None:
        """Somebody connects."""
        self._sessions.append(session)
        self._tell()

    def subscribe(self, changed: Callable[[], None]) -> Callable[[], None]:
        self._listeners.append(changed)
        return lambda: self._listeners.remove(changed)

    def _tell(self) -> None:
        for listener in list(self._listeners):
            listener()
