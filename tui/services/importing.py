"""Conversations from files: ChatGPT's export, as it is or as JSON out of it, and Ctroom's own JSON."""

import base64
import binascii
import hashlib
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from tui.core.chat import Conversation, Message
from tui.core.errors import InvalidValueError
from tui.core.frozen import frozen
from tui.core.ports import State, Store
from tui.core.text import sanitize_line
from tui.services.chatgpt import read_chatgpt
from tui.services.exporting import FORMAT, VERSION
from tui.services.library import Library
from tui.storage.conversations import check_conversation_id
from tui.storage.records import FieldProblemError, codec

BATCH = 50
"""Conversations whose entries are saved together."""
MOST_BYTES = 2 << 30
"""Of what is unpacked from an archive: more is no one's conversations."""

_MEMBER = re.compile(r"conversations(-\d+)?\.json")


@frozen
class Imported:
    """A conversation read from a file."""

    conversation: Conversation
    messages: tuple[Message, ...]
    left_out: int = 0
    """Images and other files that the export only points to."""
    attachments: tuple[bytes, ...] = ()


@frozen
class Problem:
    """Something in a file that could not be read; the rest is imported."""

    what: str
    """One sentence."""


@frozen
class ImportReport:
    """What came of an import."""

    conversations: int = 0
    messages: int = 0
    known: int = 0
    """Conversations that were there already, deleted ones included."""
    left_out: int = 0
    """Images and other files that the export only points to."""
    problems: tuple[str, ...] = ()


class Importer:
    """Brings conversations in beside those that are there.

    Args:
        store: Keeps them.
        library: Knows which are there.
        user: Whose they become.
    """

    def __init__(self, store: Store, library: Library, user: str) -> None:
        self._store = store
        self._library = library
        self._user = user

    async def bring(self, path: Path) -> ImportReport:
        """Import a file. What was imported before is recognised by its ids and left as it is.

        Raises:
            InvalidValueError: The file can't be read, or is nothing that can be imported.
            StorageError: Something could not be saved; what was saved before it stays.
        """
        report = ImportReport()
        known = await self._known()
        batch: list[Conversation] = []
        for one in read_file(path, self._user):
            if isinstance(one, Problem):
                report = replace(report, problems=(*report.problems, one.what))
            elif one.conversation.id in known:
                report = replace(report, known=report.known + 1)
            else:
                known.add(one.conversation.id)
                await self._save(one)
                batch.append(one.conversation)
                report = replace(
                    report,
                    conversations=report.conversations + 1,
                    messages=report.messages + len(one.messages),
                    left_out=report.left_out + one.left_out,
                )
            if len(batch) == BATCH:
                await self._enter(batch)
                batch = []
        await self._enter(batch)
        return report

    async def _known(self) -> set[str]:
        live = {entry.id for _, entry in self._store.view.conversations}
        return live | {entry.id for entry in await self._store.load_older_conversations()}

    async def _save(self, one: Imported) -> None:
        """Messages first, so that no entry is without them."""
        for data in one.attachments:
            await self._store.keep_attachment(data)
        if one.messages:
            await self._store.save_messages(one.conversation.id, one.messages)

    async def _enter(self, batch: list[Conversation]) -> None:
        entries = tuple(batch)

        def work(state: State) -> None:
            there = {entry.id for _, entry in state.conversations}
            for entry in entries:
                if entry.id not in there:
                    state.conversations.insert(entry)

        if entries:
            await self._store.transaction(work)


def read_file(path: Path, user: str) -> Iterator[Imported | Problem]:
    """The conversations in a file, one by one.

    Args:
        path: JSON, or a zip archive with a `conversations.json` in it.
        user: Whose they become.

    Raises:
        InvalidValueError: It can't be read, or is nothing that can be imported.
    """
    document = _load(path)
    if isinstance(document, dict) and document.get("format") == FORMAT:
        yield _own(document, user)
        return
    if not isinstance(document, list):
        raise InvalidValueError(
            f"{path} is neither ChatGPT's export (conversations.json or its zip) nor JSON of Ctroom's own."
        )
    for number, entry in enumerate(document, start=1):
        if isinstance(entry, dict) and entry.get("format") == FORMAT:
            yield _own(entry, user)
            continue
        try:
            conversation, messages, left_out = read_chatgpt(entry, user)
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
            yield Problem(f"Conversation {number}{_named(entry)} could not be read: {_words(error)}.")
        else:
            yield Imported(conversation, messages, left_out)


def _load(path: Path) -> Any:
    try:
        contents = _from_archive(path) if zipfile.is_zipfile(path) else [path.read_bytes()]
    except (OSError, zipfile.BadZipFile, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or "it is not a whole zip archive"
        raise InvalidValueError(f"{path} could not be read ({reason}).") from None
    try:
        documents = [json.loads(content) for content in contents]
    except (ValueError, RecursionError):
        raise InvalidValueError(f"{path} is not JSON, so it can't be imported.") from None
    if len(documents) == 1:
        return documents[0]
    return [entry for document in documents if isinstance(document, list) for entry in document]


def _from_archive(path: Path) -> list[bytes]:
    """The files of conversations in an archive; large exports have several."""
    with zipfile.ZipFile(path) as archive:
        found = [info for info in archive.infolist() if _MEMBER.fullmatch(Path(info.filename).name)]
        if not found:
            raise InvalidValueError(f"{path} has no conversations.json in it: is it ChatGPT's export?")
        if sum(info.file_size for info in found) > MOST_BYTES:
            raise InvalidValueError(f"{path} is too large to be imported.")
        return [archive.read(info) for info in sorted(found, key=lambda info: info.filename)]


def _own(document: dict[str, Any], user: str) -> Imported | Problem:
    if document.get("version") != VERSION:
        return Problem("A conversation of another version of Ctroom could not be read: update Ctroom.")
    try:
        entry = codec(Conversation).decode(document.get("conversation"))
        messages = tuple(codec(Message).decode(one) for one in document.get("messages", ()))
        files = {digest: base64.b64decode(data) for digest, data in document.get("attachments", {}).items()}
        check_conversation_id(entry.id)
    except (FieldProblemError, binascii.Error, TypeError, AttributeError) as error:
        return Problem(
            f"A conversation{_named(document.get('conversation'))} could not be read: {_words(error)}."
        )
    except Exception as error:  # noqa: BLE001  # an id that names no file
        return Problem(f"A conversation could not be read: {_words(error)}")
    whole = tuple(data for digest, data in files.items() if hashlib.sha256(data).hexdigest() == digest)
    ids = {message.id for message in messages}
    head = entry.head_id if entry.head_id in ids else (messages[-1].id if messages else None)
    entry = replace(entry, user=user, deleted_at=None, head_id=head, message_count=len(messages))
    return Imported(entry, messages, 0, whole)


def _named(entry: object) -> str:
    title = entry.get("title") if isinstance(entry, dict) else None
    return f" (\u201c{sanitize_line(title, 60)}\u201d)" if isinstance(title, str) and title else ""


def _words(error: Exception) -> str:
    if isinstance(error, FieldProblemError):
        return sanitize_line(str(error), 120)
    return sanitize_line(str(error), 120) if type(error) is ValueError else "it is not what it should be"
