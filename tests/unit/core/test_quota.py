import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.core.errors import RefusalReason
from tui.core.quota import (
    FLOOR,
    Admission,
    AlertLevel,
    Limit,
    Pool,
    Refusal,
    admit,
    alert_level,
    headroom,
    percent,
    percent_floor,
)

UNLIMITED = Limit(None)
limits = st.builds(Limit, st.none() | st.integers(-100, 20_000), st.integers(0, 5_000))


def test_remaining_is_purchased_minus_used() -> None:
    assert Pool("openai", 1_000_000, 45_230).remaining == 954_770
    assert Pool("openai", 100, 150).remaining == -50
    assert Pool("openai", None, 150).remaining is None


def test_without_limits_the_configured_output_is_admitted() -> None:
    assert admit(500, 4_096, UNLIMITED, UNLIMITED) == Admission(4_096, 4_596)


def test_the_free_tier_can_chat_since_the_request_is_capped() -> None:
    assert admit(200, 4_096, UNLIMITED, Limit(1_000)) == Admission(800, 1_000)


def test_the_smaller_limit_binds() -> None:
    assert headroom(Limit(5_000, 100), Limit(1_000, 300)) == 700
    assert admit(200, 4_096, Limit(5_000), Limit(1_000, 300)) == Admission(500, 700)


@pytest.mark.parametrize(
    ("estimate", "pool", "day", "reason", "scope"),
    [
        (10, Limit(0), UNLIMITED, RefusalReason.POOL_EXHAUSTED, "pool"),
        (10, UNLIMITED, Limit(73), RefusalReason.DAY_EXHAUSTED, "day"),
        (10, Limit(-5), Limit(3), RefusalReason.POOL_EXHAUSTED, "pool"),
        (10, Limit(1_000, 990), UNLIMITED, RefusalReason.HELD_BY_OTHERS, "pool"),
        (10, Limit(5_000), Limit(1_000, 960), RefusalReason.HELD_BY_OTHERS, "day"),
        (3_400, Limit(1_200), UNLIMITED, RefusalReason.PROMPT_TOO_LONG, "pool"),
        (990, UNLIMITED, Limit(1_000), RefusalReason.PROMPT_TOO_LONG, "day"),
    ],
)
def test_refusals_name_their_reason(
    estimate: int, pool: Limit, day: Limit, reason: RefusalReason, scope: str
) -> None:
    decision = admit(estimate, 4_096, pool, day)
    assert isinstance(decision, Refusal)
    assert (decision.reason, decision.scope) == (reason, scope)


def test_the_floor_admits_and_one_token_less_refuses() -> None:
    assert admit(100, 4_096, Limit(100 + FLOOR), UNLIMITED) == Admission(FLOOR, 100 + FLOOR)
    assert isinstance(admit(100, 4_096, Limit(99 + FLOOR), UNLIMITED), Refusal)


def test_a_wanted_output_below_the_floor_is_its_own_floor() -> None:
    assert admit(100, 10, Limit(110), UNLIMITED) == Admission(10, 110)


@given(estimate=st.integers(0, 10_000), wanted=st.integers(1, 8_000), pool=limits, day=limits)
def test_no_admission_overshoots_and_no_refusal_had_room(
    estimate: int, wanted: int, pool: Limit, day: Limit
) -> None:
    decision = admit(estimate, wanted, pool, day)
    for limit in (pool, day):
        if isinstance(decision, Admission) and limit.left is not None:
            assert limit.held + decision.hold <= limit.left
    if isinstance(decision, Admission):
        assert min(FLOOR, wanted) <= decision.max_output <= wanted
        assert decision.hold == estimate + decision.max_output
    else:
        room = headroom(pool, day)
        assert room is not None
        assert room < estimate + min(FLOOR, wanted)


@pytest.mark.parametrize(
    ("left", "whole", "level"),
    [
        (2_000, 10_000, None),
        (1_999, 10_000, AlertLevel.LOW),
        (1_000, 10_000, AlertLevel.LOW),
        (999, 10_000, AlertLevel.CRITICAL),
        (1, 10_000, AlertLevel.CRITICAL),
        (0, 10_000, AlertLevel.EXHAUSTED),
        (-7, 10_000, AlertLevel.EXHAUSTED),
        (0, 0, AlertLevel.EXHAUSTED),
    ],
)
def test_levels_are_compared_exactly(left: int, whole: int, level: AlertLevel | None) -> None:
    assert alert_level(left, whole) is level


@pytest.mark.parametrize(
    ("part", "whole", "exact", "floor"),
    [
        (954_770, 1_000_000, 95.5, 95),
        (487_550, 500_000, 97.5, 97),
        (1_999, 10_000, 20.0, 19),
        (1, 3, 33.3, 33),
        (2, 3, 66.7, 66),
        (-5, 10, 0.0, 0),
        (5, 0, 0.0, 0),
        (15, 10, 100.0, 150),
    ],
)
def test_percentages(part: int, whole: int, exact: float, floor: int) -> None:
    assert percent(part, whole) == exact
    assert percent_floor(part, whole) == floor


@given(part=st.integers(0, 10**12), whole=st.integers(1, 10**12))
def test_a_percentage_is_within_half_a_tenth(part: int, whole: int) -> None:
    part = min(part, whole)
    tenths = round(percent(part, whole) * 10)
    assert abs(tenths * whole - part * 1_000) * 2 <= whole
