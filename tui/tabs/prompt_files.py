"""The files that go with the prompt: attached by path, by @ in the text or by a path that was pasted."""

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message

from tui.core.chat import Attachment
from tui.core.errors import CtroomError, InvalidValueError
from tui.core.settings import provider_name
from tui.services.attachments import Attachments, ReadFile, expanded, on_a_thread
from tui.services.paths import PathChoice, complete, may_be_path, pasted_file
from tui.services.services import Services
from tui.tabs.chat_pane import Target
from tui.widgets.attachment_bar import AttachmentBar
from tui.widgets.path_list import PathList
from tui.widgets.prompt import Prompt

LOOK_SECONDS = 2.0
"""How long a directory may take to be read before nothing is offered of it."""
_WRITTEN = re.compile(r"(?:^|(?<=\s))@((?:\\.|[^\s\\])*)$")
"""An @ at the beginning of a word, and what is written of a path after it; a backslash keeps a space."""
_MOVES = {"down": 1, "up": -1}


class PromptFiles(Vertical):
    """Keeps the prompt's attachments, and offers paths while one is written.

    Args:
        services: The session's services.
        prompt: What the files go with; it keeps the focus.
        target: What the prompt would be sent to.
    """

    @dataclass(repr=False, eq=False)
    class Changed(Message):
        """A file was attached or taken off, or another model estimates them otherwise."""

        files: "PromptFiles"

        @property
        def control(self) -> "PromptFiles":
            """The files."""
            return self.files

    @dataclass(repr=False, eq=False)
    class _Found(Message):
        """The paths that what is written may become are known."""

        written: str
        choices: tuple[PathChoice, ...]

    @dataclass(repr=False, eq=False)
    class _PasteFound(Message):
        """What was pasted is the path of a file."""

        text: str
        path: Path

    @dataclass(repr=False, eq=False)
    class _WasRead(Message):
        """A file was read, and may be attached."""

        file: ReadFile
        written: str
        """What stands for it in the prompt."""

    @dataclass(repr=False, eq=False)
    class _Attached(Message):
        """A file is kept."""

        attachment: Attachment
        written: str

    @dataclass(repr=False, eq=False)
    class _Measured(Message):
        """What the files add for another model is known."""

        attached: tuple[Attachment, ...]

    def __init__(self, services: Services, prompt: Prompt, target: Target) -> None:
        super().__init__(id="files")
        self._attachments = Attachments(services.store, services.user)
        self._prompt = prompt
        self.bar = AttachmentBar(id="attached")
        self.paths = PathList()
        self._target = target
        self._pasted: tuple[str, Path] | None = None
        self._ready = False
        self._unseen = ""
        """A paste that came before there was a list to show."""
        self._dismissed: str | None = None
        self._offered: str | None = None
        """What was written of a path when the list was made."""
        self._wanted = False
        """Whether the first path is to be taken as soon as the list is right."""

    def compose(self) -> ComposeResult:
        """The lines of what is attached, and the list that opens over them."""
        yield self.bar
        yield self.paths

    def on_mount(self) -> None:
        """Take the keys that move in the list before the prompt does, and look at what is written already."""
        self._prompt.take_first = self._take_key
        self._ready = True
        self.follow_text()
        self.pasted(self._unseen)

    # What the tab calls

    def show(self, attached: tuple[Attachment, ...]) -> None:
        """Show the files of another draft, and find out which of them are still kept."""
        self._set(attached)
        self.paths.offer(())
        self._measure_soon()

    def aim(self, target: Target) -> None:
        """The prompt would be sent elsewhere: estimate what is attached for the model there.

        Args:
            target: Conversation, provider and model.
        """
        before, self._target = self._target, target
        if (before.provider, before.model) != (target.provider, target.model):
            self._measure_soon()

    def put_back(self, attached: tuple[Attachment, ...]) -> None:
        """Attach again what was not sent."""
        self._set((*attached, *self._prompt.attached))

    def ask(self) -> None:
        """Ask for the path of a file to attach."""
        from tui.dialogs.line import LineDialog

        def answered(file: ReadFile | None) -> None:
            if file is not None:
                self.post_message(self._WasRead(file, ""))

        about = "The path of a text file, a picture or a PDF; ~ is your home directory."
        dialog = LineDialog("Attach a file", "", about, most=4_096, take=self._read_named, verb="attach")
        self.app.push_screen(dialog, answered)

    def take_off_last(self) -> None:
        """Take off the file that was attached last."""
        self._set(self._prompt.attached[:-1])

    def follow_text(self) -> None:
        """The prompt's text is another: offer paths where one is being written."""
        if not self._ready:
            return
        self.bar.attached = self._prompt.attached
        self._pasted = None
        self._wanted = False
        written = self._written()
        if written is None or written == self._dismissed or not self._attachments.allowed:
            self.paths.offer(())
            return
        self._dismissed = None
        self.run_worker(self._look(written), group="paths", exclusive=True, exit_on_error=False)

    def pasted(self, text: str) -> None:
        """Offer to attach a file whose path was pasted alone."""
        if not self._ready:
            self._unseen = text
        elif may_be_path(text) and self._prompt.text.strip() == text.strip() and self._attachments.allowed:
            self.run_worker(self._look_at_paste(text), group="paths", exclusive=True, exit_on_error=False)

    # Offers

    def _written(self) -> str | None:
        """What is written of a path before the cursor; None where none is being written."""
        row, column = self._prompt.cursor_location
        match = _WRITTEN.search(self._prompt.document.get_line(row)[:column])
        return match[1] if match else None

    async def _look(self, written: str) -> None:
        path = written.replace("\\ ", " ")
        choices = await on_a_thread(lambda: complete(path), LOOK_SECONDS)
        self.post_message(self._Found(written, choices or ()))

    @on(_Found)
    def _found(self, event: _Found) -> None:
        if event.written != self._written() or event.written == self._dismissed:
            return
        self._offered = event.written
        self.paths.offer(event.choices, "Attach · Tab takes it, Esc closes")
        if self._wanted and self.paths.choice is not None:
            self._take(self.paths.choice)

    async def _look_at_paste(self, text: str) -> None:
        path = await on_a_thread(lambda: pasted_file(text), LOOK_SECONDS)
        if path is not None:
            self.post_message(self._PasteFound(text, path))

    @on(_PasteFound)
    def _paste_found(self, event: _PasteFound) -> None:
        if self._prompt.text.strip() == event.text.strip():
            self._pasted = (event.text, event.path)
            self.paths.offer([PathChoice(str(event.path), event.path.name)], "Tab attaches this file")

    def _take_key(self, key: str) -> bool:
        """Use a key of the prompt for the list, or to take off a file; True where it did."""
        if key == "backspace" and not self._prompt.text and self._prompt.attached:
            self.take_off_last()
            return True
        if not self.paths.is_open:
            return False
        if key in _MOVES:
            (self.paths.action_cursor_down if _MOVES[key] > 0 else self.paths.action_cursor_up)()
        elif key == "escape":
            self._dismissed = self._written()
            self.paths.offer(())
        elif (key == "tab" or (key == "enter" and self._pasted is None)) and self.paths.choice is not None:
            self._take(self.paths.choice)
        else:
            return False
        return True

    @on(PathList.Chosen)
    def _chosen(self, event: PathList.Chosen) -> None:
        self._take(event.choice)

    def _take(self, choice: PathChoice) -> None:
        """Go on into a directory, or attach a file."""
        if self._pasted is not None:
            text, file = self._pasted
            self.paths.offer(())
            self._read(file, text)
            return
        written = self._written()
        if written is None:
            return
        if written != self._offered:  # the list is that of earlier keys: the right one is on its way
            self._wanted = True
            return
        path = choice.path.replace(" ", "\\ ")
        row, column = self._prompt.cursor_location
        self._prompt.replace(path, (row, column - len(written)), (row, column))
        if not choice.directory:
            self.paths.offer(())
            self._dismissed = path
            self._read(expanded(choice.path), f"@{path}")

    # Attaching

    async def _read_named(self, line: str) -> ReadFile:
        """Read the file of a path that was typed, or dropped on the field."""
        if not (text := line.strip()):
            raise InvalidValueError("Write the path of a file.")
        path = await on_a_thread(lambda: pasted_file(text), LOOK_SECONDS)
        return await self._attachments.read(path or expanded(text), self._target.provider, self._target.model)

    def _read(self, path: Path, written: str) -> None:
        self.run_worker(self._reading(path, written), group="attach", exit_on_error=False)

    async def _reading(self, path: Path, written: str) -> None:
        try:
            file = await self._attachments.read(path, self._target.provider, self._target.model)
        except CtroomError as error:
            self._refuse(error)
        else:
            self.post_message(self._WasRead(file, written))

    @on(_WasRead)
    def _was_read(self, event: _WasRead) -> None:
        """Keep it; where it seems to hold secrets, ask first."""
        if not event.file.warning:
            self._keep_soon(event.file, event.written)
            return
        from tui.dialogs.confirm import ConfirmDialog

        to = provider_name(self._target.provider)
        question = ConfirmDialog(
            f"Attach {event.file.name}?", f"{event.file.warning} It would be sent to {to}.", yes="Attach"
        )

        def answered(yes: bool | None) -> None:
            if yes:
                self._keep_soon(event.file, event.written)

        self.app.push_screen(question, answered)

    def _keep_soon(self, file: ReadFile, written: str) -> None:
        self.run_worker(self._keep(file, written), group="attach", exit_on_error=False)

    async def _keep(self, file: ReadFile, written: str) -> None:
        try:
            attachment = await self._attachments.keep(file)
        except CtroomError as error:
            self._refuse(error)
        else:
            self.post_message(self._Attached(attachment, written))

    @on(_Attached)
    def _was_attached(self, event: _Attached) -> None:
        """Show it, and let its name stand in the text where its path did; alone, nothing is left of it."""
        known = {(one.digest, one.name) for one in self._prompt.attached}
        if event.written:
            self._dismissed = None
            self._replace_written(event.written, event.attachment.name)
        if (event.attachment.digest, event.attachment.name) in known:
            self.notify(f"{event.attachment.name} is attached already.", markup=False)
        else:
            self._set((*self._prompt.attached, event.attachment))

    def _replace_written(self, written: str, name: str) -> None:
        text = self._prompt.text
        if text.strip() == written.strip():
            self._prompt.show("")
            return
        at = text.find(written)
        if at >= 0:
            row, column = text.count("\n", 0, at), at - text.rfind("\n", 0, at) - 1
            self._prompt.replace(name, (row, column), (row, column + len(written)))

    def _refuse(self, error: CtroomError) -> None:
        self.notify(str(error), title="Not attached", severity="error", timeout=10, markup=False)

    @on(AttachmentBar.Removed)
    def _removed(self, event: AttachmentBar.Removed) -> None:
        self._set(tuple(one for one in self._prompt.attached if one.id != event.attachment.id))

    def _measure_soon(self) -> None:
        if attached := self._prompt.attached:
            self.run_worker(self._measure(attached), group="measure", exclusive=True)

    async def _measure(self, attached: tuple[Attachment, ...]) -> None:
        with suppress(CtroomError):
            measured = await self._attachments.measured(attached, self._target.provider, self._target.model)
            self.post_message(self._Measured(measured))

    @on(_Measured)
    def _was_measured(self, event: _Measured) -> None:
        """Show the estimates; what is not kept any more can't be sent, and is taken off."""
        known = {one.id: one for one in event.attached}
        attached = tuple(known.get(one.id, one) for one in self._prompt.attached)
        gone = [one for one in attached if one.id in known and one.tokens is None]
        if gone:
            self.notify(_gone_words(gone), title="Not attached", severity="warning", timeout=10, markup=False)
        self._set(tuple(one for one in attached if one not in gone))

    def _set(self, attached: tuple[Attachment, ...]) -> None:
        self._prompt.attached = self.bar.attached = attached
        self.post_message(self.Changed(self))


def _gone_words(gone: Sequence[Attachment]) -> str:
    names = " and ".join(filter(None, [", ".join(one.name for one in gone[:-1]), gone[-1].name]))
    if len(gone) == 1:
        return f"The kept copy of {names} is gone, so it is no longer attached: attach it again."
    return f"The kept copies of {names} are gone, so they are no longer attached: attach them again."
