"""A turn's tokens from the hold to the charge, whoever pays for it."""

import asyncio
import math
from datetime import date, timedelta

import pytest

from tests.support.memory_store import MemoryStore
from tests.support.session import Session, add_user, reported, session
from tui.core.errors import InvalidValueError, QuotaRefusedError, RefusalReason
from tui.core.ports import Store
from tui.core.quota import KeySource, RowKind
from tui.core.settings import TokenQuotas
from tui.core.usage import Measured, Provenance, Usage
from tui.services import tables
from tui.services.ledger import LEASE


async def test_remaining_is_purchased_minus_used(local: Session) -> None:
    await local.accounting.set_purchased("openai", 1_000_000)
    hold = await local.hold(estimate=300, wanted=1_000)
    held = local.accounting.snapshot().provider("openai")
    assert held is not None
    assert (held.used, held.held, held.remaining) == (0, 1_300, 1_000_000)
    assert await local.accounting.settle(hold.attempt_id, reported(280, 20)) == 300
    settled = local.accounting.snapshot().provider("openai")
    assert settled is not None
    assert (settled.used, settled.held, settled.remaining) == (300, 0, 999_700)
    assert settled.day is not None
    assert (settled.day.used, settled.day.held, settled.day.limit) == (300, 0, 10_000)
    assert not settled.approximate


async def test_the_request_is_capped_to_what_is_left(local: Session) -> None:
    await local.accounting.set_purchased("openai", 500)
    hold = await local.hold(estimate=100, wanted=4_096)
    assert (hold.max_output, hold.attempt.held) == (400, 500)


async def test_the_day_limit_is_summed_over_providers(local: Session) -> None:
    await local.spend(6_000, "openai")
    await local.spend(3_000, "google")
    hold = await local.hold("google", estimate=100, wanted=4_096)
    assert hold.max_output == 900
    assert local.accounting.headroom("openai") == 0


async def test_a_settle_counts_once(local: Session) -> None:
    hold = await local.hold()
    await local.accounting.settle(hold.attempt_id, reported(100, 50))
    again = await local.accounting.settle(hold.attempt_id, reported(900, 900))
    assert again == 150
    assert not await local.accounting.release(hold.attempt_id)
    view = local.store.view
    assert tables.pool(view, "openai").used == 150
    assert [row.tokens for _, row in view.ledger] == [150]
    assert len(view.attempts) == 0


async def test_of_settles_and_releases_at_once_exactly_one_wins(local: Session) -> None:
    hold = await local.hold()
    *charged, released = await asyncio.gather(
        *(local.accounting.settle(hold.attempt_id, reported(100, 50)) for _ in range(8)),
        local.accounting.release(hold.attempt_id),
    )
    pool = tables.pool(local.store.view, "openai")
    won = 0 if released else 150
    assert (pool.held, pool.used, set(charged)) == (0, won, {won})
    assert [row.tokens for _, row in local.store.view.ledger] == [won] * (not released)


async def test_a_release_charges_nothing(local: Session) -> None:
    hold = await local.hold()
    assert await local.accounting.release(hold.attempt_id)
    assert await local.accounting.settle(hold.attempt_id, reported(100, 50)) == 0
    pool = tables.pool(local.store.view, "openai")
    assert (pool.used, pool.held, len(local.store.view.ledger)) == (0, 0, 0)


async def test_the_quota_gone_is_refused_in_the_given_words(local: Session) -> None:
    await local.accounting.set_purchased("openai", 0)
    with pytest.raises(QuotaRefusedError) as refused:
        await local.hold()
    assert refused.value.reason is RefusalReason.POOL_EXHAUSTED
    assert str(refused.value) == (
        "You've used all available tokens. Please add your own API key in Settings. "
        "If you bought more, enter it under Token quotas. The pool does not refill by itself."
    )
    assert len(local.store.view.attempts) == 0


async def test_the_day_gone_says_when_it_returns_on_the_viewers_clock(local: Session) -> None:
    await local.settings.set("display_time_zone", "Europe/Lisbon")
    await local.settings.set("time_zone", "America/New_York")
    await local.spend(10_000)
    with pytest.raises(QuotaRefusedError) as refused:
        await local.hold()
    assert refused.value.reason is RefusalReason.DAY_EXHAUSTED
    assert str(refused.value) == (
        "You've used all available tokens. Please add your own API key in Settings. "
        "Today's allowance returns at 05:00 (in 7 h). Or choose a higher tier in Settings."
    )
    assert refused.value.resets_at == local.clock.now + timedelta(hours=7)


