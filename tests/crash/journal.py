"""What writing processes say of their work: what they are about to do, and what was acknowledged to them."""

import json
from collections.abc import Iterable
from dataclasses import astuple, dataclass, field
from enum import StrEnum


class Act(StrEnum):
    """Before something is asked of the store, and after the await has returned."""

    ADMITTING = "admitting"
    """`id`: the turn."""
    HELD = "held"
    """`id`: the attempt; `about`: its turn; `amount`: tokens held."""
    CHECKPOINTED = "checkpointed"
    """`id`: the attempt; `amount`: tokens spent so far."""
    SETTLING = "settling"
    """`id`: the attempt; `amount`: tokens that it used."""
    SETTLED = "settled"
    """`id`: the attempt; `amount`: tokens charged for it in all."""
    RELEASING = "releasing"
    RELEASED = "released"
    SAVING = "saving"
    """`id`: the message; `about`: its conversation; `amount`: the version of its text."""
    SAVED = "saved"
    BUYING = "buying"
    """`id`: the note; `about`: the provider; `amount`: tokens."""
    BOUGHT = "bought"
    REFUSED = "refused"
    """`id`: what the store said; nothing that it was asked for may be half done."""
    REACHED = "reached"
    """`id`: a step of saving."""


@dataclass(frozen=True)
class Entry:
    """One thing said."""

    act: Act
    id: str
    amount: int = 0
    about: str = ""

    def encode(self) -> bytes:
        """As one short line: written to a pipe in one piece, so that a kill never leaves half of it."""
        return json.dumps(astuple(self)).encode()

    @classmethod
    def decode(cls, line: bytes) -> "Entry":
        """The entry that was encoded."""
        act, name, amount, about = json.loads(line)
        return cls(Act(act), name, amount, about)


@dataclass
class Journal:
    """Everything that was said, by what it is about."""

    turns: set[str] = field(default_factory=set)
    """Turns that asked to be admitted."""
    held: dict[str, Entry] = field(default_factory=dict)
    spent: dict[str, int] = field(default_factory=dict)
    """The last checkpoint of an attempt."""
    settling: dict[str, Entry] = field(default_factory=dict)
    settled: dict[str, Entry] = field(default_factory=dict)
    releasing: dict[str, Entry] = field(default_factory=dict)
    released: dict[str, Entry] = field(default_factory=dict)
    saving: dict[str, Entry] = field(default_factory=dict)
    saved: dict[str, Entry] = field(default_factory=dict)
    buying: dict[str, Entry] = field(default_factory=dict)
    bought: dict[str, Entry] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    """Steps of saving that were reached."""
    acknowledged: int = 0
    """Transactions and saves that were acknowledged."""

    def add(self, entries: Iterable[Entry]) -> None:
        """Take down what a process said, in its order."""
        for entry in entries:
            self._add(entry)

    def _add(self, entry: Entry) -> None:
        if entry.act is Act.ADMITTING:
            self.turns.add(entry.id)
        elif entry.act is Act.REFUSED:
            self.refused.append(entry.id)
        elif entry.act is Act.REACHED:
            self.steps.append(entry.id)
        elif entry.act is Act.CHECKPOINTED:
            self.spent[entry.id] = entry.amount
        else:
            said: dict[str, Entry] = getattr(self, entry.act)
            said[entry.id] = entry
        if entry.act in _ACKNOWLEDGEMENTS:
            self.acknowledged += 1


_ACKNOWLEDGEMENTS = frozenset({Act.HELD, Act.CHECKPOINTED, Act.SETTLED, Act.RELEASED, Act.SAVED, Act.BOUGHT})
