"""`ctroom users`: who may sign in, and what each may spend."""

import asyncio
import json
import re
from pathlib import Path

import pytest

from tests.support.command_line import CommandLine
from tests.support.public_keys import ed25519, rsa
from tests.support.session import ManualClock, session
from tui.commands.runtime import utc_now
from tui.core.public_keys import parse_public_key
from tui.services.library import Library
from tui.storage.store import JsonStore

ONE, TWO = ed25519("one", "sam@laptop"), ed25519("two", "sam@desk")
PRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")


def fingerprint(line: str) -> str:
    return parse_public_key(line).fingerprint


async def _use(home: Path) -> None:
    """Sam spends tokens, and begins a conversation."""
    store = await JsonStore.open(home, utc_now)
    await session(store, "sam", ManualClock(utc_now())).spend(1_234)
    await Library(store, "sam", utc_now).create("openai", "gpt-5.1")
    await store.aclose()


def test_a_team_from_the_first_key_to_the_last(ctroom: CommandLine, ctroom_home: Path) -> None:
    added = ctroom("users", "add", "sam", "--key", ONE, "--tier", "basic")
    assert (added.returncode, added.stderr) == (0, "")
    assert added.stdout == f"Added sam (member, basic).\n  {fingerprint(ONE)} sam@laptop\n"
    assert ctroom("users", "add", "ann", "--admin", "-", input=f"# Ann's\n{TWO}\n").returncode == 0

    asyncio.run(_use(ctroom_home))

    assert ctroom("users", "list").stdout.splitlines() == [
        "USER   ROLE    TIER            TODAY  IN TOTAL  KEYS",
        "local  admin   basic      0 / 10,000         0     -",
        "ann    admin   free        0 / 1,000         0     1",
        "sam    member  basic  1,234 / 10,000     1,234     1",
    ]
    assert ctroom("users", "tier", "sam", "free").stdout == "sam is of tier free now: 1,000 tokens today.\n"
    assert ctroom("users", "reset", "sam").stdout == "sam got 1,234 tokens back: 1,000 tokens left today.\n"
    assert ctroom("users", "role", "ann", "member").stdout == "ann is a member now.\n"
    shown = ctroom("users", "show", "sam").stdout
    assert re.sub(r"\d{4}-\d\d-\d\d", "DAY", shown).splitlines() == [
        "sam: member, tier free, since DAY",
        "  today 1,234 / 2,234 tokens, resets 00:00",
        "  in total 1,234 tokens",
        f"  ssh-ed25519 {fingerprint(ONE)} sam@laptop (added DAY by local)",
    ]
    assert ctroom("audit").returncode == 0

    removed = ctroom("users", "remove", "sam", "--yes")
    assert removed.stdout == "Removed sam; 1 conversation kept.\n"
    assert ctroom("users", "list").stdout.splitlines()[1:] == [
        "local  admin   basic  0 / 10,000         0     -",
        "ann    member  free    0 / 1,000         0     1",
        "Users who were removed used 1,234 tokens in total.",
    ]
    again = ctroom("users", "add", "sam", "--key", ONE)
    assert again.stdout.endswith("Theirs again: 1 conversation kept for that name.\n")
    gone = ctroom("users", "remove", "sam", "--conversations", "--yes")
    assert gone.stdout == "Removed sam; 1 conversation removed.\n"


def test_what_programs_read(ctroom: CommandLine) -> None:
    ctroom("users", "add", "sam", "--key", ONE)
    told = json.loads(ctroom("users", "list", "--json").stdout)
    assert [user["user"] for user in told["users"]] == ["local", "sam"]
    assert told["used_by_removed"] == 0
    sam = json.loads(ctroom("users", "show", "sam", "--json").stdout)
    assert sam == told["users"][1]
    assert (sam["role"], sam["tier"], sam["used"], sam["own_used"]) == ("member", "free", 0, 0)
    assert (sam["day"]["limit"], sam["day"]["used"], sam["day"]["remaining"]) == (1_000, 0, 1_000)
    (key,) = sam["keys"]
    assert (key["fingerprint"], key["comment"], key["added_by"]) == (fingerprint(ONE), "sam@laptop", "local")
    assert key["key"] == ONE.rpartition(" ")[0]


