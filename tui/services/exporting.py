"""Conversations as files: Markdown with a front matter for people, and JSON that keeps everything."""

import base64
import json
import os
import re
import unicodedata
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from tui.core.chat import Conversation, Message, MessageStatus, Role
from tui.core.errors import InvalidValueError
from tui.core.settings import provider_name
from tui.core.text import sanitize_line
from tui.core.usage import Provenance, Usage
from tui.services.host_files import check_may_write
from tui.services.library import OpenConversation
from tui.storage.records import codec

FORMAT = "ctroom-conversation"
VERSION = 1
"""Of the JSON form."""
NAME_LENGTH = 80
"""Characters of a file's name before its suffix."""

_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]+')
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")


class ExportFormat(StrEnum):
    """The forms that a conversation can be written in; each is its files' suffix."""

    MARKDOWN = "md"
    JSON = "json"


def export(
    opened: OpenConversation, form: ExportFormat, load_attachment: Callable[[str], bytes | None]
) -> str:
    """A conversation as the content of a file.

    Args:
        opened: The conversation with its messages.
        form: The form to write it in.
        load_attachment: The bytes of an attached file by their digest; JSON takes them along.
    """
    return _markdown(opened) if form is ExportFormat.MARKDOWN else _json(opened, load_attachment)


def file_name(conversation: Conversation, form: ExportFormat) -> str:
    """A name that every file system takes: "2026-11-23 Rust lifetimes.md"."""
    title = unicodedata.normalize("NFC", sanitize_line(conversation.title, NAME_LENGTH))
    title = " ".join(_FORBIDDEN.sub(" ", title).split()).strip(". ") or "Untitled"
    if _RESERVED.fullmatch(title):
        title = f"{title}_"
    name = f"{conversation.updated_at.astimezone(UTC):%Y-%m-%d} {title}"
    while len(name.encode("utf-8")) > 200:
        name = name[:-1]
    return f"{name.rstrip('. ')}.{form.value}"


def write_new(path: Path, content: str, user: str) -> Path:
    """Write a file that is not there yet, on behalf of a user.

    Raises:
        InvalidValueError: There is such a file, it can't be written, or the user works from elsewhere.
    """
    check_may_write(user)
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(content)
    except FileExistsError:
        raise InvalidValueError(f"{path} is there already: choose another name.") from None
    except OSError as error:
        raise InvalidValueError(f"{path} could not be written ({error.strerror}).") from None
    return path


def write_numbered(directory: Path, name: str, content: str, user: str) -> Path:
    """Write a file under this name, or with a number after it where there is such a file.

    Raises:
        InvalidValueError: It can't be written, or the user works from elsewhere.
    """
    check_may_write(user)
    path, number = directory / name, 1
    while path.exists() or path.is_symlink():
        number += 1
        path = directory / f"{Path(name).stem} {number}{Path(name).suffix}"
    return write_new(path, content, user)


def usage_totals(messages: Iterable[Message]) -> dict[Provenance, Usage]:
    """What all turns used, by how surely it is known."""
    totals: dict[Provenance, Usage] = {}
    for message in messages:
        if message.usage is not None:
            provenance = message.provenance or Provenance.REPORTED
            total, used = totals.get(provenance, Usage()), message.usage
            totals[provenance] = Usage(
                total.input + used.input,
                total.output + used.output,
                total.cached_input + used.cached_input,
                total.reasoning + used.reasoning,
            )
    return totals


def _markdown(opened: OpenConversation) -> str:
    entry = opened.conversation
    parts = [_front_matter(opened), f"# {sanitize_line(entry.title)}"]
    if system := entry.options.system_prompt or entry.system_prompt:
        parts += ["## System prompt", system.strip()]
    for message in opened.messages:
        parts += [f"## {_heading(message)}", *_body(message)]
    return "\n\n".join(parts) + "\n"


def _front_matter(opened: OpenConversation) -> str:
    """YAML whose texts are JSON's, which YAML takes as they are."""
    entry = opened.conversation
    facts: list[tuple[str, object]] = [
        ("title", entry.title),
        ("id", entry.id),
        ("created", _moment(entry.created_at)),
        ("updated", _moment(entry.updated_at)),
        ("provider", entry.provider),
        ("model", entry.model),
        ("tags", list(entry.tags)),
        ("messages", len(opened.messages)),
        ("messages_on_other_branches", len(opened.all_messages) - len(opened.messages)),
    ]
    lines = [f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in facts]
    lines.append("tokens:" if (totals := usage_totals(opened.all_messages)) else "tokens: {}")
    for provenance, used in totals.items():
        figures = (
            f"input: {used.input}, cached_input: {used.cached_input}, output: {used.output}, "
            f"reasoning: {used.reasoning}, total: {used.total}"
        )
        lines.append(f"  {provenance.value}: {{{figures}}}")
    return "\n".join(["---", *lines, "---"])


def _heading(message: Message) -> str:
    at = f"{message.created_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    if message.role is Role.USER:
        return f"You · {at}"
    who = sanitize_line(message.model or provider_name(message.provider or "") or message.role.value)
    if message.usage is None:
        return f"{who} · {at}"
    about = "" if message.provenance is None or message.provenance.exact else "~"
    return f"{who} · {at} · {about}{message.usage.input:,} in · {about}{message.usage.output:,} out"


def _body(message: Message) -> list[str]:
    parts = [f"- attached: {sanitize_line(one.name)}" for one in message.attachments]
    body = ["\n".join(parts)] if parts else []
    if message.text.strip():
        body.append(message.text.strip())
    if message.status is not MessageStatus.COMPLETE:
        reason = f": {sanitize_line(message.error, 400)}" if message.error else ""
        body.append(f"*({message.status.value}{reason})*")
    return body


def _json(opened: OpenConversation, load_attachment: Callable[[str], bytes | None]) -> str:
    digests = dict.fromkeys(one.digest for message in opened.all_messages for one in message.attachments)
    files = {digest: data for digest in digests if (data := load_attachment(digest)) is not None}
    document: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "conversation": codec(Conversation).encode(opened.conversation),
        "messages": [codec(Message).encode(message) for message in opened.all_messages],
        "attachments": {digest: base64.b64encode(data).decode("ascii") for digest, data in files.items()},
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
