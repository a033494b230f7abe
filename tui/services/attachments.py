"""Attaching files: read once, told by their content, checked, estimated and kept as they are."""

import asyncio
import os
import re
import stat
import threading
from collections.abc import Callable, Sequence
from dataclasses import field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from tui.core.amounts import size_words
from tui.core.chat import Attachment, AttachmentKind, Message, Role, new_id
from tui.core.errors import InvalidValueError
from tui.core.frozen import frozen
from tui.core.ports import Store
from tui.core.text import redact, sanitize_line
from tui.providers import media, tokens
from tui.services.host_files import may_use_host_files
from tui.services.sending import MOST_BYTES, as_sent, refusal, token_kind

MOST_TEXT = 1_000_000
"""Bytes of a text file: some 250,000 tokens, more than most models take."""
READ_SECONDS = 10.0
"""How long a file may take to be read: a network's disk can hang for ever."""
NAME_LENGTH = 80
"""Characters of a name."""

_SECRET_NAMES = re.compile(
    r"\.env(\..+)?|\.netrc|\.npmrc|\.pypirc|\.pgpass|\.htpasswd|\.git-credentials|credentials(\.\w+)?"
    r"|secrets?(\.\w+)?|id_(rsa|dsa|ecdsa|ed25519)|.*\.(pem|key|p12|pfx|kdbx|jks|ovpn)",
    re.IGNORECASE,
)
_HARMLESS_NAMES = re.compile(r"\.env\.(example|sample|template|dist)", re.IGNORECASE)
_PRIVATE_KEY = re.compile(rb"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY")

_NEVER = datetime.min.replace(tzinfo=UTC)

T = TypeVar("T")


@frozen
class ReadFile:
    """A file that was read, and is not attached yet."""

    name: str
    kind: AttachmentKind
    media_type: str
    data: bytes = field(repr=False)
    tokens: int
    """What it is estimated to add to the input."""
    warning: str = ""
    """One sentence where it seems to hold secrets; the user is asked before it is attached."""


class Attachments:
    """What one user may attach, and how.

    Args:
        store: Keeps the bytes.
        user: Whose session it is: only the owner of this machine may read its files.
    """

    def __init__(self, store: Store, user: str) -> None:
        self._store = store
        self._user = user

    @property
    def allowed(self) -> bool:
        """Whether this user may attach files of this machine."""
        return may_use_host_files(self._user)

    async def read(self, path: str | Path, provider: str, model: str) -> ReadFile:
        """Read a file for a model, in the time that a disk may take.

        Args:
            path: As the user gave it; `~` is the home directory.
            provider: Whom it would be sent to.
            model: The model.

        Raises:
            InvalidValueError: It can't be read, is too large, or is of a type that the model does not take.
        """
        self._allow()
        place = expanded(path)
        name = file_name(place)
        data = await on_a_thread(lambda: _read(place, name), READ_SECONDS)
        if data is None:
            raise InvalidValueError(f"{name} could not be read in {READ_SECONDS:.0f} s: is its disk there?")
        found = media.sniff(data)
        if found is None:
            raise InvalidValueError(
                f"{name} can't be attached: it is neither UTF-8 text, nor a PNG, JPEG, WebP or GIF "
                "picture, nor a PDF."
            )
        kind, media_type = found
        _check_size(name, kind, len(data))
        file = ReadFile(name, kind, media_type, data, 0, _warning(name, data))
        if said := refusal(_attachment(file, ""), provider, model):
            raise InvalidValueError(said)
        return replace(file, tokens=await asyncio.to_thread(_size, file, provider, model))

    async def keep(self, file: ReadFile) -> Attachment:
        """Attach a file that was read: its bytes are on disk when this returns.

        Raises:
            InvalidValueError: This user may attach none.
            StorageError: They are not kept.
        """
        self._allow()
        return _attachment(file, await self._store.keep_attachment(file.data))

    async def measured(
        self, attachments: Sequence[Attachment], provider: str, model: str
    ) -> tuple[Attachment, ...]:
        """The same files with what they would add to the input of another model.

        Raises:
            StorageError: One can't be read.
        """
        return await asyncio.to_thread(
            lambda: tuple(self._measured(attachment, provider, model) for attachment in attachments)
        )

    async def missing(self, messages: Sequence[Message]) -> frozenset[str]:
        """The digests of files that go with messages, and are gone."""
        digests = {one.digest for message in messages for one in message.attachments}
        if not self.allowed:
            return frozenset(digests)
        return await self._store.missing_attachments(digests) if digests else frozenset()

    def _allow(self) -> None:
        if not self.allowed:
            raise InvalidValueError("Files of the host can't be attached over SSH: paste the text instead.")

    def _measured(self, attachment: Attachment, provider: str, model: str) -> Attachment:
        data = self._store.load_attachment(attachment.digest) if self.allowed else None
        if data is None:
            return replace(attachment, tokens=None)
        file = ReadFile(attachment.name, attachment.kind, attachment.media_type, data, 0)
        return replace(attachment, tokens=_size(file, provider, model))


