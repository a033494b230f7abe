"""A keyring kept in one JSON file, for tests: `PYTHON_KEYRING_BACKEND=tests.keyring_backend.FileKeyring`.

The file is named by `CTROOM_TEST_KEYRING` and read again at each call, so that a test and the programs that
it starts share one keyring, and tests can look into it.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError


class FileKeyring(KeyringBackend):
    """Stores passwords as `{service: {user: password}}`."""

    priority = 1.0

    def get_password(self, service: str, username: str) -> str | None:
        with _entries() as entries:
            return entries.get(service, {}).get(username)

    def set_password(self, service: str, username: str, password: str) -> None:
        with _entries() as entries:
            entries.setdefault(service, {})[username] = password

    def delete_password(self, service: str, username: str) -> None:
        with _entries() as entries:
            try:
                del entries[service][username]
            except KeyError as error:
                raise PasswordDeleteError(f"No password for {username}.") from error


@contextmanager
def _entries() -> Iterator[dict[str, dict[str, str]]]:
    """Hold the file's lock while its entries are read and, if changed, written back."""
    path = Path(os.environ["CTROOM_TEST_KEYRING"])
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        before = file.read()
        entries: dict[str, dict[str, str]] = json.loads(before) if before else {}
        yield entries
        after = json.dumps(entries)
        if after != (before or "{}"):
            file.truncate(0)
            file.write(after)
