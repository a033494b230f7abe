"""The streams of this process, for commands that can also run in a session of `ctroom serve`."""

import sys

import click

from tui.commands.runtime import say


class ProcessStreams:
    """Standard output and standard error. Implements `core.streams.Streams`."""

    @property
    def is_terminal(self) -> bool:
        """Whether the output is drawn on a terminal."""
        return sys.stdout is not None and sys.stdout.isatty()

    def write(self, text: str) -> None:
        """Write to standard output."""
        click.echo(text, nl=False)

    def say(self, sentence: str) -> None:
        """Write a sentence to standard error."""
        say(sentence)


def piped_input() -> str:
    """What is piped to standard input; nothing where that is a terminal."""
    return "" if sys.stdin is None or sys.stdin.isatty() else sys.stdin.read()
