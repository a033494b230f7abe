"""Typed tables over rows: read-only views, and drafts that a transaction changes.

TinyDB's own tables change documents in place, which would reach every view that shares them; these never do.
"""

from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar, cast, get_args, get_type_hints

from tui.core.ports import State
from tui.storage.records import codec
from tui.storage.rows import Row, Rows, Tables, encode_document

R = TypeVar("R")

_EMPTY = Rows()


class TableView(Generic[R]):
    """The records of a table at one moment. Implements `core.ports.Table`, read-only."""

    def __init__(self, rows: Rows) -> None:
        self._by_id = rows.by_id

    def __iter__(self) -> Iterator[tuple[int, R]]:
        return iter([(doc_id, cast(R, row.record)) for doc_id, row in self._by_id.items()])

    def newest(self) -> Iterator[tuple[int, R]]:
        """Every record with its id, the latest made first."""
        return ((doc_id, cast(R, row.record)) for doc_id, row in reversed(self._by_id.items()))

    def __len__(self) -> int:
        return len(self._by_id)

    def get(self, doc_id: int) -> R | None:
        """The record of that id."""
        row = self._by_id.get(doc_id)
        return cast(R, row.record) if row else None

    def find(self, match: Callable[[R], bool]) -> tuple[int, R] | None:
        """The first record that matches, with its id."""
        for doc_id, row in self._by_id.items():
            if match(cast(R, row.record)):
                return doc_id, cast(R, row.record)
        return None

    def insert(self, record: R) -> int:  # noqa: ARG002  # the port's name
        """Refused: a view is never changed."""
        raise TypeError("A view can't be changed: use a transaction.")

    def replace(self, doc_id: int, record: R) -> None:  # noqa: ARG002  # the port's names
        """Refused: a view is never changed."""
        raise TypeError("A view can't be changed: use a transaction.")

    def remove(self, doc_id: int) -> None:  # noqa: ARG002  # the port's name
        """Refused: a view is never changed."""
        raise TypeError("A view can't be changed: use a transaction.")


class TableDraft(TableView[R]):
    """A table inside a transaction. The rows that it began with are left as they are.

    Every record is checked when it comes in: a wrong one fails its own transaction, not the next start.
    """

    def __init__(self, rows: Rows, record_type: type[R]) -> None:
        super().__init__(rows)
        self._base = rows
        self._type = record_type
        self._last_id = rows.last_id
        self._changed = False
        self._closed = False

    def insert(self, record: R) -> int:
        """Add a record; its new id.

        Raises:
            ValueError: A field is not what the record's class says.
        """
        self._begin()
        self._last_id += 1
        self._by_id[self._last_id] = make_row(self._type, record)
        return self._last_id

    def replace(self, doc_id: int, record: R) -> None:
        """Put a record in the place of another; fields of the old one that its class does not know are kept.

        Raises:
            KeyError: There is no record of that id.
            ValueError: A field is not what the record's class says.
        """
        self._begin()
        self._by_id[doc_id] = make_row(self._type, record, self._by_id[doc_id].extra)

    def remove(self, doc_id: int) -> None:
        """Remove a record.

        Raises:
            KeyError: There is no record of that id.
        """
        self._begin()
        del self._by_id[doc_id]

    def finish(self) -> Rows | None:
        """The rows as they are in the end, or None where nothing was changed. Ends the draft."""
        self._closed = True
        return Rows(self._by_id, self._last_id) if self._changed else None

    def _begin(self) -> None:
        if self._closed:
            raise TypeError("The transaction is over: its tables can't be changed.")
        if not self._changed:
            self._by_id = dict(self._base.by_id)
            self._changed = True


class Draft:
    """The state inside one transaction."""

    def __init__(self, tables: Tables) -> None:
        self._base = tables
        self._drafts: dict[str, TableDraft[Any]] = {
            name: TableDraft(tables.get(name, _EMPTY), kind) for name, kind in STATE_TABLES.items()
        }
        self.state = State(*self._drafts.values())

    def finish(self) -> Tables:
        """The tables as they are in the end; the very ones that it began with where nothing was changed."""
        finished = {name: draft.finish() for name, draft in self._drafts.items()}
        changed = {name: rows for name, rows in finished.items() if rows is not None}
        return {**self._base, **changed} if changed else self._base


def make_row(record_type: type[R], record: R, extra: dict[str, Any] | None = None) -> Row:
    """The row of a record.

    Args:
        record_type: Its class.
        record: The record.
        extra: Fields that the class does not know, to be kept.

    Raises:
        ValueError: A field is not what the class says.
        TypeError: The record is of another class.
    """
    if type(record) is not record_type:
        raise TypeError(f"{type(record).__name__} is not a {record_type.__name__}")
    document = codec(record_type).encode(record)
    codec(record_type).decode(document)
    return Row(encode_document({**document, **extra} if extra else document), record=record, extra=extra)


def view_of(tables: Tables) -> State:
    """The read-only state of these tables."""
    return State(*[TableView[Any](tables.get(name, _EMPTY)) for name in STATE_TABLES])


def _state_tables() -> dict[str, type]:
    names = {"meta": "_meta"}
    return {names.get(name, name): get_args(hint)[0] for name, hint in get_type_hints(State).items()}


STATE_TABLES = _state_tables()
"""Each table of `ctroom.json` with the class of its records, in the order of `State`'s fields."""
