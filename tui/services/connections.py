"""Providers kept open between turns: making a client costs tens of milliseconds."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tui.core.ports import Provider
from tui.services.keys import Connect, Credential


@dataclass(slots=True)
class _Connection:
    credential: Credential
    client: Provider
    users: int = 0


class Connections:
    """One client for each provider; another credential brings another client.

    Args:
        connect: Makes a client.
    """

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._open: dict[str, _Connection] = {}

    @asynccontextmanager
    async def use(self, provider: str, credential: Credential) -> AsyncIterator[Provider]:
        """The client for a provider; one whose credential was replaced closes with its last user."""
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
        """Close every client."""
        while self._open:
            _, connection = self._open.popitem()
            await connection.client.aclose()
