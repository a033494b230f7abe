"""The list of the chat tab: fills itself from the library, opens, names, pins, tags and deletes."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual import on
from textual.binding import Binding, BindingType
from textual.message import Message

from tui.core.chat import Conversation
from tui.core.errors import CtroomError, InvalidValueError
from tui.core.text import sanitize_line
from tui.services.entries import MOST_TAGS, TAG_LENGTH, TITLE_LENGTH, newest_first
from tui.services.library import Library, OpenConversation
from tui.widgets.conversation_list import ConversationList
from tui.widgets.conversation_rows import Row, conversation_rows, joined, matches

if TYPE_CHECKING:
    from tui.services.search import SearchHit

TAGS_LENGTH = MOST_TAGS * (TAG_LENGTH + 1)
"""Characters of all tags of a conversation, with a space between them."""
PATH_LENGTH = 1_000
"""Characters of a file's path."""


class ChatList(ConversationList):
    """The conversations of one user.

    Args:
        library: Where they are kept.
        load_attachment: The bytes of a file that was attached, by their digest.
    """

    @dataclass(repr=False, eq=False)
    class Loaded(Message):
        """A conversation that was chosen is read from disk."""

        chat_list: "ChatList"
        opened: OpenConversation
        hit: "SearchHit | None" = None
        """The message to go to, where one was found."""

        @property
        def control(self) -> "ChatList":
            """The list."""
            return self.chat_list

    @dataclass(repr=False, eq=False)
    class Changed(Message):
        """A conversation has another title, other tags, or was pinned."""

        chat_list: "ChatList"
        conversation: Conversation

        @property
        def control(self) -> "ChatList":
            """The list."""
            return self.chat_list

    @dataclass(repr=False, eq=False)
    class Deleted(Message):
        """A conversation left the list."""

        chat_list: "ChatList"
        conversation_id: str

        @property
        def control(self) -> "ChatList":
            """The list."""
            return self.chat_list

    def __init__(self, library: Library, load_attachment: Callable[[str], bytes | None]) -> None:
        super().__init__()
        self._library = library
        self._load_attachment = load_attachment
        self._reaches_older = False
        self._older: tuple[Conversation, ...] = ()
        self._rest: tuple[object, ...] = ()
        self._rest_rows: tuple[Row, ...] = ()
        self._problem = ""
        self.zone: tzinfo = UTC
        """Where the reader's days begin."""

    def fill(self) -> None:
        """List the conversations as they are: recent ones at once, older ones once their end came near."""
        if not self._older and (recent := self._rows_of(self._library.conversations())) != self.rows:
            self.rows = recent
        if self._reaches_older:
            self.run_worker(self._fill_whole(), group="older", exclusive=True, exit_on_error=False)

    def show(self, conversation: Conversation, hit: "SearchHit | None" = None) -> None:
        """Open a conversation, at a message where one was found; `Loaded` follows unless it can't be read."""
        self.current = conversation.id
        self.run_worker(self._load(conversation.id, hit), group="load", exclusive=True, exit_on_error=False)

    @on(ConversationList.EndNeared)
    def _end_neared(self) -> None:
        if not self._reaches_older:
            self._reaches_older = True
            self.fill()

    async def _fill_whole(self) -> None:
        """List recent and older conversations; the rows of years are made on a thread, and kept."""
        try:
            older = await self._library.older()
        except CtroomError as error:
            self._older_failed(str(error))
            return
        known, self._older = self._older, older
        recent = self._library.conversations()
        if older:
            newest = older[0].updated_at
            first = tuple(entry for entry in recent if entry.pinned or entry.updated_at > newest)
            between = tuple(entry for entry in recent if not entry.pinned and entry.updated_at <= newest)
            rest = (older, between, self._library.today(self.zone), self.zone, self.wanted)
            if rest != self._rest:
                entries = older + between
                self._rest_rows = await asyncio.to_thread(lambda: self._rows_of(newest_first(entries)))
                self._rest = rest
            self.rows = joined(self._rows_of(first), self._rest_rows)
        elif known:
            self.rows = self._rows_of(recent)

    def _older_failed(self, problem: str) -> None:
        if problem != self._problem:
            self._problem = problem
            self.notify(problem, title="Older ones not listed", severity="error", timeout=10, markup=False)

    @on(ConversationList.FilterChanged)
    def _filter_changed(self) -> None:
        """List what matches, older ones included."""
        self._reaches_older = True
        self.fill()

    def _rows_of(self, conversations: Iterable[Conversation]) -> tuple[Row, ...]:
        if wanted := (self.wanted or "").strip():
            conversations = [entry for entry in conversations if matches(entry, wanted)]
        return conversation_rows(conversations, self._library.today(self.zone), self.zone)

    async def _load(self, conversation_id: str, hit: "SearchHit | None") -> None:
        try:
            opened = await self._library.open(conversation_id)
            if hit is not None and all(message.id != hit.message_id for message in opened.messages):
                opened = await self._library.choose_branch(conversation_id, hit.message_id)
            self.post_message(self.Loaded(self, opened, hit))
        except CtroomError as error:
            self.notify(str(error), title="Not opened", severity="error", timeout=10, markup=False)

    # What is done to a conversation

    @on(ConversationList.Asked)
    def _asked(self, event: ConversationList.Asked) -> None:
        self.do(event.deed, event.conversation)

    def do(self, deed: str, conversation: Conversation) -> None:
        """Do something to a conversation, after asking for what it takes.

        Args:
            deed: "rename", "pin", "tags", "export" or "delete".
            conversation: The conversation.
        """
        match deed:
            case "rename":
                self._ask_for_title(conversation)
            case "tags":
                self._ask_for_tags(conversation)
            case "pin":
                self.run_worker(self._pin(conversation), exit_on_error=False)
            case "export":
                self._ask_for_path(conversation)
            case "delete":
                self.run_worker(self._delete(conversation), exit_on_error=False)

    def _ask_for_title(self, conversation: Conversation) -> None:
        from tui.dialogs.line import LineDialog

        def take(title: str) -> Coroutine[Any, Any, Conversation]:
            return self._change(self._library.rename(conversation.id, title))

        about = "An empty title lets the next prompt give one."
        self.app.push_screen(LineDialog("Title", conversation.title, about, most=TITLE_LENGTH, take=take))

    def _ask_for_tags(self, conversation: Conversation) -> None:
        from tui.dialogs.line import LineDialog

        def take(line: str) -> Coroutine[Any, Any, Conversation]:
            return self._change(self._library.tag(conversation.id, line.replace(",", " ").split()))

        about = "Words with spaces between them. In the list, / and #tag find what has a tag."
        line = " ".join(conversation.tags)
        self.app.push_screen(LineDialog("Tags", line, about, most=TAGS_LENGTH, take=take))

    def _ask_for_path(self, conversation: Conversation) -> None:
        from tui.dialogs.line import LineDialog
        from tui.services.exporting import ExportFormat, file_name
        from tui.services.host_files import check_may_write

        try:
            check_may_write(self._library.user)
        except CtroomError as error:
            self.notify(str(error), title="Not exported", severity="warning", markup=False)
            return

        def take(line: str) -> Coroutine[Any, Any, Path]:
            return self._export(conversation.id, line)

        path = Path.cwd() / file_name(conversation, ExportFormat.MARKDOWN)
        about = "Markdown; a name that ends in .json keeps everything, all branches included."
        self.app.push_screen(
            LineDialog("Export to", str(path), about, most=PATH_LENGTH, take=take, verb="export")
        )

    async def _export(self, conversation_id: str, line: str) -> Path:
        from tui.services.exporting import ExportFormat, export, write_new

        if not line.strip():
            raise InvalidValueError("Write the path of a file that is not there yet.")
        path = _expanded(line.strip())
        form = ExportFormat.JSON if path.suffix.lower() == ".json" else ExportFormat.MARKDOWN
        opened = await self._library.open(conversation_id)
        content = await asyncio.to_thread(export, opened, form, self._load_attachment)
        await asyncio.to_thread(write_new, path, content, self._library.user)
        self.notify(f"Exported to {sanitize_line(str(path), PATH_LENGTH)}.", timeout=6, markup=False)
        return path

    async def _pin(self, conversation: Conversation) -> None:
        try:
            await self._change(self._library.pin(conversation.id, pinned=not conversation.pinned))
        except CtroomError as error:
            self.notify(str(error), title="Not pinned", severity="error", timeout=10, markup=False)

    async def _change(self, change: Coroutine[Any, Any, Conversation]) -> Conversation:
        changed = await change
        self.fill()
        self.post_message(self.Changed(self, changed))
        return changed

    async def _delete(self, conversation: Conversation) -> None:
        try:
            await self._library.delete(conversation.id)
        except CtroomError as error:
            self.notify(str(error), title="Not deleted", severity="error", timeout=10, markup=False)
            return
        self.fill()
        self.post_message(self.Deleted(self, conversation.id))
        title = sanitize_line(conversation.title, 40)
        self.notify(f"Deleted \u201c{title}\u201d. F8 and u bring it back.", timeout=8, markup=False)

    @on(ConversationList.UndoRequested)
    def undo(self) -> None:
        """Bring back what was deleted last, however long ago, until it is purged."""
        if (deleted := self._library.last_deleted()) is not None:
            self.run_worker(self._restore(deleted), group="restore", exclusive=True, exit_on_error=False)
        else:
            self.notify("There is nothing that was deleted.", timeout=3)

    async def _restore(self, conversation: Conversation) -> None:
        try:
            restored = await self._library.restore(conversation.id)
        except CtroomError as error:
            self.notify(str(error), title="Not brought back", severity="error", timeout=10, markup=False)
        else:
            self.fill()
            self.go_to(restored.id)
            title = sanitize_line(restored.title, 40)
            self.notify(f"\u201c{title}\u201d is back.", timeout=3, markup=False)


def deeds_bindings() -> list[BindingType]:
    """What can be done to the open conversation: the keys of the list, after the key that leads to it."""
    deeds = (
        ("r", "do('rename')", "rename", "Rename this conversation"),
        ("p", "do('pin')", "pin", "Pin this conversation on top of the list, or let it go"),
        ("t", "do('tags')", "tags", "Tag this conversation"),
        ("e", "do('export')", "export", "Export this conversation to a file"),
        ("delete", "do('delete')", "delete", "Delete this conversation"),
        ("u", "undo_delete", "undo delete", "Bring back the conversation that was deleted last"),
    )
    return [
        Binding(f"f8 {key}", action, name, show=False, id=f"chat.{name.replace(' ', '_')}", tooltip=tooltip)
        for key, action, name, tooltip in deeds
    ]


def _expanded(line: str) -> Path:
    """The path of a line that was written, where "~" is the user's own directory."""
    with suppress(RuntimeError):  # there is no such user
        return Path(line).expanduser()
    return Path(line)
