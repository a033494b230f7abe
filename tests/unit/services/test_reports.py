"""The exact shape of `ctroom usage --json`, and the footer's words in plain lines."""

import json
from dataclasses import replace

import pytest

from tests.support.memory_store import MemoryStore
from tests.support.session import Session, add_user, reported, session
from tui.core.ports import Store
from tui.core.quota import KeySource
from tui.core.usage import Measured, Provenance, Usage
from tui.services.reports import usage_json, usage_lines


async def example(local: Session) -> None:
    """The user's own example: 45,230 of a million used, 1,204 of them today, 120 of them estimated."""
    await local.settings.set("tier", "unlimited")
    await local.accounting.set_purchased("openai", 1_000_000)
    hold = await local.hold(estimate=20, wanted=100)
    await local.accounting.settle(hold.attempt_id, Measured(Usage(20, 100), Provenance.ESTIMATED))
    await local.spend(45_230 - 1_204 - 120)
    local.clock.move(days=1)
    await local.settings.set("tier", "basic")
    await local.spend(1_204)


@pytest.fixture
def openai_only(store: Store) -> Session:
    return session(store, environment={"openai": ("sk-env-0123456789", "OPENAI_API_KEY")})


async def test_json_has_exactly_the_shape_of_the_contract(openai_only: Session) -> None:
    await example(openai_only)
    assert json.dumps(usage_json(openai_only.accounting.snapshot())) == (
        '{"as_of": "2026-11-24T22:00:00Z", "user": "local", "tier": "basic", '
        '"providers": [{"provider": "openai", "key_source": "default", '
        '"purchased": 1000000, "used": 45230, "remaining": 954770, "remaining_percent": 95.5, '
        '"held": 0, "estimated": 120, "alert": null, '
        '"day": {"date": "2026-11-24", "limit": 10000, "used": 1204, "remaining": 8796, '
        '"resets_at": "2026-11-25T00:00:00Z"}}]}'
    )


async def test_lines_have_the_footers_words(openai_only: Session) -> None:
    await example(openai_only)
    assert usage_lines(openai_only.accounting.snapshot(), "Asia/Tokyo") == [
        "OpenAI",
        "  ~45,230 / 1,000,000 tokens",
        "  ~954,770 remaining (95.5%)",
        "  today 1,204 / 10,000, resets 09:00",
    ]


async def test_own_keys_have_no_quota(openai_only: Session) -> None:
    await openai_only.accounting.set_purchased("openai", 1_000)
    await openai_only.keys.save_own("openai", "sk-own-0123456789")
    await openai_only.settings.set("keys.use_custom", "true")
    hold = await openai_only.hold(source=KeySource.OWN)
    await openai_only.accounting.settle(hold.attempt_id, reported(45_000, 230))
    snapshot = openai_only.accounting.snapshot()
    assert usage_lines(snapshot) == ["OpenAI", "  45,230 tokens used", "  (Using your API keys)"]
    [provider] = usage_json(snapshot)["providers"]
    assert (provider["key_source"], provider["used"], provider["day"]) == ("own", 45_230, None)
    assert provider["purchased"] is provider["remaining"] is provider["remaining_percent"] is None


async def test_nothing_purchased_invites_the_admin(openai_only: Session) -> None:
    await openai_only.settings.set("tier", "unlimited")
    await openai_only.spend(212)
    snapshot = openai_only.accounting.snapshot()
    assert usage_lines(snapshot) == [
        "OpenAI",
        "  212 tokens used",
        "  enter what you purchased: ctroom quota set openai AMOUNT",
        "  today 212, unlimited",
    ]
    [provider] = usage_json(snapshot)["providers"]
    assert (provider["purchased"], provider["day"]["limit"], provider["day"]["remaining"]) == (
        None,
        None,
        None,
    )


async def test_a_member_sees_their_own_day_and_the_pools_percentage(openai_only: Session) -> None:
    await example(openai_only)
    await add_user(openai_only.store, "sam")
    sam = session(openai_only.store, "sam", openai_only.clock, {"openai": ("sk-env-0123456789", "X")})
    await sam.spend(850)
    snapshot = sam.accounting.snapshot()
    assert usage_lines(snapshot) == [
        "OpenAI: LOW",
        "  850 tokens used today",
        "  95.4% of the host's tokens remaining",
        "  today 850 / 1,000, resets 00:00",
    ]
    [provider] = usage_json(snapshot)["providers"]
    assert (provider["purchased"], provider["remaining"], provider["remaining_percent"]) == (None, None, 95.4)
    assert (provider["used"], provider["alert"]) == (850, "low")


async def test_overdrawn_is_shown_below_zero_with_the_percentage_at_zero(openai_only: Session) -> None:
    await openai_only.accounting.set_purchased("openai", 500)
    await openai_only.spend(500)
    await openai_only.accounting.set_purchased("openai", 400)
    snapshot = openai_only.accounting.snapshot()
    assert usage_lines(snapshot)[:3] == [
        "OpenAI: You've used all available tokens. Please add your own API key in Settings.",
        "  500 / 400 tokens",
        "  -100 remaining (0.0%)",
    ]
    assert usage_json(snapshot)["providers"][0]["alert"] == "exhausted"


def test_without_any_key_the_demo_is_shown() -> None:
    snapshot = session(MemoryStore(), environment={}).accounting.snapshot()
    assert usage_lines(snapshot) == ["Demo", "  0 tokens used"]
    assert usage_json(snapshot)["providers"][0]["key_source"] == "none"


def test_a_missing_key_is_said() -> None:
    snapshot = session(MemoryStore(), environment={}).accounting.snapshot(["google"])
    assert usage_lines(snapshot)[-1] == "  no usable key: add your own API key in Settings"


async def test_what_is_pending_is_marked(openai_only: Session) -> None:
    snapshot = openai_only.accounting.snapshot()
    pending = replace(snapshot, providers=(replace(snapshot.providers[0], pending=5),))
    assert usage_lines(pending)[1] == "  ~0 tokens used"
