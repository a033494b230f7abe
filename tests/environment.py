"""The environment in which tests and the programs that they start run: nothing of the developer's own."""

import os
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parent.parent
"""The checkout."""

PEER_VARIABLES = frozenset({"CTROOM_AIMOCK"})
"""Variables that say where a peer is installed: the only ones of ours that come in from outside."""

_OF_THE_RUN = frozenset({"TEXTUAL_SNAPSHOT_TEMPDIR"})
"""Variables that the test run sets for itself."""

_PRIVATE_PREFIXES = (
    "ANTHROPIC_",
    "COLUMNS",
    "CTROOM_",
    "DBUS_",
    "GEMINI_",
    "GOOGLE_",
    "LINES",
    "LLMOCK_",
    "NO_COLOR",
    "OPENAI_",
    "PYTHON_KEYRING",
    "SSH_",
    "STY",
    "TEXTUAL",
    "TMUX",
    "XDG_",
    "ZELLIJ",
)
_PRIVATE_SUFFIXES = ("_API_KEY", "_API_KEY_FILE", "_PROXY", "_proxy")


def is_private(name: str) -> bool:
    """Tell whether a variable could carry a key, an endpoint or a setting from outside into a test."""
    if name in PEER_VARIABLES | _OF_THE_RUN:
        return False
    return name.startswith(_PRIVATE_PREFIXES) or name.endswith(_PRIVATE_SUFFIXES)


def sandbox(directory: Path) -> dict[str, str]:
    """Return the variables that keep the program's files and its keyring below `directory`."""
    return {
        "HOME": str(directory / "home"),
        "CTROOM_HOME": str(directory / "ctroom"),
        "PYTHON_KEYRING_BACKEND": "tests.keyring_backend.FileKeyring",
        "CTROOM_TEST_KEYRING": str(directory / "keyring.json"),
    }


def child_environment(directory: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the whole environment for a program that a test starts."""
    environment = {name: value for name, value in os.environ.items() if not is_private(name)}
    environment |= sandbox(directory)
    environment |= {
        "PYTHONPATH": os.pathsep.join((str(ROOT / "tests" / "guards"), str(ROOT))),
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
    }
    return environment | dict(extra or {})