@pytest.mark.parametrize("limit", ["pool", "day"])
async def test_a_rest_too_small_for_a_reply_is_named_beside_the_words(local: Session, limit: str) -> None:
    if limit == "pool":
        await local.accounting.set_purchased("openai", 30)
    else:
        await local.spend(9_970)
    with pytest.raises(QuotaRefusedError) as refused:
        await local.hold(estimate=500)
    assert str(refused.value).startswith(
        "You've used all available tokens. Please add your own API key in Settings. "
        "What is left (30) is too little for a reply. "
    )


async def test_other_holds_in_the_way_ask_for_patience(local: Session) -> None:
    await local.accounting.set_purchased("openai", 1_000)
    hold = await local.hold(estimate=100, wanted=900)
    with pytest.raises(QuotaRefusedError) as refused:
        await local.hold()
    assert str(refused.value) == "Another reply is using the rest. Try again in a moment."
    await local.accounting.settle(hold.attempt_id, reported(100, 50))
    assert (await local.hold()).max_output == 400


async def test_a_prompt_too_long_says_how_long_it_may_be(local: Session) -> None:
    await local.accounting.set_purchased("openai", 1_200)
    with pytest.raises(QuotaRefusedError) as refused:
        await local.hold(estimate=3_400)
    assert refused.value.reason is RefusalReason.PROMPT_TOO_LONG
    assert str(refused.value) == (
        "This prompt needs about 3,400 tokens and 1,200 are left: "
        "shorten it, or add your own API key in Settings."
    )


@pytest.mark.parametrize("source", [KeySource.OWN, KeySource.NONE])
async def test_without_a_default_key_nothing_is_refused_and_no_pool_is_charged(
    local: Session, source: KeySource
) -> None:
    await local.accounting.set_purchased("openai", 0)
    hold = await local.hold(estimate=50_000, wanted=4_096, source=source)
    assert (hold.max_output, hold.attempt.held) == (4_096, 0)
    await local.accounting.settle(hold.attempt_id, reported(50_000, 100))
    view = local.store.view
    assert tables.pool(view, "openai").used == 0
    assert len(view.daily_usage) == 0
    assert tables.own_usage(view, "local", "openai", source).used == 50_100
    assert [row.tokens for _, row in view.ledger] == [50_100]
    assert [total.tokens for _, total in view.usage_rollup] == [50_100]


async def test_recovery_charges_the_last_checkpoint_and_marks_it(local: Session) -> None:
    hold = await local.hold(estimate=100, wanted=400)
    await local.accounting.checkpoint(hold.attempt_id, Usage(100, 30))
    local.clock.move(seconds=LEASE.total_seconds() - 1)
    assert await local.accounting.sweep() == 0
    local.clock.move(seconds=1)
    assert await session(local.store, clock=local.clock).accounting.sweep() == 1
    assert await local.accounting.sweep() == 0
    [(_, row)] = local.store.view.ledger
    assert (row.tokens, row.provenance) == (130, Provenance.ORPHANED)
    pool = tables.pool(local.store.view, "openai")
    assert (pool.used, pool.held, pool.estimated) == (130, 0, 130)


async def test_recovery_without_a_checkpoint_charges_the_full_hold(local: Session) -> None:
    await local.hold(estimate=100, wanted=400)
    local.clock.move(minutes=3)
    await local.accounting.sweep()
    assert tables.pool(local.store.view, "openai").used == 500


async def test_a_late_settle_posts_the_difference_once(local: Session) -> None:
    hold = await local.hold(estimate=100, wanted=400)
    local.clock.move(minutes=3)
    await local.accounting.sweep()
    assert await local.accounting.settle(hold.attempt_id, reported(90, 60)) == 150
    assert await local.accounting.settle(hold.attempt_id, reported(1, 1)) == 150
    rows = [(row.kind, row.tokens) for _, row in local.store.view.ledger]
    assert rows == [(RowKind.TURN, 500), (RowKind.ADJUSTMENT, -350)]
    pool = tables.pool(local.store.view, "openai")
    assert (pool.used, pool.held, pool.estimated) == (150, 0, 0)
    [(_, total)] = local.store.view.usage_rollup
    assert (total.tokens, total.turns, total.estimated, total.unpriced) == (150, 1, 0, 150)


