"""The server's store as its users see it: failures are the host's, without paths and remedies for members."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TypeVar

from tui.core.chat import Conversation, Message
from tui.core.errors import StorageError, StorageErrorKind
from tui.core.ports import MessageText, State, Store
from tui.core.quota import LedgerRow
from tui.core.settings import UserRole
from tui.services import tables

T = TypeVar("T")

_KEPT = "tell its admin. What you wrote is kept while this session lasts."
_SAID = {
    StorageErrorKind.FULL: f"The host's disk is full: {_KEPT}",
    StorageErrorKind.UNWRITABLE: f"The host could not save this: {_KEPT}",
    StorageErrorKind.BUSY: "The host's data is in use by another program: try again in a moment.",
}
_SAID_ELSE = "The host could not read its data: tell its admin."


class MemberStore:
    """Implements `core.ports.Store` over another one.

    Args:
        store: The server's.
        user: Whose session it is; an admin is told all.
        failed: Is told each failure as it was, for the server's log.
    """

    def __init__(self, store: Store, user: str, failed: Callable[[StorageError], None]) -> None:
        self._store = store
        self._user = user
        self._failed = failed

    @property
    def view(self) -> State:
        """The state as of the last commit or refresh."""
        return self._store.view

    @property
    def problem(self) -> StorageError | None:
        """Why the last refresh failed; None where it did not."""
        problem = self._store.problem
        return problem and self._for_user(problem)

    async def transaction(self, work: Callable[[State], T]) -> T:
        """Run `work` on the freshest state, and commit what it changed."""
        return await self._done(self._store.transaction(work))

    async def refresh(self) -> bool:
        """Take over what other processes committed."""
        return await self._done(self._store.refresh())

    async def poll(self, interval: float = 0.5) -> None:
        """Take over what other processes commit, again and again."""
        await self._store.poll(interval)

    def subscribe(self, changed: Callable[[], None]) -> Callable[[], None]:
        """Call `changed` after each commit or refresh that changed the view."""
        return self._store.subscribe(changed)

    async def load_messages(self, conversation_id: str) -> tuple[Message, ...]:
        """Every message of a conversation."""
        return await self._done(self._store.load_messages(conversation_id))

    def read_texts(self, conversation_id: str, may_hold: Callable[[bytes], bool]) -> tuple[MessageText, ...]:
        """The texts of a conversation's messages; blocks."""
        try:
            return self._store.read_texts(conversation_id, may_hold)
        except StorageError as error:
            raise self._noted(error) from error

    async def save_messages(self, conversation_id: str, messages: Sequence[Message]) -> None:
        """Add messages, or replace those with the same id."""
        await self._done(self._store.save_messages(conversation_id, messages))

    async def remove_messages(self, conversation_id: str) -> None:
        """Remove a conversation's file."""
        await self._done(self._store.remove_messages(conversation_id))

    async def keep_attachment(self, data: bytes) -> str:
        """Keep the bytes of an attached file."""
        return await self._done(self._store.keep_attachment(data))

    def load_attachment(self, digest: str) -> bytes | None:
        """The bytes of an attached file; blocks."""
        try:
            return self._store.load_attachment(digest)
        except StorageError as error:
            raise self._noted(error) from error

    async def missing_attachments(self, digests: Iterable[str]) -> frozenset[str]:
        """Which attached files are gone."""
        return await self._done(self._store.missing_attachments(digests))

    async def load_older_conversations(self) -> tuple[Conversation, ...]:
        """The entries of conversations that left the table."""
        return await self._done(self._store.load_older_conversations())

    async def recall_conversation(self, conversation_id: str) -> None:
        """Bring a conversation's entry back into the table."""
        await self._done(self._store.recall_conversation(conversation_id))

    async def load_ledger(self, month: str) -> tuple[LedgerRow, ...]:
        """The ledger rows of a month."""
        return await self._done(self._store.load_ledger(month))

    async def load_archived(self, month: str) -> tuple[LedgerRow, ...]:
        """The rows in a month's file."""
        return await self._done(self._store.load_archived(month))

    async def ledger_months(self) -> tuple[str, ...]:
        """The months that have ledger rows."""
        return await self._done(self._store.ledger_months())

    async def aclose(self) -> None:
        """Finish what is queued, and end the writer thread."""
        await self._store.aclose()

    async def _done(self, work: Awaitable[T]) -> T:
        try:
            return await work
        except StorageError as error:
            raise self._noted(error) from error

    def _noted(self, error: StorageError) -> StorageError:
        self._failed(error)
        return self._for_user(error)

    def _for_user(self, error: StorageError) -> StorageError:
        if tables.role_of(self._store.view, self._user) is UserRole.ADMIN:
            return error
        return StorageError(error.kind, _SAID.get(error.kind, _SAID_ELSE))
