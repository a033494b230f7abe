"""What every adapter of a provider's SDK has in common."""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import ClassVar, TypeVar

from tui.core.chat import KeyCheck, ModelInfo
from tui.core.errors import InvalidValueError, ProviderError, ProviderErrorKind
from tui.providers.base_url import check_base_url
from tui.providers.failures import Target, verdict

T = TypeVar("T")

CONNECT_SECONDS = 10.0
"""How long a connection, and a list of models, may take."""
FIRST_SECONDS = 180.0
"""How long the first token may take: reasoning models, and local ones that read a long prompt, are silent."""
STALL_SECONDS = 60.0
"""How long a reply that has begun may pause."""
MOST_MODELS = 2_000
"""Models that are taken from a list; OpenRouter, the longest known, has a few hundred."""
END = object()
"""What follows the last chunk of a stream."""


class SdkProvider(ABC):
    """A provider with one key, through an SDK.

    Args:
        api_key: None where the server has no keys.
        base_url: None for the provider's own address. The environment is not read.
        name: The provider's name for people.
        first: Seconds that the first token may take.
        stall: Seconds that a reply which has begun may pause.
    """

    OWN_URL: ClassVar[str]
    """The provider's own address."""
    VERSIONED: ClassVar[bool] = True
    """Whether addresses end in a version, which users forget."""

    def __init__(
        self,
        *,
        api_key: str | None,
        base_url: str | None,
        name: str,
        first: float = FIRST_SECONDS,
        stall: float = STALL_SECONDS,
    ) -> None:
        self._target = Target(name, base_url or self.OWN_URL, api_key, versioned=self.VERSIONED)
        self._first = first
        self._stall = stall

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._target.name!r}>"

    @abstractmethod
    async def models(self) -> tuple[ModelInfo, ...]:
        """The chat models on offer; see `tui.core.ports.Provider.models`."""

    async def check_key(self) -> KeyCheck:
        """Ask for the model list. Only a refusal of the key itself means that it is bad."""
        if self._target.api_key is None and self._wants_key():
            return KeyCheck(ok=False, message="There is no key to test.")
        try:
            models = await self.models()
        except ProviderError as error:
            return verdict(error, self._target.name)
        count = f"{len(models):,} model{'' if len(models) == 1 else 's'}"
        return KeyCheck(ok=True, message=f"works: {count}", models=models)

    async def _made_once(self, made: T | None, make: Callable[[], T], package: str) -> T:
        """The client that was made, else a new one, made on a thread from a target that was checked.

        The SDK's import and the loading of certificates would stall the event loop.

        Args:
            made: The client, where there is one.
            make: Makes it; imports the SDK.
            package: What to install where that fails.

        Raises:
            ProviderError: The SDK is missing, or the address or key can't be used.
        """
        if made is not None:
            return made
        self._check_target()
        try:
            return await asyncio.to_thread(make)
        except ImportError:
            raise not_installed(f"The package {package} is not installed: install ctroom again.") from None

    def _wants_key(self) -> bool:
        """Whether nothing can be sent without a key."""
        return True

    def _check_target(self) -> None:
        """Refuse an address or a key that could not be sent.

        Raises:
            ProviderError: Nothing was sent.
        """
        target = self._target
        try:
            check_base_url(target.base_url)
        except InvalidValueError as error:
            raise ProviderError(ProviderErrorKind.BAD_REQUEST, str(error), accepted=False) from None
        key = target.api_key
        if key is None and not self._wants_key():
            return
        if not (key and key.isascii() and key.isprintable() and " " not in key):
            said = "is missing" if not key else "holds characters that no key has"
            message = f"The key for {target.name} {said}: enter it again in Settings."
            raise ProviderError(ProviderErrorKind.BAD_KEY, message, accepted=False)


def not_installed(message: str) -> ProviderError:
    """The SDK is missing."""
    return ProviderError(ProviderErrorKind.NOT_INSTALLED, message, accepted=False)


def silence(loggers: Iterable[str]) -> None:
    """Keep libraries' log lines from the terminal that the app draws on, whatever the environment says."""
    for logger in map(logging.getLogger, loggers):
        logger.propagate = False
        logger.addHandler(logging.NullHandler())
