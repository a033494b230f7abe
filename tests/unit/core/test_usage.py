import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.core.usage import MOST_TOKENS, Provenance, Usage, read_count, read_usage

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=3,
)


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        False,
        -1,
        -0.5,
        1.5,
        math.nan,
        math.inf,
        -math.inf,
        "12",
        b"1",
        [],
        {},
        MOST_TOKENS + 1,
        10**400,
    ],
)
def test_what_is_no_count_is_never_taken_for_one(value: object) -> None:
    assert read_count(value) is None


@pytest.mark.parametrize("value", [0, 1, 41.0, MOST_TOKENS])
def test_counts(value: float) -> None:
    assert read_count(value) == int(value)


def test_a_usage_is_input_and_output_with_their_parts() -> None:
    usage = read_usage({"input": 41, "output": 212, "cached_input": 40, "reasoning": 100})
    assert usage == Usage(41, 212, 40, 100)
    assert usage.total == 253


def test_parts_larger_than_their_whole_credit_no_one() -> None:
    assert read_usage({"input": 10, "output": 5, "cached_input": 11, "reasoning": 99}) == Usage(10, 5, 10, 5)


def test_wrong_parts_count_as_none() -> None:
    assert read_usage({"input": 10, "output": 5, "cached_input": -3, "reasoning": "x"}) == Usage(10, 5)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"input": 5},
        {"output": 5},
        {"input": 0, "output": 0},
        {"input": -1, "output": 5},
        {"input": 5, "output": None},
    ],
)
def test_without_both_counts_there_is_no_usage(fields: dict[str, object]) -> None:
    assert read_usage(fields) is None


@given(
    fields=st.fixed_dictionaries(
        {}, optional=dict.fromkeys(["input", "output", "cached_input", "reasoning"], anything)
    )
)
def test_no_payload_crashes_or_credits(fields: dict[str, object]) -> None:
    usage = read_usage(fields)
    if usage is not None:
        assert 0 <= usage.cached_input <= usage.input <= MOST_TOKENS
        assert 0 <= usage.reasoning <= usage.output <= MOST_TOKENS
        assert 0 < usage.total <= 2 * MOST_TOKENS


def test_only_what_was_reported_or_counted_is_exact() -> None:
    assert [provenance for provenance in Provenance if provenance.exact] == ["reported", "counted"]
