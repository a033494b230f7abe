"""The dialog with every purchase of a provider."""

from collections.abc import Sequence
from datetime import tzinfo

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from tui.core.text import sanitize_line
from tui.dialogs.dialog import Dialog
from tui.services.purchases import Effect, PurchaseEntry, amount_words
from tui.widgets.muted import MUTED


class PurchasesDialog(Dialog[None]):
    """Newest first: when, what, by whom, what was purchased in all, and the note under it.

    Args:
        title: Whose purchases.
        entries: The entries, newest first.
        zone: Where times are shown in.
    """

    AUTO_FOCUS = "#purchases-body"

    def __init__(self, title: str, entries: Sequence[PurchaseEntry], zone: tzinfo) -> None:
        super().__init__()
        self._title = title
        self._entries = entries
        self._zone = zone

    def compose(self) -> ComposeResult:
        """The entries, to be scrolled."""
        with Vertical(classes="dialog") as frame:
            frame.border_title = Content(self._title)
            frame.border_subtitle = "↑ ↓ scroll · Esc close"
            with VerticalScroll(id="purchases-body"):
                for entry in self._entries:
                    yield Static(self._words(entry), markup=False, classes="purchase")

    def _words(self, entry: PurchaseEntry) -> Content:
        purchase = entry.purchase
        at = f"{purchase.at.astimezone(self._zone):%Y-%m-%d %H:%M}"
        by = sanitize_line(purchase.by, 24)
        total = f" · {purchase.purchased:,} in all" if entry.effect is Effect.TOP_UP else ""
        first = f"{at}  {amount_words(entry)}{total} · by {by}"
        note = sanitize_line(purchase.note, 400)
        return Content.assemble(first, (f"\n{note}", MUTED) if note else "")