def test_keys_from_wherever_they_are(ctroom: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "authorized_keys"
    file.write_text(f"# Sam\n\n{ONE}\n{TWO}\n", "utf-8")
    three, four = ed25519("three"), ed25519("four")
    added = ctroom("users", "add", "sam", "-", "--key", three, "--key-file", str(file), input=four + "\r\n")
    assert set(PRINT.findall(added.stdout)) == {fingerprint(key) for key in (ONE, TWO, three, four)}
    more = ctroom("users", "keys", "add", "sam", "--key-file", "-", input=f"{ed25519('five')}\n{ONE}\n")
    assert more.stdout == f"Added {fingerprint(ed25519('five'))}\n"
    assert ctroom("users", "keys", "add", "sam", "--key", ONE).stdout == "sam had that already.\n"
    for key in (ONE, TWO, three, four):
        assert ctroom("users", "keys", "remove", "sam", fingerprint(key)).stdout == "Removed.\n"
    last = ctroom("users", "keys", "remove", "sam", fingerprint(ed25519("five")))
    assert last.stdout == "Removed. sam can't sign in any more: that was the last key.\n"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("add", "sam"), "Give a public key: --key, --key-file"),
        (("add", "sam", ONE), "Give a key with --key or --key-file"),
        (("add", "sam", "-"), "There is no public key"),
        (("add", "sam", "--key", rsa(1_024)), "1024 bits is too weak"),
        (("add", "sam", "--key-file", "no-such-file"), "no-such-file can't be read (No such file"),
        (("add", "Sam", "--key", ONE), "small letters"),
        (("add", "root", "--key", ONE), "reserved"),
        (("add", "sam", "--key", ONE, "--tier", "gold"), "no tier 'gold'"),
        (("show", "kim"), "There is no user 'kim'"),
        (("tier", "kim", "basic"), "There is no user 'kim'"),
        (("role", "local", "member"), "always an admin"),
        (("role", "kim", "owner"), "is not one of 'admin', 'member'"),
        (("remove", "kim", "--yes"), "There is no user 'kim'"),
        (("remove", "local", "--yes"), "always an admin"),
        (("remove", "kim"), "add --yes to remove without being asked"),
        (("reset", "kim"), "There is no user 'kim'"),
        (("keys", "add", "kim", "--key", ONE), "There is no user 'kim'"),
        (("keys", "remove", "local", "SHA256:x"), "local"),
        (("bogus",), "No such command 'bogus'"),
    ],
)
def test_wrong_usage_is_one_sentence_and_changes_nothing(
    ctroom: CommandLine, arguments: tuple[str, ...], says: str
) -> None:
    refused = ctroom("users", *arguments)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert says in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert len(json.loads(ctroom("users", "list", "--json").stdout)["users"]) == 1


def test_a_private_key_is_refused_and_never_repeated(ctroom: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "id_ed25519"
    body, frame = "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ", "OPENSSH PRIVATE KEY-----"
    file.write_text(f"-----BEGIN {frame}\n{body}\n-----END {frame}\n", "utf-8")
    refused = ctroom("users", "add", "sam", "--key-file", str(file))
    assert refused.returncode == 2
    assert "private key" in refused.stderr
    assert body not in refused.stderr


def test_removing_asks_on_a_terminal(ctroom: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    ctroom("users", "add", "sam", "--key", ONE)
    monkeypatch.setattr("tui.commands.users._on_terminal", lambda: True)
    kept = ctroom("users", "remove", "sam", input="n\n")
    assert kept.stdout.endswith("Remove sam? [y/N]: Nothing was changed.\n")
    assert kept.stdout.startswith("sam has 0 conversations. What they wrote is kept.")
    gone = ctroom("users", "remove", "sam", input="y\n")
    assert gone.stdout.endswith("Removed sam; 0 conversations kept.\n")
    assert "sam" not in ctroom("users", "list").stdout
