"""The dialog that shows the whole of a link that can't be opened from here."""

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Static

from tui.core.text import sanitize
from tui.dialogs.dialog import Dialog


class LinkDialog(Dialog[bool]):
    """A link to look at, and to copy: True where that is wanted.

    Args:
        href: The link.
        about: Why it is shown instead of opened.
    """

    AUTO_FOCUS = "#copy"

    def __init__(self, href: str, about: str) -> None:
        super().__init__()
        self._href = sanitize(href)
        self._about = about

    def compose(self) -> ComposeResult:
        """The link over its answers."""
        with Vertical(classes="dialog") as frame:
            frame.border_title = "Link"
            frame.border_subtitle = "Enter copy · Esc close"
            with VerticalScroll(id="link", can_focus=False):
                yield Static(Content(self._href))
            yield Static(self._about, classes="detail", markup=False)
            with Horizontal(classes="answers"):
                yield Button("Close", id="close", compact=True)
                yield Button("Copy", id="copy", variant="primary", compact=True)

    @on(Button.Pressed)
    def _answered(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "copy")
