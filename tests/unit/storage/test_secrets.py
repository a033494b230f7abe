"""Keys: kept in the keyring and read back, or for this session; a keyring that hangs holds up nothing."""

import asyncio
import json
import os
import subprocess
import sys
import textwrap
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends import fail, null
from keyring.errors import KeyringLocked, PasswordSetError

from tests.environment import child_environment
from tests.keyring_backend import FileKeyring
from tui.core.errors import SecretsError
from tui.storage.secrets import KeyringSecrets, MemorySecrets, SessionSecrets, open_secrets

KEY = "sk-test-0123456789abcdef"
NAME = "local/openai"


@pytest.fixture(autouse=True)
def file_keyring() -> Iterator[None]:
    before = keyring.get_keyring()
    _use(FileKeyring)
    yield
    keyring.set_keyring(before)


def _use(backend: Callable[[], Any]) -> Any:
    """Make a backend of that class the one in use."""
    made = backend()
    keyring.set_keyring(made)
    return made


def _stored() -> Any:
    return json.loads(Path(os.environ["CTROOM_TEST_KEYRING"]).read_text())


class _Base(KeyringBackend):
    priority = 1.0

    def get_password(self, service: str, username: str) -> str | None:
        return None

    def set_password(self, service: str, username: str, password: str) -> None:
        pass


class HangingKeyring(_Base):
    def __init__(self) -> None:
        self.release = threading.Event()

    def get_password(self, service: str, username: str) -> str | None:
        self.release.wait(60)
        return None


class TalkativeKeyring(_Base):
    """Fails with the key in its words, as a careless backend would."""

    def set_password(self, service: str, username: str, password: str) -> None:
        raise PasswordSetError(f"could not store {password}")


class LockedKeyring(_Base):
    def get_password(self, service: str, username: str) -> str | None:
        raise KeyringLocked("locked")


async def test_a_key_is_kept_in_the_keyring_and_removed() -> None:
    secrets = open_secrets(os.environ)
    assert await secrets.get(NAME) is None
    await secrets.set(NAME, KEY)

    assert (secrets.place, secrets.durable) == ("the system keyring", True)
    assert await open_secrets(os.environ).get(NAME) == KEY
    assert _stored() == {"ctroom": {NAME: KEY}}

    await secrets.remove(NAME)
    await secrets.remove(NAME)
    assert await secrets.get(NAME) is None


async def test_a_key_for_this_session_only_never_reaches_the_keyring() -> None:
    secrets = open_secrets(os.environ)
    await secrets.set(NAME, "sk-durable-000000")
    await secrets.set_session(NAME, KEY)

    assert secrets.in_session(NAME)
    assert await secrets.get(NAME) == KEY
    assert _stored() == {"ctroom": {NAME: "sk-durable-000000"}}

    await secrets.set(NAME, "sk-durable-111111")
    assert not secrets.in_session(NAME)
    assert await secrets.get(NAME) == "sk-durable-111111"
    await secrets.set_session(NAME, KEY)
    await secrets.remove(NAME)
    assert await secrets.get(NAME) is None


@pytest.mark.parametrize("backend", [null.Keyring, fail.Keyring], ids=["null", "fail"])
async def test_without_a_keyring_keys_are_for_this_session_and_it_says_so(backend: Callable[[], Any]) -> None:
    _use(backend)
    secrets = open_secrets({})
    await secrets.set(NAME, KEY)

    assert (secrets.place, secrets.durable) == ("this session only", False)
    assert await secrets.get(NAME) == KEY
    assert await secrets.describe_backend() == "none: keys are kept for this session only"
    assert not await secrets.detect()
    await secrets.remove(NAME)
    assert await secrets.get(NAME) is None


def test_a_keyring_that_is_turned_off_is_known_at_once() -> None:
    secrets = open_secrets({"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"})

    assert secrets.place == "this session only"


async def test_a_backend_that_discards_silently_is_found_out() -> None:
    _use(_Base)

    with pytest.raises(SecretsError, match="did not keep the key"):
        await open_secrets({}).set(NAME, KEY)


async def test_a_keyring_that_hangs_is_given_up() -> None:
    hanging = _use(HangingKeyring)
    secrets = SessionSecrets(KeyringSecrets(limit=0.05))
    try:
        with pytest.raises(SecretsError, match="did not answer"):
            await secrets.get(NAME)
        await secrets.set_session(NAME, KEY)
        assert await secrets.get(NAME) == KEY
    finally:
        hanging.release.set()


async def test_a_locked_keyring_is_told() -> None:
    _use(LockedKeyring)

    with pytest.raises(SecretsError, match="is locked: unlock it"):
        await open_secrets({}).get(NAME)


async def test_no_error_holds_the_key() -> None:
    _use(TalkativeKeyring)

    with pytest.raises(SecretsError) as caught:
        await open_secrets({}).set(NAME, KEY)

    assert KEY not in "".join(traceback.format_exception(caught.value))


async def test_no_repr_holds_the_key() -> None:
    memory, secrets = MemorySecrets(), open_secrets({})
    await memory.set(NAME, KEY)
    await secrets.set_session(NAME, KEY)

    assert KEY not in f"{memory!r} {secrets!r} {memory} {secrets}"


async def test_the_event_loop_is_free_while_the_keyring_hangs() -> None:
    hanging = _use(HangingKeyring)
    pending = asyncio.ensure_future(open_secrets({}).get(NAME))
    await asyncio.sleep(0)

    assert not pending.done()
    hanging.release.set()
    assert await pending is None


def test_a_hanging_keyring_does_not_hold_up_the_exit(tmp_path: Path) -> None:
    script = """
        import asyncio, sys, time
        sys.modules["keyring"] = type(sys)("keyring")
        sys.modules["keyring"].get_keyring = lambda: time.sleep(600)
        from tui.core.errors import SecretsError
        from tui.storage.secrets import KeyringSecrets
        try:
            asyncio.run(KeyringSecrets(limit=0.05).get("local/openai"))
        except SecretsError as error:
            print(error)
    """
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        env=child_environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "did not answer" in ended.stdout


def test_opening_imports_no_keyring(tmp_path: Path) -> None:
    script = (
        "import sys; from tui.storage.secrets import open_secrets; "
        "open_secrets({}); print('keyring' in sys.modules)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script],
        env=child_environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert ended.stdout.strip() == "False"