async def test_a_late_release_undoes_the_charge_of_recovery(local: Session) -> None:
    hold = await local.hold()
    local.clock.move(minutes=3)
    await local.accounting.sweep()
    assert await local.accounting.release(hold.attempt_id)
    assert not await local.accounting.release(hold.attempt_id)
    assert tables.pool(local.store.view, "openai").used == 0


async def test_a_lease_from_a_clock_set_back_does_not_hold_for_ever(local: Session) -> None:
    await local.hold()
    local.clock.move(days=-30)
    assert await local.accounting.sweep() == 1
    assert tables.pool(local.store.view, "openai").held == 0


async def test_a_checkpoint_renews_the_lease(local: Session) -> None:
    hold = await local.hold()
    for _ in range(5):
        local.clock.move(seconds=100)
        assert await local.accounting.checkpoint(hold.attempt_id, None)
        assert await local.accounting.sweep() == 0


async def test_a_reading_out_of_order_changes_nothing(local: Session) -> None:
    hold = await local.hold()
    for usage in (Usage(100, 5), Usage(100, 40), Usage(100, 5), Usage(100, 40), Usage(-1, 10**12)):
        await local.accounting.checkpoint(hold.attempt_id, usage)
    [(_, attempt)] = local.store.view.attempts
    assert attempt.checkpoint == Usage(100, 40)


@pytest.mark.parametrize(
    "usage",
    [
        Usage(-5, 10),
        Usage(0, 0),
        Usage(5, 10**9),
        Usage(math.nan, 3),  # type: ignore[arg-type]
        Usage(math.inf, 3),  # type: ignore[arg-type]
        Usage(True, 3),
        Usage("7", 3),  # type: ignore[arg-type]
        Usage(10, 10, cached_input=-4),
    ],
)
async def test_an_impossible_reading_is_an_estimate_and_credits_no_one(local: Session, usage: Usage) -> None:
    hold = await local.hold(estimate=100, wanted=400)
    await local.accounting.checkpoint(hold.attempt_id, Usage(100, 30))
    assert await local.accounting.settle(hold.attempt_id, Measured(usage, Provenance.REPORTED)) == 130
    [(_, row)] = local.store.view.ledger
    assert (row.tokens, row.provenance, row.suspicious) == (130, Provenance.ESTIMATED, True)
    figures = local.accounting.snapshot().provider("openai")
    assert figures is not None
    assert (figures.used, figures.estimated, figures.approximate) == (130, 130, True)


async def test_a_provider_that_ignores_the_cap_is_charged_in_full(local: Session) -> None:
    await local.accounting.set_purchased("openai", 500)
    hold = await local.hold(estimate=100, wanted=4_096)
    await local.accounting.settle(hold.attempt_id, reported(100, 450))
    figures = local.accounting.snapshot().provider("openai")
    assert figures is not None
    assert (figures.remaining, figures.remaining_percent) == (-50, 0.0)


async def test_the_day_is_fixed_when_the_hold_is_made(local: Session) -> None:
    hold = await local.hold()
    local.clock.move(hours=3)
    await local.accounting.settle(hold.attempt_id, reported(100, 50))
    view = local.store.view
    assert [(day.date, day.used) for _, day in view.daily_usage] == [(date(2026, 11, 23), 150)]
    assert local.accounting.headroom("openai") == 10_000


async def test_a_clock_set_back_refills_nothing(local: Session) -> None:
    await local.spend(10_000)
    local.clock.move(days=-1)
    with pytest.raises(QuotaRefusedError):
        await local.hold()
    local.clock.move(days=1, hours=2)
    assert (await local.hold()).max_output == 400


async def test_purchases_are_a_history_and_never_reset_used(local: Session) -> None:
    await local.accounting.set_purchased("google", 1_000, "1,000")
    await local.spend(400, "google")
    await local.accounting.add_purchased("google", 500)
    await local.accounting.set_purchased("google", 2_000)
    await local.accounting.set_purchased("google", 2_000)
    pool = tables.pool(local.store.view, "google")
    assert (pool.purchased, pool.used, pool.remaining, pool.epoch) == (2_000, 400, 1_600, 3)
    history = [(entry.kind.value, entry.amount, entry.purchased) for _, entry in local.store.view.purchases]
    assert history == [("set", 1_000, 1_000), ("add", 500, 1_500), ("set", 2_000, 2_000)]


async def test_the_admins_settings_show_the_pools(local: Session) -> None:
    await local.accounting.set_purchased("openai", 1_000_000)
    await local.spend(45_230 - 40_000, "openai")
    assert local.settings.user().token_quotas == TokenQuotas(1_000_000, None, 5_230, 0)


