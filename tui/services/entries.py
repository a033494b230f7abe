"""What is made of the entries of conversations: their titles and tags, and the order of a list."""

from collections.abc import Iterable

from tui.core.chat import Conversation
from tui.core.text import sanitize_line

TITLE_LENGTH = 60
"""Characters of a title, in the list and in files."""
UNTITLED = "New conversation"
"""The title until there is a prompt to take one from."""
TAG_LENGTH = 24
"""Characters of a tag."""
MOST_TAGS = 8
"""Tags of a conversation."""


def title_of(prompt: str) -> str:
    """A title from a prompt's first line that says anything."""
    lines = (sanitize_line(line, TITLE_LENGTH) for line in prompt.splitlines())
    return next(filter(None, lines), UNTITLED)


def tags_of(words: Iterable[str]) -> tuple[str, ...]:
    """Tags from words that someone wrote: small letters without "#" or spaces, each once, in their order."""
    lines = (sanitize_line(word.strip().lstrip("#"), TAG_LENGTH) for word in words)
    tags = ("-".join(line.lower().split()) for line in lines)
    return tuple(dict.fromkeys(filter(None, tags)))[:MOST_TAGS]


def newest_first(entries: Iterable[Conversation]) -> tuple[Conversation, ...]:
    """Conversations in the order of a list: the latest used first."""
    return tuple(sorted(entries, key=lambda entry: (entry.updated_at, entry.id), reverse=True))
