"""The few variables of a client's environment that are heeded: none of them says who someone is."""

from collections.abc import Mapping

HEEDED = frozenset({"COLORTERM", "LC_TERMINAL", "NO_COLOR", "TERM_PROGRAM"})
_MOST = 64
"""Bytes of a value."""


class HeededEnvironment(dict[bytes, bytes]):
    """What asyncssh keeps of the variables that a client sends: without this, all of them and for ever."""

    def __setitem__(self, name: bytes, value: bytes) -> None:
        if len(name) < _MOST and name.decode("ascii", "replace") in HEEDED:
            super().__setitem__(name, value[:_MOST])


def heeded(found: Mapping[bytes, bytes]) -> dict[str, str]:
    """The variables as text, of visible ASCII characters alone."""
    decoded = {name.decode("ascii"): value.decode("ascii", "replace") for name, value in found.items()}
    return {
        name: "".join(each for each in value if " " < each < "\x7f")
        for name, value in decoded.items()
        if name in HEEDED
    }
