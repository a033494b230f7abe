"""The line under the transcript that finds words in the open conversation."""

from dataclasses import dataclass

from rich.cells import cell_len
from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Static

from tui.widgets.transcript import Transcript

KEYS = ("Enter next", "↑ before", "Esc end")
KEYS_OUTSIDE = ("n next", "N before", "Esc end")
LEAST_FIELD = 18
"""Cells for the words that are sought, the mark and a gap; what is said of them has the rest."""


class FindBar(Horizontal):
    """Marks what is typed wherever it stands in the transcript, and goes from match to match.

    Args:
        transcript: Where to find.
    """

    @dataclass(repr=False, eq=False)
    class Closed(Message):
        """Nothing is sought any more."""

        find_bar: "FindBar"

        @property
        def control(self) -> "FindBar":
            """The line."""
            return self.find_bar

    def __init__(self, transcript: Transcript) -> None:
        super().__init__(id="find")
        self._transcript = transcript
        self._keys: list[str] = []
        self._said: tuple[str, ...] = KEYS
        self.field = Input(placeholder="Find in this conversation", id="find-words", compact=True)
        self.state = Static(id="find-state", markup=False)

    def compose(self) -> ComposeResult:
        """The field, and how often it was found."""
        yield Static("/", id="find-mark")
        yield self.field
        yield self.state

    def on_resize(self) -> None:
        """Say as much as there is room for."""
        self._show_state()

    def begin(self) -> None:
        """Ask for other words."""
        self.field.focus()

    def show(self, texts: tuple[str, ...]) -> None:
        """Show what is marked already.

        Args:
            texts: What the transcript marks.
        """
        self._keys = self._transcript.highlight(*texts)
        with self.prevent(Input.Changed):
            self.field.value = " ".join(texts)
        self._say(KEYS_OUTSIDE)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._keys = self._transcript.highlight(event.value.strip())
        if self._keys:
            self._transcript.action_move_match(1)
        self._say(KEYS)

    @on(Input.Submitted)
    def _next(self, event: Input.Submitted) -> None:
        event.stop()
        self._transcript.action_move_match(1)

    def on_key(self, event: events.Key) -> None:
        """Up and Down go from match to match, Escape ends."""
        if event.key in ("up", "down"):
            self._transcript.action_move_match(1 if event.key == "down" else -1)
        elif event.key == "escape":
            self.close()
        else:
            return
        event.stop()
        event.prevent_default()

    def close(self) -> None:
        """Mark nothing, and go."""
        self._transcript.highlight()
        if self.field.has_focus:
            self._transcript.focus()
        self.remove()
        self.post_message(self.Closed(self))

    def _say(self, keys: tuple[str, ...]) -> None:
        count = len(self._keys)
        if not self.field.value.strip():
            found = ""
        elif not count:
            found = "Not found"
        else:
            found = f"in {count:,} message{'s' if count > 1 else ''}"
        self.state.set_class(bool(self.field.value.strip()) and not count, "-none")
        self._said = (found, *keys) if found else keys
        self._show_state()

    def _show_state(self) -> None:
        """Of what is to be said, the keys make room: the way back first, the way out last."""
        said, room = list(self._said), self.content_size.width - LEAST_FIELD
        while len(said) > 1 and cell_len(" · ".join(said)) > room:
            said.pop(-2 if len(said) > 2 else -1)
        self.state.update(" · ".join(said))
