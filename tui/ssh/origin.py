"""Where a client comes from: as it is shown, and as it is counted."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from tui.core.text import sanitize_line

_OF_ONE_CUSTOMER = 64
"""Bits of an IPv6 address that say whose network it is; of the other 64 its holder has every value."""


def shown(peer: str) -> str:
    """An address as text; an IPv4 address that a socket of IPv6 took is one of IPv4.

    Args:
        peer: What the socket calls its other end.
    """
    found = _parsed(peer)
    return sanitize_line(peer) if found is None else str(found)


def counted(peer: str) -> str:
    """What all addresses are called that one client may have at will: limits hold for them together.

    Args:
        peer: What the socket calls its other end.
    """
    found = _parsed(peer)
    if isinstance(found, IPv6Address):
        return str(IPv6Network((int(found), _OF_ONE_CUSTOMER), strict=False))
    return shown(peer)


def _parsed(peer: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(peer)
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, IPv6Address) else found
