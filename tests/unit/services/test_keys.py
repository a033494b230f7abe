"""Whose key a turn is sent with, where keys are kept, and that they are never told."""

import re

import pytest

from tests.support.memory_store import MemoryStore
from tests.support.session import DictSecrets, Session, add_user, session
from tui.core.chat import KeyCheck
from tui.core.errors import InvalidValueError, NoUsableKeyError, SecretsError
from tui.core.ports import Store
from tui.core.quota import KeySource
from tui.core.settings import Endpoint, KeyState

OWN = "sk-own-key-0123456789-a91f"


async def use_own_keys(session: Session) -> None:
    await session.settings.set("keys.use_custom", "true")


async def test_default_keys_come_from_the_environment_unless_one_is_stored(local: Session) -> None:
    credential = await local.keys.credential("openai")
    assert (credential.key, credential.source) == ("sk-env-openai-0123456789", KeySource.DEFAULT)
    assert local.keys.status("openai").default_place == "OPENAI_API_KEY"
    await local.keys.save_default("openai", "sk-host-0123456789")
    assert (await local.keys.credential("openai")).key == "sk-host-0123456789"
    assert local.keys.status("openai").default_place == "the test keyring"
    await local.keys.remove_default("openai")
    assert (await local.keys.credential("openai")).key == "sk-env-openai-0123456789"


async def test_an_own_key_is_kept_and_noted_without_the_key(local: Session) -> None:
    assert await local.keys.save_own("openai", f" {OWN}\n") == "the test keyring"
    assert local.secrets.kept == {"local/openai": OWN}
    kept = local.settings.user().api_keys.openai
    assert kept == KeyState(use_own=True, set=True, last_four="a91f", place="the test keyring")
    assert OWN not in repr(local.store.view.user_settings.get(1))


async def test_the_toggles_count_only_in_own_keys_mode(local: Session) -> None:
    await local.keys.save_own("openai", OWN)
    assert local.keys.source("openai") is KeySource.DEFAULT
    await use_own_keys(local)
    assert local.keys.source("openai") is KeySource.OWN
    assert local.keys.source("google") is KeySource.DEFAULT
    assert (await local.keys.credential("openai")).key == OWN
    assert (await local.keys.credential("google")).source is KeySource.DEFAULT


async def test_own_key_missing_is_refused_and_never_replaced_by_the_default(local: Session) -> None:
    await use_own_keys(local)
    await local.settings.set("openai.use_own_key", "true")
    status = local.keys.status("openai")
    assert (status.source, status.missing, status.default_available) == (KeySource.OWN, True, True)
    with pytest.raises(NoUsableKeyError) as refused:
        await local.keys.credential("openai")
    assert str(refused.value) == (
        "Your own OpenAI key is not set: add it in Settings, or turn off “use my key” for OpenAI."
    )


async def test_a_key_that_left_the_keyring_is_missed_in_words(local: Session) -> None:
    await local.keys.save_own("openai", OWN)
    await use_own_keys(local)
    local.secrets.kept.clear()
    with pytest.raises(NoUsableKeyError, match="no longer there"):
        await local.keys.credential("openai")


async def test_no_default_key_names_the_way_out(store: Store) -> None:
    host = session(store, environment={})
    assert host.keys.status("google").missing
    with pytest.raises(NoUsableKeyError, match="ctroom keys set google --default"):
        await host.keys.credential("google")
    await add_user(store, "sam")
    with pytest.raises(NoUsableKeyError, match="The host has no default key for Google"):
        await session(store, "sam", environment={}).keys.credential("google")


@pytest.mark.parametrize("durable", [True, False])
async def test_a_key_for_this_session_only_is_not_there_in_the_next(store: Store, durable: bool) -> None:
    secrets = DictSecrets(durable=durable)
    first = session(store, secrets=secrets)
    place = await first.keys.save_own("openai", OWN, session_only=durable)
    await use_own_keys(first)
    assert place == "this session only"
    assert (first.keys.status("openai").set, first.keys.status("openai").last_four) == (True, "a91f")
    assert (await first.keys.credential("openai")).key == OWN
    assert secrets.kept == {}
    second = session(store, secrets=secrets)
    assert not second.keys.status("openai").missing
    assert (await second.keys.credential("openai")).source is KeySource.DEFAULT
    assert second.settings.user().api_keys.openai == KeyState(), "no switch outlives its key"


async def test_the_choice_of_own_keys_lasts_as_long_as_the_key_it_rests_on(store: Store) -> None:
    first = session(store)
    told: list[KeySource] = []
    first.keys.subscribe(lambda: told.append(first.keys.source("openai")))
    await first.keys.save_own("openai", OWN, session_only=True)
    assert await first.keys.choose_own("openai")
    assert first.settings.get("keys.use_custom") == first.settings.get("openai.use_own_key") == "true"
    assert not session(store).settings.user().api_keys.use_custom
    told.clear()
    await first.settings.set("openai.use_own_key", "false")
    await first.settings.set("openai.use_own_key", "true")
    assert told == [KeySource.DEFAULT, KeySource.OWN]
    assert session(store).keys.source("openai") is KeySource.DEFAULT
    await first.keys.remove_own("openai")
    assert first.keys.source("openai") is KeySource.DEFAULT
    assert not first.settings.user().api_keys.use_custom