async def test_a_member_can_not_change_purchases_or_see_them(store: Store) -> None:
    host, sam = session(store), session(store, "sam")
    await add_user(store, "sam")
    await host.accounting.set_purchased("openai", 100_000)
    await host.spend(8_000)
    await sam.spend(300)
    with pytest.raises(InvalidValueError, match="Only an admin"):
        await sam.accounting.set_purchased("openai", 5)
    snapshot = sam.accounting.snapshot()
    figures = snapshot.provider("openai")
    assert figures is not None
    assert not snapshot.admin
    assert (figures.purchased, figures.remaining, figures.used, figures.pool_percent) == (
        None,
        None,
        300,
        91.7,
    )
    assert figures.day is not None
    assert (figures.day.limit, figures.day.remaining) == (1_000, 700)


@pytest.mark.parametrize(
    ("provider", "tokens"), [("demo", 5), ("openai", -1), ("openai", 10**12 + 1), ("nowhere", 5)]
)
async def test_impossible_purchases_are_refused(local: Session, provider: str, tokens: int) -> None:
    with pytest.raises(InvalidValueError):
        await local.accounting.set_purchased(provider, tokens)
    assert len(local.store.view.purchases) == 0


async def test_forecast_names_the_range_and_what_it_leaves(local: Session) -> None:
    await local.spend(1_200)
    forecast = local.accounting.forecast("openai", 340, 860)
    assert (forecast.input, forecast.most, forecast.left, forecast.scope) == (340, 1_200, 7_600, "today")
    await local.accounting.set_purchased("openai", 2_000)
    forecast = local.accounting.forecast("openai", 340, 4_096)
    assert (forecast.most, forecast.left, forecast.scope) == (800, 0, "pool")
    refused = local.accounting.forecast("openai", 5_000, 400)
    assert refused.refused is not None
    assert "5,000 tokens and 800 are left" in refused.refused
    assert local.accounting.forecast("demo", 340, 860).left is None


async def test_pending_tokens_are_shown_until_the_settle(local: Session) -> None:
    changes: list[int] = []

    def note() -> None:
        figures = local.accounting.snapshot().provider("openai")
        assert figures is not None
        changes.append(figures.pending)

    end = local.accounting.subscribe(note)
    hold = await local.hold()
    local.accounting.progress(hold.attempt_id, Usage(100, 7))
    assert changes[-1] == 107
    await local.accounting.settle(hold.attempt_id, reported(100, 9))
    assert changes[-1] == 0
    end()
    seen = len(changes)
    await local.spend(5)
    assert len(changes) == seen


async def test_only_providers_in_use_are_shown(local: Session) -> None:
    bare = session(MemoryStore(), environment={})
    assert [figures.provider for figures in bare.accounting.snapshot().providers] == ["demo"]
    assert [f.provider for f in bare.accounting.snapshot(["google"]).providers] == ["google"]
    await bare.accounting.set_purchased("openai", 5)
    assert [f.provider for f in bare.accounting.snapshot(["demo"]).providers] == ["openai", "demo"]
    assert [f.provider for f in local.accounting.snapshot().providers] == ["openai", "google"]


async def test_own_keys_show_this_users_own_tokens(local: Session) -> None:
    await local.accounting.set_purchased("openai", 1_000)
    await local.keys.save_own("openai", "sk-test-own-0123456789")
    await local.settings.set("keys.use_custom", "true")
    hold = await local.hold(source=local.keys.source("openai"))
    await local.accounting.settle(hold.attempt_id, reported(100, 50))
    figures = local.accounting.snapshot().provider("openai")
    assert figures is not None
    assert (figures.key_source, figures.used, figures.purchased, figures.day) == (
        KeySource.OWN, 150, None, None,
    )  # fmt: skip


async def test_the_price_of_the_moment_is_kept_with_the_row(local: Session) -> None:
    hold = await local.hold(model="gpt-5.1")
    await local.accounting.settle(hold.attempt_id, reported(3_000, 1_000))
    unpriced = await local.hold(model="no-such-model")
    await local.accounting.settle(unpriced.attempt_id, reported(100, 50))
    assert [row.cost for _, row in local.store.view.ledger] == [13_750_000, None]
    totals = [(total.cost, total.unpriced) for _, total in local.store.view.usage_rollup]
    assert totals == [(13_750_000, 0), (0, 150)]
