"""The entries of a transcript and their rendered views: no widget, so that it is tested without an app."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from textual.cache import LRUCache

from tui.core.chat import MessageStatus
from tui.core.text import sanitize
from tui.widgets.transcript.model import Entry, EntryRole
from tui.widgets.transcript.view import EntryRenderer, EntryView

if TYPE_CHECKING:
    from tui.widgets.transcript.body import Body, SectionCache

VIEWS_KEPT = 200
"""Rendered entries that are kept; far more than a screen holds."""
SECTIONS_KEPT = 300
"""Rendered sections that are kept; some 15,000 lines."""
_FRAME_ROWS = 3
"""Rows of an entry that are not its body, for an estimate: head, blank line, and half a wrapped line."""


@dataclass(repr=False, eq=False, slots=True)
class _Item:
    entry: Entry
    clean: bool = False
    """Whether the entry's body is sanitised; done when it is first needed, for a history may be large."""
    unfolded: bool = False
    laid_out: "Body | None" = None
    """The body in sections, once it was seen."""
    renderer: EntryRenderer | None = None
    """What the body was laid out with."""
    body: str = ""
    """What came and is not shown yet."""
    reasoning: str = ""
    newlines: int = -1


class EntryStore:
    """Entries in order, by index and by key, rendered when asked for."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self.renders = 0
        """How often an entry was rendered; tests count it."""
        self.marker: str | None = None
        """The key of the entry that the marker line stands before."""
        self.marker_words = ""
        """What the marker line says."""
        self._items = [_Item(entry) for entry in entries]
        self._index = {item.entry.key: index for index, item in enumerate(self._items)}
        self._views: LRUCache[int, EntryView] = LRUCache(VIEWS_KEPT)
        self._sections: SectionCache = LRUCache(SECTIONS_KEPT)
        self._renderer: EntryRenderer | None = None
        self._waiting: set[int] = set()

    def __len__(self) -> int:
        return len(self._items)

    @property
    def keys(self) -> list[str]:
        """The keys of the entries, in order."""
        return list(self._index)

    def has_whole(self, key: str) -> bool:
        """Whether there is an entry of that key that does not stream."""
        index = self._index.get(key)
        return index is not None and self._items[index].entry.status is not MessageStatus.STREAMING

    def index(self, key: str) -> int:
        """The index of an entry; KeyError where there is none."""
        return self._index[key]

    def entry(self, index: int) -> Entry:
        """The entry at an index, its body sanitised."""
        item = self._items[index]
        if not item.clean:
            item.entry, item.clean = replace(item.entry, body=sanitize(item.entry.body)), True
        return item.entry

    def append(self, entry: Entry) -> int:
        """Add an entry at the end and return its index; ValueError where its key is taken."""
        if entry.key in self._index:
            raise ValueError(f"The transcript already has an entry {entry.key!r}.")
        self._index[entry.key] = index = len(self._items)
        self._items.append(_Item(entry))
        return index

    def cut(self, count: int) -> None:
        """Keep only the first entries."""
        for index in range(count, len(self._items)):
            self._views.discard(index)
            del self._index[self._items[index].entry.key]
        del self._items[count:]
        self._waiting = {index for index in self._waiting if index < count}

    def update(self, index: int, **changes: Any) -> None:
        """Replace fields of an entry; a new body starts over."""
        item, entry = self._items[index], self.entry(index)
        if "body" in changes and sanitize(changes["body"]) == entry.body:
            del changes["body"]  # what is on the screen stays there
        item.entry = replace(entry, **changes)
        if "body" in changes:
            item.clean, item.laid_out, item.renderer, item.newlines = False, None, None, -1
        self._views.discard(index)

    def push(self, index: int, body: str = "", reasoning: str = "") -> None:
        """Keep deltas for the next `take`."""
        item = self._items[index]
        item.body += body
        item.reasoning += reasoning
        self._waiting.add(index)

    def take(self) -> list[int]:
        """Add the kept deltas to their entries; returns the indexes of what changed."""
        changed = sorted(self._waiting)
        self._waiting.clear()
        for index in changed:
            self._take(index)
        return changed

    def _take(self, index: int) -> None:
        item, entry = self._items[index], self.entry(index)
        body, reasoning = item.body, item.reasoning
        item.body, item.reasoning, item.newlines = "", "", -1
        if body.endswith("\r") and entry.status is MessageStatus.STREAMING:
            body = body[:-1]  # the other half of a CRLF may come with the next delta
            item.body = "\r"
        item.entry = replace(
            entry, body=entry.body + sanitize(body), reasoning=entry.reasoning + sanitize(reasoning)
        )
        self._views.discard(index)

    def finish(self, index: int, **changes: Any) -> None:
        """End a stream: what is kept is added; what was approximate is rendered again when it is seen."""
        self._waiting.discard(index)
        item = self._items[index]
        item.entry = replace(self.entry(index), status=MessageStatus.COMPLETE)
        self._take(index)
        self.update(index, **changes)
        if item.laid_out is not None:
            item.laid_out.finish(item.entry.body)

    def toggle_reasoning(self, index: int) -> None:
        """Fold or unfold an entry's reasoning."""
        item = self._items[index]
        item.unfolded = not item.unfolded
        self._views.discard(index)

    def mark(self, key: str | None, words: str = "") -> list[int]:
        """Put the marker before an entry, or nowhere; returns the indexes of what was rendered otherwise.

        A key that is not in the transcript is that of a message yet to come.
        """
        if (key, words) == (self.marker, self.marker_words):
            return []
        concerned = {self._index[name] for name in (self.marker, key) if name in self._index}
        changed = sorted(index for index in concerned if index in self._views)
        for index in changed:
            self._views.discard(index)
        self.marker, self.marker_words = key, words
        return changed

    @property
    def width(self) -> int:
        """The width that entries are rendered at; 0 before there is one."""
        return self._renderer.width if self._renderer else 0

    def use(self, renderer: EntryRenderer) -> None:
        """Render with another width or palette from here on."""
        self._renderer = renderer
        self._views.clear()
        self._sections.clear()

    def is_rendered(self, index: int) -> bool:
        """Whether the entry's view is at hand."""
        return index in self._views

    def view(self, index: int) -> EntryView:
        """The entry in parts; RuntimeError before a renderer is in use."""
        if (view := self._views.get(index)) is not None:
            return view
        if self._renderer is None:
            raise RuntimeError("The transcript was asked for lines before it had a width.")
        self.renders += 1
        entry = self.entry(index)
        marker = self.marker_words if entry.key == self.marker else ""
        body = self._laid_out(index, self._renderer)
        view = self._renderer.render(entry, marker=marker, unfolded=self._items[index].unfolded, body=body)
        self._views[index] = view
        return view

    def _laid_out(self, index: int, renderer: EntryRenderer) -> "Body | None":
        """The body of an entry, brought up to date."""
        item, entry = self._items[index], self.entry(index)
        plain = entry.role is EntryRole.USER
        streaming = entry.status is MessageStatus.STREAMING and not plain
        body = item.laid_out
        if body is None:
            source = entry.body.strip("\n") if plain else entry.body
            if not source and not streaming:
                return None
            # An empty transcript needs no Markdown: its modules are imported with the first entry.
            from tui.widgets.transcript.body import Body

            body = item.laid_out = Body(source, entry.key, self._sections, plain=plain, growing=streaming)
        elif streaming and item.renderer is renderer:
            body.grow(entry.body)
        if item.renderer is not renderer:
            item.renderer = renderer
            if streaming:
                body.extend(entry.body)
            body.use(renderer.width, renderer.palette)
        return body

    def estimate(self, index: int, width: int) -> int:
        """Rows that an entry will probably take at a width, without rendering it."""
        item = self._items[index]
        if item.newlines < 0:
            item.newlines = item.entry.body.count("\n")
        return _FRAME_ROWS + item.newlines + len(item.entry.body) // max(1, width)
