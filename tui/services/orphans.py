"""What was written for a conversation while somebody removed it."""

from contextlib import suppress

from tui.core.chat import Conversation
from tui.core.errors import StorageError
from tui.core.ports import Store


async def entry_of(store: Store, conversation_id: str) -> Conversation | None:
    """The entry of a conversation, whoever's it is and however old; None where there is none.

    Raises:
        StorageError: The entries of older ones can't be read.
    """
    if found := store.view.conversations.find(lambda entry: entry.id == conversation_id):
        return found[1]
    older = await store.load_older_conversations()
    return next((entry for entry in older if entry.id == conversation_id), None)


async def remove_orphan(store: Store, conversation_id: str, message_id: str) -> None:
    """Remove the file of a conversation that is gone, where it has nothing but a message that came too late.

    A file with more in it was not made by that message, and is left for a restore to find.

    Args:
        store: Where it is.
        conversation_id: The conversation; one that has an entry is left alone, whoever's it is.
        message_id: The message.
    """
    with suppress(StorageError):  # it stays where it is
        if await entry_of(store, conversation_id) is not None:
            return
        messages = await store.load_messages(conversation_id)
        if messages and all(message.id == message_id for message in messages):
            await store.remove_messages(conversation_id)
