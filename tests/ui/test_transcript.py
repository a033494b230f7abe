"""The transcript in a small app: what is rendered, where the reader stands, and what streams."""

from pathlib import Path

import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from tui.core.chat import MessageStatus
from tui.widgets.transcript import Entry, EntryRole, Transcript

STYLES = Path(__file__).parents[2] / "styles" / "transcript.tcss"


class TranscriptApp(App[None]):
    CSS_PATH = STYLES

    def __init__(self, entries: list[Entry] | None = None) -> None:
        super().__init__()
        self.entries = entries or []
        self.following: list[tuple[bool, int]] = []

    def compose(self) -> ComposeResult:
        yield Transcript()

    def on_mount(self) -> None:
        if self.entries:
            self.transcript.load(self.entries)
        self.transcript.focus()

    @property
    def transcript(self) -> Transcript:
        return self.query_one(Transcript)

    def on_transcript_following_changed(self, event: Transcript.FollowingChanged) -> None:
        assert event.control is self.transcript
        self.following.append((event.following, event.new_lines))


def conversation(count: int) -> list[Entry]:
    """Prompts and replies in turn, with the message's number in its text."""
    return [
        Entry(
            key=str(number),
            role=EntryRole.ASSISTANT if number % 2 else EntryRole.USER,
            title="model" if number % 2 else "You",
            body=f"Message {number}.\n\nIt has *two* paragraphs.",
        )
        for number in range(count)
    ]


def reply(key: str = "reply") -> Entry:
    return Entry(key, EntryRole.ASSISTANT, title="model", status=MessageStatus.STREAMING)


async def shown_after_flush(pilot: Pilot[None], transcript: Transcript, key: str) -> str:
    transcript.entry_text(key)  # flushes
    await pilot.pause()
    return transcript.visible_text()


@pytest.mark.parametrize("count", [10, 1_000, 10_000])
async def test_opening_renders_only_what_is_visible(count: int) -> None:
    app = TranscriptApp(conversation(count))
    async with app.run_test(size=(60, 20)):
        assert f"Message {count - 1}." in app.transcript.visible_text()
        assert app.transcript.store.renders <= 6


async def test_scrolling_renders_only_what_comes_into_view() -> None:
    app = TranscriptApp(conversation(1_000))
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.press("home")
        assert "Message 0." in app.transcript.visible_text()
        await pilot.press("pagedown", "pageup")
        assert "Message 0." in app.transcript.visible_text()
        await pilot.press("end")
        assert "Message 999." in app.transcript.visible_text()
        assert app.transcript.store.renders < 30


async def test_another_branch_is_nothing_new_and_what_streams_below_it_is() -> None:
    app = TranscriptApp(conversation(100))
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.press("home")
        other = [
            Entry(f"other {entry.key}", entry.role, entry.title, entry.body) for entry in conversation(90)
        ]
        app.transcript.replace_after("9", [*other, reply()])
        await pilot.pause()
        assert app.following[-1] == (False, 0)
        assert app.transcript.keys[9:11] == ["9", "other 0"]
        assert "Message 0." in app.transcript.visible_text()
        app.transcript.stream("reply", "One.\n\nTwo.\n\nThree.")
        app.transcript.entry_text("reply")  # flushes
        await pilot.pause()
        assert app.following[-1] == (False, 6)  # five, and one that parts them from the head
        await pilot.press("end")
        assert "Three." in app.transcript.visible_text()


async def test_streamed_text_is_shown_with_its_status_and_then_exactly() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(60, 20)) as pilot:
        app.transcript.append(reply())
        for delta in ("Hel", "lo *wo", "rld*\r", "\n\nSee [x].\n\n", "[x]: https://x.org"):
            app.transcript.stream("reply", delta)
        text = await shown_after_flush(pilot, app.transcript, "reply")
        assert "Hello world" in text
        assert "Replying…" in text
        app.transcript.finish("reply", meta="3 in · 4 out")
        text = app.transcript.visible_text()
        assert "See x." in text
        assert "3 in · 4 out" in text
        assert "Replying…" not in text
        assert app.transcript.entry_text("reply") == "Hello *world*\n\nSee [x].\n\n[x]: https://x.org"


