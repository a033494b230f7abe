import pytest

from tui.core.errors import InvalidValueError
from tui.core.quota import Pool
from tui.core.settings import (
    ApiKeys,
    Endpoint,
    HostSettings,
    KeyState,
    TokenQuotas,
    check_endpoint_name,
    provider_name,
)


def test_the_tiers_are_the_users_numbers() -> None:
    assert HostSettings().tiers == {"free": 1_000, "basic": 10_000, "unlimited": None}


def test_key_states_by_provider_and_endpoint() -> None:
    keys = ApiKeys(openai=KeyState(set=True), endpoints={"ollama": KeyState(use_own=True)})
    assert keys.state("openai").set
    assert keys.state("ollama").use_own
    assert keys.state("google") == keys.state("nowhere") == KeyState()


def test_the_readable_view_of_the_pools() -> None:
    view = TokenQuotas.of(Pool("openai", 1_000_000, 45_230), Pool("google"))
    assert view == TokenQuotas(1_000_000, None, 45_230, 0)


@pytest.mark.parametrize("name", ["ollama", "lm-studio", "a", "x" * 24])
def test_names_of_endpoints(name: str) -> None:
    assert check_endpoint_name(name) == name


@pytest.mark.parametrize(
    "name", ["", "Ollama", "1st", "a b", "a.b", "x" * 25, "openai", "demo", "default", "a\n"]
)
def test_names_that_no_endpoint_may_have(name: str) -> None:
    with pytest.raises(InvalidValueError):
        check_endpoint_name(name)


def test_endpoints_and_names_for_people() -> None:
    host = HostSettings(endpoints=(Endpoint("ollama", "http://localhost/v1"),))
    assert host.endpoint("ollama") is not None
    assert host.endpoint("other") is None
    assert [provider_name(name) for name in ("openai", "google", "ollama")] == ["OpenAI", "Google", "ollama"]
