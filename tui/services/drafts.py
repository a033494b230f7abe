"""Drafts: what is being written survives the end of the program, whatever ends it."""

import asyncio
from datetime import timedelta

from tui.core.chat import Draft, new_id
from tui.core.ports import Clock, State, Store

MOST_KEPT = 1_000_000
"""Characters of a draft: four times what the largest context on offer in 2026 holds would be no use."""
KEPT = timedelta(days=90)
"""How long a draft that nobody returns to is kept."""

_UNSURE = "\0"
"""Stands for a text that may be saved or not; no prompt has it."""


class Drafts:
    """One window's drafts, one for each conversation.

    A draft is changed or removed only as this window last knew it: where another window changed it meanwhile,
    both are kept, and the other one comes up the next time that its conversation is opened.

    Args:
        store: Where they are kept.
        user: Whose they are.
        clock: Dates them.
    """

    def __init__(self, store: Store, user: str, clock: Clock) -> None:
        self._store = store
        self._user = user
        self._clock = clock
        self._known: dict[str, list[Draft]] = {}
        """What this window read or wrote, by conversation; a save that was cut off may be there or not."""
        self._saved: dict[str, str] = {}
        """What is surely on disk, by conversation."""
        self._unsaved: dict[str, str] = {}
        self._saving = asyncio.Lock()

    def get(self, conversation_id: str | None) -> str:
        """The draft to a conversation, from the view: this window's own, else the latest; empty for none.

        Args:
            conversation_id: None for the conversation that is not made yet.
        """
        key = conversation_id or ""
        if key in self._unsaved:
            return self._unsaved[key]
        mine = (self._user, key)
        found = [draft for _, draft in self._store.view.drafts if (draft.user, draft.conversation_id) == mine]
        known = self._known.get(key, [])
        own = [draft for draft in found if draft in known] or found
        latest = max(own, key=lambda draft: (draft.updated_at, draft.id), default=None)
        self._known[key] = [latest] if latest else []
        self._saved[key] = latest.text if latest else ""
        return self._saved[key]

    async def keep(self, conversation_id: str | None, text: str) -> None:
        """Keep what is written; nothing is kept of a blank one.

        Args:
            conversation_id: None for the conversation that is not made yet.
            text: The prompt as it stands.

        Raises:
            StorageError: It could not be saved.
        """
        key = conversation_id or ""
        text = text[:MOST_KEPT] if text.strip() else ""
        self._unsaved[key] = text
        async with self._saving:
            if text != self._saved.setdefault(key, ""):
                await self._save(key, text)
            if self._unsaved.get(key) == text:
                del self._unsaved[key]

    async def _save(self, key: str, text: str) -> None:
        now, known = self._clock(), self._known.setdefault(key, [])
        draft = Draft(new_id(), self._user, key, text, now)

        def work(state: State) -> None:
            for doc_id, other in list(state.drafts):
                if other in known or (other.user == self._user and now - other.updated_at > KEPT):
                    state.drafts.remove(doc_id)
            if text:
                state.drafts.insert(draft)

        known.append(draft)  # whoever cancels this can't know whether it was saved
        self._saved[key] = _UNSURE
        await self._store.transaction(work)
        self._known[key], self._saved[key] = [draft] if text else [], text