async def test_links_that_are_defined_last_are_links_when_a_long_reply_ends() -> None:
    paragraphs = "".join(f"Paragraph {number} with [late] words.\n\n" for number in range(400))
    app = TranscriptApp()
    async with app.run_test(size=(60, 20)) as pilot:
        app.transcript.append(reply())
        app.transcript.stream("reply", paragraphs)
        assert "Paragraph 398 with [late]" in await shown_after_flush(pilot, app.transcript, "reply")
        app.transcript.stream("reply", "[late]: https://example.com")
        app.transcript.finish("reply")
        assert "Paragraph 398 with late words." in app.transcript.visible_text()
        assert len(app.transcript.store.view(0).things) == 400


async def test_many_deltas_are_shown_by_few_renders() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(60, 20)) as pilot:
        app.transcript.append(reply())
        before = app.transcript.store.renders
        for number in range(500):
            app.transcript.stream("reply", f"word{number} ")
        assert "word499" in await shown_after_flush(pilot, app.transcript, "reply")
        assert app.transcript.store.renders - before <= 3


async def test_the_bottom_is_followed_while_the_reader_is_there() -> None:
    app = TranscriptApp(conversation(50))
    async with app.run_test(size=(60, 20)) as pilot:
        app.transcript.append(reply())
        for number in range(60):
            app.transcript.stream("reply", f"line {number}\n\n")
            app.transcript.entry_text("reply")
        await pilot.pause()
        assert "line 59" in app.transcript.visible_text()


async def test_the_position_holds_while_text_streams_below() -> None:
    app = TranscriptApp(conversation(200))
    async with app.run_test(size=(60, 20)) as pilot:
        app.transcript.append(reply())
        app.transcript.stream("reply", "line\n\n" * 40)
        await shown_after_flush(pilot, app.transcript, "reply")
        await pilot.press("pageup")
        held = app.transcript.visible_text()
        for _ in range(20):
            app.transcript.stream("reply", "more\n\n")
            assert await shown_after_flush(pilot, app.transcript, "reply") == held
        app.transcript.append(Entry("later", EntryRole.USER, body="later"))
        await pilot.pause()
        assert app.transcript.visible_text() == held
        assert app.following[-1][0] is False
        assert app.following[-1][1] >= 40
        await pilot.press("end")
        assert "later" in app.transcript.visible_text()
        assert app.following[-1] == (True, 0)


async def test_the_position_holds_far_up_while_heights_are_corrected() -> None:
    entries = [
        Entry(str(n), EntryRole.ASSISTANT, "word " * (n % 90) + "\n\n- a\n- b\n\n```\nx\n```")
        for n in range(300)
    ]
    app = TranscriptApp(entries)
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.press("pageup")
        for _ in range(15):
            before = app.transcript.visible_text().split("\n")
            await pilot.press("up")
            after = app.transcript.visible_text().split("\n")
            assert after[1:] == before[:-1]


async def test_a_resize_reflows_lazily_and_keeps_the_reading_position() -> None:
    app = TranscriptApp(conversation(1_000))
    async with app.run_test(size=(60, 20)) as pilot:
        app.transcript.scroll_to_entry("500")
        await pilot.pause()
        before = app.transcript.store.renders
        await pilot.resize_terminal(44, 18)
        await pilot.pause()
        assert "Message 500." in app.transcript.visible_text()
        assert app.transcript.store.renders - before < 15


async def test_a_theme_changes_the_colours_and_not_the_place() -> None:
    app = TranscriptApp(conversation(100))
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.press("pageup")
        text, strips = app.transcript.visible_text(), [app.transcript.render_line(y) for y in range(20)]
        app.theme = "textual-light"
        await pilot.pause()
        assert app.transcript.visible_text() == text
        assert [app.transcript.render_line(y) for y in range(20)] != strips


async def test_reasoning_is_folded_until_it_is_asked_for() -> None:
    entry = Entry("a", EntryRole.ASSISTANT, "Answer.", reasoning="First this.", reasoning_tokens=1280)
    app = TranscriptApp([entry])
    async with app.run_test(size=(60, 20)) as pilot:
        assert "Thought for 1,280 tokens" in app.transcript.visible_text()
        assert "First this." not in app.transcript.visible_text()
        await pilot.press("r")
        assert "│ First this." in app.transcript.visible_text()
        await pilot.click(Transcript, offset=(8, 0))
        assert "First this." not in app.transcript.visible_text()


