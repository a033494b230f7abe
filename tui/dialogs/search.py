"""The dialog that finds messages in all conversations."""

from contextlib import aclosing
from datetime import tzinfo

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.timer import Timer
from textual.widgets import Input, Static

from tui.core.chat import Conversation
from tui.core.errors import CtroomError
from tui.dialogs.dialog import Dialog
from tui.services.search import FoundConversation, Search, SearchHit
from tui.widgets.search_results import SearchResults, result_rows
from tui.widgets.wrapping import fitting

TYPING_SECONDS = 0.12
"""A search begins once the typing rests this long."""
MOST_FOUND = 100
"""Conversations that are listed: a search ends with them."""
ABOUT = (
    'Words in any order, in any case; "words in quotes" as they stand.',
    'Words in any order; "in quotes" as they stand.',
    'Words, or words "in quotes"',
)
"""How to ask, from the longest to the shortest: the first that has room is shown."""


class SearchDialog(Dialog[tuple[Conversation, SearchHit | None]]):
    """A field over what it finds, as it is typed; the answer is a conversation, and a message in it.

    Args:
        search: The search.
        zone: Where times are shown in.
    """

    BINDINGS = [
        Binding("down", "move(1)", "down", show=False, id="search.down", tooltip="The message below"),
        Binding("up", "move(-1)", "up", show=False, id="search.up", tooltip="The message above"),
        Binding("pagedown", "page(1)", "page down", show=False, id="search.page_down", tooltip="A page down"),
        Binding("pageup", "page(-1)", "page up", show=False, id="search.page_up", tooltip="A page up"),
    ]
    AUTO_FOCUS = "Input"

    def __init__(self, search: Search, zone: tzinfo) -> None:
        super().__init__()
        self._search = search
        self._timer: Timer | None = None
        self._said: tuple[str, ...] = ABOUT
        self.results = SearchResults()
        self.results.zone = zone

    def compose(self) -> ComposeResult:
        """The field, what is going on, and what was found."""
        with Vertical(classes="dialog -large") as frame:
            frame.border_title = "Find in all conversations"
            frame.border_subtitle = "Enter open · Esc close"
            yield Input(placeholder="Find", id="search-words", compact=True)
            yield Static(id="search-state", markup=False)
            yield self.results

    def on_resize(self) -> None:
        """Say as much as there is room for."""
        self.call_after_refresh(self._show_state)

    def action_move(self, step: int) -> None:
        """Move the cursor."""
        self.results.move(step)

    def action_page(self, step: int) -> None:
        """Move the cursor by a page."""
        self.results.move(step * max(1, self.results.size.height // 2))

    @on(Input.Changed)
    def _typed(self) -> None:
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(TYPING_SECONDS, self._begin)

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self.results.choose()

    @on(SearchResults.Chosen)
    def _chosen(self, event: SearchResults.Chosen) -> None:
        self.dismiss((event.row.found.conversation, event.row.hit))

    def _begin(self) -> None:
        words = self.query_one(Input).value
        self.run_worker(self._find(words), group="search", exclusive=True, exit_on_error=False)

    async def _find(self, words: str) -> None:
        found: list[FoundConversation] = []
        fresh = True
        searched = unread = 0
        problem = ""
        try:
            async with aclosing(self._search.search(words)) as slices:
                async for part in slices:
                    found += part.found
                    searched, unread = part.searched, part.unread
                    if part.found or fresh:
                        self._list(part.found, fresh=fresh)
                        fresh = False
                    self._say(*(f"{words} · searching…" for words in found_words(found)))
                    if len(found) >= MOST_FOUND:
                        break
        except CtroomError as error:
            problem = str(error)
        if fresh:
            self.results.clear()
        if not words.strip():
            self._say(*ABOUT)
            return
        more = " · more words find fewer" if len(found) >= MOST_FOUND else ""
        lost = f" · {unread} could not be read" if unread else ""
        if problem:
            self._say(problem)
        else:
            ends = (f"{searched:,} searched{lost}{more}", f"{searched:,} searched{lost}")
            self._say(*(f"{words} · {end}" for words in found_words(found) for end in ends))

    def _list(self, found: tuple[FoundConversation, ...], *, fresh: bool) -> None:
        if fresh:
            self.results.clear()
        self.results.rows += tuple(result_rows(found))

    def _say(self, *words: str) -> None:
        """Say what is going on, in the first of these words that have room."""
        self._said = words
        self._show_state()

    def _show_state(self) -> None:
        state = self.query_one("#search-state", Static)
        state.update(fitting(self._said, state.content_size.width))


def found_words(found: list[FoundConversation]) -> tuple[str, str]:
    """How much was found: "12 messages in 3 conversations", and shorter: "12 in 3 conversations"."""
    if not found:
        return "Nothing found", "Nothing found"
    messages, where = sum(one.count for one in found), _counted(len(found), "conversation")
    return f"{_counted(messages, 'message')} in {where}", f"{messages:,} in {where}"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
