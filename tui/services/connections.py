"""Providers kept open between turns: making a client costs tens of milliseconds."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tui.core.ports import Provider
from tui.core.quota import KeySource
from tui.services.keys import Connect, Credential


@dataclass(repr=False, eq=False, slots=True)
class _Connection:
    credential: Credential
    client: Provider
    users: int = 0


class Connections:
    """One client for each provider; another credential brings another client.

    Args:
        connect: Makes a client.
        shared: The clients that all sessions of this process have in common: those with the host's keys, or
            with none. What has a user's own key never goes there.
    """

    def __init__(self, connect: Connect, shared: "Connections | None" = None) -> None:
        self._connect = connect
        self._shared = shared
        self._open: dict[str, _Connection] = {}

    @asynccontextmanager
    async def use(self, provider: str, credential: Credential) -> AsyncIterator[Provider]:
        """The client for a provider; one whose credential was replaced closes with its last user."""
        if self._shared is not None and _is_hosts(credential):
            async with self._shared.use(provider, credential) as client:
                yield client
            return
        connection = self._open.get(provider)
        if connection is None or connection.credential != credential:
            client = self._connect(
                credential.kind, api_key=credential.key, base_url=credential.base_url, name=credential.name
            )
            replaced, connection = connection, _Connection(credential, client)
            self._open[provider] = connection
            if replaced is not None and replaced.users == 0:
                await replaced.client.aclose()
        connection.users += 1
        try:
            yield connection.client
        finally:
            connection.users -= 1
            if connection.users == 0 and self._open.get(provider) is not connection:
                await connection.client.aclose()

    async def aclose(self) -> None:
        """Close every client, but those that others share."""
        while self._open:
            _, connection = self._open.popitem()
            await connection.client.aclose()


def _is_hosts(credential: Credential) -> bool:
    """Whether a credential is the same for every user."""
    return credential.source is KeySource.DEFAULT or credential.key is None
