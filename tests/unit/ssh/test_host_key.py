"""The host key: made once, private, and never replaced."""

import contextlib
import os
import socket
from collections.abc import Callable
from pathlib import Path

import asyncssh
import pytest

from tui.core.errors import StorageError
from tui.ssh.host_key import load_host_key


def test_it_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "data" / "key"
    before = os.umask(0)
    try:
        made = load_host_key(path)
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_host_key(path).get_fingerprint() == made.get_fingerprint()
    assert [each.name for each in path.parent.iterdir()] == ["key"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o602, 0o777])
def test_one_that_others_may_touch_is_refused_in_a_sentence(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "key"
    load_host_key(path)
    path.chmod(mode)
    with pytest.raises(StorageError, match=r"can be read or changed by others.*chmod 600"):
        load_host_key(path)


@pytest.mark.parametrize("content", [b"", b"nonsense", b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n"])
def test_a_damaged_one_is_refused_and_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(StorageError, match="damaged"):
        load_host_key(path)
    assert path.read_bytes() == content


def test_one_with_a_passphrase_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key"
    key = asyncssh.generate_private_key("ssh-ed25519")
    path.write_bytes(key.export_private_key("pkcs8-pem", passphrase="secret"))
    path.chmod(0o600)
    with pytest.raises(StorageError, match="passphrase"):
        load_host_key(path)


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as bound, contextlib.chdir(path.parent):
        bound.bind(path.name)


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (Path.mkdir, "a directory"),
        (os.mkfifo, "a named pipe"),
        (make_socket, "a socket"),
        (lambda path: path.symlink_to("/dev/zero"), "a device"),
    ],
)
@pytest.mark.timeout(10)
def test_what_is_no_file_is_refused_by_its_name_and_at_once(
    tmp_path: Path, make: Callable[[Path], None], kind: str
) -> None:
    path = tmp_path / "key"
    make(path)
    with pytest.raises(StorageError, match=rf"{path} is {kind}, not a file: move it away"):
        load_host_key(path)


@pytest.mark.parametrize("target", ["nowhere", "key"], ids=["dangling", "loop"])
def test_a_link_that_leads_nowhere_is_told_and_nothing_is_made(tmp_path: Path, target: str) -> None:
    path = tmp_path / "data" / "key"
    path.parent.mkdir()
    path.symlink_to(path.with_name(target))
    with pytest.raises(StorageError, match="symbolic link that leads to no file"):
        load_host_key(path)
    assert [*path.parent.iterdir()] == [path]


def test_a_link_to_a_key_is_followed(tmp_path: Path) -> None:
    made = load_host_key(tmp_path / "kept")
    (tmp_path / "key").symlink_to("kept")
    assert load_host_key(tmp_path / "key").get_fingerprint() == made.get_fingerprint()
