"""The part of the chat tab that attaches files; what it takes is made once a file or a path is in sight."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual import on
from textual.binding import Binding
from textual.message import Message as UiMessage
from textual.widgets import TextArea

from tui.core.chat import Attachment, Message
from tui.tabs.chat_pane import Target
from tui.tabs.composing import Composing
from tui.widgets.prompt import Prompt

if TYPE_CHECKING:
    from tui.tabs.prompt_files import PromptFiles


class Attaching(Composing):
    """Hands what concerns files on to `PromptFiles`, which the first frame does not pay for."""

    BINDINGS = [
        Binding(
            "ctrl+o",
            "attach",
            "attach",
            show=False,
            id="chat.attach",
            tooltip="Attach a file to the prompt: text, a picture or a PDF",
        ),
        Binding(
            "alt+o",
            "detach",
            "take off",
            show=False,
            id="chat.detach",
            tooltip="Take off the file that was attached last",
        ),
    ]
    files: "PromptFiles | None" = None
    """The files that go with the prompt; None until there may be any."""

    @dataclass(repr=False, eq=False)
    class _FilesGone(UiMessage):
        """Files that go with messages of a conversation are not there any more."""

        conversation_id: str
        gone: frozenset[str]

    def action_attach(self) -> None:
        """Attach a file by its path."""
        self._make_files().ask()

    def action_detach(self) -> None:
        """Take off the file that was attached last."""
        if self.files is not None:
            self.files.take_off_last()

    def attach_again(self, attached: tuple[Attachment, ...]) -> None:
        """Put files that were not sent back to the prompt."""
        if attached:
            self._make_files().put_back(attached)

    def show_files(self, attached: tuple[Attachment, ...]) -> None:
        """Put the files of a draft in the place of those that the prompt has."""
        if self.files is not None:
            self.files.show(attached)
        elif attached:
            self.pane.prompt.attached = attached
            self.call_after_refresh(self._show_attached)  # the first frame does not wait for it

    def _show_attached(self) -> None:
        self._make_files().show(self.pane.prompt.attached)

    def aim_files(self, target: Target) -> None:
        """The prompt would be sent elsewhere: show what is attached as that model would take it."""
        if self.files is not None:
            self.files.aim(target)

    def look_for_files(self, conversation_id: str, messages: Sequence[Message]) -> None:
        """Find out whether the files that go with messages are still there; nothing waits for it."""
        with_files = [message for message in messages if message.attachments]
        if with_files:
            self.run_worker(self._look(conversation_id, with_files), group="files", exit_on_error=False)

    async def _look(self, conversation_id: str, messages: Sequence[Message]) -> None:
        from tui.services.attachments import Attachments

        gone = await Attachments(self.services.store, self.services.user).missing(messages)
        if gone:
            self.post_message(self._FilesGone(conversation_id, gone))

    def on_prompt_files_changed(self) -> None:
        """What is attached is other: by name, since the class is imported with the first file."""
        self.pane.follow_files()
        self.drafts.note()

    @on(_FilesGone)
    def _files_gone(self, event: _FilesGone) -> None:
        if self.conversation is not None and self.conversation.id == event.conversation_id:
            self.pane.show_gone(event.gone)

    def _make_files(self) -> "PromptFiles":
        if self.files is None:
            from tui.tabs.prompt_files import PromptFiles

            self.files = PromptFiles(self.services, self.pane.prompt, self.target)
            self.pane.mount(self.files, before=self.pane.prompt)
        return self.files

    @on(TextArea.Changed, "#prompt")
    def _paths_may_be_written(self) -> None:
        if self.files is not None or "@" in self.pane.prompt.text:
            self._make_files().follow_text()

    @on(Prompt.Pasted)
    def _path_may_be_pasted(self, event: Prompt.Pasted) -> None:
        from tui.services.paths import may_be_path

        if may_be_path(event.text):
            self._make_files().pasted(event.text)
