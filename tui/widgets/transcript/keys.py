"""What the keys do in a transcript: moving, copying, opening, folding and finding."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from tui.widgets.transcript.model import MAY_HOLD_THINGS, EntryRole, Thing
from tui.widgets.transcript.scrolling import AnchoredScroll
from tui.widgets.transcript.store import EntryStore
from tui.widgets.transcript.view import EntryView, Place

_SEARCHED_AT_MOST = 50
"""Entries that one key press may render in search of the next thing."""


def _no_block(number: int, blocks: int) -> str:
    if not blocks:
        return "There is no code block here."
    return f"There is no code block {number} here: the last one is {blocks}."


def _binding(key: str, action: str, name: str, description: str, tooltip: str) -> Binding:
    return Binding(key, action, description, show=False, tooltip=tooltip, id=f"transcript.{name}")


def _more_blocks() -> Iterator[Binding]:
    """The digits beside 1, which stands for all of them in help and palette."""
    for number in range(2, 10):
        words = f"Copy block {number}"
        yield Binding(
            str(number),
            f"copy_block({number})",
            words,
            show=False,
            tooltip=words,
            id=f"transcript.copy_block_{number}",
            system=True,
        )


class KeyActions(AnchoredScroll):
    """The actions of a transcript; text goes to the owner, who has the clipboard."""

    BINDINGS: ClassVar[list[BindingType]] = [
        _binding("j", "move_message(1)", "next_message", "Next message", "Go to the next message"),
        _binding("k", "move_message(-1)", "previous_message", "Previous message", "Go to the message before"),
        _binding("n", "move_thing(1)", "next_thing", "Next block", "Go to the next code block or link"),
        _binding("p", "move_thing(-1)", "previous_thing", "Previous block", "Go to the block or link before"),
        _binding(
            "slash", "find", "find", "Find", "Find in this conversation; n and N go on from match to match"
        ),
        _binding("N", "move_match(-1)", "previous_match", "Previous match", "Go to the match before"),
        _binding(
            "y", "copy_focused", "copy", "Copy", "Copy what is selected or in focus: block, link, message"
        ),
        _binding("Y", "copy_reply", "copy_reply", "Copy reply", "Copy the last reply"),
        _binding("C", "copy_all", "copy_all", "Copy conversation", "Copy the conversation as Markdown"),
        _binding(
            "1", "copy_block(1)", "copy_block", "Copy block 1", "Copy code block 1 (2 to 9: the others)"
        ),
        *_more_blocks(),
        _binding("s", "save_block", "save_block", "Save block", "Save the code block in focus to a file"),
        _binding("enter", "open_focused", "open", "Open", "Open the link in focus, or fold the reasoning"),
        _binding("r", "toggle_focused_reasoning", "reasoning", "Reasoning", "Show or fold the reasoning"),
        _binding("end,G", "follow", "follow", "End", "Go to the end of the conversation and stay there"),
    ]

    @dataclass(repr=False, eq=False)
    class CopyRequested(Message, namespace="transcript"):
        """Text is to be copied; the transcript never touches the clipboard."""

        transcript: "KeyActions"
        text: str
        what: str
        """What the text is, such as "code block 2", "link", "message" or "reply"."""

        @property
        def control(self) -> "KeyActions":
            """The transcript."""
            return self.transcript

    @dataclass(repr=False, eq=False)
    class SaveRequested(Message, namespace="transcript"):
        """A code block is to be saved to a file."""

        transcript: "KeyActions"
        block: Thing

        @property
        def control(self) -> "KeyActions":
            """The transcript."""
            return self.transcript

    @dataclass(repr=False, eq=False)
    class FindRequested(Message, namespace="transcript"):
        """The user wants to find something in the conversation."""

        transcript: "KeyActions"

        @property
        def control(self) -> "KeyActions":
            """The transcript."""
            return self.transcript

    @dataclass(repr=False, eq=False)
    class LinkClicked(Message, namespace="transcript"):
        """A link was clicked, or opened by key."""

        transcript: "KeyActions"
        href: str

        @property
        def control(self) -> "KeyActions":
            """The transcript."""
            return self.transcript

    store: EntryStore

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.cursor = -1
        """The index of the message in focus; -1 for none."""
        self.focused_thing: tuple[int, int] | None = None
        """The index of an entry, and the number of a thing in it."""
        self.highlighted = ""
        """Text that is marked wherever it is seen."""
        self._pattern: re.Pattern[str] | None = None
        self._match: tuple[int, Place] | None = None
        """The line of the current match, and the index of its entry."""

    def highlight(self, *texts: str) -> list[str]:
        """Mark texts wherever they are seen, in any case; returns the keys of the entries that hold any."""
        sought = [text for text in texts if text]
        self.highlighted = " ".join(sought)
        self._pattern = re.compile("|".join(map(re.escape, sought)), re.IGNORECASE) if sought else None
        self._match = None
        self.refresh()
        if self._pattern is None:
            return []
        entries = (self.store.entry(index) for index in range(len(self.store)))
        return [entry.key for entry in entries if self._pattern.search(entry.body)]

    def scroll_to_entry(self, key: str) -> None:
        """Put the cursor on an entry, and its first marked line, or its head, on the screen."""
        self.cursor = index = self.store.index(key)
        place = self._first_match(index) if self._pattern is not None else None
        self._match = (index, place or Place(0, 0))
        if place is None:
            self.scroll_to_line(index)
        else:
            self.scroll_to_line(index, place, row=self.size.height // 3 if place != (0, 0) else 1)

    def _first_match(self, index: int) -> Place | None:
        """The first line of an entry with something marked."""
        view = self.store.view(index)
        for part in range(view.parts):
            if lines := self._marked_lines(view, part):
                return Place(part, lines[0])
        return None

    def _marked_lines(self, view: EntryView, part: int) -> list[int]:
        """The lines of a part that have something marked; it is rendered only where its source has."""
        pattern = self._pattern
        if pattern is None or not pattern.search(view.source_of(part)):
            return []
        return [number for number, line in enumerate(view.lines_of(part)) if pattern.search(line.text)]

    def action_move_message(self, step: int) -> None:
        """Move the cursor by messages; from the one in view where there is no cursor yet."""
        if not len(self.heights):
            return
        start = self.cursor if self.cursor >= 0 else self._entry_in_view(step)
        self.cursor = min(max(0, start + step), len(self.heights) - 1)
        self.focused_thing = None
        if self.cursor == len(self.heights) - 1 and self.heights[self.cursor] <= self.size.height:
            self.follow()
        else:
            self.scroll_to_line(self.cursor)

    def _entry_in_view(self, step: int) -> int:
        index = self.heights.find(int(self.scroll_y))[0]
        if step < 0 and self.following:
            return len(self.heights)
        return index - 1 if step > 0 else index

    def action_move_thing(self, step: int) -> None:
        """Move to the next match where something is marked, else to the next code block or link."""
        if self._pattern is not None:
            self.action_move_match(step)
            return
        if not len(self.heights):
            return
        index, thing = self.focused_thing or (self._start_of_search(step), None)
        for _ in range(_SEARCHED_AT_MOST):
            found = self.store.view(index).thing_beyond(thing, step)
            if found is not None:
                self._focus_thing(index, found)
                return
            beyond = self._next_with_things(index, step)
            if beyond is None:
                return
            index, thing = beyond, None

    def action_find(self) -> None:
        """Ask for words to find in the conversation."""
        self.post_message(self.FindRequested(self))

    def action_move_match(self, step: int) -> None:
        """Move to the next line with something marked; after the last comes the first."""
        count = len(self.store)
        if self._pattern is None or not count:
            return
        index, place = self._match or (self._entry_in_view(-1) % count, None)
        for distance in range(count + 1):
            at = (index + step * distance) % count
            if not self._pattern.search(self.store.entry(at).body):
                continue
            found = self._match_beyond(at, place if distance == 0 else None, step)
            if found is not None:
                self._match = (at, found)
                self.cursor, self.focused_thing = at, None
                self.scroll_to_line(at, found, row=self.size.height // 3)
                return

    def _match_beyond(self, index: int, place: Place | None, step: int) -> Place | None:
        """The next line of an entry with something marked; the first in the direction where none is given."""
        view = self.store.view(index)
        parts = range(view.parts) if step > 0 else range(view.parts - 1, -1, -1)
        for part in parts:
            if place is not None and (part - place.part) * step < 0:
                continue
            lines = self._marked_lines(view, part)
            if place is not None and part == place.part:
                lines = [number for number in lines if (number - place.line) * step > 0]
            if lines:
                return Place(part, lines[0 if step > 0 else -1])
        return None

    def _start_of_search(self, step: int) -> int:
        if self.cursor >= 0:
            return self.cursor
        return (
            len(self.heights) - 1
            if step < 0 and self.following
            else self._entry_in_view(-1) % len(self.heights)
        )

    def _next_with_things(self, index: int, step: int) -> int | None:
        index += step
        while 0 <= index < len(self.store):
            if MAY_HOLD_THINGS.search(self.store.entry(index).body):
                return index
            index += step
        return None

    def _focus_thing(self, index: int, thing: int) -> None:
        self.cursor, self.focused_thing = index, (index, thing)
        self.scroll_to_line(index, self.store.view(index).place_of(thing), row=2)

    def _thing(self) -> Thing | None:
        if self.focused_thing is None:
            return None
        index, number = self.focused_thing
        return self.store.view(index).thing(number)

    def action_copy_focused(self) -> None:
        """Ask for a copy of the selection, else the thing in focus, else the message, else the last reply."""
        if self.text_selection is not None and (selected := self.screen.get_selected_text()):
            self._request_copy(selected, "selection")
        elif (thing := self._thing()) is not None:
            self._request_copy(thing.text, thing.label)
        elif 0 <= self.cursor < len(self.store):
            self._request_copy(self.store.entry(self.cursor).body, "message")
        else:
            self.action_copy_reply()

    def action_copy_reply(self) -> None:
        """Ask for a copy of the last reply."""
        for index in range(len(self.store) - 1, -1, -1):
            if (entry := self.store.entry(index)).role is EntryRole.ASSISTANT:
                self._request_copy(entry.body, "reply")
                return

    def action_copy_all(self) -> None:
        """Ask for a copy of the whole conversation, as Markdown."""
        entries = (self.store.entry(index) for index in range(len(self.store)))
        spoken = [entry for entry in entries if entry.role is not EntryRole.NOTICE and entry.body]
        parts = (f"## {entry.title}\n\n{entry.body.strip()}\n" for entry in spoken)
        self._request_copy("\n".join(parts), "conversation")

    def action_copy_block(self, number: int) -> None:
        """Ask for a copy of a code block by the number in its head line."""
        view = self._view_with_blocks()
        at = view.code_block(number) if view is not None else None
        block = view.thing(at) if view is not None and at is not None else None
        if block is not None:
            self._request_copy(block.text, block.label)
        else:
            last = view.last_code_block() if view is not None else None
            count = int(last.label.rpartition(" ")[2]) if last is not None else 0
            self.notify(_no_block(number, count), timeout=3, markup=False)

    def action_save_block(self) -> None:
        """Ask to save the code block in focus; where none is, the last one of the message."""
        thing, view = self._thing(), self._view_with_blocks()
        if thing is None or thing.kind != "code":
            thing = view.last_code_block() if view is not None else None
        if thing is not None:
            self.post_message(self.SaveRequested(self, thing))
        else:
            self.notify(_no_block(1, 0), timeout=3, markup=False)

    def _view_with_blocks(self) -> EntryView | None:
        """The message in focus; where none is, the last message that has code blocks."""
        if self.cursor >= 0:
            return self.store.view(self.cursor)
        index: int | None = len(self.store)
        while index is not None and (index := self._next_with_things(index, -1)) is not None:
            if (view := self.store.view(index)).last_code_block() is not None:
                return view
        return None

    def action_copy_thing(self, key: str, number: int) -> None:
        """Ask for a copy of a thing that was clicked."""
        if (thing := self.store.view(self.store.index(key)).thing(number)) is not None:
            self._request_copy(thing.text, thing.label)

    def _request_copy(self, text: str, what: str) -> None:
        if text:
            self.post_message(self.CopyRequested(self, text, what))

    def action_open_focused(self) -> None:
        """Open the link in focus; otherwise fold or unfold the reasoning."""
        thing = self._thing()
        if thing is not None and thing.kind == "link":
            self.action_open_link(thing.text)
        elif thing is None:
            self.action_toggle_focused_reasoning()

    def action_open_link(self, href: str) -> None:
        """Tell the owner that a link is to be opened."""
        self.post_message(self.LinkClicked(self, href))

    def action_toggle_focused_reasoning(self) -> None:
        """Fold or unfold the reasoning of the message in focus, else of the last that has any."""
        last_first = range(len(self.store) - 1, -1, -1)
        for index in [self.cursor] if self.cursor >= 0 else last_first:
            if self.store.entry(index).reasoning:
                self.action_toggle_reasoning(self.store.entry(index).key)
                return

    def action_toggle_reasoning(self, key: str) -> None:
        """Fold or unfold the reasoning of an entry."""
        index = self.store.index(key)
        if self.text_selection is not None:
            self.screen.clear_selection()
        self.store.toggle_reasoning(index)
        self.measure(index)
        self.put(self.scroll_y)
        self.settle()

    def action_follow(self) -> None:
        """Go to the end and stay there."""
        self.cursor, self.focused_thing = -1, None
        self.follow()
