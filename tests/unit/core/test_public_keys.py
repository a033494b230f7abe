"""Public keys as people paste them."""

import base64
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.public_keys import ed25519, line, rsa
from tui.core.errors import InvalidValueError
from tui.core.public_keys import MOST_KEYS, parse_public_key, parse_public_keys

ED25519 = (
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJeldhI8aQYIeqnNwyuzi9xQ9K9bORdsVfO40kEHYsCi",
    "SHA256:rwL+c1aZdYPXW05n+7z7kkE1w3qlbmbJ/lipVg410FA",
)
ECDSA = (
    "ecdsa-sha2-nistp521 AAAAE2VjZHNhLXNoYTItbmlzdHA1MjEAAAAIbmlzdHA1MjEAAACFBAE8rjdPXH/FpRk6gyJlgu1I4dd5hfi7"
    "3IcozoDDO76KQP3uvcRIN+Li/wnxP9DbW87F1R5oGyB6rNWEhZbGvF/hhADYasgMbE+otWmnyUR7AJyiu5HHpIiqw1tDw1pbjvDDWFCz"
    "vM7Lgrn1kTkKkTQi0bKQ2+FOnv4nfHjvYfIPu0VlcQ==",
    "SHA256:4QUJLC/bKdg+rE5W+uFL7Lmoo/mhlt24Qz3/Y4E8n7I",
)
"""Lines that ssh-keygen wrote, with the fingerprints that it shows of them."""
NISTP256 = (b"nistp256", b"\x04" + bytes(64))


@pytest.mark.parametrize(("key", "fingerprint"), [ED25519, ECDSA])
def test_a_key_has_the_fingerprint_that_openssh_shows(key: str, fingerprint: str) -> None:
    found = parse_public_key(f"  {key}  sam@laptop \n")
    assert (found.fingerprint, found.key, found.comment) == (fingerprint, key, "sam@laptop")


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="OpenSSH's ssh-keygen is not installed")
@pytest.mark.parametrize("kind", [("ed25519", 256), ("ecdsa", 256), ("ecdsa", 384), ("rsa", 2048)])
def test_what_ssh_keygen_makes_is_taken(kind: tuple[str, int], tmp_path: Path) -> None:
    path = tmp_path / "key"
    made = ["ssh-keygen", "-q", "-t", kind[0], "-b", str(kind[1]), "-N", "", "-C", "kim", "-f", str(path)]
    subprocess.run(made, check=True)
    shown = subprocess.run(
        ["ssh-keygen", "-l", "-f", f"{path}.pub"], check=True, capture_output=True, text=True
    ).stdout
    found = parse_public_key(Path(f"{path}.pub").read_text("utf-8"))
    assert shown.split()[1] == found.fingerprint
    with pytest.raises(InvalidValueError, match="private key"):
        parse_public_keys(path.read_text("utf-8"))


@pytest.mark.parametrize(
    "key",
    [
        rsa(2_048),
        rsa(16_384),
        line("ecdsa-sha2-nistp256", *NISTP256),
        line("sk-ssh-ed25519@openssh.com", bytes(32), b"ssh:"),
        line("sk-ecdsa-sha2-nistp256@openssh.com", *NISTP256, b"ssh:"),
    ],
    ids=["rsa", "large rsa", "ecdsa", "ed25519 token", "ecdsa token"],
)
def test_the_types_that_are_taken(key: str) -> None:
    assert parse_public_key(key).key == key


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no public key"),
        ("# only\n\n  # comments", "no public key"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n-----END OPENSSH PRIVATE KEY-----", "private key"),
        ("-----BEGIN SSH2 PUBLIC KEY-----\nAAAA\n", "private key"),
        (f"restrict {ED25519[0]}", "options"),
        (f'command="sh -c true" {ED25519[0]}', "options"),
        (f"cert-authority {ED25519[0]}", "options"),
        ("AAAAC3NzaC1lZDI1NTE5AAAAIJeldhI8aQYIeqnNwyuzi9xQ9K9bORdsVfO40kEHYsCi", "no public key"),
        (line("ssh-ed25519-cert-v01@openssh.com", bytes(32)), "Certificates"),
        (line("ssh-dss", b"\x05", b"\x05"), "too weak"),
        (rsa(1_024), "1024 bits is too weak"),
        (rsa(16_392), "at most 16,384"),
        (line("ssh-xmss@openssh.com", b"x"), "type are not taken"),
        ("ssh-ed25519 AAAA", "damaged"),
        ("ssh-ed25519 !!!!", "damaged"),
        ("ssh-ed25519", "damaged"),
        (ED25519[0][:-4], "damaged"),
        (f"{ED25519[0]}AAAA", "damaged"),
        (line("ssh-ed25519", bytes(31)), "damaged"),
        (line("ssh-ed25519", bytes(32), b"more"), "damaged"),
        (ED25519[0].replace("ssh-ed25519", "ssh-rsa"), "damaged"),
        (line("ssh-rsa", b"", b""), "damaged"),
        (line("ssh-rsa", b"\x03", b""), "damaged"),
        (line("ssh-rsa", b"\x03", b"\xff" * 256), "damaged"),
        (line("ecdsa-sha2-nistp256", b"nistp384", b"\x04" + bytes(96)), "damaged"),
        (line("ecdsa-sha2-nistp256", b"nistp256", b"\x02" + bytes(32)), "damaged"),
        (line("sk-ssh-ed25519@openssh.com", bytes(32), b""), "damaged"),
        ("ssh-ed25519 " + "A" * 9_000, "no public key"),
    ],
)
def test_what_is_refused_and_why(text: str, says: str) -> None:
    with pytest.raises(InvalidValueError, match=says):
        parse_public_keys(text)


def test_an_error_never_repeats_the_key() -> None:
    body = base64.b64encode(b"something secret").decode()
    with pytest.raises(InvalidValueError) as caught:
        parse_public_keys(f"ssh-ed25519 {body}")
    assert body not in str(caught.value)


def test_an_authorized_keys_file_has_several_and_each_counts_once() -> None:
    text = f"# Sam's\n{ed25519('one', 'laptop')}\n\r\n{ed25519('two')}\r\n  {ed25519('one', 'again')}\n"
    found = parse_public_keys(text)
    assert [(key.key, key.comment) for key in found] == [(ed25519("one"), "laptop"), (ed25519("two"), "")]


def test_a_wrong_line_among_several_is_named_by_its_number() -> None:
    with pytest.raises(InvalidValueError, match=r"^Line 3: An RSA key"):
        parse_public_keys(f"# mine\n{ed25519('one')}\n{rsa(1_024)}\n")


def test_too_many_at_once_are_refused() -> None:
    keys = [ed25519(str(number)) for number in range(MOST_KEYS + 1)]
    assert len(parse_public_keys("\n".join(keys[1:]))) == MOST_KEYS
    with pytest.raises(InvalidValueError, match="At most 50"):
        parse_public_keys("\n".join(keys))


def test_a_comment_can_do_nothing_to_a_terminal() -> None:
    found = parse_public_key(f"{ed25519('one')} sam\x1b]52;c;aGk=\x07 \u202e{'x' * 100}")
    assert "\x1b" not in found.comment
    assert "\u202e" not in found.comment
    assert len(found.comment) <= 60
