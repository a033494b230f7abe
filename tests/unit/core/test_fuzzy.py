"""What matches what was typed, and what matches better."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.core.fuzzy import match


@pytest.mark.parametrize(
    ("wanted", "better", "worse"),
    [
        ("set", "Settings of today", "Reset the clock"),
        ("new", "Begin a new conversation", "Renewals"),
        ("theme", "theme", "Anthem of Europe"),
        ("gn", "Go north", "Garden"),
        ("lisbon trip", "Trip to Lisbon", "Little is bonnier than a trip"),
    ],
)
def test_the_better_match_comes_first(wanted: str, better: str, worse: str) -> None:
    best, other = match(wanted, better), match(wanted, worse)
    assert best is not None
    assert other is None or best[0] > other[0]


@pytest.mark.parametrize(("wanted", "text"), [("bnc", "Begin a new conversation"), ("gpt5", "Ask gpt-5.1")])
def test_letters_in_their_order_match(wanted: str, text: str) -> None:
    hit = match(wanted, text)
    assert hit is not None
    assert "".join(text[place] for place in hit[1]).lower() == wanted


@pytest.mark.parametrize(("wanted", "text"), [("xyz", "Begin"), ("nigeb", "Begin"), ("bgn", "big long noon")])
def test_what_does_not_match(wanted: str, text: str) -> None:
    assert match(wanted, text) is None


@given(st.text(max_size=20), st.text(max_size=60))
def test_places_are_letters_of_the_text(wanted: str, text: str) -> None:
    hit = match(wanted, text)
    if hit is not None:
        assert list(hit[1]) == sorted(set(hit[1]))
        assert all(0 <= place < len(text) for place in hit[1])


@given(st.text(min_size=1, max_size=60).filter(lambda text: text.strip()))
def test_a_text_matches_itself(text: str) -> None:
    assert match(text, text) is not None


def test_ten_thousand_titles_are_matched_at_once() -> None:
    titles = [f"Conversation {number} about the lifetimes of boats and cities" for number in range(10_000)]
    began = time.process_time()
    hits = [match("lftms bt", title) for title in titles]
    assert sum(hit is not None for hit in hits) >= 0
    assert time.process_time() - began < 1.0
