"""Keeps a process of the tests on this machine: any connection that is not to loopback is refused.

`install()` patches `socket` in this process. Child processes get the same guard through
`tests/guards/sitecustomize.py`, which is on their `PYTHONPATH`.
"""

import ipaddress
import socket
from collections.abc import Callable
from typing import Any

attempts: list[str] = []
"""Addresses outside this machine that code tried to reach; the `offline` fixture fails the test for each."""


class OutsideConnectionError(OSError):
    """Raised in place of a connection or a name look-up that would leave the machine."""


def is_local(host: object) -> bool:
    """Tell whether a host as given to `connect` or `getaddrinfo` stays on this machine."""
    if host is None:
        return True
    name = host.decode() if isinstance(host, bytes) else str(host)
    if name in {"", "localhost"}:
        return True
    try:
        return ipaddress.ip_address(name.split("%")[0]).is_loopback
    except ValueError:
        return False


def _refuse(host: object) -> None:
    attempts.append(str(host))
    raise OutsideConnectionError(f"Tests never leave this machine: {host} was refused.")


def _guard_connect(connect: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(self: socket.socket, address: Any, /) -> Any:
        if self.family in {socket.AF_INET, socket.AF_INET6} and not is_local(address[0]):
            _refuse(address[0])
        return connect(self, address)

    return guarded


def _guard_lookup(lookup: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(host: object, *args: Any, **kwargs: Any) -> Any:
        if not is_local(host) and not _is_address(host):
            _refuse(host)
        return lookup(host, *args, **kwargs)

    return guarded


def _is_address(host: object) -> bool:
    """Tell a literal address, which is parsed without asking a name server; connecting to it is refused."""
    try:
        ipaddress.ip_address(str(host).split("%")[0])
    except ValueError:
        return False
    return True


def install() -> Callable[[], None]:
    """Patch `socket`; return a function that puts everything back."""
    connect, connect_ex, lookup = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo
    socket.socket.connect = _guard_connect(connect)  # type: ignore[method-assign]
    socket.socket.connect_ex = _guard_connect(connect_ex)  # type: ignore[method-assign]
    socket.getaddrinfo = _guard_lookup(lookup)

    def uninstall() -> None:
        socket.socket.connect = connect  # type: ignore[method-assign]
        socket.socket.connect_ex = connect_ex  # type: ignore[method-assign]
        socket.getaddrinfo = lookup

    return uninstall
