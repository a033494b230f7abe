"""Runs the system's own helpers, such as `pbcopy` or `xdg-open`: silent, and never for long."""

import shutil
import subprocess
from collections.abc import Mapping, Sequence

from tui.terminal.sequences import is_remote


def find(command: Sequence[str], environ: Mapping[str, str]) -> list[str] | None:
    """The command with its program's whole path; None where it is not installed."""
    program = shutil.which(command[0], path=environ.get("PATH", ""))
    return [program, *command[1:]] if program else None


def run(command: Sequence[str], data: bytes, environ: Mapping[str, str], *, seconds: float) -> bool:
    """Run a helper to its end, in a session of its own, with nothing of it on the screen.

    It blocks, and is for threads.

    Args:
        command: The program and its arguments.
        data: Its standard input.
        environ: Its environment.
        seconds: After which it is ended.

    Returns:
        Whether it ended by itself, and says that all is well.
    """
    try:
        ended = subprocess.run(
            command,
            input=data,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=dict(environ),
            timeout=seconds,
            start_new_session=True,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return ended.returncode == 0


def start(command: Sequence[str], environ: Mapping[str, str], *, seconds: float) -> bool:
    """Start a helper that may stay; it blocks until that one has ended or has proved to stay.

    Args:
        command: The program and its arguments.
        environ: Its environment.
        seconds: After which one that still runs is taken to do what was asked.

    Returns:
        Whether it stays, or ended and says that all is well.
    """
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=dict(environ),
            start_new_session=True,
        )
    except OSError:
        return False
    try:
        return process.wait(seconds) == 0
    except subprocess.TimeoutExpired:
        return True


def is_wsl(environ: Mapping[str, str]) -> bool:
    """Whether Windows' own programs can be run from here."""
    return bool(environ.get("WSL_DISTRO_NAME") or environ.get("WSL_INTEROP"))


def seen_from_afar(environ: Mapping[str, str]) -> bool:
    """Whether the user sits at another machine, by what tmux knows of who is attached, where it runs.

    A pane keeps the environment that it began with; the one who looks at it may have come by SSH since. It
    blocks while it asks tmux.
    """
    tmux = find(("tmux", "show-environment", "SSH_CONNECTION"), environ) if environ.get("TMUX") else None
    if tmux is None:
        return is_remote(environ)
    try:
        told = subprocess.run(
            tmux, capture_output=True, env=dict(environ), timeout=1, stdin=subprocess.DEVNULL, check=False
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return is_remote(environ)
    if told.startswith(b"SSH_CONNECTION="):
        return True
    return False if told.startswith(b"-SSH_CONNECTION") else is_remote(environ)
