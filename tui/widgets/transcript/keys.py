"""What the keys do in a transcript: moving, copying, opening, folding and finding."""

import re
import sys
from collections.abc import Iterator
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
    class SaveRequested(Message, namespace="transcript"):
        """A code block is to be saved to a file."""

        transcript: "KeyActions"
        block: Thing

        @property
        def control(self) -> "KeyActions":
            """The transcript."""
            return self.transcript

    @dataclass
    class FindRequested(Message, namespace="transcript"):
        """The user wants to find something in the conversation."""

        transcript: "KeyActions"

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
        self._match = (-1, -1)

    def highlight(self, *texts: str) -> list[str]:
        """Mark texts wherever they are seen, in any case; returns the keys of the entries that hold any."""
        sought = [text for text in texts if text]
        self.highlighted = " ".join(sought)
        self._pattern = re.compile("|".join(map(re.escape, sought)), re.IGNORECASE) if sought else None
        self._match = (-1, -1)
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
            self._match = (index, line)
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
        """Move to the next match where something is marked, else to the next code block or link."""
        if self._pattern is not None:
            self.action_move_match(step)
            return
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

    def action_find(self) -> None:
        """Ask for words to find in the conversation."""
        self.post_message(self.FindRequested(self))

    def action_move_match(self, step: int) -> None:
        """Move to the next line with something marked; after the last comes the first."""
        count = len(self.store)
        if self._pattern is None or not count:
            return
        index, line = self._match
        if index < 0:
            index, line = self._entry_in_view(-1) % count, -1 if step > 0 else sys.maxsize
        for distance in range(count + 1):
            at = (index + step * distance) % count
            if not self._pattern.search(self.store.entry(at).body):
                continue
            lines = self._marked_lines(at)
            if distance == 0:
                lines = [n for n in lines if (n > line if step > 0 else n < line)]
            if lines:
                self._match = (at, lines[0 if step > 0 else -1])
                self.cursor, self.focused_thing = at, None
                self.scroll_to_line(*self._match, row=self.size.height // 3)
                return

    def _marked_lines(self, index: int) -> list[int]:
        """The lines of an entry that have something marked; the first where its marks are out of sight."""
        pattern = self._pattern
        lines = enumerate(self.store.view(index).lines())
        return [n for n, line in lines if pattern and pattern.search(line.text)] or [0]

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
        blocks = self._blocks()
        if number <= len(blocks):
            self._request_copy(blocks[number - 1].text, blocks[number - 1].label)
        else:
            self.notify(_no_block(number, len(blocks)), timeout=3, markup=False)

    def action_save_block(self) -> None:
        """Ask to save the code block in focus; where none is, the last one of the message."""
        thing, blocks = self._thing(), self._blocks()
        if thing is not None and thing.kind == "code":
            self.post_message(self.SaveRequested(self, thing))
        elif blocks:
            self.post_message(self.SaveRequested(self, blocks[-1]))
        else:
            self.notify(_no_block(1, 0), timeout=3, markup=False)

    def _blocks(self) -> list[Thing]:
        """The code blocks of the message in focus; where none is, of the last message that has any."""
        index: int | None = self.cursor
        if self.cursor < 0:
            index = len(self.store)
            while (index := self._next_with_things(index, -1)) is not None:
                if any(thing.kind == "code" for thing in self.store.view(index).things):
                    break
        return [] if index is None else [t for t in self.store.view(index).things if t.kind == "code"]

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
