"""Drafts: what is being written survives the end of the program, whatever ends it."""

import asyncio
from datetime import timedelta

from tui.core.chat import NOTHING, Asked, Attachment, Draft, new_id
from tui.core.ports import Clock, State, Store
from tui.services.host_files import may_use_host_files

MOST_KEPT = 1_000_000
"""Characters of a draft: four times what the largest context on offer in 2026 holds would be no use."""
KEPT = timedelta(days=90)
"""How long a draft that nobody returns to is kept."""

_UNSURE = Asked("\0")
"""Stands for a prompt that may be saved or not; none is like it."""


class Drafts:
    """One window's drafts, one for each conversation: what is written, and the files that go with it.

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
        self._saved: dict[str, Asked] = {}
        """What is surely on disk, by conversation."""
        self._unsaved: dict[str, Asked] = {}
        self._saving = asyncio.Lock()

    def get(self, conversation_id: str | None) -> Asked:
        """The draft to a conversation, from the view: this window's own, else the latest; nothing for none.

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
        self._saved[key] = Asked(latest.text, latest.attachments) if latest else NOTHING
        return self._saved[key]

    async def keep(
        self, conversation_id: str | None, text: str, attached: tuple[Attachment, ...] = ()
    ) -> None:
        """Keep what is written; nothing is kept of a blank one without files.

        Args:
            conversation_id: None for the conversation that is not made yet.
            text: The prompt as it stands.
            attached: The files that go with it, whose bytes the store has; those of a user who may attach
                none are left out.

        Raises:
            StorageError: It could not be saved.
        """
        key = conversation_id or ""
        files = attached if may_use_host_files(self._user) else ()
        written = Asked(text[:MOST_KEPT] if text.strip() else "", files)
        self._unsaved[key] = written
        async with self._saving:
            if written != self._saved.setdefault(key, NOTHING):
                await self._save(key, written)
            if self._unsaved.get(key) == written:
                del self._unsaved[key]

    async def _save(self, key: str, written: Asked) -> None:
        now, known = self._clock(), self._known.setdefault(key, [])
        draft = Draft(new_id(), self._user, key, written.text, now, written.attached)

        def work(state: State) -> None:
            for doc_id, other in list(state.drafts):
                if other in known or (other.user == self._user and now - other.updated_at > KEPT):
                    state.drafts.remove(doc_id)
            if written:
                state.drafts.insert(draft)

        known.append(draft)  # whoever cancels this can't know whether it was saved
        self._saved[key] = _UNSURE
        await self._store.transaction(work)
        self._known[key], self._saved[key] = [draft] if written else [], written
