"""What the prompt says before it is sent, and where the transcript says that the sent part begins."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from textual import events

from tests.ui.app_harness import SMALL, WIDE, Running, running
from tests.ui.test_app import HOST_KEY, spend
from tui.core.chat import Message, Role
from tui.core.figures import TurnForecast

GONE = "You've used all available tokens. Please add your own API key in Settings."


def subtitle(ui: Running) -> str:
    """What stands under the prompt."""
    return str(ui.prompt.border_subtitle)


def screen_words(ui: Running) -> str:
    """The words on the screen, whatever lines they were broken into."""
    return " ".join(ui.screen_text().split())


async def converse(ui: Running, messages: int, words: int) -> None:
    """Open a conversation with a past."""
    library = ui.services.library
    made = await library.create("openai", "gpt-5.1")
    parent = None
    past = []
    for number in range(messages):
        role = Role.ASSISTANT if number % 2 else Role.USER
        text = f"message {number} " + "word " * words
        past.append(Message(f"m{number:04}", role, text, made.created_at, parent_id=parent))
        parent = past[-1].id
    await ui.services.store.save_messages(made.id, past[:-1])
    await library.save(made.id, past[-1])
    ui.chat.conversations.fill()
    await ui.pilot.press("f8", "home", "enter")
    await ui.until(lambda: len(ui.transcript.store) == messages)


async def test_it_says_what_a_turn_costs_and_leaves(tmp_path: Path) -> None:
    async with running(tmp_path, SMALL, HOST_KEY) as ui:
        await ui.type("Hello")
        await ui.until(lambda: "leaves" in subtitle(ui))
        cost, leaves = subtitle(ui).split("; ")
        assert cost.startswith("about ")
        assert cost.endswith(" tokens")
        assert leaves.endswith(" today · Enter")
        await ui.services.accounting.set_purchased("openai", 2_000)
        await ui.until(lambda: " in the pool" in subtitle(ui))


async def test_no_key_waits_for_a_forecast(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(tmp_path, SMALL, HOST_KEY) as ui:
        asked: list[str] = []
        forecast = ui.services.turns.forecast

        async def counted(
            conversation_id: str | None, provider: str, model: str, text: str, **rest: Any
        ) -> TurnForecast:
            asked.append(text)
            return await forecast(conversation_id, provider, model, text, **rest)

        monkeypatch.setattr(ui.services.turns, "forecast", counted)
        for character in "typed without a rest":
            ui.app.post_message(events.Key(character if character != " " else "space", character))
        await ui.until(lambda: "leaves" in subtitle(ui))
        assert asked == ["typed without a rest"]

        ui.prompt.post_message(events.Paste("100 KB of a paste. " * 5_400))
        await ui.until(lambda: len(asked) == 2)
        worst = 0.0
        for _ in range(20):  # while the paste is being counted
            begun = time.perf_counter()
            await asyncio.sleep(0)
            worst = max(worst, time.perf_counter() - begun)
        assert worst < 0.25
        await ui.until(lambda: ui.prompt.has_class("-refused"))
        assert "needs about" in screen_words(ui)


@pytest.mark.parametrize("size", [SMALL, WIDE])
async def test_a_refusal_is_said_before_sending_with_the_ways_out(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with running(tmp_path, size, HOST_KEY) as ui:
        await ui.services.settings.set("display_time_zone", "Asia/Tokyo")
        await spend(ui, 10_000)
        await ui.type("Hello")
        await ui.until(lambda: "would be refused" in subtitle(ui))
        said = ui.chat.pane.refusal
        words = str(said.content)
        assert words.startswith(f"{GONE} Today's allowance returns at 09:00 (in ")
        assert words.endswith(
            "Or choose a higher tier in Settings.\nF4 add my key · F6 switch provider, or use the demo"
        )
        assert "F6 switch provider, or use the demo" in ui.screen_text()  # nothing is cut off
        await ui.services.settings.set("tier", "unlimited")
        await ui.until(lambda: "would be refused" not in subtitle(ui))
        assert not said.display


async def test_after_a_refusal_f4_leads_to_the_key(tmp_path: Path) -> None:
    async with running(tmp_path, WIDE, HOST_KEY) as ui:
        await ui.services.accounting.set_purchased("openai", 0)
        await ui.send("Hello")
        error = ui.transcript.store.entry(1).error
        assert (
            error
            == f"{GONE} If you bought more, enter it under Token quotas. The pool does not refill by itself."
        )
        assert "F4 add my key" in ui.screen_text()
        await ui.pilot.press("f4")
        await ui.until(lambda: bool(ui.app.query("#own-key-openai:focus-within")))


async def test_the_marker_stands_where_the_sent_part_begins_and_moves(tmp_path: Path) -> None:
    async with running(tmp_path, SMALL, HOST_KEY) as ui:
        await ui.services.settings.set("tiers.basic", "3000")
        await converse(ui, 1_000, 40)
        await ui.type("And?")
        await ui.until(lambda: ui.transcript.store.marker is not None)
        store = ui.transcript.store
        first = store.marker
        assert first is not None
        assert "earlier messages are not sent: " in store.marker_words
        assert store.marker_words.endswith(" tokens fit")
        assert "fit" in "".join(line.text for line in store.view(store.index(first)).lines())
        rendered = store.renders
        await spend(ui, 1_500)
        await ui.until(lambda: store.marker not in (first, None))
        assert store.marker is not None
        assert store.marker > first
        assert store.renders - rendered <= 40  # what is in view and both marked entries, not the thousand
        await ui.services.settings.set("tier", "unlimited")
        await ui.until(lambda: store.marker is None)


async def test_the_marker_does_not_move_what_is_read(tmp_path: Path) -> None:
    async with running(tmp_path, SMALL, HOST_KEY) as ui:
        await ui.services.settings.set("tiers.basic", "3000")
        await converse(ui, 60, 40)
        ui.transcript.focus()
        await ui.pilot.press("pageup")
        await ui.pilot.pause()
        read = [line for line in ui.transcript.visible_text().split("\n") if line.strip()]
        ui.transcript.set_marker(ui.transcript.store.entry(20).key, 1_234)
        ui.transcript.set_marker(ui.transcript.store.entry(50).key, 1_234)
        await ui.pilot.pause()
        kept = ui.transcript.visible_text().split("\n")
        assert [line for line in kept if line.strip() and "not sent" not in line][:8] == read[:8]
