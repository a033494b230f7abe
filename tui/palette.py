"""How the app does what is chosen by name."""

from typing import TYPE_CHECKING

from tui.core.errors import CtroomError
from tui.dialogs.palette import PaletteDialog

if TYPE_CHECKING:
    from tui.app import CtroomApp
    from tui.dialogs.palette_entries import Entry


def open_palette(app: "CtroomApp") -> None:
    """Let the user find everything by name, and do what they choose.

    Args:
        app: Of its tabs, the chat is offered even where another one is shown.
    """

    def chosen(entry: "Entry | None") -> None:
        if entry is not None:
            app.run_worker(_do(app, entry), exit_on_error=False)

    behind = None if app.tab == "chat" else app.chat
    app.push_screen(PaletteDialog(app.screen, app.services, behind), chosen)


async def open_conversation(app: "CtroomApp", conversation_id: str) -> None:
    """Open a conversation, however old; say so where it can't be found.

    Args:
        app: Which shows it.
        conversation_id: The conversation's.
    """
    try:
        found = await app.services.library.find(conversation_id)
    except CtroomError as error:
        app.notify(str(error), severity="warning", markup=False)
        return
    await app.action_show_tab("chat")
    app.chat.conversations.show(found)


async def _do(app: "CtroomApp", entry: "Entry") -> None:
    """Do what was chosen, where it belongs."""
    if entry.tab:
        await app.action_show_tab(entry.tab)
    await app.run_action(entry.action, entry.node)
