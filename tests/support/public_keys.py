"""SSH public keys that are made of numbers: valid in form, and nobody's."""

import base64
import hashlib


def field(value: bytes) -> bytes:
    """A field of a key's bytes, with its length before it."""
    return len(value).to_bytes(4, "big") + value


def line(kind: str, *fields: bytes, comment: str = "") -> str:
    """A public key's line."""
    blob = b"".join(map(field, (kind.encode(), *fields)))
    return " ".join(filter(None, (kind, base64.b64encode(blob).decode(), comment)))


def ed25519(name: str, comment: str = "") -> str:
    """A line of type ssh-ed25519 that is different for each name."""
    return line("ssh-ed25519", hashlib.sha256(name.encode()).digest(), comment=comment)


def rsa(bits: int) -> str:
    """A line of type ssh-rsa with a modulus of that many bits."""
    modulus = ((1 << bits) - 1).to_bytes(bits // 8 + 1, "big")
    return line("ssh-rsa", b"\x01\x00\x01", modulus)
