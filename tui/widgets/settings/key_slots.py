"""The keys that the settings know: a user's own, and the host's default ones."""

from tui.core.chat import KeyCheck
from tui.core.quota import KeySource
from tui.core.settings import POOLED, provider_name
from tui.services.services import Services


def kept_words(place: str) -> str:
    """That a key is kept, and where."""
    return f"kept for {place}" if place.startswith("this session") else f"kept in {place}"


class OwnKey:
    """A user's own key for a provider or a named endpoint.

    Args:
        services: What keeps it.
        provider: Whose key.
    """

    def __init__(self, services: Services, provider: str) -> None:
        self._services = services
        self._provider = provider
        self.session_only = False
        """Whether a new key is kept for this session only."""

    @property
    def label(self) -> str:
        """In front of the field."""
        return "  key"

    @property
    def last_four(self) -> str | None:
        """The end of the kept key; None where none is kept."""
        status = self._services.keys.status(self._provider)
        return status.last_four if status.set else None

    @property
    def words(self) -> str:
        """Where it is kept, or what its absence means."""
        status = self._services.keys.status(self._provider)
        if status.set:
            return kept_words(status.place)
        if self.missing:
            return f"No key yet: nothing is sent to {provider_name(self._provider)} until one is here."
        return ""

    @property
    def missing(self) -> bool:
        """Whether its absence stops turns."""
        status = self._services.keys.status(self._provider)
        return status.missing and status.source is KeySource.OWN

    @property
    def removable(self) -> bool:
        """Whether a key is kept."""
        return self._services.keys.status(self._provider).set

    async def test(self, key: str | None) -> KeyCheck:
        """Ask the provider about a key; None: about the kept one."""
        return await self._services.keys.test(self._provider, key)

    async def keep(self, key: str) -> str:
        """Keep a key; in words where. Whoever gives a key wants it used: the choice follows, and is said."""
        place = await self._services.keys.save_own(self._provider, key, session_only=self.session_only)
        if self._provider in POOLED and await self._services.keys.choose_own(self._provider):
            return f"{kept_words(place)} \u00b7 in use"
        return kept_words(place)

    async def remove(self) -> None:
        """Remove the kept key."""
        await self._services.keys.remove_own(self._provider)


class DefaultKey:
    """The host's default key for a provider; only an admin sees it.

    Args:
        services: What keeps it.
        provider: Whose key.
    """

    def __init__(self, services: Services, provider: str) -> None:
        self._services = services
        self._provider = provider

    @property
    def label(self) -> str:
        """In front of the field."""
        return provider_name(self._provider)

    @property
    def last_four(self) -> str | None:
        """The end of the kept key; None where none is kept."""
        status = self._services.keys.status(self._provider)
        return status.default_last_four if status.default_available else None

    @property
    def words(self) -> str:
        """Where it is kept, or what its absence means."""
        status = self._services.keys.status(self._provider)
        if not status.default_available:
            return "none: everyone needs a key of their own"
        if status.default_stored:
            return kept_words(status.default_place)
        return f"from the environment ({status.default_place})"

    @property
    def missing(self) -> bool:
        """Its absence is no mistake."""
        return False

    @property
    def removable(self) -> bool:
        """Whether a key is stored; one of the environment can't be removed from here."""
        return self._services.keys.status(self._provider).default_stored

    async def test(self, key: str | None) -> KeyCheck:
        """Ask the provider about a key; None: about the one in use."""
        return await self._services.keys.test(self._provider, key, default=True)

    async def keep(self, key: str) -> str:
        """Keep a key; in words where."""
        return kept_words(await self._services.keys.save_default(self._provider, key))

    async def remove(self) -> None:
        """Remove the stored key."""
        await self._services.keys.remove_default(self._provider)
