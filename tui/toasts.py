"""Toasts that do not pile up, and that cover neither figures nor keys nor what is being typed."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any, Self

from textual.app import App, ScreenStackError
from textual.css.query import NoMatches
from textual.geometry import Region
from textual.notifications import Notification, Notifications, SeverityLevel
from textual.screen import Screen
from textual.widgets._toast import ToastRack

from tui.core.quota import AlertLevel
from tui.core.text import sanitize, sanitize_line
from tui.services.alerts import alert_title
from tui.services.services import Services
from tui.widgets.header_bar import HeaderBar
from tui.widgets.transcript import Transcript
from tui.widgets.usage_footer import UsageFooter

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


async def raise_alerts(app: App[Any], services: Services) -> None:
    """Say, once, that little is left of a pool or a day."""
    for alert in await services.alerts.raise_due():
        severity: SeverityLevel = "warning" if alert.level is AlertLevel.LOW else "error"
        app.notify(alert.message, title=alert_title(alert), severity=severity, timeout=15, markup=False)
        if services.settings.user().bell:
            app.bell()


def say_what_quits(app: App[Any]) -> None:
    """Say which key quits, and which stops the reply where one streams: by their names of the moment."""
    keys: dict[str | None, str] = {}
    for active in app.screen.active_bindings.values():
        keys.setdefault(active.binding.id, app.get_key_display(active.binding))
    leave, stop = keys.get("app.quit"), keys.get("chat.stop")
    if leave is not None:
        words = f"{stop} stops the reply · {leave} quits" if stop else f"{leave} quits."
        app.notify(words, timeout=4, markup=False)


def keep_clear(app: App[Any]) -> None:
    """Place toasts before they are shown, and again whenever the screen's layout or focus changes."""
    with suppress(ScreenStackError):
        for screen in {app.screen_stack[0], app.screen}:
            screen.screen_layout_refresh_signal.subscribe(screen, _place)
            screen.bindings_updated_signal.subscribe(screen, _place)
        _place(app.screen)


def _place(changed: Screen[Any]) -> None:
    """Let the rack of the screen that is seen end where nothing that matters is covered.

    That is above what is typed in, where the newest toast has room there; else above the usage footer. Older
    toasts that have no room then are cut at the top.
    """
    app = changed.app
    if not app._notifications:
        return
    screen, base = app.screen, app.screen_stack[0]
    try:
        rack = screen.get_child_by_type(ToastRack)
        top = base.query_one(HeaderBar).region.bottom
        lowest = base.query_one(UsageFooter).region.y
    except NoMatches:
        return
    if lowest <= top:
        return
    heights = [toast.outer_size.height for toast in rack.children]
    room, newest = lowest - top, heights[-1] if heights else 1
    bottom = _above_typing(screen, lowest, min(room, sum(heights)))
    if bottom - top < newest:
        bottom = lowest
    below = screen.size.height - bottom
    if rack.styles.margin.bottom != below:
        rack.styles.margin = (0, 0, below, 0)
    if (most := rack.styles.max_height) is None or most.cells != bottom - top:
        rack.styles.max_height = bottom - top
        rack.call_after_refresh(rack.scroll_end, animate=False, force=True)


def _above_typing(screen: Screen[Any], lowest: int, height: int) -> int:
    """The row under a rack of so many rows that leaves what is typed in free."""
    for transcript in screen.query(Transcript):
        if transcript.region:  # the prompt, and what belongs to it, stands under it whatever has the focus
            return min(lowest, transcript.region.bottom)
    covered = Region(0, lowest - height, screen.size.width, height)
    if screen.focused is not None and (typed := screen.focused.region).overlaps(covered):
        return typed.y
    return lowest
