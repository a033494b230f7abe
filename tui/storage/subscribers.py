"""Whoever wants to know of changes, each on the event loop that it subscribed on."""

import asyncio
import threading
from collections.abc import Callable


class Subscribers:
    """Callbacks for changes. `notify` may be called from any thread; bursts are told once."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._all: set[_Subscription] = set()

    def add(self, changed: Callable[[], None]) -> Callable[[], None]:
        """Call `changed` on the running loop after each change.

        Returns:
            A function that ends the subscription.

        Raises:
            RuntimeError: No event loop is running.
        """
        subscription = _Subscription(changed)
        with self._mutex:
            self._all.add(subscription)
        return lambda: self._remove(subscription)

    def notify(self) -> None:
        """Tell every subscriber, soon."""
        with self._mutex:
            everyone = list(self._all)
        for subscription in everyone:
            if not subscription.notify():
                self._remove(subscription)

    def clear(self) -> None:
        """End all subscriptions."""
        with self._mutex:
            everyone, self._all = self._all, set()
        for subscription in everyone:
            subscription.ended = True

    def _remove(self, subscription: "_Subscription") -> None:
        subscription.ended = True
        with self._mutex:
            self._all.discard(subscription)


class _Subscription:
    def __init__(self, changed: Callable[[], None]) -> None:
        self.ended = False
        self._changed = changed
        self._loop = asyncio.get_running_loop()
        self._pending = False

    def notify(self) -> bool:
        """False where the loop is gone."""
        if self._pending:
            return True
        self._pending = True
        try:
            self._loop.call_soon_threadsafe(self._call)
        except RuntimeError:
            return False
        return True

    def _call(self) -> None:
        self._pending = False
        if not self.ended:
            self._changed()
