"""The lines over the tabs that say what is wrong with the data: unreadable state, unsaved messages."""

from collections.abc import Callable

from textual.content import Content
from textual.widgets import Static

from tui.core.errors import StorageError, StorageErrorKind
from tui.services.outbox import Unsaved
from tui.services.services import Services

_STALE = {
    StorageErrorKind.CORRUPT: "The data is damaged; figures may be old. Mend it with 'ctroom restore'.",
    StorageErrorKind.NEWER: "A newer Ctroom changed the data; figures may be old. Update this one.",
    StorageErrorKind.UNREADABLE: "The data can't be read; figures may be old. Check its permissions.",
    StorageErrorKind.MISSING: "The data is gone; figures may be old. Put it back or 'ctroom restore'.",
}
_STALE_AT_HOST = "The host can't read its data; figures may be old. Tell its admin."
_STALE_ELSE = "The data could not be read; figures may be old. Ctroom tries again."
_WHY = {
    StorageErrorKind.FULL: "disk full",
    StorageErrorKind.UNWRITABLE: "not writable",
    StorageErrorKind.UNREADABLE: "not readable",
    StorageErrorKind.CORRUPT: "data damaged",
    StorageErrorKind.NEWER: "a newer Ctroom's data",
    StorageErrorKind.MISSING: "data gone",
    StorageErrorKind.BUSY: "data busy",
}


class Banner(Static):
    """Follows the store and what it refused; takes no room while all is well.

    Args:
        services: The store, and the turns whose messages may wait.
    """

    def __init__(self, services: Services) -> None:
        super().__init__(id="banner", markup=False)
        self._services = services
        self._endings: tuple[Callable[[], None], ...] = ()
        self.lines: tuple[str, ...] = ()
        """What it says."""

    def on_mount(self) -> None:
        """Follow both."""
        services = self._services
        self._endings = (
            services.store.subscribe(self._look),
            services.turns.subscribe_unsaved(self._look),
        )
        self._look()

    def on_unmount(self) -> None:
        """Follow them no longer."""
        for end in self._endings:
            end()

    def _look(self) -> None:
        """The services call this outside of the widget's own context."""
        services = self._services
        member = services.remote and not services.settings.is_admin()
        lines = banner_lines(services.store.problem, services.turns.waiting(), member=member)
        if lines != self.lines:
            self.lines = lines
            self.call_later(self._show)

    def _show(self) -> None:
        self.set_class(bool(self.lines), "-shown")
        self.update(Content("\n").join(Content(line) for line in self.lines))
        self.screen.refresh_bindings()


def banner_lines(problem: StorageError | None, unsaved: Unsaved, *, member: bool = False) -> tuple[str, ...]:
    """What is wrong, a line for each trouble; none where all is well.

    Args:
        problem: Why the state could not be read again.
        unsaved: What is kept in memory.
        member: Whether it is for one who can't mend the host's data.
    """
    lines = []
    if problem and member and problem.kind in _STALE:
        lines.append(_STALE_AT_HOST)
    elif problem:
        lines.append(_STALE.get(problem.kind, _STALE_ELSE))
    if unsaved:
        lines.append(f"{unsaved_words(unsaved)}: Ctroom tries again · Ctrl+S now")
    return tuple(lines)


def unsaved_words(unsaved: Unsaved) -> str:
    """What is not saved and why: "2 messages are not saved yet (disk full)"."""
    counts = ((unsaved.messages, "message"), (unsaved.charges, "charge"))
    parts = [f"{count} {what}{'s' if count > 1 else ''}" for count, what in counts if count]
    verb = "is" if unsaved.messages + unsaved.charges == 1 else "are"
    why = f" ({_WHY[unsaved.why]})" if unsaved.why in _WHY else ""
    return f"{' and '.join(parts)} {verb} not saved yet{why}"
