"""What the keys do in a transcript: moving, copying, opening, folding and finding."""

import re
from dataclasses import dataclass
from typing import Any, ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from tui.widgets.transcript.model import EntryRole, Thing
from tui.widgets.transcript.paint import links_in
from tui.widgets.transcript.scrolling import AnchoredScroll
from tui.widgets.transcript.store import EntryStore

_MAY_HOLD_THINGS = re.compile(r"```|~~~|https?:|www\.|\]\(|\]\[|^ {4}|^\t", re.MULTILINE)
"""Sources without any of these need not be rendered to know that they hold no thing."""
_SEARCHED_AT_MOST = 50
"""Entries that one key press may render in search of the next thing."""


def _binding(key: str, action: str, name: str, description: str, tooltip: str) -> Binding:
    return Binding(key, action, description, show=False, tooltip=tooltip, id=f"transcript.{name}")


class KeyActions(AnchoredScroll):
    """The actions of a transcript; text goes to the owner, who has the clipboard."""

    BINDINGS: ClassVar[list[BindingType]] = [
        _binding("j", "move_message(1)", "next_message", "Next message", "Go to the next message"),
        _binding("k", "move_message(-1)", "previous_message", "Previous message", "Go to the message before"),
        _binding("n", "move_thing(1)", "next_thing", "Next block", "Go to the next code block or link"),
        _binding("p", "move_thing(-1)", "previous_thing", "Previous block", "Go to the block or link before"),
        _binding("y", "copy_focused", "copy", "Copy", "Copy the code block, link or message in focus"),
        _binding("Y", "copy_reply", "copy_reply", "Copy reply", "Copy the last reply"),
        _binding("enter", "open_focused", "open", "Open", "Open the link in focus, or fold the reasoning"),
        _binding("r", "toggle_focused_reasoning", "reasoning", "Reasoning", "Show or fold the reasoning"),
        _binding("end,G", "follow", "follow", "End", "Go to the end and stay there"),
    ]

    @dataclass
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

    @dataclass
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

    def highlight(self, text: str) -> list[str]:
        """Mark a text wherever it is seen, in any case; returns the keys of the entries that hold it."""
        self.highlighted = text
        self._pattern = re.compile(re.escape(text), re.IGNORECASE) if text else None
        self.refresh()
        if self._pattern is None:
            return []
        entries = (self.store.entry(index) for index in range(len(self.store)))
        return [entry.key for entry in entries if self._pattern.search(entry.body)]

    def scroll_to_entry(self, key: str) -> None:
        """Put the cursor on an entry, and its first marked line, or its head, on the screen."""
        self.cursor = index = self.store.index(key)
        line = 0
        if self._pattern is not None:
            lines = self.store.view(index).lines()
            line = next((n for n, line in enumerate(lines) if self._pattern.search(line.text)), 0)
        self.scroll_to_line(index, line, row=self.size.height // 3 if line else 1)

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
        """Move to the next code block or link, in this message or one beyond it."""
        if not len(self.heights):
            return
        index, thing = self.focused_thing or (self._start_of_search(step), -1)
        for _ in range(_SEARCHED_AT_MOST):
            things = self.store.view(index).things
            found = thing + step if thing >= 0 else (0 if step > 0 else len(things) - 1)
            if 0 <= found < len(things):
                self._focus_thing(index, found)
                return
            beyond = self._next_with_things(index, step)
            if beyond is None:
                return
            index, thing = beyond, -1

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
            if _MAY_HOLD_THINGS.search(self.store.entry(index).body):
                return index
            index += step
        return None

    def _focus_thing(self, index: int, thing: int) -> None:
        self.cursor, self.focused_thing = index, (index, thing)
        lines = self.store.view(index).lines()
        at = (n for n, line in enumerate(lines) if line.thing == thing or thing in links_in(line))
        self.scroll_to_line(index, next(at, 0), row=2)

    def _thing(self) -> Thing | None:
        if self.focused_thing is None:
            return None
        index, number = self.focused_thing
        things = self.store.view(index).things
        return things[number] if number < len(things) else None

    def action_copy_focused(self) -> None:
        """Ask for a copy of the thing in focus, else of the message, else of the last reply."""
        if (thing := self._thing()) is not None:
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

    def action_copy_thing(self, key: str, number: int) -> None:
        """Ask for a copy of a thing that was clicked."""
        thing = self.store.view(self.store.index(key)).things[number]
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
