"""Who may come in: whose key it is, or whether its holder may sign up. A name by itself proves nothing."""

from collections.abc import Callable

import asyncssh

from tui.core.errors import InvalidValueError
from tui.core.frozen import frozen
from tui.core.public_keys import fingerprint_of
from tui.core.users import check_user_name
from tui.services.users import Users
from tui.ssh.limits import HourlyRate, Limits

_EVERYWHERE = "everywhere"


@frozen
class Identity:
    """Whom a key stands for."""

    user: str
    fingerprint: str
    new_key: str = ""
    """The key of someone who is about to sign up; empty: the user is known."""


@frozen
class Refused:
    """Why a key was not taken, for the log."""

    why: str


class Access:
    """Decides about keys.

    Args:
        users: The host's users.
        limits: How often an address may sign up, and all of them together.
        sign_up: Whether holders of unknown keys become users.
        seconds: A clock that only moves forward.
    """

    def __init__(self, users: Users, limits: Limits, *, sign_up: bool, seconds: Callable[[], float]) -> None:
        self.users = users
        self.sign_up_open = sign_up
        self._seconds = seconds
        self._sign_ups = HourlyRate(limits.sign_ups_per_address)
        self._all_sign_ups = HourlyRate(limits.sign_ups)

    def identify(self, key: asyncssh.SSHKey, name: str, origin: str) -> Identity | Refused:
        """Whom a key stands for, before it is proved that the client has it.

        Args:
            key: A public key that a client offers.
            name: The user name that the client gives; it is heeded only where someone signs up.
            origin: What the client's address is counted as.
        """
        fingerprint = fingerprint_of(key.public_data)
        if (user := self.users.user_of_key(fingerprint)) is not None:
            return Identity(user, fingerprint)
        if not self.sign_up_open:
            return Refused("unknown key")
        try:
            name = check_user_name(name)
        except InvalidValueError:
            return Refused("unknown key, and no name to sign up with")
        if self.users.exists(name):
            return Refused("unknown key, and the name is taken")
        if why := self._too_many(origin):
            return Refused(why)
        return Identity(name, fingerprint, key.export_public_key().decode("ascii").strip())

    async def enter(self, identity: Identity, origin: str) -> str:
        """Let a client in whose key is proved; registers those who are new.

        Args:
            identity: Whom the key stands for.
            origin: What the client's address is counted as.

        Returns:
            The user.

        Raises:
            CtroomError: They could not be registered; the message is for them.
        """
        if identity.new_key:
            if self._too_many(origin):  # others may have come in since the key was looked at
                raise InvalidValueError("There were too many sign-ups: try again in an hour.")
            self._sign_ups.count(origin, self._seconds())
            self._all_sign_ups.count(_EVERYWHERE, self._seconds())
            kind, body, *_ = identity.new_key.split()
            await self.users.sign_up(identity.user, f"{kind} {body}")
        return identity.user

    def _too_many(self, origin: str) -> str | None:
        """Why nobody more may sign up from there at present."""
        now = self._seconds()
        if not self._sign_ups.allows(origin, now):
            return "too many sign-ups from this address"
        return None if self._all_sign_ups.allows(_EVERYWHERE, now) else "too many sign-ups"

    def holds(self, user: str, fingerprint: str) -> bool:
        """Whether a key still is that user's."""
        return self.users.user_of_key(fingerprint) == user
