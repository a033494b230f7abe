"""Saving code of a reply to a file of the user's."""

import errno
import os
import stat
from collections.abc import Mapping
from pathlib import Path

from tui.core.errors import InvalidValueError
from tui.core.text import sanitize_line
from tui.services.host_files import check_may_write

MODE = 0o644
"""Code that a model wrote is never executable by itself."""
_ENDINGS: Mapping[str, str] = {
    "bash": "sh",
    "c": "c",
    "c#": "cs",
    "c++": "cpp",
    "clojure": "clj",
    "console": "txt",
    "cpp": "cpp",
    "csharp": "cs",
    "css": "css",
    "csv": "csv",
    "diff": "diff",
    "elixir": "ex",
    "erlang": "erl",
    "fish": "fish",
    "go": "go",
    "haskell": "hs",
    "html": "html",
    "ini": "ini",
    "java": "java",
    "javascript": "js",
    "js": "js",
    "json": "json",
    "jsx": "jsx",
    "julia": "jl",
    "kotlin": "kt",
    "latex": "tex",
    "lua": "lua",
    "markdown": "md",
    "md": "md",
    "ocaml": "ml",
    "patch": "patch",
    "perl": "pl",
    "php": "php",
    "powershell": "ps1",
    "py": "py",
    "python": "py",
    "python3": "py",
    "r": "r",
    "ruby": "rb",
    "rust": "rs",
    "rs": "rs",
    "scala": "scala",
    "sh": "sh",
    "shell": "sh",
    "sql": "sql",
    "svg": "svg",
    "swift": "swift",
    "toml": "toml",
    "ts": "ts",
    "tsx": "tsx",
    "typescript": "ts",
    "xml": "xml",
    "yaml": "yaml",
    "yml": "yml",
    "zig": "zig",
    "zsh": "zsh",
}
_NAMES: Mapping[str, str] = {"dockerfile": "Dockerfile", "makefile": "Makefile", "make": "Makefile"}
"""Languages whose files go by one name."""


class FileExistsAlreadyError(InvalidValueError):
    """There is a file of that name; it is replaced only when that is asked for."""


def suggested_name(language: str, number: str = "1") -> str:
    """A file name for code, by its language: "code-1.py", "Dockerfile"; "code-1.txt" where none fits.

    Args:
        language: What its fence says.
        number: Which block it is.
    """
    word = language.strip().lower()
    return _NAMES.get(word) or f"code-{number}.{_ENDINGS.get(word, 'txt')}"


def save_code(path: str, code: str, user: str, *, replace: bool = False) -> str:
    """Write code to a file, as UTF-8 with a newline at its end. It blocks.

    Args:
        path: As typed: relative to the directory that the app was started in; "~" is a home directory.
        code: What is saved.
        user: Who saves it: files of this machine are its owner's to write.
        replace: Whether a file of that name may be replaced.

    Returns:
        The whole path.

    Raises:
        FileExistsAlreadyError: There is such a file, and `replace` does not say that it may go.
        InvalidValueError: It could not be saved; the sentence says why.
    """
    check_may_write(user)
    if not path.strip():
        raise InvalidValueError("Type the name of a file.")
    try:
        target = Path(path.strip()).expanduser().absolute()
    except RuntimeError:
        raise InvalidValueError(
            f"There is no user as in {sanitize_line(path)}: write the whole path."
        ) from None
    try:
        _write(target, code if code.endswith("\n") else code + "\n", replace=replace)
    except FileExistsError:
        raise FileExistsAlreadyError(
            f"{sanitize_line(target.name)} exists already: Enter again replaces it, or choose another name."
        ) from None
    except (OSError, ValueError) as error:
        raise InvalidValueError(_sentence(target, error)) from None
    return str(target)


def _write(target: Path, code: str, *, replace: bool) -> None:
    # Looked at first, so that a device or a pipe is never opened: that could wait for ever.
    if target.exists() and not stat.S_ISREG(target.stat().st_mode):
        raise IsADirectoryError(errno.EISDIR, "not a file", str(target))
    flags = os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if replace else os.O_EXCL)
    with os.fdopen(os.open(target, flags, MODE), "wb") as file:
        file.write(code.encode("utf-8", "replace"))


def _sentence(target: Path, error: OSError | ValueError) -> str:
    name, place = sanitize_line(target.name), sanitize_line(str(target.parent))
    match error:
        case FileNotFoundError() | NotADirectoryError():
            return f"There is no directory {place}: choose another place."
        case IsADirectoryError():
            return f"{name} is no file: add a file's name."
        case PermissionError():
            return f"{name} can't be written in {place}: choose another place."
        case OSError(errno=errno.ENOSPC):
            return f"The disk is full: {name} was not saved."
        case ValueError():
            return f"{name} can't be the name of a file: choose another name."
    reason = sanitize_line(error.strerror or type(error).__name__)
    return f"{name} was not saved ({reason}): choose another name."