async def test_a_key_that_stays_takes_the_choice_over_from_one_that_ends(store: Store) -> None:
    secrets = DictSecrets()
    first = session(store, secrets=secrets)
    for session_only in (True, False):
        await first.keys.save_own("openai", OWN, session_only=session_only)
        assert await first.keys.choose_own("openai") is session_only
    assert session(store, secrets=secrets).keys.source("openai") is KeySource.OWN
    await first.keys.save_own("openai", OWN[:-4] + "b02a", session_only=True)
    await first.settings.set("openai.use_own_key", "false")
    assert session(store, secrets=secrets).keys.source("openai") is KeySource.DEFAULT, "saved as ever"


async def test_a_switch_without_a_key_gives_way_to_that_of_the_session(store: Store) -> None:
    first = session(store)
    await use_own_keys(first)
    await first.settings.set("openai.use_own_key", "true")
    assert session(store).keys.status("openai").missing
    await first.keys.save_own("openai", OWN, session_only=True)
    assert first.keys.source("openai") is KeySource.OWN
    assert not session(store).keys.status("openai").missing


async def test_removing_a_key_turns_its_toggle_off(local: Session) -> None:
    await local.keys.save_own("google", OWN)
    await use_own_keys(local)
    await local.keys.remove_own("google")
    assert local.secrets.kept == {}
    assert local.settings.user().api_keys.google == KeyState()
    assert (await local.keys.credential("google")).source is KeySource.DEFAULT


async def test_users_keys_are_apart(store: Store) -> None:
    secrets = DictSecrets()
    await add_user(store, "sam")
    host, sam = session(store, secrets=secrets), session(store, "sam", secrets=secrets)
    await host.keys.save_own("openai", OWN)
    assert not sam.keys.status("openai").set
    with pytest.raises(InvalidValueError, match="Only an admin"):
        await sam.keys.save_default("openai", OWN)


async def test_endpoints_take_a_key_or_none_and_have_no_pool(local: Session) -> None:
    await local.settings.put_endpoint(Endpoint("ollama", "http://127.0.0.1:11434/v1"))
    credential = await local.keys.credential("ollama")
    assert (credential.key, credential.source, credential.kind) == (None, KeySource.NONE, "openai")
    assert credential.base_url == "http://127.0.0.1:11434/v1"
    await local.keys.save_own("ollama", OWN)
    assert (await local.keys.credential("ollama")).key == OWN
    assert not local.keys.status("ollama").missing
    await local.settings.remove_endpoint("ollama")
    with pytest.raises(NoUsableKeyError, match="any more"):
        await local.keys.credential("ollama")


async def test_the_legacy_sdk_and_other_addresses_are_passed_on(local: Session) -> None:
    await local.settings.set("google.sdk", "google-generativeai")
    await local.settings.set("openai.base_url", "http://127.0.0.1:9/v1/")
    assert (await local.keys.credential("google")).kind == "google-legacy"
    assert (await local.keys.credential("openai")).base_url == "http://127.0.0.1:9/v1"
    assert (await local.keys.credential("demo")).kind == "demo"


async def test_a_typed_key_is_tested_before_it_is_kept(local: Session) -> None:
    local.connections.provider.check = KeyCheck(ok=False, message="Not valid.", rejected=True)
    check = await local.keys.test("openai", OWN)
    assert (check.ok, check.rejected) == (False, True)
    assert local.connections.made == [("openai", OWN, None, "OpenAI")]
    assert local.connections.provider.closed == 1
    assert local.secrets.kept == {}


async def test_testing_without_a_key_says_so() -> None:
    bare = session(MemoryStore(), environment={})
    for check in (await bare.keys.test("openai"), await bare.keys.test("openai", default=True)):
        assert not check.ok
        assert "no default key for OpenAI" in check.message
    assert bare.connections.made == []


@pytest.mark.parametrize("key", ["", "  ", "two words-0123456789", "sk-\x1b[31m", "sk-ключ", "k" * 2_000])
async def test_what_can_not_be_a_key_is_refused_without_repeating_it(local: Session, key: str) -> None:
    with pytest.raises(InvalidValueError) as refused:
        await local.keys.save_own("openai", key)
    assert not key.strip() or key.strip() not in str(refused.value)
    assert local.secrets.kept == {}


async def test_the_demo_takes_no_key(local: Session) -> None:
    with pytest.raises(InvalidValueError):
        await local.keys.save_own("demo", OWN)


async def test_no_key_is_in_any_repr(local: Session) -> None:
    await local.keys.save_own("openai", OWN)
    await use_own_keys(local)
    credential = await local.keys.credential("openai")
    shown = " ".join(map(repr, (credential, local.keys, local.keys.status("openai"))))
    assert not re.search(r"sk-|0123456789", shown)


class LockedSecrets(DictSecrets):
    async def get(self, name: str) -> str | None:
        raise SecretsError("The keyring is locked: unlock it.")


async def test_a_locked_keyring_does_not_stop_the_start_but_the_turn(store: Store) -> None:
    locked = session(store, secrets=LockedSecrets())
    await locked.keys.load()
    assert locked.keys.status("openai").default_available
    with pytest.raises(SecretsError, match="locked"):
        await locked.keys.credential("openai")


async def test_loading_learns_of_stored_default_keys_and_tells(store: Store) -> None:
    secrets = DictSecrets()
    secrets.kept["default/google"] = "AIza-0123456789"
    fresh = session(store, environment={}, secrets=secrets)
    told: list[bool] = []
    fresh.accounting.subscribe(lambda: told.append(fresh.keys.status("google").default_available))
    assert fresh.keys.status("google").missing
    await fresh.keys.load()
    assert told == [True]
    assert not fresh.keys.status("google").missing
