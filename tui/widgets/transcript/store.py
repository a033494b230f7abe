"""The entries of a transcript and their rendered views: no widget, so that it is tested without an app."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from textual.cache import LRUCache

from tui.core.chat import MessageStatus
from tui.core.text import sanitize
from tui.widgets.transcript.lines import Line
from tui.widgets.transcript.model import Entry, EntryRole
from tui.widgets.transcript.view import EntryRenderer, EntryView

if TYPE_CHECKING:
    from tui.widgets.transcript.flow import Flow

VIEWS_KEPT = 200
"""Rendered entries that are kept; far more than a screen holds."""
RENDERED_AT_ONCE = 4_000
"""Characters; a reply that is not exact when it ends is rendered again at once up to this length."""
_FRAME_ROWS = 3
"""Rows of an entry that are not its body, for an estimate: head, blank line, and half a wrapped line."""


@dataclass(eq=False, slots=True)
class _Item:
    entry: Entry
    clean: bool = False
    """Whether the entry's body is sanitised; done when it is first needed, for a history may be large."""
    unfolded: bool = False
    flow: "Flow | None" = None
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

    def update(self, index: int, **changes: Any) -> None:
        """Replace fields of an entry; a new body starts over."""
        item = self._items[index]
        item.entry = replace(self.entry(index), **changes)
        if "body" in changes:
            item.clean, item.flow, item.newlines = False, None, -1
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
        """End a stream: what is kept is added, and the next view is the exact one.

        Where that would hold up the screen, `slices_left` says so, and `refine` makes it exact bit by bit.
        """
        self._waiting.discard(index)
        item = self._items[index]
        item.entry = replace(self.entry(index), status=MessageStatus.COMPLETE)
        self._take(index)
        self.update(index, **changes)
        if (flow := item.flow) is not None:
            flow.advance(item.entry.body)
            if not flow.exact and len(item.entry.body) <= RENDERED_AT_ONCE:
                item.flow = None

    def needs_refining(self, index: int) -> bool:
        """Whether a finished entry is shown by an approximation that `refine` can replace."""
        item = self._items[index]
        streaming = item.entry.status is MessageStatus.STREAMING
        return item.flow is not None and not streaming and not item.flow.exact

    def refine(self, index: int) -> Iterator[None]:
        """Render a finished entry exactly, in slices; nothing changes when it was reflowed meanwhile."""
        item, renderer = self._items[index], self._renderer
        if (flow := item.flow) is None or renderer is None:
            return
        from tui.widgets.transcript.flow import render_in_slices
        from tui.widgets.transcript.markdown import BlockRenderer

        blocks = BlockRenderer(renderer.palette, item.entry.key)
        lines: list[Line] = []
        slices = render_in_slices(item.entry.body, flow.cuts, flow.references, renderer.width, blocks)
        for piece in slices:
            lines += piece
            yield
        if item.flow is flow:
            flow.replace(lines, blocks.things)
            self._views.discard(index)

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
        for item in self._items:
            item.flow = None

    def is_rendered(self, index: int) -> bool:
        """Whether the entry's view is at hand."""
        return index in self._views

    def view(self, index: int) -> EntryView:
        """The rendered entry; RuntimeError before a renderer is in use."""
        if (view := self._views.get(index)) is not None:
            return view
        if self._renderer is None:
            raise RuntimeError("The transcript was asked for lines before it had a width.")
        self.renders += 1
        item, entry = self._items[index], self.entry(index)
        streaming = entry.status is MessageStatus.STREAMING and entry.role is not EntryRole.USER
        if streaming and item.flow is None:
            from tui.widgets.transcript.flow import Flow

            item.flow = Flow(self._renderer.width, self._renderer.palette, entry.key)
        marker = self.marker_words if entry.key == self.marker else ""
        view = self._renderer.render(entry, marker=marker, unfolded=item.unfolded, flow=item.flow)
        self._views[index] = view
        return view

    def estimate(self, index: int, width: int) -> int:
        """Rows that an entry will probably take at a width, without rendering it."""
        item = self._items[index]
        if item.newlines < 0:
            item.newlines = item.entry.body.count("\n")
        return _FRAME_ROWS + item.newlines + len(item.entry.body) // max(1, width)
