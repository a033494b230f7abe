"""Settings by dotted name: read and written as text, refused in words, the host's only by an admin."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.memory_store import MemoryStore
from tests.support.session import Session, add_user, session
from tui.core.errors import InvalidValueError
from tui.core.ports import Store
from tui.core.settings import Endpoint, GoogleSdk, UserRole
from tui.services import setting_specs
from tui.services.setting_specs import Spec

NAMES = {
    "tier", "time_zone", "display_time_zone", "host_name", "keys.use_custom", "openai.use_own_key",
    "google.use_own_key", "provider", "openai.model", "google.model", "demo.model", "openai.base_url",
    "google.base_url", "google.sdk", "max_output", "temperature", "reasoning_effort", "system_prompt",
    "theme", "bell", "notify", "titles",
    "tiers.free", "tiers.basic", "tiers.unlimited",
}  # fmt: skip


def test_the_names_are_the_contract_with_scripts(local: Session) -> None:
    assert set(local.settings.names()) == NAMES
    assert len(local.settings.names()) == len(NAMES)


@pytest.mark.parametrize("name", sorted(NAMES))
async def test_every_value_that_is_shown_can_be_given_back(local: Session, name: str) -> None:
    shown = local.settings.get(name)
    await local.settings.set(name, shown)
    assert local.settings.get(name) == shown
    assert local.settings.describe(name).endswith(".")
    choices = local.settings.choices(name)
    assert choices is None or shown in choices


@pytest.mark.parametrize(
    ("name", "typed", "shown"),
    [
        ("keys.use_custom", " ON ", "true"),
        ("tier", "free", "free"),
        ("time_zone", "Europe/Lisbon", "Europe/Lisbon"),
        ("display_time_zone", "Asia/Tokyo", "Asia/Tokyo"),
        ("host_name", "King's Credits", "King's Credits"),
        ("host_name", "a\x1b]52;c;x\x07b", "a␛]52;c;x␇b"),
        ("provider", "google", "google"),
        ("openai.model", " gpt-4.1 ", "gpt-4.1"),
        ("openai.base_url", "http://localhost:8080/v1/", "http://localhost:8080/v1"),
        ("google.sdk", "google-generativeai", "google-generativeai"),
        ("max_output", "8k", "8000"),
        ("temperature", "0.70", "0.7"),
        ("system_prompt", "Be brief.\nAlways.", "Be brief.\nAlways."),
        ("reasoning_effort", "High", "high"),
        ("reasoning_effort", "", ""),
        ("theme", "nord", "nord"),
        ("bell", "no", "false"),
        ("notify", "Desktop", "desktop"),
        ("titles", "Model", "model"),
        ("tiers.free", "2,500", "2500"),
        ("tiers.gold", "1M", "1000000"),
        ("tiers.basic", "Unlimited", "unlimited"),
        ("endpoints.ollama.base_url", "http://127.0.0.1:11434/v1", "http://127.0.0.1:11434/v1"),
    ],
)
async def test_values_are_read_as_people_type_them(local: Session, name: str, typed: str, shown: str) -> None:
    local.settings.check(name, typed)
    await local.settings.set(name, typed)
    assert local.settings.get(name) == shown
    assert name in local.settings.names()


@pytest.mark.parametrize(
    ("name", "typed", "words"),
    [
        ("keys.use_custom", "maybe", "true or false"),
        ("tier", "gold", "choose from free, basic, unlimited"),
        ("time_zone", "Mars/Base", "IANA"),
        ("time_zone", "", "IANA"),
        ("host_name", "x" * 41, "40 characters"),
        ("provider", "anthropic", "choose from openai, google, demo"),
        ("openai.model", "two words", "no spaces"),
        ("openai.base_url", "ftp://example.org", "Enter an address"),
        ("openai.base_url", "http://", "Enter an address"),
        ("openai.base_url", "https://me:secret@example.org/v1", "out of the address"),
        ("openai.base_url", "http://127.0.0.1:99999/v1", "Enter an address"),
        ("google.sdk", "grpc", "google-genai"),
        ("max_output", "0", "from 1 to"),
        ("max_output", "-5", "negative"),
        ("temperature", "nan", "from 0 to 2"),
        ("temperature", "2.5", "from 0 to 2"),
        ("system_prompt", "x" * 20_001, "20,000"),
        ("reasoning_effort", "huge", "choose from none, minimal, low"),
        ("theme", "nope", "'nope' is not a theme: choose from ansi-dark, .*tokyo-night"),
        ("theme", "", "is not a theme"),
        ("tiers.free", "lots", "number"),
        ("tiers.free", "remove", "not removed"),
        ("tiers.Gold", "5", "small letters"),
        ("endpoints.openai.base_url", "http://localhost/v1", "built-in"),
        ("endpoints.ollama.model", "llama3", "base_url first"),
        ("endpoints.ollama.colour", "red", "no setting"),
        ("colour", "red", "no setting"),
    ],
)
async def test_wrong_values_are_refused_in_words(local: Session, name: str, typed: str, words: str) -> None:
    before = {known: local.settings.get(known) for known in NAMES}
    with pytest.raises(InvalidValueError, match=words):
        local.settings.check(name, typed)
    with pytest.raises(InvalidValueError, match=words):
        await local.settings.set(name, typed)
    assert {known: local.settings.get(known) for known in NAMES} == before


@given(name=st.sampled_from(sorted(NAMES)), text=st.text(max_size=60))
def test_any_text_is_taken_or_refused_and_never_crashes(name: str, text: str) -> None:
    settings = session(MemoryStore()).settings
    spec = setting_specs.user_spec(name) or setting_specs.host_spec(name)
    assert isinstance(spec, Spec)
    said = "."
    try:
        settings.check(name, text)
    except InvalidValueError as error:
        said = str(error)
    assert said.endswith(".")


async def test_a_check_saves_nothing(local: Session) -> None:
    local.settings.check("tier", "free")
    assert local.settings.get("tier") == "basic"
    assert len(local.store.view.user_settings) == 0


async def test_the_local_user_is_an_admin_of_tier_basic_and_is_made_at_the_first_change(
    local: Session,
) -> None:
    assert local.settings.is_admin()
    assert local.settings.tier_limit() == 10_000
    await local.settings.set("bell", "false")
    [(_, record)] = local.store.view.user_settings
    assert (record.user, record.role, record.tier) == ("local", UserRole.ADMIN, "basic")


async def test_a_member_changes_their_own_settings_and_none_of_the_hosts(store: Store) -> None:
    await add_user(store, "sam")
    sam = session(store, "sam").settings
    assert (sam.is_admin(), sam.tier_limit()) == (False, 1_000)
    await sam.set("theme", "nord")
    for name, value in (
        ("tier", "unlimited"),
        ("time_zone", "UTC"),
        ("tiers.free", "5"),
        ("google.sdk", "x"),
    ):
        with pytest.raises(InvalidValueError, match=f"Only an admin can change {name}"):
            await sam.set(name, value)
    with pytest.raises(InvalidValueError, match="Only an admin"):
        await sam.put_endpoint(Endpoint("x", "http://localhost/v1"))
    assert session(store).settings.get("theme") == "textual-dark"


async def test_a_tier_in_use_stays_and_one_out_of_use_can_go(local: Session) -> None:
    await local.settings.set("tiers.gold", "50,000")
    await local.settings.set("tier", "gold")
    assert local.settings.tier_limit() == 50_000
    with pytest.raises(InvalidValueError, match="in use"):
        await local.settings.set("tiers.gold", "remove")
    await local.settings.set("tier", "basic")
    await local.settings.set("tiers.gold", "remove")
    assert "tiers.gold" not in local.settings.names()


async def test_endpoints_come_and_go(local: Session) -> None:
    await local.settings.put_endpoint(Endpoint("ollama", "http://127.0.0.1:11434/v1/", "llama3", 8_192))
    assert local.settings.get("endpoints.ollama.context") == "8192"
    assert local.settings.providers() == ("openai", "google", "ollama", "demo")
    await local.settings.set("endpoints.ollama.model", "qwen3")
    await local.settings.put_endpoint(Endpoint("lmstudio", "http://127.0.0.1:1234/v1"))
    assert [endpoint.name for endpoint in local.settings.host().endpoints] == ["ollama", "lmstudio"]
    await local.settings.remove_endpoint("ollama")
    with pytest.raises(InvalidValueError, match="no endpoint"):
        await local.settings.remove_endpoint("ollama")
    with pytest.raises(InvalidValueError, match="no setting"):
        local.settings.get("endpoints.ollama.model")


async def test_the_hosts_changes_leave_a_trail(local: Session) -> None:
    await local.settings.set("google.sdk", GoogleSdk.LEGACY.value)
    await local.settings.set("theme", "nord")
    assert [entry.detail for _, entry in local.store.view.audit] == ["google.sdk = google-generativeai"]
