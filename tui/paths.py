"""Where files lie: the data directory and the stylesheets."""

from collections.abc import Mapping
from pathlib import Path

_NAMES = ("app", "transcript", "chat", "usage", "settings", "dialogs", "contrast")
"""In the order in which they apply."""

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
    """Stylesheets: packaged ones (`tui/styles`) where there are any, else the checkout's (`styles`)."""
    packaged = _PACKAGE / "styles"
    directory = packaged if packaged.is_dir() else _PACKAGE.parent / "styles"
    return [directory / f"{name}.tcss" for name in _NAMES]