async def test_status_error_and_marker_are_words() -> None:
    entries = [
        Entry("old", EntryRole.USER, "before"),
        Entry("new", EntryRole.ASSISTANT, "Part", status=MessageStatus.FAILED, error="Check the key."),
    ]
    app = TranscriptApp(entries)
    async with app.run_test(size=(60, 20)):
        app.transcript.set_marker("new")
        text = app.transcript.visible_text()
        assert "▌ Failed\n  ▌ Check the key." in text
        assert text.index("before") < text.index("earlier messages are not sent") < text.index("Part")
        app.transcript.update_entry("new", status=MessageStatus.STOPPED, error="")
        app.transcript.set_marker(None)
        text = app.transcript.visible_text()
        assert "Stopped" in text
        assert "earlier" not in text


async def test_user_text_is_shown_as_it_was_typed() -> None:
    app = TranscriptApp([Entry("u", EntryRole.USER, "# not a *heading*\n    kept  spaces\n\n[x](y)")])
    async with app.run_test(size=(60, 20)):
        assert "# not a *heading*\n      kept  spaces\n\n  [x](y)" in app.transcript.visible_text()


async def test_an_empty_transcript_shows_its_placeholder() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(60, 21)) as pilot:
        app.transcript.placeholder = "Welcome to Ctroom"
        await pilot.pause()
        assert app.transcript.visible_text().split("\n")[10].strip() == "Welcome to Ctroom"
        app.transcript.append(Entry("n", EntryRole.NOTICE, "Hello"))
        assert "Welcome" not in app.transcript.visible_text()
        app.transcript.clear()
        assert "Welcome" in app.transcript.visible_text()


async def test_escape_sequences_never_reach_a_strip() -> None:
    bad = "\x1b]52;c;eA==\x07\x9b31m\u202e\x00\x7f"
    entry = Entry("a", EntryRole.ASSISTANT, bad, bad, bad, MessageStatus.FAILED, (bad,), f"{bad}!", f"{bad}?")
    app = TranscriptApp([entry, Entry("u", EntryRole.USER, bad, bad)])
    async with app.run_test(size=(60, 30)) as pilot:
        app.transcript.placeholder = bad
        app.transcript.append(reply())
        app.transcript.stream("reply", bad)
        app.transcript.stream_reasoning("reply", bad)
        app.transcript.action_toggle_reasoning("a")
        await shown_after_flush(pilot, app.transcript, "reply")
        rows = [app.transcript.render_line(y).text for y in range(30)]
        app.transcript.clear()
        rows += [app.transcript.render_line(y).text for y in range(30)]
        assert all(row.isprintable() for row in rows)


async def test_every_row_fills_the_frame_at_any_size() -> None:
    body = (
        "漢字" * 300
        + "\n\n"
        + "x" * 5_000
        + "\n\n"
        + "👨‍👩‍👧‍👦" * 90
        + "\n\n> > > - 1. deep\n\n|a|b|\n|-|-|\n|1|2|"
    )
    app = TranscriptApp([Entry("a", EntryRole.ASSISTANT, body, "model " * 30, "meta " * 30)])
    async with app.run_test(size=(60, 20)) as pilot:
        for size in ((60, 20), (21, 5), (7, 3), (2, 2), (150, 40)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            width, height = app.transcript.size
            assert [app.transcript.render_line(y).cell_length for y in range(height)] == [width] * height


async def test_a_key_that_is_taken_is_refused() -> None:
    app = TranscriptApp(conversation(2))
    async with app.run_test():
        with pytest.raises(ValueError, match="already has an entry '1'"):
            app.transcript.append(Entry("1", EntryRole.USER))


async def test_entries_loaded_before_the_first_layout_are_shown() -> None:
    class Early(TranscriptApp):
        def compose(self) -> ComposeResult:
            transcript = Transcript()
            transcript.load(conversation(4))
            yield transcript

    app = Early()
    async with app.run_test(size=(60, 30)):
        assert "Message 3." in app.transcript.visible_text()
