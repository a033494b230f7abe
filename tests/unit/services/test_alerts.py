"""Alerts: once for each scope, level and epoch; the gravest only; to those whom they concern."""

import asyncio

import pytest

from tests.support.session import Session, add_user, reported, session
from tui.core.ports import Store
from tui.core.quota import AlertLevel, AlertRecord
from tui.services.refusals import QUOTA_GONE


async def pooled(local: Session, purchased: int) -> None:
    """A pool, and no day limit in the way."""
    await local.settings.set("tier", "unlimited")
    await local.accounting.set_purchased("openai", purchased)


def words(alerts: tuple[AlertRecord, ...]) -> list[str]:
    return [alert.message for alert in alerts]


@pytest.mark.parametrize(
    ("spent", "message"),
    [
        (8_000, None),
        (8_001, "Low on tokens! Only 19% remaining."),
        (8_476, "Low on tokens! Only 15% remaining."),
        (9_000, "Low on tokens! Only 10% remaining."),
        (9_001, "Critical: Only 9% tokens left!"),
        (9_999, "Critical: Only 0% tokens left!"),
        (10_000, QUOTA_GONE),
        (10_500, QUOTA_GONE),
    ],
)
async def test_levels_are_compared_exactly_and_the_percentage_is_rounded_down(
    local: Session, spent: int, message: str | None
) -> None:
    await pooled(local, 10_000)
    hold = await local.hold(estimate=1, wanted=100)
    await local.accounting.settle(hold.attempt_id, reported(1, spent - 1))
    assert words(await local.alerts.raise_due()) == ([message] if message else [])
    figures = local.accounting.snapshot().provider("openai")
    assert figures is not None
    assert (figures.alert is None) == (message is None)


async def test_each_level_is_raised_once_and_in_order(local: Session) -> None:
    await pooled(local, 10_000)
    raised = []
    for spent in (8_100, 100, 900, 100, 900):
        await local.spend(spent)
        raised += [alert.level for alert in await local.alerts.raise_due()]
        assert local.alerts.due() == ()
    assert raised == [AlertLevel.LOW, AlertLevel.CRITICAL, AlertLevel.EXHAUSTED]


async def test_a_jump_past_both_levels_raises_only_the_critical_one(local: Session) -> None:
    await pooled(local, 10_000)
    await local.spend(9_500)
    assert words(await local.alerts.raise_due()) == ["Critical: Only 5% tokens left!"]
    assert await local.alerts.raise_due() == ()


async def test_a_top_up_arms_the_alerts_again(local: Session) -> None:
    await pooled(local, 1_000)
    await local.spend(950)
    await local.alerts.raise_due()
    await local.accounting.add_purchased("openai", 9_000)
    assert await local.alerts.raise_due() == ()
    await local.spend(8_100)
    assert words(await local.alerts.raise_due()) == ["Critical: Only 9% tokens left!"]


async def test_sessions_at_once_raise_an_alert_once(store: Store, local: Session) -> None:
    await pooled(local, 1_000)
    await local.spend(950)
    others = [session(store, clock=local.clock) for _ in range(4)]
    raised = await asyncio.gather(*(other.alerts.raise_due() for other in others))
    assert sum(map(len, raised)) == 1


async def test_a_new_day_is_a_new_epoch(local: Session) -> None:
    await local.spend(8_500)
    [alert] = await local.alerts.raise_due()
    assert (alert.scope, alert.level, alert.epoch) == ("day:local", AlertLevel.LOW, "2026-11-23:10000")
    local.clock.move(days=1)
    assert await local.alerts.raise_due() == ()
    await local.spend(8_500)
    assert words(await local.alerts.raise_due()) == ["Low on tokens! Only 15% remaining."]


async def test_pool_alerts_go_to_admins_and_day_alerts_to_the_user(store: Store, local: Session) -> None:
    await add_user(store, "sam")
    sam = session(store, "sam", clock=local.clock)
    await pooled(local, 1_000)
    await sam.spend(950)
    assert [alert.scope for alert in await sam.alerts.raise_due()] == ["day:sam"]
    assert [alert.scope for alert in await local.alerts.raise_due()] == ["pool:openai"]


async def test_a_day_without_default_keys_alerts_no_one(local: Session) -> None:
    await local.spend(9_900)
    await local.settings.set("keys.use_custom", "true")
    for provider in ("openai", "google"):
        await local.keys.save_own(provider, "sk-own-0123456789")
    assert local.alerts.due() == ()


async def test_alerts_of_earlier_days_and_purchases_are_not_kept(local: Session) -> None:
    await local.accounting.set_purchased("openai", 10_000)
    for _ in range(4):
        await local.spend(9_500)
        await local.alerts.raise_due()
        await local.accounting.add_purchased("openai", 10_000)
        local.clock.move(days=1)
    kept = [(alert.scope, alert.epoch) for _, alert in local.store.view.alerts]
    assert kept == [("pool:openai", "4"), ("day:local", "2026-11-26:10000")]


async def test_a_limit_that_is_changed_and_changed_back_raises_nothing_again(local: Session) -> None:
    await local.spend(8_500)
    for tier, count in (("basic", 1), ("free", 1), ("basic", 0), ("free", 0)):
        await local.settings.set("tier", tier)
        assert len(await local.alerts.raise_due()) == count
