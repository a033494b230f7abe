"""The user's own editor: which it is, and a text written in it."""

import asyncio
import os
import shlex
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from tui.core.errors import InvalidValueError
from tui.core.text import sanitize, sanitize_line

USUAL = ("nano", "vim", "vi")
"""Tried in this order where neither `VISUAL` nor `EDITOR` is set."""
MOST_CHARACTERS = 4_000_000
"""Characters that are taken back; no model's context holds as much."""


def editor_command(environ: Mapping[str, str]) -> list[str]:
    """The editor with its arguments.

    Args:
        environ: The session's environment.

    Raises:
        InvalidValueError: There is none, or it can't be found; the message says what to do.
    """
    for variable in ("VISUAL", "EDITOR"):
        if not (wanted := environ.get(variable, "").strip()):
            continue
        try:
            command = shlex.split(wanted)
        except ValueError:
            command = []
        if command and shutil.which(command[0], path=environ.get("PATH")):
            return command
        named = sanitize_line(command[0] if command else wanted, 60)
        raise InvalidValueError(
            f"The editor {named!r} can't be found: correct {variable}, and start Ctroom again."
        )
    for name in USUAL:
        if shutil.which(name, path=environ.get("PATH")):
            return [name]
    raise InvalidValueError("No editor was found: set EDITOR to yours, such as nano, and start Ctroom again.")


async def edit(command: list[str], text: str, environ: Mapping[str, str]) -> str:
    """Let the user write in the editor; it has the terminal until it ends.

    Args:
        command: The editor with its arguments.
        text: What it begins with.
        environ: Its environment.

    Raises:
        InvalidValueError: It failed; the message says how, and where the text is if it was changed.
    """
    try:
        path = _written(text)
    except OSError as error:
        raise InvalidValueError(
            f"The editor was not opened: no file could be made ({_why(error)})."
        ) from None
    try:
        with _interrupts_ignored():
            status = await _run([*command, str(path)], environ)
        changed = _read(path)
    except OSError as error:
        with suppress(OSError):
            path.unlink()
        raise InvalidValueError(f"The editor {command[0]!r} could not be used ({_why(error)}).") from None
    if len(changed) > MOST_CHARACTERS:
        raise InvalidValueError(f"That is too long for a prompt: it is in {path}.")
    if status == 0 or changed == text:
        path.unlink(missing_ok=True)
    if status:
        kept = "" if changed == text else f" What you wrote is in {path}."
        how = f"with status {status}" if status > 0 else f"by signal {-status}"
        raise InvalidValueError(f"The editor ended {how}: the prompt is as it was before.{kept}")
    return changed


def _written(text: str) -> Path:
    """A file of the user's own, in nobody else's sight."""
    descriptor, name = tempfile.mkstemp(prefix="ctroom-", suffix=".md")
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace", newline="") as file:
        file.write(text)
    return Path(name)


def _read(path: Path) -> str:
    """What the file holds, without the newline that editors put at its end."""
    data = path.read_bytes().decode("utf-8", errors="replace")
    return sanitize(data.replace("\r\n", "\n").removesuffix("\n"))


async def _run(command: list[str], environ: Mapping[str, str]) -> int:
    process = await asyncio.create_subprocess_exec(*command, env=dict(environ))
    try:
        return await process.wait()
    except asyncio.CancelledError:
        with suppress(ProcessLookupError):
            process.terminate()
        raise


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Ctrl+C is the editor's: it reaches every program in the terminal's foreground."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    # A function rather than SIG_IGN, which the editor would inherit.
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _why(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()
