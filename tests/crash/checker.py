"""Holds what is on the disk against what was acknowledged, and the balances against the ledger."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

from tests.crash.books import Books, Document, row_key
from tests.crash.journal import Entry, Journal

Key: TypeAlias = tuple[str, ...]

INPUT = 50
"""Tokens of input of every turn."""
CHECKPOINT = 40
"""Tokens of output from one checkpoint of a turn to the next."""


def message_text(version: int, length: int) -> str:
    """The text of a message, which says its version at both ends."""
    return f"{version} {'x' * length} {version}"


def text_version(text: str) -> int:
    """The version that a text says; -1 where its ends do not agree."""
    first, last = text.split(" ")[0], text.split(" ")[-1]
    return int(first) if first == last else -1


def losses(books: Books, journal: Journal) -> list[str]:
    """What is unreadable, doubled, or was acknowledged and is not there; empty is well.

    Others may write meanwhile: the journal must have been taken down before the books were read.
    """
    return [
        *books.unreadable,
        *_doubled_rows(books),
        *_lost_charges(books, journal),
        *_lost_messages(books, journal),
        *_lost_purchases(books, journal),
    ]


def inventions(books: Books, journal: Journal) -> list[str]:
    """What is there and nobody asked for; the journal must have been taken down after the books were read."""
    turns = {row["turn_id"] for row in books.rows().values()} - journal.turns
    notes = {entry["note"] for entry in books.table("purchases")} - journal.buying.keys()
    found = [f"nobody asked for the turn {turn}" for turn in turns]
    found += [f"nobody bought {note}" for note in notes]
    for conversation, messages in books.messages.items():
        for message in messages:
            asked = journal.saving.get(message["id"])
            if asked is None or asked.about != conversation or text_version(message["text"]) > asked.amount:
                found.append(f"nobody saved {message['id']} to {conversation} as {message['text'][:20]!r}")
    return found


def final_violations(books: Books, journal: Journal) -> list[str]:
    """What must not be true once recovery ran: nothing is held, every attempt ended, the sums are exact."""
    return [
        *losses(books, journal),
        *inventions(books, journal),
        *_ends(books, journal),
        *balance_violations(books),
    ]


def balance_violations(books: Books) -> list[str]:
    """Where the sums of the ledger, pools, days and rollup are not the same, or tokens are held."""
    rows = list(books.rows().values())
    default = [row for row in rows if row["key_source"] == "default"]
    own = [row for row in rows if row["key_source"] != "default"]
    return [
        *([f"{len(books.table('attempts'))} attempts are left"] if books.table("attempts") else []),
        *_compared(books, "quotas", default, ("provider",), "used"),
        *_compared(books, "daily_usage", default, ("user", "provider", "date"), "used"),
        *_compared(books, "own_usage", own, ("user", "provider", "key_source"), "used"),
        *_compared(
            books, "usage_rollup", rows, ("date", "user", "provider", "model", "key_source"), "tokens"
        ),
        *(
            f"{record} holds tokens"
            for name in ("quotas", "daily_usage")
            for record in books.table(name)
            if record["held"]
        ),
        *_purchased(books),
    ]


def _purchased(books: Books) -> Iterator[str]:
    bought = _sums(books.table("purchases"), ("provider",), "amount")
    for pool in books.table("quotas"):
        total = bought.get((pool["provider"],), 0)
        if (pool["purchased"] or 0) != total:
            yield f"of {pool['provider']} {pool['purchased']} is purchased, by its history {total}"


def _doubled_rows(books: Books) -> Iterator[str]:
    """Rows of one attempt that should be one, and copies that differ."""
    copies: dict[Any, Document] = {}
    for row in books.all_rows():
        if copies.setdefault(row_key(row), row) != row:
            yield f"the row {row_key(row)} differs between its two places"
    for place, rows in (("live ledger", books.table("ledger")), ("month files", books.archived)):
        counts = Counter(row_key(row) for row in rows)
        yield from (f"the row {key} is in the {place} {n} times" for key, n in counts.items() if n > 1)
    kinds = Counter((attempt, kind) for attempt, kind, _ in books.rows())
    yield from (f"{attempt} was charged {n} times ({kind})" for (attempt, kind), n in kinds.items() if n > 1)


def _lost_charges(books: Books, journal: Journal) -> Iterator[str]:
    charged = _sums(books.rows().values(), ("attempt_id",))
    for attempt, entry in journal.settled.items():
        tokens = charged.get((attempt,))
        if tokens is None:
            yield f"the settled attempt {attempt} is lost"
        elif tokens != entry.amount or tokens != journal.settling[attempt].amount:
            yield f"{attempt} used {journal.settling[attempt].amount}, was told {entry.amount}, has {tokens}"
    for attempt in journal.released:
        if charged.get((attempt,), 0):
            yield f"{attempt} was released and is charged {charged[(attempt,)]}"


def _ends(books: Books, journal: Journal) -> Iterator[str]:
    """What became of the attempts whose process died before it was told of their end."""
    charged = _sums(books.rows().values(), ("attempt_id",))
    turns = Counter(row["turn_id"] for row in books.rows().values() if row["kind"] == "turn")
    yield from (f"the turn {turn} was charged {count} times" for turn, count in turns.items() if count > 1)
    for attempt, entry in journal.held.items():
        if attempt in journal.settled or attempt in journal.released:
            continue
        tokens, possible = charged.get((attempt,)), _possible(attempt, entry, journal)
        if tokens is None and attempt not in journal.releasing:
            yield f"the held attempt {attempt} is lost"
        elif tokens is not None and tokens not in possible:
            yield f"{attempt} was charged {tokens}: not one of {possible}"


def _possible(attempt: str, held: Entry, journal: Journal) -> set[int]:
    """What an attempt without an acknowledged end may be charged in all.

    One thing that it asked for may have been done without its hearing of it: the next checkpoint, or its end.
    """
    possible = {0} if attempt in journal.releasing else set()
    if attempt in journal.settling:
        possible.add(journal.settling[attempt].amount)
    if attempt in journal.spent:
        return possible | {journal.spent[attempt], journal.spent[attempt] + CHECKPOINT}
    return possible | {held.amount or INPUT, INPUT + CHECKPOINT}


def _lost_messages(books: Books, journal: Journal) -> Iterator[str]:
    there: dict[str, Document] = {}
    for conversation, messages in books.messages.items():
        counts = Counter(message["id"] for message in messages)
        yield from (f"{name} is in {conversation} {n} times" for name, n in counts.items() if n > 1)
        there.update((message["id"], message) for message in messages)
    for name, entry in journal.saved.items():
        message = there.get(name)
        if message is None:
            yield f"the saved message {name} of {entry.about} is lost"
        elif text_version(message["text"]) < entry.amount:
            yield f"the message {name} was saved as version {entry.amount} and is {message['text'][:20]!r}"


def _lost_purchases(books: Books, journal: Journal) -> Iterator[str]:
    counts = Counter(entry["note"] for entry in books.table("purchases"))
    yield from (f"the purchase {note} is there {n} times" for note, n in counts.items() if n > 1)
    yield from (f"the purchase {note} is lost" for note in journal.bought if note not in counts)


def _sums(documents: Iterable[Document], keys: Iterable[str], figure: str = "tokens") -> dict[Key, int]:
    sums: Counter[Key] = Counter()
    for document in documents:
        sums[tuple(document[key] for key in keys)] += document[figure]
    return dict(sums)


def _compared(
    books: Books, table: str, rows: Iterable[Document], keys: tuple[str, ...], figure: str
) -> Iterator[str]:
    there, ledger = _sums(books.table(table), keys, figure), _sums(rows, keys)
    for key in sorted(there.keys() | ledger.keys()):
        if there.get(key, 0) != ledger.get(key, 0):
            yield f"{table} {key} has {there.get(key, 0)}, the ledger {ledger.get(key, 0)}"
