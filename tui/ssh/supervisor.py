"""Tells systemd, where that started the server, that it is ready and that it stops."""

import socket
from collections.abc import Mapping
from contextlib import suppress


def tell_supervisor(environ: Mapping[str, str], state: str) -> None:
    """Send a state to the supervisor's socket, if there is one.

    Args:
        environ: The server's environment.
        state: Such as "READY=1".
    """
    address = environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
        sender.connect(address)
        sender.send(state.encode())
