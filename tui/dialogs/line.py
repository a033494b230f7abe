"""The dialog that asks for one line of text."""

from collections.abc import Awaitable, Callable

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Input, Static

from tui.core.errors import CtroomError
from tui.core.text import sanitize, sanitize_line
from tui.dialogs.dialog import Answer, Dialog


class _Line(Input):
    """A field that says when it is full."""

    class Overfilled(Message):
        """More was typed or pasted than fits, and was not taken."""

    def restricted(self) -> None:
        """Tell, where Textual would ring the bell."""
        self.post_message(self.Overfilled())


class LineDialog(Dialog[Answer]):
    """A field with what there is; Enter answers with what was made of the line.

    What can't be done is said under the field, and the dialog stays with what was written.

    Args:
        title: What the line is.
        line: What there is.
        about: What may be written.
        most: Characters that fit.
        take: Does what the line is for; what it raises is said.
        verb: What Enter does.
    """

    AUTO_FOCUS = "Input"

    def __init__(
        self,
        title: str,
        line: str,
        about: str,
        *,
        most: int,
        take: Callable[[str], Awaitable[Answer]],
        verb: str = "keep",
    ) -> None:
        super().__init__()
        self._title = title
        self._line = sanitize_line(line, most)
        self._about = about
        self._most = most
        self._take = take
        self._verb = verb

    def compose(self) -> ComposeResult:
        """The field over the words about it."""
        with Vertical(classes="dialog -small") as frame:
            frame.border_title = self._title
            frame.border_subtitle = f"Enter {self._verb} · Esc close"
            yield _Line(self._line, max_length=self._most, compact=True)
            yield Static(sanitize(self._about), classes="detail", markup=False)

    @on(Input.Changed)
    def _changed(self) -> None:
        self._say(self._about)

    @on(_Line.Overfilled)
    def _overfilled(self) -> None:
        self._say(f"At most {self._most:,} characters fit here.", wrong=True)

    @on(Input.Submitted)
    async def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        try:
            answer = await self._take(event.value)
        except CtroomError as error:
            self._say(str(error), wrong=True)
        else:
            self.dismiss(answer)

    def _say(self, words: str, *, wrong: bool = False) -> None:
        about = self.query_one(".detail", Static)
        about.set_class(wrong, "-wrong")
        about.update(sanitize(words))
