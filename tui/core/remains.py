"""What there is besides a backup when it is restored."""

from collections.abc import Mapping, Sequence

from tui.core.chat import Message
from tui.core.frozen import frozen
from tui.core.ports import State
from tui.core.quota import LedgerRow


@frozen
class Remains:
    """The present state and what came after the backup, as far as they can be read."""

    state: State
    """The present state without the records that can't be read, entries of older conversations included."""
    whole: bool
    """Whether all of it could be read."""
    rows: tuple[LedgerRow, ...]
    """Rows that the backup lacks, live and archived, oldest first."""
    earlier: tuple[LedgerRow, ...]
    """Rows in the backup's month files that belong to the same attempts as `rows`."""
    messages: Mapping[str, Sequence[Message]]
    """All messages of the conversations whose index entry is missing or may not count them all."""
