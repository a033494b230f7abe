"""Full-text search through all of a user's conversations, the latest used first.

Files are read one after the other on a thread, in slices that leave the event loop its turns: 1,000
conversations of 100 messages take a third of a second (`bench_search`), so that no index has to be kept.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Iterator
from itertools import islice

from tui.core.chat import Conversation, Role
from tui.core.errors import StorageError
from tui.core.frozen import frozen
from tui.core.ports import MessageText, Store
from tui.core.text import sanitize
from tui.services.library import Library
from tui.services.search_query import Query

SLICE_SECONDS = 0.02
"""For which the thread searches before it hands over what it found."""
HITS_SHOWN = 4
"""Messages of one conversation that are handed over; the others are counted."""
SNIPPET = 160
"""Characters of a text around what was found."""
BEFORE = 24
"""Of them, before it."""


@frozen
class SearchHit:
    """A message that has what is sought."""

    message_id: str
    role: Role
    snippet: str
    """One line of its text, safe to show."""
    marks: tuple[tuple[int, int], ...]
    """Where the terms stand in the snippet."""
    found: tuple[str, ...]
    """The terms as the text writes them."""


@frozen
class FoundConversation:
    """A conversation that has what is sought, in its messages, its title, or both."""

    conversation: Conversation
    hits: tuple[SearchHit, ...]
    """The first of them, oldest first."""
    count: int
    """Messages that have it."""


@frozen
class SearchSlice:
    """What a search found since the slice before."""

    found: tuple[FoundConversation, ...]
    searched: int
    """Conversations that were looked at so far."""
    unread: int
    """Of them, those whose file is damaged or can't be read."""


class Search:
    """Searches one user's conversations, older ones included.

    Args:
        library: Knows which conversations are the user's.
        store: Keeps their messages.
    """

    def __init__(self, library: Library, store: Store) -> None:
        self._library = library
        self._store = store

    async def search(self, text: str) -> AsyncGenerator[SearchSlice, None]:
        """Look for what was typed: every word, and every phrase in double quotes, in the same message.

        Closing the generator ends the search.

        Raises:
            StorageError: The entries of older conversations can't be read; what is recent was searched.
        """
        query = Query.parse(text)
        if query is None:
            return
        recent = self._library.conversations()
        run = _Run(self._store, query, iter(recent))
        async for found in run.slices():
            yield found
        known = {entry.id for entry in recent}
        older = await self._library.older()
        run.entries = (entry for entry in older if entry.id not in known)
        async for found in run.slices():
            yield found


class _Run:
    """One search under way."""

    def __init__(self, store: Store, query: Query, entries: Iterator[Conversation]) -> None:
        self.entries = entries
        self._store = store
        self._query = query
        self._searched = 0
        self._unread = 0

    async def slices(self) -> AsyncGenerator[SearchSlice, None]:
        """Search the entries to their end."""
        while True:
            before = self._searched
            found = await asyncio.to_thread(self._slice)
            if self._searched == before:
                return
            yield SearchSlice(found, self._searched, self._unread)

    def _slice(self) -> tuple[FoundConversation, ...]:
        end = time.monotonic() + SLICE_SECONDS
        found = []
        for entry in self.entries:
            self._searched += 1
            if hit := self._look(entry):
                found.append(hit)
            if time.monotonic() >= end:
                break
        return tuple(found)

    def _look(self, entry: Conversation) -> FoundConversation | None:
        try:
            texts = self._store.read_texts(entry.id, self._query.may_be_in)
        except StorageError:
            self._unread += 1
            texts = ()
        holding = [text for text in texts if text.role is not Role.SYSTEM and self._query.is_in(text.text)]
        if not holding and not self._query.is_in(entry.title):
            return None
        hits = tuple(_hit(self._query, text) for text in islice(holding, HITS_SHOWN))
        return FoundConversation(entry, hits, len(holding))


def _hit(query: Query, message: MessageText) -> SearchHit:
    text = message.text
    marks = list(islice(query.marks(text), 20))
    first = marks[0][0]
    start = max(0, first - BEFORE)
    if start:
        start = next((at + 1 for at in range(start, first) if text[at].isspace()), start)
    end = start + SNIPPET
    line = " ".join(sanitize(text[start:end]).split())
    snippet = f"{'…' if start else ''}{line}{'…' if end < len(text) else ''}"
    found = dict.fromkeys(text[first:last] for first, last in marks)
    return SearchHit(message.id, message.role, snippet, tuple(query.marks(snippet)), tuple(found))
