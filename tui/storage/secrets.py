"""Where keys are kept: the OS keyring, or this process's memory. Never a file of ours."""

import contextlib
from collections.abc import Mapping
from typing import Any

from tui.core.errors import SecretsError
from tui.core.ports import Secrets
from tui.storage.keyring_calls import LIMIT, SERVICE, NoKeyringError, backend_name, call_keyring

KEYRING_PLACE = "the system keyring"
SESSION_PLACE = "this session only"


class MemorySecrets:
    """Keys in this process's memory. Implements `core.ports.Secrets`."""

    def __init__(self) -> None:
        self._keys: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {len(self._keys)} keys>"

    @property
    def place(self) -> str:
        """Where a key would be kept, in words."""
        return SESSION_PLACE

    @property
    def durable(self) -> bool:
        """Whether a key outlives the process."""
        return False

    async def get(self, name: str) -> str | None:
        """The key of that name."""
        return self._keys.get(name)

    async def set(self, name: str, key: str) -> None:
        """Keep a key."""
        self._keys[name] = key

    async def remove(self, name: str) -> None:
        """Remove a key, where there is one."""
        self._keys.pop(name, None)

    def holds(self, name: str) -> bool:
        """Whether there is a key of that name."""
        return name in self._keys


class KeyringSecrets:
    """Keys in the OS keyring, under the service name `ctroom`. Implements `core.ports.Secrets`.

    Args:
        limit: Seconds for one call of the keyring.
    """

    def __init__(self, limit: float = LIMIT) -> None:
        self._limit = limit

    @property
    def place(self) -> str:
        """Where a key would be kept, in words."""
        return KEYRING_PLACE

    @property
    def durable(self) -> bool:
        """Whether a key outlives the process."""
        return True

    async def get(self, name: str) -> str | None:
        """The key of that name.

        Raises:
            SecretsError: The keyring is locked, hangs or fails, or there is none (`NoKeyringError`).
        """

        def read(keyring: Any) -> str | None:
            backend_name(keyring)
            key = keyring.get_password(SERVICE, name)
            return str(key) if key else None

        return await call_keyring(read, self._limit)

    async def set(self, name: str, key: str) -> None:
        """Keep a key, and read it back: some backends discard silently.

        Raises:
            SecretsError: It was not kept.
        """

        def write(keyring: Any) -> None:
            backend_name(keyring)
            keyring.set_password(SERVICE, name, key)
            if keyring.get_password(SERVICE, name) != key:
                raise SecretsError(
                    "The system keyring did not keep the key: keep it for this session only, "
                    "or set it in the environment."
                )

        await call_keyring(write, self._limit)

    async def remove(self, name: str) -> None:
        """Remove a key, where there is one.

        Raises:
            SecretsError: It could not be removed.
        """

        def delete(keyring: Any) -> None:
            backend_name(keyring)
            if keyring.get_password(SERVICE, name) is None:
                return
            keyring.delete_password(SERVICE, name)

        await call_keyring(delete, self._limit)

    async def backend(self) -> str:
        """The backend's name.

        Raises:
            SecretsError: It hangs or fails, or there is none (`NoKeyringError`).
        """
        return await call_keyring(backend_name, self._limit)


class SessionSecrets:
    """The keyring, with this session's keys laid over it. Implements `core.ports.Secrets`.

    Where there is no keyring, every key is kept for this session only; `place` says so from the first call
    that found it out.

    Args:
        keyring: The keyring.
        has_keyring: False where it is known that nothing is kept there.
    """

    def __init__(self, keyring: KeyringSecrets, *, has_keyring: bool = True) -> None:
        self._keyring = keyring
        self._session = MemorySecrets()
        self._has_keyring = has_keyring

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.place}>"

    @property
    def place(self) -> str:
        """Where a key would be kept, in words."""
        return self._under.place

    @property
    def durable(self) -> bool:
        """Whether a key outlives the process."""
        return self._under.durable

    async def get(self, name: str) -> str | None:
        """The key of that name; one that is kept for this session comes first.

        Raises:
            SecretsError: The keyring is locked, hangs or fails.
        """
        if self._session.holds(name) or not self._has_keyring:
            return await self._session.get(name)
        try:
            return await self._keyring.get(name)
        except NoKeyringError:
            self._has_keyring = False
            return None

    async def set(self, name: str, key: str) -> None:
        """Keep a key in the keyring; where there is none, for this session only: ask `place` afterwards.

        Raises:
            SecretsError: The keyring is there but did not keep it.
        """
        if self._has_keyring:
            try:
                await self._keyring.set(name, key)
            except NoKeyringError:
                self._has_keyring = False
            else:
                await self._session.remove(name)
                return
        await self._session.set(name, key)

    async def set_session(self, name: str, key: str) -> None:
        """Keep a key for this session only, over whatever the keyring holds."""
        await self._session.set(name, key)

    def in_session(self, name: str) -> bool:
        """Whether the key of that name is kept for this session only."""
        return self._session.holds(name)

    async def remove(self, name: str) -> None:
        """Remove a key from this session and from the keyring.

        Raises:
            SecretsError: It could not be removed from the keyring.
        """
        await self._session.remove(name)
        if self._has_keyring:
            try:
                await self._keyring.remove(name)
            except NoKeyringError:
                self._has_keyring = False

    async def detect(self) -> bool:
        """Find out whether there is a keyring, so that `place` is right before the first key is kept."""
        with contextlib.suppress(SecretsError):
            await self.describe_backend()
        return self._has_keyring

    async def describe_backend(self) -> str:
        """The keyring's backend for people, as `ctroom doctor` shows it.

        Raises:
            SecretsError: The keyring hangs or fails.
        """
        try:
            return await self._keyring.backend()
        except NoKeyringError:
            self._has_keyring = False
            return "none: keys are kept for this session only"

    @property
    def _under(self) -> Secrets:
        return self._keyring if self._has_keyring else self._session


def open_secrets(environ: Mapping[str, str]) -> SessionSecrets:
    """The keys of this system. Imports and asks nothing yet: the first call does, on a thread.

    Args:
        environ: The process environment; `PYTHON_KEYRING_BACKEND` may name keyring's null or fail backend.
    """
    useless = ("keyring.backends.null.", "keyring.backends.fail.")
    turned_off = environ.get("PYTHON_KEYRING_BACKEND", "").startswith(useless)
    return SessionSecrets(KeyringSecrets(), has_keyring=not turned_off)
