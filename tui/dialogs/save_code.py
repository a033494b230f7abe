"""The dialog that asks where a code block is saved."""

import asyncio

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input, Static

from tui.core.errors import InvalidValueError
from tui.dialogs.dialog import Dialog
from tui.services.code_files import FileExistsAlreadyError, save_code, suggested_name
from tui.widgets.transcript.model import Thing

ABOUT = "In the directory where Ctroom was started, unless the path says otherwise. ~ is your home."


class SaveCodeDialog(Dialog[str]):
    """A field for the path; it answers with the whole path of the file once that is written.

    A file that is there is replaced only by a second Enter, once it is shown what that would do.

    Args:
        block: The code block.
        user: Who saves it.
    """

    AUTO_FOCUS = "Input"

    def __init__(self, block: Thing, user: str) -> None:
        super().__init__()
        self._block = block
        self._user = user
        self._refused = ""

    def compose(self) -> ComposeResult:
        """The field over what is to be known."""
        number = self._block.label.rpartition(" ")[2]
        name = suggested_name(self._block.language, number)
        with Vertical(classes="dialog -small") as frame:
            frame.border_title = f"Save {self._block.label}"
            frame.border_subtitle = "Enter save · Esc close"
            stem = name.rpartition(".")[0] or name
            yield Input(name, compact=True, select_on_focus=False, id="path")
            yield Static(ABOUT, classes="detail", markup=False)
        self._stem = len(stem)

    def on_mount(self) -> None:
        """The name without its ending is selected: typing replaces it."""
        from textual.widgets.input import Selection

        self.query_one(Input).selection = Selection(0, self._stem)

    @on(Input.Changed)
    def _changed(self) -> None:
        self._say(ABOUT)

    @on(Input.Submitted)
    async def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        replace = self._refused == event.value
        try:
            path = await asyncio.to_thread(
                save_code, event.value, self._block.text, self._user, replace=replace
            )
        except InvalidValueError as error:
            self._say(str(error), wrong=True)
            self._refused = ""
            if isinstance(error, FileExistsAlreadyError):
                self.call_after_refresh(self._offer_to_replace, event.value)
        else:
            self.dismiss(path)

    def _offer_to_replace(self, path: str) -> None:
        self._refused = path

    def _say(self, words: str, *, wrong: bool = False) -> None:
        about = self.query_one(".detail", Static)
        about.set_class(wrong, "-wrong")
        about.update(words)
