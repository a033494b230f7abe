"""Where a command reads and writes: this process' own streams, or those of a session."""

from typing import Protocol


class Streams(Protocol):
    """The streams of a command."""

    @property
    def is_terminal(self) -> bool:
        """Whether the output is drawn on a terminal."""
        ...

    def write(self, text: str) -> None:
        """Write to standard output."""
        ...

    def say(self, sentence: str) -> None:
        """Write a sentence to standard error, cleared of anything that looks like a key."""
        ...
