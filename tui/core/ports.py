"""What the services need from outside: providers, a store, a place for keys, a clock."""

from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from tui.core.chat import (
    ChatRequest,
    Conversation,
    Draft,
    KeyCheck,
    Message,
    ModelInfo,
    Persona,
    Role,
    StreamEvent,
)
from tui.core.errors import StorageError
from tui.core.frozen import frozen
from tui.core.quota import AlertRecord, Attempt, DailyUsage, LedgerRow, OwnUsage, Pool, Purchase, Rollup
from tui.core.records import AuditEntry, Meta
from tui.core.settings import HostSettings, UserSettings
from tui.core.users import PublicKey

T = TypeVar("T")
R = TypeVar("R")

Clock = Callable[[], datetime]
"""The present moment, in UTC."""


class Provider(Protocol):
    """One provider with one credential. Cheap to make: its SDK is imported at the first call."""

    def stream(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        """Stream one reply. Closing the generator or cancelling its task closes the connection at once.

        No retries: whoever calls decides. Usage readings are cumulative. A reply that is whole ends with a
        `Finish`; a stream that is cut raises.

        Raises:
            ProviderError: Any failure, mapped to the family; no SDK's exception leaves an adapter.
        """
        ...

    async def models(self) -> tuple[ModelInfo, ...]:
        """The chat models on offer, from the provider itself.

        Raises:
            ProviderError: They could not be had.
        """
        ...

    async def check_key(self) -> KeyCheck:
        """Ask the provider about the key, without spending tokens. Never raises."""
        ...

    async def aclose(self) -> None:
        """Close its connections."""
        ...


class Table(Protocol[R]):
    """A TinyDB table of typed records, inside a transaction or a view. Ids are TinyDB's integers."""

    def __iter__(self) -> Iterator[tuple[int, R]]:
        """Every record with its id, in the order of their making."""
        ...

    def newest(self) -> Iterator[tuple[int, R]]:
        """Every record with its id, the latest made first, one by one: not to be used across changes."""
        ...

    def __len__(self) -> int:
        """How many records there are."""
        ...

    def get(self, doc_id: int) -> R | None:
        """The record of that id."""
        ...

    def find(self, match: Callable[[R], bool]) -> tuple[int, R] | None:
        """The first record that matches, with its id."""
        ...

    def insert(self, record: R) -> int:
        """Add a record; its new id. Not on a view."""
        ...

    def replace(self, doc_id: int, record: R) -> None:
        """Put a record in the place of another. Not on a view."""
        ...

    def remove(self, doc_id: int) -> None:
        """Remove a record. Not on a view."""
        ...


@frozen
class State:
    """The tables of `ctroom.json`. Each field is the table of the same name; `meta` is the table `_meta`."""

    meta: Table[Meta]
    """One record."""
    host_settings: Table[HostSettings]
    """One record, once the host changed anything."""
    user_settings: Table[UserSettings]
    quotas: Table[Pool]
    purchases: Table[Purchase]
    daily_usage: Table[DailyUsage]
    own_usage: Table[OwnUsage]
    attempts: Table[Attempt]
    """Open holds; an attempt leaves when it is settled or released."""
    ledger: Table[LedgerRow]
    """Recent rows; older ones move to month files."""
    usage_rollup: Table[Rollup]
    conversations: Table[Conversation]
    """The index of recent conversations; messages are in a file for each conversation."""
    alerts: Table[AlertRecord]
    audit: Table[AuditEntry]
    drafts: Table[Draft]
    """Prompts that are being written; two windows that write to one conversation have one each."""
    personas: Table[Persona]
    public_keys: Table[PublicKey]
    """The keys that users sign in with; each is one user's."""


@frozen
class MessageText:
    """What a search reads of a message."""

    id: str
    role: Role
    text: str


class Store(Protocol):
    """Durable state. Every change is one transaction, on disk when the await returns."""

    async def transaction(self, work: Callable[[State], T]) -> T:
        """Run `work` under the inter-process lock on the freshest state, and commit what it changed.

        `work` runs once, on the writer thread: it must be quick and pure but for the state. If it raises,
        nothing is changed, in memory or on disk, and the exception comes out of the await.

        Raises:
            StorageError: It could not be read or committed; nothing was changed.
        """
        ...

    @property
    def view(self) -> State:
        """The state as of the last commit or refresh, read-only, without touching the disk."""
        ...

    @property
    def problem(self) -> StorageError | None:
        """Why the last refresh failed, so that `view` may be out of date; None where it did not."""
        ...

    async def refresh(self) -> bool:
        """Take over what other processes committed; True if anything had changed."""
        ...

    async def poll(self, interval: float = 0.5) -> None:
        """Take over what other processes commit, again and again, until cancelled or the store is closed.

        Args:
            interval: Seconds between two looks.
        """
        ...

    def subscribe(self, changed: Callable[[], None]) -> Callable[[], None]:
        """Call `changed` on the event loop after each commit or refresh that changed the view.

        Returns:
            A function that ends the subscription.
        """
        ...

    async def load_messages(self, conversation_id: str) -> tuple[Message, ...]:
        """Every message of a conversation, all branches, oldest first; empty where there is no file.

        Raises:
            StorageError: The file can't be read; the message names it.
        """
        ...

    def read_texts(self, conversation_id: str, may_hold: Callable[[bytes], bool]) -> tuple[MessageText, ...]:
        """The texts of a conversation's messages, oldest first; blocks, so it is called on a thread.

        Args:
            conversation_id: The conversation.
            may_hold: Whether a piece of its JSON may hold what is sought. Messages that can't may lack.

        Raises:
            StorageError: The file is damaged or can't be read.
        """
        ...

    async def save_messages(self, conversation_id: str, messages: Sequence[Message]) -> None:
        """Add messages, or replace those with the same id; on disk when the await returns.

        Raises:
            StorageError: Nothing was saved.
        """
        ...

    async def remove_messages(self, conversation_id: str) -> None:
        """Remove a conversation's file, where there is one, and attached files that nothing else names."""
        ...

    async def keep_attachment(self, data: bytes) -> str:
        """Keep the bytes of an attached file, once for all messages; their digest.

        Raises:
            StorageError: They are not kept.
        """
        ...

    def load_attachment(self, digest: str) -> bytes | None:
        """The bytes of an attached file; None where they are gone. Slow as the disk: call it in a thread.

        Raises:
            StorageError: The system does not let them be read.
        """
        ...

    async def missing_attachments(self, digests: Iterable[str]) -> frozenset[str]:
        """Which attached files are gone.

        Raises:
            StorageError: A digest is none.
        """
        ...

    async def load_older_conversations(self) -> tuple[Conversation, ...]:
        """The entries of conversations that left the table; the same tuple again where nothing changed.

        Where there is a live entry of the same id, that one counts.

        Raises:
            StorageError: They can't be read.
        """
        ...

    async def recall_conversation(self, conversation_id: str) -> None:
        """Bring a conversation's entry back into the table, if it left it.

        Raises:
            StorageError: It could not be brought back whole.
        """
        ...

    async def load_ledger(self, month: str) -> tuple[LedgerRow, ...]:
        """The ledger rows of a month such as `2026-11`, archived and live, oldest first, each once.

        Raises:
            StorageError: The month's file is damaged or can't be read.
        """
        ...

    async def load_archived(self, month: str) -> tuple[LedgerRow, ...]:
        """The rows in a month's file just as they stand there; empty where there is no file.

        Raises:
            StorageError: The month's file is damaged or can't be read.
        """
        ...

    async def ledger_months(self) -> tuple[str, ...]:
        """The months that have ledger rows, oldest first.

        Raises:
            StorageError: They can't be read.
        """
        ...

    async def aclose(self) -> None:
        """Finish what is queued, and end the writer thread."""
        ...


class Secrets(Protocol):
    """Where keys are kept: the OS keyring, or this process's memory. No call blocks the event loop."""

    @property
    def place(self) -> str:
        """Where a key would be kept, in words: "the system keyring", "this session only"."""
        ...

    @property
    def durable(self) -> bool:
        """Whether a key outlives the process."""
        ...

    async def get(self, name: str) -> str | None:
        """The key of that name.

        Raises:
            SecretsError: The keyring is locked, hangs or fails.
        """
        ...

    async def set(self, name: str, key: str) -> None:
        """Keep a key, and read it back before saying so.

        Raises:
            SecretsError: It was not kept; the message says why.
        """
        ...

    async def remove(self, name: str) -> None:
        """Remove a key, where there is one.

        Raises:
            SecretsError: It could not be removed.
        """
        ...
