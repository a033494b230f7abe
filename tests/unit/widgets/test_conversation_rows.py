"""The rows of the conversation list."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from tui.core.chat import Conversation
from tui.widgets.conversation_rows import conversation_rows, joined, matches, next_item

NOW = datetime(2026, 11, 23, 22, 30, tzinfo=UTC)
TODAY = NOW.date()
ONE = Conversation("1", "sam", "Rust lifetimes", NOW, NOW)


def texts(*conversations: Conversation, zone: str = "UTC", today: date = TODAY) -> list[str]:
    return [row.text for row in conversation_rows(conversations, today, ZoneInfo(zone))]


def test_conversations_stand_under_their_days() -> None:
    yesterday = replace(ONE, title="SQL", updated_at=NOW - timedelta(days=1))
    earlier = replace(ONE, title="Lisbon", updated_at=NOW - timedelta(days=9))
    assert texts(ONE, yesterday, earlier) == [
        "Today",
        "Rust lifetimes",
        "Yesterday",
        "SQL",
        "Earlier",
        "Lisbon",
    ]


def test_pinned_ones_come_first_and_empty_titles_have_words() -> None:
    assert texts(replace(ONE, title=""), replace(ONE, pinned=True)) == [
        "Pinned",
        "Rust lifetimes",
        "Today",
        "Untitled",
    ]


def test_days_are_the_readers() -> None:
    assert texts(ONE, zone="Asia/Tokyo", today=date(2026, 11, 25))[0] == "Yesterday"


def test_the_cursor_skips_headings() -> None:
    rows = conversation_rows([ONE, replace(ONE, updated_at=NOW - timedelta(days=1))], NOW.date(), UTC)
    assert [next_item(rows, at, 1) for at in range(5)] == [1, 1, 3, 3, None]
    assert next_item(rows, 0, -1) is None


def test_a_heading_that_goes_on_is_not_repeated() -> None:
    older = [replace(ONE, title=title, updated_at=NOW - timedelta(days=9)) for title in ("a", "b")]
    whole = conversation_rows([ONE, *older], TODAY, UTC)
    for split in (1, 2):
        first, rest = [ONE, *older][:split], [ONE, *older][split:]
        assert joined(conversation_rows(first, TODAY, UTC), conversation_rows(rest, TODAY, UTC)) == whole
    assert joined(whole, ()) == joined((), whole) == whole


def test_a_filter_wants_every_word_in_any_case() -> None:
    tagged = replace(ONE, tags=("code", "straße"))
    for wanted in ("", "  ", "rust", "LIFE rust", "#co", "#code lifetimes"):
        assert matches(tagged, wanted), wanted
    for wanted in ("rust boats", "#rust", "#odd", "code"):
        assert not matches(tagged, wanted), wanted
