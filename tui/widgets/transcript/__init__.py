"""The virtual transcript: one widget on Textual's line API that renders only what is visible."""

from tui.widgets.transcript.model import Entry, EntryRole
from tui.widgets.transcript.widget import Transcript

__all__ = ["Entry", "EntryRole", "Transcript"]
