"""The texts of conversations as they stand on disk, for a search: read on any thread, beside the writer."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tui.core.chat import Role
from tui.core.ports import MessageText
from tui.storage.conversations import MESSAGES, check_conversation_id
from tui.storage.failures import cannot_read, corrupt
from tui.storage.parser import parse_tables

PIECE_BYTES = 1 << 20
"""What is looked at, or parsed, in one call: few enough that the interpreter's lock is held for 5 ms."""
OVERLAP_BYTES = 1 << 12
"""By which pieces overlap, so that what is sought is whole in one of them."""

_MESSAGE = b'{"id": "'
_DECODER = json.JSONDecoder()


def read_texts(
    directory: Path, conversation_id: str, may_hold: Callable[[bytes], bool]
) -> tuple[MessageText, ...]:
    """The texts of a conversation's messages, all branches, oldest first; those that can't hold it may lack.

    A file is only ever replaced whole, so that it is read without a lock.

    Args:
        directory: Where the conversations' files are.
        conversation_id: The conversation.
        may_hold: Whether a piece of the file may hold what is sought; where none does, nothing is returned.

    Raises:
        StorageError: The file is damaged or can't be read.
    """
    path = directory / f"{check_conversation_id(conversation_id)}.json"
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise cannot_read(path, error) from error
    if not any(may_hold(piece) for piece in _pieces(data)):
        return ()
    try:
        return tuple(_text_of(document) for document in _documents(data, may_hold))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        problem = f"its messages can't be read ({type(error).__name__})"
        raise corrupt(path, problem, None) from None


def _pieces(data: bytes) -> Iterator[bytes]:
    if len(data) <= PIECE_BYTES:
        yield data
        return
    for start in range(0, len(data), PIECE_BYTES - OVERLAP_BYTES):
        yield data[start : start + PIECE_BYTES]


def _documents(data: bytes, may_hold: Callable[[bytes], bool]) -> Iterator[dict[str, Any]]:
    if len(data) <= PIECE_BYTES:
        yield from _holding(data, may_hold) or json.loads(data).get(MESSAGES, {}).values()
        return
    blocks = (data[start : start + PIECE_BYTES] for start in range(0, len(data), PIECE_BYTES))
    rows = parse_tables(blocks).get(MESSAGES)
    for row in rows.by_id.values() if rows else ():
        yield row.parsed if row.parsed is not None else row.document()


def _holding(data: bytes, may_hold: Callable[[bytes], bool]) -> list[dict[str, Any]]:
    """The messages that may hold it, where they are few; empty where the whole file is to be parsed.

    Each message is written with its id first, and no text can have these bytes: its quotes are escaped.
    """
    pieces = data.split(_MESSAGE)[1:]
    wanted = [piece for piece in pieces if may_hold(piece)]
    if not wanted or 2 * len(wanted) > len(pieces):
        return []
    try:
        documents = [_DECODER.raw_decode((_MESSAGE + piece).decode("utf-8"))[0] for piece in wanted]
    except ValueError:  # a message with an attached file, whose record begins in the same way
        return []
    return [document for document in documents if "role" in document]


def _text_of(document: dict[str, Any]) -> MessageText:
    message_id, text = document["id"], document["text"]
    if not isinstance(message_id, str) or not isinstance(text, str):
        raise TypeError("a message without an id or a text")
    return MessageText(message_id, Role(document["role"]), text)
