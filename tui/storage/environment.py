"""Keys from the environment, for hosts without a keyring: `OPENAI_API_KEY`, or `*_FILE` for mounted ones."""

from collections.abc import Mapping
from pathlib import Path

from tui.core.errors import SecretsError
from tui.core.settings import provider_name

VARIABLES = {
    "openai": ("OPENAI_API_KEY",),
    "google": ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
}
"""The SDKs' own names, the preferred one first."""

_MOST_BYTES = 16_384
"""A larger file is not a key."""


def environment_key(environ: Mapping[str, str], provider: str) -> tuple[str, str] | None:
    """The key that the environment has for a provider, and the name of its variable.

    A variable's `_FILE` variant comes right after it; Docker and systemd hand over secrets that way.

    Args:
        environ: The process environment.
        provider: `openai` or `google`; others have none.

    Raises:
        SecretsError: A named file can't be read or does not hold one key; the text never shows its content.
    """
    for name in VARIABLES.get(provider, ()):
        if key := environ.get(name, "").strip():
            return key, name
        variable = f"{name}_FILE"
        if path := environ.get(variable, "").strip():
            return _read(Path(path), variable, provider), variable
    return None


def _read(path: Path, variable: str, provider: str) -> str:
    whose = f"{variable} names {path} for the {provider_name(provider)} key"
    try:
        if not path.is_file():
            raise SecretsError(f"{whose}, but there is no such file: correct the path.")
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise SecretsError(f"{whose}, but it can't be read ({error.strerror}): check it.") from None
    try:
        key = content.decode("ascii").strip() if len(content) <= _MOST_BYTES else ""
    except UnicodeDecodeError:
        key = ""
    if not key or not key.isprintable() or " " in key:
        raise SecretsError(f"{whose}, but it does not hold one key and nothing else: correct the file.")
    return key
