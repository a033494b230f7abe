"""SSH public keys as people paste them: read, checked and named by their fingerprints."""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable
from datetime import datetime

from tui.core.errors import InvalidValueError
from tui.core.frozen import frozen
from tui.core.text import sanitize_line
from tui.core.users import PublicKey

MOST_KEY_LINE = 8_192
"""Characters of a public key's line; RSA with 16,384 bits needs 2,800."""
MOST_KEYS = 50
"""Lines of keys that are read at once."""
LEAST_RSA_BITS = 2_048
MOST_RSA_BITS = 16_384
"""What OpenSSH takes at most: checking a signature of a larger key is slow."""
MOST_COMMENT = 60

_CURVES = {"nistp256": 32, "nistp384": 48, "nistp521": 66}
"""Bytes of a coordinate, by the name of the curve."""
_KEY_TYPE = re.compile(r"(?:ssh|ecdsa|sk)-[a-z0-9@.-]+")
_HOW = "paste a line such as ssh-ed25519 AAAA..., the content of ~/.ssh/id_ed25519.pub"


@frozen
class KeyLine:
    """A public key as it was typed, checked."""

    fingerprint: str
    key: str
    comment: str = ""

    def of(self, user: str, at: datetime, by: str) -> PublicKey:
        """The key as one of a user's."""
        return PublicKey(user, self.fingerprint, self.key, self.comment, at, by)


def parse_public_keys(text: str) -> tuple[KeyLine, ...]:
    """The keys of an authorized_keys file, each once; empty lines and lines that begin with # are none.

    Raises:
        InvalidValueError: There is none, there are too many, or a line is no key that can be taken.
    """
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), start=1)]
    lines = [(number, line) for number, line in lines if line and not line.startswith("#")]
    if not lines:
        raise InvalidValueError(f"There is no public key: {_HOW}.")
    if len(lines) > MOST_KEYS and "-----BEGIN" not in text:
        raise InvalidValueError(f"At most {MOST_KEYS} keys can be added at once.")
    found: dict[str, KeyLine] = {}
    for number, line in lines:
        try:
            key = parse_public_key(line)
        except InvalidValueError as error:
            if len(lines) == 1 or "-----BEGIN" in text:
                raise
            raise InvalidValueError(f"Line {number}: {error}") from None
        found.setdefault(key.fingerprint, key)
    return tuple(found.values())


def parse_public_key(line: str) -> KeyLine:
    """The key of one line: its type, its body and, where there is one, a comment.

    Raises:
        InvalidValueError: It is no public key, or one that can't be taken; the key is not repeated.
    """
    if "PRIVATE KEY" in line or line.startswith("-----BEGIN"):
        raise InvalidValueError(f"That is a private key, which nobody should be given: {_HOW}.")
    kind, _, rest = line.strip().partition(" ")
    body, _, comment = rest.strip().partition(" ")
    if not _KEY_TYPE.fullmatch(kind) or len(line) > MOST_KEY_LINE:
        raise InvalidValueError(f"That is no public key, or options stand before it: {_HOW}.")
    _check_type(kind)
    try:
        blob = base64.b64decode(body, validate=True)
        _check_blob(kind, blob)
    except (binascii.Error, ValueError):
        raise InvalidValueError(f"That public key is damaged or not whole: {_HOW}.") from None
    return KeyLine(fingerprint_of(blob), f"{kind} {base64.b64encode(blob).decode()}", _shown(comment))


def fingerprint_of(blob: bytes) -> str:
    """The fingerprint of a public key's bytes, as `ssh-keygen -l` shows it."""
    digest = hashlib.sha256(blob).digest()
    return f"SHA256:{base64.b64encode(digest).decode().rstrip('=')}"


def _check_type(kind: str) -> None:
    if "-cert-" in kind:
        raise InvalidValueError(f"Certificates are not taken: {_HOW}.")
    if kind == "ssh-dss":
        raise InvalidValueError("DSA keys are too weak: make another with ssh-keygen -t ed25519.")
    if kind not in _READERS:
        raise InvalidValueError("Keys of that type are not taken: make one with ssh-keygen -t ed25519.")


def _check_blob(kind: str, blob: bytes) -> None:
    """Check a key's bytes (RFC 4253, section 6.6; OpenSSH's PROTOCOL.u2f).

    Raises:
        InvalidValueError: The key is too weak, or too large.
        ValueError: The bytes are not what the type says.
    """
    reader = _Reader(blob)
    if reader.string() != kind.encode():
        raise ValueError
    _READERS[kind](reader)
    reader.end()


class _Reader:
    """Reads the fields of a key's bytes; raises `ValueError` where they are not whole."""

    def __init__(self, blob: bytes) -> None:
        self._rest = blob

    def string(self) -> bytes:
        """The next field."""
        length = int.from_bytes(self._rest[:4], "big")
        value, rest = self._rest[4 : 4 + length], self._rest[4 + length :]
        if len(self._rest) < 4 or len(value) != length:
            raise ValueError
        self._rest = rest
        return value

    def end(self) -> None:
        """Nothing may follow."""
        if self._rest:
            raise ValueError


def _read_ed25519(reader: _Reader) -> None:
    if len(reader.string()) != 32:
        raise ValueError


def _read_rsa(reader: _Reader) -> None:
    exponent, modulus = reader.string(), reader.string()
    bits = int.from_bytes(modulus, "big").bit_length()
    if int.from_bytes(exponent, "big") < 3 or exponent[0] & 0x80 or not modulus or modulus[0] & 0x80:
        raise ValueError
    if bits < LEAST_RSA_BITS:
        raise InvalidValueError(
            f"An RSA key of {bits} bits is too weak: make another with ssh-keygen -t ed25519."
        )
    if bits > MOST_RSA_BITS:
        raise InvalidValueError(f"An RSA key may have at most {MOST_RSA_BITS:,} bits.")


def _read_ecdsa(curve: str) -> Callable[[_Reader], None]:
    def read(reader: _Reader) -> None:
        name, point = reader.string(), reader.string()
        if name != curve.encode() or point[:1] != b"\x04" or len(point) != 1 + 2 * _CURVES[curve]:
            raise ValueError

    return read


def _with_application(read: Callable[[_Reader], None]) -> Callable[[_Reader], None]:
    """A key that is kept on a hardware token names the application after it."""

    def read_both(reader: _Reader) -> None:
        read(reader)
        if not reader.string():
            raise ValueError

    return read_both


_READERS: dict[str, Callable[[_Reader], None]] = {
    "ssh-ed25519": _read_ed25519,
    "ssh-rsa": _read_rsa,
    **{f"ecdsa-sha2-{curve}": _read_ecdsa(curve) for curve in _CURVES},
    "sk-ssh-ed25519@openssh.com": _with_application(_read_ed25519),
    "sk-ecdsa-sha2-nistp256@openssh.com": _with_application(_read_ecdsa("nistp256")),
}
"""What follows the type in a key's bytes, by the type."""


def _shown(comment: str) -> str:
    return sanitize_line(comment, MOST_COMMENT)
