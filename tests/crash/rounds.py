"""Rounds of kills: two processes write to one data directory, and one or both are killed at any moment."""

import random
from dataclasses import dataclass, field
from pathlib import Path

from tests.crash.books import Books, Reader
from tests.crash.checker import final_violations, inventions, losses
from tests.crash.fleet import KILLED, Child, listen
from tests.crash.journal import Journal
from tests.crash.recovery import PREPARED, USERS, recover
from tests.crash.sabotage import Sabotage
from tests.crash.worker import Order, run

LONGEST = 0.3
"""Seconds that processes write between two kills, at the most: some dozens of transactions."""


@dataclass
class Rounds:
    """The processes, what they said, and what was found wrong. The dead are replaced in the next round."""

    home: Path
    chance: random.Random
    sabotage: Sabotage = Sabotage.NONE
    number: int = 0
    """Rounds so far."""
    kills: int = 0
    books: Books = field(default_factory=Books)
    """As of the last look."""
    journal: Journal = field(default_factory=Journal)
    violations: list[str] = field(default_factory=list)
    _alive: dict[str, Child] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._reader = Reader(self.home)
        self.journal.add(PREPARED)

    def round(self) -> None:
        """Let both write, kill, and look."""
        self.number += 1
        self._replace_the_dead()
        self._listen(self.chance.uniform(0.01, LONGEST))
        victims = self.chance.choice([["ann"], ["ben"], ["ann", "ben"]])
        self._kill(victims)
        self._look()

    def finish(self) -> None:
        """Kill whoever is left, and look."""
        self._kill(list(self._alive))
        self._look()

    async def recover(self) -> None:
        """Recover twice: the second time must find nothing, and all sums must be exact."""
        self.violations += await recover(self.home)
        self.books = self._reader.read()
        self.violations += final_violations(self.books, self.journal)

    def summary(self) -> str:
        """The figures, in one line."""
        charges, messages = len(self.books.rows()), sum(map(len, self.books.messages.values()))
        return (
            f"{self.kills} kills, {self.journal.acknowledged} acknowledged ({charges} ledger rows, "
            f"{len(self.books.archived)} of them archived; {messages} messages), {self.books.files} files, "
            f"{len(self.violations)} lost, doubled, unreadable or out of balance"
        )

    def _replace_the_dead(self) -> None:
        shared = f"shared-{self.number // 5}"
        for user in USERS:
            if user not in self._alive:
                own = f"{user}-{self.number}"
                order = Order(
                    self.home, user, self.chance.randrange(1 << 30), (shared, own), sabotage=self.sabotage
                )
                self._alive[user] = child = Child(run, order)
                child.reader.poll(60)

    def _listen(self, seconds: float) -> None:
        self.journal.add(listen(self._alive.values(), seconds))

    def _kill(self, users: list[str]) -> None:
        children = [self._alive.pop(user) for user in users]
        for child in children:
            child.kill()
        for child in children:
            self.journal.add(child.last_words())
            if child.exit_code == KILLED:
                self.kills += 1
            else:
                self.violations.append(f"a process ended by itself, with {child.exit_code}")

    def _look(self) -> None:
        self.books = self._reader.read()
        self.violations += losses(self.books, self.journal)
        self._listen(0.0)
        self.violations += inventions(self.books, self.journal)
        self.violations += [f"the store refused: {sentence}" for sentence in self.journal.refused]
