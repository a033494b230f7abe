"""Where files lie: the data directory and the stylesheets."""

from collections.abc import Mapping
from pathlib import Path

_FIRST = ("app", "transcript", "chat", "usage", "contrast")
"""The stylesheets of what the first frame may show, in the order in which they apply."""
_LATE = ("settings", "dialogs")
"""Those of what it never shows: to read them takes 10 ms."""

_PACKAGE = Path(__file__).parent


def data_directory(environ: Mapping[str, str]) -> Path:
    """The directory of all state: `CTROOM_HOME`, else the platform's own place for user data.

    Args:
        environ: The process environment.
    """
    if home := environ.get("CTROOM_HOME", "").strip():
        return Path(home).expanduser().absolute()
    from platformdirs import user_data_dir

    return Path(user_data_dir("ctroom", appauthor=False))


def stylesheets() -> list[Path]:
    """The stylesheets that the app starts with."""
    return _styles(_FIRST)


def late_stylesheets() -> list[Path]:
    """The stylesheets that Settings and the dialogs need besides."""
    return _styles(_LATE)


def _styles(names: tuple[str, ...]) -> list[Path]:
    """Packaged stylesheets (`tui/styles`) where there are any, else the checkout's (`styles`)."""
    packaged = _PACKAGE / "styles"
    directory = packaged if packaged.is_dir() else _PACKAGE.parent / "styles"
    return [directory / f"{name}.tcss" for name in names]
