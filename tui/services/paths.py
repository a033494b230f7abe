"""Paths of this machine's files: completed while they are written, and recognised when they are pasted."""

import os
import shlex
from itertools import islice
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tui.core.frozen import frozen
from tui.services.attachments import expanded

MOST_LOOKED_AT = 5_000
"""Entries of a directory that are looked at."""
MOST_OFFERED = 50
"""Paths that are offered."""
MOST_PASTED = 4_096
"""Characters of a paste that may be a path: Linux's PATH_MAX."""


@frozen
class PathChoice:
    """A path that is offered."""

    path: str
    """As it is to be written, in the way that it was begun; a directory's ends in a slash."""
    name: str
    """The last part of it."""
    directory: bool = False


def complete(written: str) -> tuple[PathChoice, ...]:
    """The paths that what is written may become: what begins with it first, then what contains it.

    Hidden files are offered once a dot is written. It waits for the disk: call it in a thread.

    Args:
        written: The beginning of a path; `~` is the home directory.
    """
    above, _, wanted = written.rpartition("/")
    parent = f"{above}/" if "/" in written else ""
    if written == "~":
        return (PathChoice("~/", "~", directory=True),)
    wanted = wanted.casefold()
    found: list[tuple[bool, str, PathChoice]] = []
    try:
        with os.scandir(expanded(parent) if parent else Path()) as entries:
            for entry in islice(entries, MOST_LOOKED_AT):
                if entry.name.startswith(".") and not wanted.startswith("."):
                    continue
                name = entry.name.casefold()
                if name.startswith(wanted) or (wanted in name and wanted[0] != "."):
                    directory = _is_directory(entry)
                    choice = PathChoice(
                        parent + entry.name + ("/" if directory else ""), entry.name, directory
                    )
                    found.append((not name.startswith(wanted), name, choice))
    except OSError:
        return ()
    return tuple(choice for _, _, choice in sorted(found, key=lambda one: one[:2])[:MOST_OFFERED])


def may_be_path(text: str) -> bool:
    """Whether a paste looks like the path that a terminal writes where a file is dropped on it."""
    text = text.strip()
    return (
        len(text) <= MOST_PASTED
        and "\n" not in text
        and text.lstrip("'\"").startswith(("/", "~/", "file://"))
    )


def pasted_file(text: str) -> Path | None:
    """The file whose path was pasted: quoted, with backslashes, as a URL or as it is; None where it is none.

    It waits for the disk: call it in a thread.
    """
    text = text.strip()
    for candidate in (text, *_unquoted(text)):
        path = expanded(unquote(urlsplit(candidate).path) if candidate.startswith("file://") else candidate)
        try:
            if path.is_file():
                return path
        except (OSError, ValueError):
            continue
    return None


def _unquoted(text: str) -> tuple[str, ...]:
    """The one word that a shell would see in the text."""
    try:
        words = shlex.split(text)
    except ValueError:  # a quotation mark without its other
        return ()
    return tuple(words) if len(words) == 1 else ()


def _is_directory(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False
