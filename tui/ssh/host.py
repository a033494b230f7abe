"""What all sessions of a server share."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from tui.core.errors import CtroomError
from tui.core.pace import Pace
from tui.core.ports import Clock
from tui.core.streams import Streams
from tui.crash import record_crash
from tui.services.services import Services
from tui.ssh.access import Access
from tui.ssh.journal import warn
from tui.ssh.limits import Counter, Limits
from tui.ssh.load import LoadMeter
from tui.ssh.memory import Collector
from tui.ssh.paint_queue import PaintQueue
from tui.ssh.refusals import Refusals
from tui.ssh.registry import Registry


class InputStreams(Streams, Protocol):
    """The streams of a command that was given over SSH."""

    async def read(self, *, needed: bool) -> str:
        """All of standard input.

        Args:
            needed: Wait for it, however late it comes; else nothing is read where nothing comes at once.
        """
        ...


RunCommand = Callable[[str, Services, InputStreams], Coroutine[Any, Any, int]]
"""Runs a command line; its exit status."""
MakeServices = Callable[[str], Services]
"""The services of a user's session, over the server's one store."""


class Host:
    """The server, as its sessions know it.

    Args:
        make_services: Makes a session's services.
        run_command: Runs what is asked for instead of the app.
        access: Who may come in.
        limits: What is borne.
        clock: The present moment.
        home: The data directory: where crashes are recorded.
        registry: The sessions that run.
        pace: That of the sessions.
    """

    def __init__(
        self,
        make_services: MakeServices,
        run_command: RunCommand,
        access: Access,
        limits: Limits,
        clock: Clock,
        home: Path,
        registry: Registry,
        pace: Pace,
    ) -> None:
        self.make_services = make_services
        self.run_command = run_command
        self.access = access
        self.limits = limits
        self.clock = clock
        self.home = home
        self.registry = registry
        self.refusals = Refusals(limits)
        self.load = LoadMeter(pace)
        self.memory = Collector(lambda: len(registry), lambda: self.load.calm)
        self.paint_queue = PaintQueue()
        self.mounting = asyncio.Semaphore(limits.mounting)
        self.strangers = Counter()
        """Connections that have not signed in, by what their address is counted as."""
        self.connections = Counter()
        """Connections that have, by user."""
        self.sessions = Counter()
        """Sessions by user, from their channel's opening to its end."""
        self.tasks: set[asyncio.Task[None]] = set()
        """What still runs for a session, with its channel or without."""
        self.closing = False
        self._unsaved: list[Services] = []

    def refusal(self, user: str, *, more: int = 1) -> str | None:
        """Why a user can't have one more session; None where they can.

        Args:
            user: Who wants it.
            more: 0 to look at the sessions that there are.
        """
        if self.closing:
            return "The server is shutting down: try again in a moment."
        if self.sessions[user] + more > self.limits.sessions_per_user:
            return f"You have {self.limits.sessions_per_user} sessions open, the most there can be: end one."
        if self.sessions.total + more > self.limits.sessions:
            return "The server has as many sessions as it takes: try again later."
        return None

    def crashed(self, error: BaseException, reference: str | None = None, **facts: object) -> str:
        """Record an error of our own: type and stack in the data directory, a reference in the log.

        Args:
            error: The error.
            reference: Of the record, where it was made before.
            facts: Whose session it was, and the like.
        """
        reference = reference or record_crash(error, self.home)
        warn("crash", reference=reference, error=type(error).__name__, **facts)
        return reference

    async def settle(self, services: Services) -> None:
        """End a session's turns, save and charge what came of them; the store stays open."""
        await services.turns.aclose()
        if left := services.turns.waiting():
            warn(
                "not saved yet",
                user=services.user,
                messages=left.messages,
                charges=left.charges,
                why=left.why,
            )
            self._unsaved.append(services)

    async def save_unsaved(self) -> None:
        """Try again to save what ended sessions could not."""
        for services in tuple(self._unsaved):
            with suppress(CtroomError):
                if await services.turns.save_pending():
                    self._unsaved.remove(services)

    def unsaved(self) -> int:
        """Messages and charges of ended sessions that are not saved."""
        return sum(services.turns.unsaved() for services in self._unsaved)