def expanded(path: str | Path) -> Path:
    """A path as the user gave it, with `~` as the home directory."""
    try:
        return Path(path).expanduser()
    except RuntimeError:  # there is no such user
        return Path(path)


def file_name(path: Path) -> str:
    """A file's own name, safe to show."""
    return sanitize_line(path.name, NAME_LENGTH) or "file"


async def on_a_thread(call: Callable[[], T], seconds: float) -> T | None:
    """The result of a call that may hang; None once the time is over. The program's end does not wait for it.

    Raises:
        Exception: Whatever the call raises.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: Exception | None) -> None:
        if answer.done():
            return
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(result)  # type: ignore[arg-type]  # there is a result where there is no error

    def work() -> None:
        result: T | None = None
        failure: Exception | None = None
        try:
            result = call()
        except Exception as error:  # noqa: BLE001  # it is raised where the result is awaited
            failure = error
        try:
            loop.call_soon_threadsafe(settle, result, failure)
        except RuntimeError:  # the loop is closed: nobody waits any more
            return

    threading.Thread(target=work, name="attachments", daemon=True).start()
    try:
        async with asyncio.timeout(seconds):
            return await answer
    except TimeoutError:
        return None


def _read(path: Path, name: str) -> bytes:
    """The content of a regular file; anything else is refused without waiting for it."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NONBLOCK", 0))
    except OSError as error:
        raise _unreadable(path, name, error) from None
    try:
        status = os.fstat(descriptor)
        if stat.S_ISDIR(status.st_mode):
            raise InvalidValueError(f"{name} is a directory: attach the files in it one by one.")
        if not stat.S_ISREG(status.st_mode):
            raise InvalidValueError(f"{name} is not a regular file, so it can't be attached.")
        if status.st_size == 0:
            raise InvalidValueError(f"{name} is empty: there is nothing to attach.")
        if status.st_size > MOST_BYTES:
            _check_size(name, AttachmentKind.PDF, status.st_size)
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(MOST_BYTES + 1)
    except OSError as error:
        raise _unreadable(path, name, error) from None
    finally:
        os.close(descriptor)


def _unreadable(path: Path, name: str, error: OSError) -> InvalidValueError:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return InvalidValueError(f"There is no file {sanitize_line(str(path))}: check its path.")
    if isinstance(error, PermissionError):
        return InvalidValueError(f"You may not read {name}: check who owns it and its permissions.")
    return InvalidValueError(f"{name} could not be read ({error.strerror}): check the disk, then try again.")


def _check_size(name: str, kind: AttachmentKind, size: int) -> None:
    most = MOST_TEXT if kind is AttachmentKind.TEXT else MOST_BYTES
    if size > most:
        thing = "text file" if kind is AttachmentKind.TEXT else "file"
        raise InvalidValueError(
            f"{name} has {size_words(size)}, and a {thing} may have {most // 1_000_000} MB: "
            "attach a part of it."
        )


def _warning(name: str, data: bytes) -> str:
    named = _SECRET_NAMES.fullmatch(name) and not _HARMLESS_NAMES.fullmatch(name)
    if _PRIVATE_KEY.search(data):
        return f"{name} holds a private key."
    if named:
        return f"{name} looks like a file that holds passwords or keys."
    text = data[:MOST_TEXT].decode("utf-8", "ignore") if b"\0" not in data[:1024] else ""
    return f"{name} seems to hold an API key." if redact(text) != text else ""


def _attachment(file: ReadFile, digest: str) -> Attachment:
    return Attachment(
        new_id(), file.name, file.kind, file.media_type, len(file.data), digest, file.tokens or None
    )


def _size(file: ReadFile, provider: str, model: str) -> int:
    """What a file adds to the estimate of an input. CPU-bound."""
    kind = token_kind(provider)
    if kind != "demo":
        tokens.warm()
    carrier = Message("", Role.USER, "", _NEVER, attachments=(_attachment(file, ""),))
    sent = as_sent(carrier, lambda _digest: file.data, provider, model)
    frame = tokens.estimate_input((replace(sent, text="", attachments=()),), model, kind)
    return tokens.estimate_input((sent,), model, kind) - frame
