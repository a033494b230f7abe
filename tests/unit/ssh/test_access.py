"""Who may come in."""

from pathlib import Path

import asyncssh
import pytest

from tests.support.session import ManualClock
from tui.core.errors import InvalidValueError
from tui.core.settings import LOCAL_USER, UserRole
from tui.services.users import Users
from tui.ssh.access import Access, Identity, Refused
from tui.ssh.limits import Limits
from tui.storage.store import JsonStore

HERE, THERE = "10.0.0.1", "10.0.0.2"


class Seconds:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def new_key() -> asyncssh.SSHKey:
    return asyncssh.generate_private_key("ssh-ed25519")


async def access(home: Path, seconds: Seconds, *, sign_up: bool) -> Access:
    clock = ManualClock()
    store = await JsonStore.open(home, clock)
    return Access(
        Users(store, clock, LOCAL_USER), Limits(sign_ups_per_address=2), sign_up=sign_up, seconds=seconds
    )


async def test_a_key_says_who_someone_is_whatever_name_they_give(tmp_path: Path) -> None:
    found = await access(tmp_path, Seconds(), sign_up=True)
    sam, kim = new_key(), new_key()
    await found.users.add("sam", sam.export_public_key().decode())
    await found.users.add("kim", kim.export_public_key().decode(), admin=True)
    for name in ("kim", "root", "local", "", "\x1b[2J", "sam"):
        identity = found.identify(sam, name, HERE)
        assert isinstance(identity, Identity)
        assert identity.user == "sam"
    assert found.holds("sam", sam.get_fingerprint())
    assert not found.holds("kim", sam.get_fingerprint())


async def test_an_unknown_key_is_refused_where_sign_up_is_closed(tmp_path: Path) -> None:
    found = await access(tmp_path, Seconds(), sign_up=False)
    assert found.identify(new_key(), "sam", HERE) == Refused("unknown key")


async def test_whoever_signs_up_is_a_member_of_the_free_tier(tmp_path: Path) -> None:
    found = await access(tmp_path, Seconds(), sign_up=True)
    key = new_key()
    identity = found.identify(key, "sam", HERE)
    assert isinstance(identity, Identity)
    assert not found.users.exists("sam"), "before the key is proved"
    assert await found.enter(identity, HERE) == "sam"
    assert found.users.get("sam").tier == "free"
    assert found.users.role("sam") is UserRole.MEMBER
    again = found.identify(key, "another", HERE)
    assert isinstance(again, Identity)
    assert (again.user, again.new_key) == ("sam", "")


@pytest.mark.parametrize(
    "name", ["local", "root", "admin", "default", "", "Sam", "a b", "../x", "s" * 33, "sam\n"]
)
async def test_names_that_nobody_may_have_are_refused(tmp_path: Path, name: str) -> None:
    found = await access(tmp_path, Seconds(), sign_up=True)
    assert isinstance(found.identify(new_key(), name, HERE), Refused)


async def test_a_taken_name_is_refused_to_another_key(tmp_path: Path) -> None:
    found = await access(tmp_path, Seconds(), sign_up=True)
    await found.users.add("sam", new_key().export_public_key().decode())
    assert found.identify(new_key(), "sam", HERE) == Refused("unknown key, and the name is taken")


async def test_of_two_that_want_a_name_at_once_one_gets_it(tmp_path: Path) -> None:
    found = await access(tmp_path, Seconds(), sign_up=True)
    first, second = (found.identify(new_key(), "sam", HERE) for _ in range(2))
    assert isinstance(first, Identity)
    assert isinstance(second, Identity)
    await found.enter(first, HERE)
    with pytest.raises(InvalidValueError):
        await found.enter(second, HERE)


async def test_an_address_can_sign_up_only_so_often(tmp_path: Path) -> None:
    seconds = Seconds()
    found = await access(tmp_path, seconds, sign_up=True)
    for name in ("one", "two"):
        identity = found.identify(new_key(), name, HERE)
        assert isinstance(identity, Identity)
        await found.enter(identity, HERE)
    assert found.identify(new_key(), "three", HERE) == Refused("too many sign-ups from this address")
    assert isinstance(found.identify(new_key(), "three", THERE), Identity)
    seconds.now = 3_600.0
    assert isinstance(found.identify(new_key(), "three", HERE), Identity)


async def test_all_addresses_together_can_sign_up_only_so_often(tmp_path: Path) -> None:
    seconds = Seconds()
    found = await access(tmp_path, seconds, sign_up=True)
    for number in range(20):
        identity = found.identify(new_key(), f"user{number}", f"10.0.0.{number}")
        assert isinstance(identity, Identity)
        await found.enter(identity, f"10.0.0.{number}")
    assert found.identify(new_key(), "late", "10.0.1.1") == Refused("too many sign-ups")
    seconds.now = 3_600.0
    assert isinstance(found.identify(new_key(), "late", "10.0.1.1"), Identity)


async def test_keys_that_were_looked_at_before_are_counted_when_they_come_in(tmp_path: Path) -> None:
    found = await access(tmp_path, Seconds(), sign_up=True)
    identities = [found.identify(new_key(), name, HERE) for name in ("one", "two", "three")]
    for identity in identities[:2]:
        assert isinstance(identity, Identity)
        await found.enter(identity, HERE)
    last = identities[2]
    assert isinstance(last, Identity)
    with pytest.raises(InvalidValueError, match="too many sign-ups"):
        await found.enter(last, HERE)
    assert not found.users.exists("three")
