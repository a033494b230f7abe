"""Keeps what is being written: each conversation has its own draft, and a crash loses a second of it."""

from contextlib import suppress
from time import monotonic

from textual.timer import Timer

from tui.core.errors import CtroomError
from tui.services.drafts import Drafts
from tui.widgets.prompt import Prompt

REST_SECONDS = 1.0
"""A draft is kept once the typing rests this long: no key ever waits for it."""
MOST_SECONDS = 5.0
"""Between two saves while the typing does not rest."""


class DraftKeeper:
    """Shows and keeps the draft of the open conversation.

    Args:
        drafts: Where drafts are kept.
        prompt: Where they are written.
    """

    def __init__(self, drafts: Drafts, prompt: Prompt) -> None:
        self._drafts = drafts
        self._prompt = prompt
        self._conversation_id: str | None = None
        self._shown = False
        self._timer: Timer | None = None
        self._changed_at = 0.0
        self._dirty_since: float | None = None

    def show(self, conversation_id: str | None) -> None:
        """Put a conversation's draft into the prompt; what stood there stays the draft of the one before.

        Args:
            conversation_id: None for the conversation that is not made yet.
        """
        if self._shown and conversation_id == self._conversation_id:
            return
        if self._shown:
            self._keep_soon(self._conversation_id, self._prompt.text)
        self._conversation_id, self._shown = conversation_id, True
        self._dirty_since = None
        draft = self._drafts.get(conversation_id)
        if draft != self._prompt.text:
            self._prompt.show(draft)

    def moved(self, conversation_id: str) -> None:
        """The conversation that was not made yet got its id: what is written since belongs to it."""
        self._keep_soon(None, "")
        self._conversation_id = conversation_id
        self.note()

    def note(self) -> None:
        """The prompt's text is another."""
        self._changed_at = monotonic()
        if self._dirty_since is None:
            self._dirty_since = self._changed_at
        if self._timer is None:
            self._timer = self._prompt.set_timer(REST_SECONDS, self._due)

    def sent(self) -> None:
        """The prompt was sent: nothing of it is a draft any more."""
        self._dirty_since = None
        self._keep_soon(self._conversation_id, self._prompt.text)

    async def flush(self) -> None:
        """Keep what is written, at once."""
        self._dirty_since = None
        if self._shown:
            await self._keep(self._conversation_id, self._prompt.text)

    def _due(self) -> None:
        self._timer = None
        if self._dirty_since is None:
            return
        now = monotonic()
        wait = min(self._changed_at + REST_SECONDS, self._dirty_since + MOST_SECONDS) - now
        if wait > 0:
            self._timer = self._prompt.set_timer(wait, self._due)
            return
        self._dirty_since = None
        self._keep_soon(self._conversation_id, self._prompt.text)

    def _keep_soon(self, conversation_id: str | None, text: str) -> None:
        self._prompt.run_worker(self._keep(conversation_id, text), group="draft", exit_on_error=False)

    async def _keep(self, conversation_id: str | None, text: str) -> None:
        """Keep a draft; where that fails, the next rest of the typing tries again."""
        with suppress(CtroomError):
            await self._drafts.keep(conversation_id, text)
