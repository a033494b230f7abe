"""The command palette's entries: every action by name."""

from collections.abc import Awaitable, Callable
from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider

from tui.dialogs.actions import actions_of


class ActionsProvider(Provider):
    """The actions of the screen that the palette covers, and the themes."""

    async def discover(self) -> Hits:
        """Every entry, in the order of the screen: the app's first."""
        for title, words, run in self._entries():
            yield DiscoveryHit(title, run, help=words)

    async def search(self, query: str) -> Hits:
        """The entries that match what was typed."""
        matcher = self.matcher(query)
        for title, words, run in self._entries():
            if (score := matcher.match(title)) > 0:
                yield Hit(score, matcher.highlight(title), run, help=words)

    def _entries(self) -> list[tuple[str, str, Callable[[], Awaitable[object] | None]]]:
        actions = [action for action in actions_of(self.screen) if not action.moves]
        entries = [
            (action.help, action.key, partial(self.app.run_action, action.action, action.node))
            for action in actions
        ]
        return [*entries, ("Choose the colours (theme)", "of every screen", self.app.action_change_theme)]
