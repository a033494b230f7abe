"""How a client may sign: with nothing that rests on SHA-1, nor on DSA."""

import asyncssh

ALGORITHMS = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    "webauthn-sk-ecdsa-sha2-nistp256@openssh.com",
    "rsa-sha2-512",
    "rsa-sha2-256",
)
"""For every type of key that a user may have; an RSA key signs with SHA-2."""
_TAKEN = frozenset(name.encode("ascii") for name in ALGORITHMS)


def restrict(key: asyncssh.SSHKey) -> None:
    """Let a client's key verify signatures of these algorithms alone: asyncssh offers them, and takes any.

    Args:
        key: The key that a client offers.
    """
    key.all_sig_algorithms = key.all_sig_algorithms & _TAKEN
