"""The OS keyring, called where it can hang without holding anything up."""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from tui.core.errors import SecretsError

T = TypeVar("T")

SERVICE = "ctroom"
"""The service name that our keys have in the keyring."""
LIMIT = 5.0
"""Seconds for one call; a keyring that is locked without a screen, or a dead D-Bus, never answers."""


class NoKeyringError(SecretsError):
    """This system has no keyring that keeps anything."""


async def call_keyring(call: Callable[[Any], T], limit: float = LIMIT) -> T:
    """Call the keyring module on a thread of its own, which may hang for ever without holding up the exit.

    Args:
        call: What to do with the module `keyring`.
        limit: Seconds.

    Raises:
        SecretsError: It took too long, or the keyring failed. The text never holds what it was about.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()

    def deliver(result: T | None, error: SecretsError | None) -> None:
        if answer.done():
            return
        if error:
            answer.set_exception(error)
        else:
            answer.set_result(result)  # type: ignore[arg-type]  # without an error there is a result

    def run() -> None:
        result, error = None, None
        try:
            import keyring

            result = call(keyring)
        except SecretsError as failure:
            error = failure
        except BaseException as failure:  # noqa: BLE001  # backends raise whatever their bus raises
            error = _explained(failure)
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits
            loop.call_soon_threadsafe(deliver, result, error)

    threading.Thread(target=run, name="ctroom-keyring", daemon=True).start()
    try:
        return await asyncio.wait_for(answer, limit)
    except TimeoutError:
        raise SecretsError(
            f"The system keyring did not answer within {limit:.0f} seconds: unlock it and try again, "
            "or keep the key for this session only."
        ) from None


def backend_name(keyring: Any) -> str:
    """The name of the backend in use.

    Raises:
        NoKeyringError: There is none, or one that keeps nothing.
    """
    backend = keyring.get_keyring()
    kinds = [backend, *getattr(backend, "backends", ())]
    modules = {type(kind).__module__ for kind in kinds}
    useless = {"keyring.backends.fail", "keyring.backends.null"}
    if modules <= useless | {"keyring.backends.chainer"}:
        raise NoKeyringError(
            "This system has no keyring, so keys are kept for this session only: "
            "set OPENAI_API_KEY, GEMINI_API_KEY or their _FILE variants to keep them."
        )
    return f"{type(backend).__module__}.{type(backend).__qualname__}"


def _explained(failure: BaseException) -> SecretsError:
    """A sentence from the kind of failure alone: a backend's own words might hold the key."""
    if isinstance(failure, ImportError):
        return NoKeyringError("This system has no keyring, so keys are kept for this session only.")
    kind = type(failure).__name__
    if "Locked" in kind:
        return SecretsError("The system keyring is locked: unlock it and try again.")
    if kind in ("NoKeyringError", "InitError"):
        return NoKeyringError("This system has no keyring, so keys are kept for this session only.")
    return SecretsError(
        f"The system keyring failed ({kind}): try again, or keep the key for this session only."
    )
