"""Addresses: shown as they are, counted as whoever holds them."""

import pytest

from tui.ssh.origin import counted, shown


@pytest.mark.parametrize(
    ("peer", "text", "name"),
    [
        ("10.0.0.1", "10.0.0.1", "10.0.0.1"),
        ("::ffff:10.0.0.1", "10.0.0.1", "10.0.0.1"),
        ("::FFFF:0a00:0001", "10.0.0.1", "10.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::1%eth0", "fe80::/64"),
        ("::1", "::1", "::/64"),
        ("a\nsocket", "a socket", "a socket"),
        ("", "", ""),
    ],
)
def test_it_is_shown_as_it_is_and_counted_by_its_network(peer: str, text: str, name: str) -> None:
    assert (shown(peer), counted(peer)) == (text, name)
