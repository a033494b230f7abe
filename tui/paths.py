"""Where files lie: the data directory."""

from collections.abc import Mapping
from pathlib import Path


def data_directory(environ: Mapping[str, str]) -> Path:
    """The directory of all state: `CTROOM_HOME`, else the platform's own place for user data.

    Args:
        environ: The process environment.
    """
    if home := environ.get("CTROOM_HOME", "").strip():
        return Path(home).expanduser().absolute()
    from platformdirs import user_data_dir

    return Path(user_data_dir("ctroom", appauthor=False))
