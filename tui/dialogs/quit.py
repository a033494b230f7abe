"""Leaving the app without losing what is not saved yet."""

from typing import Any

from textual.app import App

from tui.dialogs.confirm import ConfirmDialog
from tui.services.conversation import Turns
from tui.widgets.banner import unsaved_words


class QuitDialog(ConfirmDialog):
    """Asks whether to quit though something can't be saved."""


async def quit_or_ask(app: App[Any], turns: Turns) -> None:
    """Quit, unless something can't be saved even now: then ask first. Asked for twice, quit.

    Args:
        app: The app.
        turns: What keeps unsaved messages.
    """
    if isinstance(app.screen, QuitDialog) or await turns.save_pending():
        app.exit()
        return

    def answered(yes: bool | None) -> None:
        if yes:
            app.exit()

    question = f"{unsaved_words(turns.waiting())}. Quit all the same?"
    app.push_screen(QuitDialog(question, "Ctroom tries once more as it quits.", yes="Quit"), answered)
