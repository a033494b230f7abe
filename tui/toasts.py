"""Toasts that do not pile up: few at a time, none twice, the newest of a kind in place of the one before."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Self

from textual.notifications import Notification, Notifications

from tui.core.text import sanitize, sanitize_line

MOST = 3
"""Toasts on the screen; more would cover the conversation."""
_LENGTH = 600
"""Characters of a toast: what is longer belongs somewhere else."""


class CalmNotifications(Notifications):
    """What the app has to say at the moment; texts from outside can do nothing to the terminal.

    Args:
        earlier: What it said before it had these.
    """

    def __init__(self, earlier: Iterable[Notification] = ()) -> None:
        super().__init__()
        for notification in earlier:
            self.add(notification)

    def add(self, notification: Notification) -> Self:
        """Add one; it replaces an equal one, and one of its kind: of the same title and gravity.

        Where too many are left, the oldest go, those of least gravity first.
        """
        text = sanitize(notification.message)
        shown = replace(
            notification,
            message=text if len(text) <= _LENGTH else text[: _LENGTH - 1] + "…",
            title=sanitize_line(notification.title),
        )
        for other in list(self):
            if (other.title, other.severity) == (shown.title, shown.severity):
                del self[other]
        super().add(shown)
        for other in self._first_to_go(shown):
            del self[other]
        return self

    def _first_to_go(self, newest: Notification) -> Iterator[Notification]:
        gravity = ("information", "warning", "error")
        older = [other for other in self if other is not newest]
        older.sort(key=lambda other: (gravity.index(other.severity), other.raised_at))
        yield from older[: max(0, len(older) + 1 - MOST)]
