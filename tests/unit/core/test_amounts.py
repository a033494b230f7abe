import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.core.amounts import MOST_AMOUNT, Dollars, parse_amount, parse_tokens
from tui.core.errors import InvalidValueError


@pytest.mark.parametrize(
    ("typed", "tokens"),
    [
        ("0", 0),
        ("1000000", 1_000_000),
        ("1,000,000", 1_000_000),
        ("1_000_000", 1_000_000),
        ("1 000 000", 1_000_000),
        (" 500,000 ", 500_000),
        ("1M", 1_000_000),
        ("1.5m", 1_500_000),
        ("250k", 250_000),
        ("2 B", 2_000_000_000),
        ("0.001k", 1),
        ("1,000,000,000,000", MOST_AMOUNT),
    ],
)
def test_tokens_as_people_type_them(typed: str, tokens: int) -> None:
    assert parse_tokens(typed) == tokens
    assert parse_amount(typed) == tokens


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "Enter a number of tokens"),
        ("   ", "Enter a number of tokens"),
        ("lots", "without words"),
        ("12 apples", "without words"),
        ("-5", "can't be negative"),
        ("\u22125", "can't be negative"),
        ("1,00", "grouped by threes"),
        ("1,000_000", "grouped by threes"),
        ("10,00,000", "grouped by threes"),
        ("1,000,", "grouped by threes"),
        ("1.5", "whole numbers"),
        ("1.0005k", "not a whole number"),
        ("1e6", "without words"),
        ("1,000,000,000,001", "too large"),
        ("9" * 30, "too large"),
        ("9" * 300, "Enter|grouped"),
        ("\u0661\u0662\u0663", "Enter|grouped"),
        ("1M$", "Enter"),
        ("nan", "without words"),
    ],
)
def test_wrong_tokens_are_refused_in_words(typed: str, words: str) -> None:
    with pytest.raises(InvalidValueError, match=words):
        parse_tokens(typed)


@pytest.mark.parametrize(
    ("typed", "nano", "shown"),
    [
        ("$100", 100_000_000_000, "$100"),
        ("$ 12.50", 12_500_000_000, "$12.50"),
        ("$1,234.5", 1_234_500_000_000, "$1,234.50"),
        ("$0.000000001", 1, "$0"),
    ],
)
def test_dollars(typed: str, nano: int, shown: str) -> None:
    amount = parse_amount(typed)
    assert amount == Dollars(nano)
    assert str(amount) == shown


@pytest.mark.parametrize(
    "typed", ["$", "$-5", "$1,00", "$ten", "$1e9", "$1.2.3", "$10000001", "$0.0000000001"]
)
def test_wrong_dollars_are_refused_in_words(typed: str) -> None:
    with pytest.raises(InvalidValueError, match=r"\$"):
        parse_amount(typed)


@given(st.integers(0, MOST_AMOUNT))
def test_whatever_we_print_can_be_typed(tokens: int) -> None:
    for typed in (f"{tokens}", f"{tokens:,}", f"{tokens:_}", f"{tokens:,}".replace(",", " ")):
        assert parse_tokens(typed) == tokens


@given(st.text())
def test_any_text_is_an_amount_or_refused_in_one_sentence(text: str) -> None:
    said = "."
    try:
        amount = parse_amount(text)
    except InvalidValueError as error:
        said = str(error)
    else:
        assert isinstance(amount, Dollars) or 0 <= amount <= MOST_AMOUNT
    assert said.endswith(".")
