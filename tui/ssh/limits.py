"""How much of the server one user, one address and all of them together may take."""

from tui.core.frozen import frozen


@frozen
class Limits:
    """What `ctroom serve` was told to bear."""

    sessions: int = 100
    """Sessions of all users together."""
    sessions_per_user: int = 8
    strangers: int = 128
    """Connections that have not signed in yet, from everywhere."""
    strangers_per_address: int = 32
    tries: int = 6
    """Keys that a connection may offer in vain: as many as OpenSSH's own server allows."""
    sign_ups_per_address: int = 3
    """New users in an hour, where sign-up is open."""
    refusals: int = 200
    """Lines about refusals that the log gets in a minute, whoever they are about; more are only counted."""
    refusals_per_address: int = 20
    """Of these, about one address: one that floods leaves room for what is said of the others."""
    login_seconds: float = 20.0
    idle_seconds: float = 30.0
    """How long a connection may be signed in without a session."""
    end_seconds: float = 5.0
    """How long an app may take to end before it is cancelled."""
    mounting: int = 2
    """Apps that draw their first frame at the same time: each takes a tenth of a second of the one loop."""
    keepalive_seconds: float = 15.0
    keepalive_tries: int = 3

    @property
    def sign_ups(self) -> int:
        """New users in an hour from everywhere: whoever has many addresses must not fill the host."""
        return 10 * self.sign_ups_per_address

    @property
    def connections_per_user(self) -> int:
        """Connections of a user, with sessions or without: clients that share one have a second at times."""
        return 2 * self.sessions_per_user


class Counter:
    """Counts by name, without keeping names whose count is 0."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self.total = 0
        """All counts together."""

    def __getitem__(self, name: str) -> int:
        return self._counts.get(name, 0)

    def __len__(self) -> int:
        return len(self._counts)

    def most(self, number: int) -> list[tuple[str, int]]:
        """The names with the highest counts, and these; the highest first."""
        return sorted(self._counts.items(), key=lambda each: each[1], reverse=True)[:number]

    def add(self, name: str) -> None:
        """Count one more."""
        self._counts[name] = self[name] + 1
        self.total += 1

    def remove(self, name: str) -> None:
        """Count one less."""
        if name in self._counts:
            self.total -= 1
        if (left := self[name] - 1) > 0:
            self._counts[name] = left
        else:
            self._counts.pop(name, None)


class HourlyRate:
    """At most so many events an hour for each name. Forgets what is older.

    Args:
        most: Events of one name.
    """

    _HOUR = 3_600.0
    _MOST_NAMES = 10_000

    def __init__(self, most: int) -> None:
        self._most = most
        self._times: dict[str, list[float]] = {}

    def allows(self, name: str, now: float) -> bool:
        """Whether there is room for one more event of that name.

        Args:
            name: Whose event.
            now: Seconds of a clock that only moves forward.
        """
        recent = [time for time in self._times.get(name, ()) if now - time < self._HOUR]
        return len(recent) < self._most and (name in self._times or len(self._times) < self._MOST_NAMES)

    def count(self, name: str, now: float) -> None:
        """Count an event."""
        self._times = {
            each: kept
            for each, times in self._times.items()
            if (kept := [time for time in times if now - time < self._HOUR])
        }
        self._times.setdefault(name, []).append(now)
