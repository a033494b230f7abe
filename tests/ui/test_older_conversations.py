"""Conversations of earlier years: not in the way at the start, there when the list is followed to them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.ui.app_harness import SMALL, WIDE, running
from tui.core.chat import Conversation, Message, Role
from tui.core.ports import State
from tui.storage.older import KEPT_CONVERSATIONS
from tui.storage.store import JsonStore
from tui.widgets.conversation_list import ConversationList

MANY = 700
NOW = datetime(2026, 11, 23, 22, 0, tzinfo=UTC)


async def keep_many(home: Path) -> None:
    """Conversations of two years, one a day; the oldest has a prompt in it."""

    def add(state: State) -> None:
        for number in range(MANY):
            at = NOW - timedelta(days=MANY - number)
            head = "m" if number == 0 else None
            state.conversations.insert(
                Conversation(f"c{number}", "local", f"Number {number}.", at, at, "demo", "demo", head_id=head)
            )

    store = await JsonStore.open(home, lambda: NOW)
    await store.save_messages("c0", [Message("m", Role.USER, "The very first prompt", NOW)])
    await store.transaction(add)
    await store.aclose()


def listed(conversations: ConversationList) -> list[str]:
    return [row.text for row in conversations.rows if row.conversation is not None]


async def test_older_ones_are_listed_when_the_end_comes_near(tmp_path: Path) -> None:
    await keep_many(tmp_path)
    async with running(tmp_path, WIDE) as ui:
        conversations = ui.app.query_one(ConversationList)
        await ui.until(lambda: len(listed(conversations)) == KEPT_CONVERSATIONS)
        await ui.pilot.press("f8", "pagedown")
        await ui.pilot.pause()
        assert len(listed(conversations)) == KEPT_CONVERSATIONS

        await ui.pilot.press("end")
        await ui.until(lambda: len(listed(conversations)) == MANY)
        assert listed(conversations) == [f"Number {number}." for number in reversed(range(MANY))]
        await ui.pilot.press("end")
        await ui.until(lambda: "Number 0." in ui.screen_text())


async def test_an_older_one_is_opened_answered_and_deleted(tmp_path: Path) -> None:
    await keep_many(tmp_path)
    async with running(tmp_path, WIDE) as ui:
        conversations = ui.app.query_one(ConversationList)
        await ui.until(lambda: bool(conversations.rows))
        await ui.pilot.press("f8", "end")
        await ui.until(lambda: len(listed(conversations)) == MANY)
        await ui.pilot.press("end", "enter")
        await ui.until(lambda: len(ui.transcript.store) == 1)
        assert ui.transcript.store.entry(0).body == "The very first prompt"
        assert listed(conversations)[-1] == "Number 0."

        await ui.send("Go on")
        await ui.until(lambda: listed(conversations)[0] == "Number 0.")
        assert len(listed(conversations)) == MANY

        await ui.pilot.press("f8", "delete")
        await ui.until(lambda: len(listed(conversations)) == MANY - 1)
        assert "Number 0." not in listed(conversations)


async def test_a_damaged_file_of_older_ones_is_told_once_and_the_recent_ones_stay(tmp_path: Path) -> None:
    await keep_many(tmp_path)
    for path in (tmp_path / "conversations" / "index").glob("*.json"):
        path.write_text("{")
    async with running(tmp_path, WIDE) as ui:
        conversations = ui.app.query_one(ConversationList)
        await ui.until(lambda: bool(conversations.rows))
        await ui.pilot.press("f8", "end")
        await ui.until(lambda: bool(ui.app._notifications))
        await ui.pilot.press("escape")
        await ui.send("Still here")
        await ui.until(lambda: listed(conversations)[0] == "Still here")
        assert len(listed(conversations)) == KEPT_CONVERSATIONS + 1
        titles = [notice.title for notice in ui.app._notifications]
        assert titles.count("Older ones not listed") == 1


async def test_the_list_over_a_small_screen_reaches_them_too(tmp_path: Path) -> None:
    await keep_many(tmp_path)
    async with running(tmp_path, SMALL) as ui:
        conversations = ui.app.query_one(ConversationList)
        await ui.until(lambda: len(listed(conversations)) == KEPT_CONVERSATIONS)
        await ui.pilot.press("f8", "end")
        await ui.until(lambda: len(listed(conversations)) == MANY)
