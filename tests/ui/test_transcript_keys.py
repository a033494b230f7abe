"""Selection, copies, links and keys of the transcript."""

from textual.app import App, ComposeResult
from textual.geometry import Offset
from textual.selection import Selection
from textual.widgets import Static

from tests.ui.test_transcript import STYLES, conversation
from tui.widgets.transcript import Entry, EntryRole, Transcript
from tui.widgets.transcript.selection import ROWS_PER_ENTRY, ROWS_PER_PART

BODY = """First words of a paragraph that is long enough to be wrapped over two lines at least.

```python
x = 1
```

[a link](https://example.com) and

```
second
```
"""


class KeysApp(App[None]):
    CSS_PATH = STYLES

    def __init__(self, entries: list[Entry]) -> None:
        super().__init__()
        self.entries = entries
        self.copies: list[tuple[str, str]] = []
        self.links: list[str] = []

    def compose(self) -> ComposeResult:
        yield Transcript()
        yield Static("below")

    def on_mount(self) -> None:
        self.transcript.load(self.entries)
        self.transcript.focus()

    @property
    def transcript(self) -> Transcript:
        return self.query_one(Transcript)

    def on_transcript_copy_requested(self, event: Transcript.CopyRequested) -> None:
        self.copies.append((event.what, event.text))

    def on_transcript_link_clicked(self, event: Transcript.LinkClicked) -> None:
        self.links.append(event.href)


def entries() -> list[Entry]:
    return [
        Entry("u", EntryRole.USER, "A prompt", "You"),
        Entry("a", EntryRole.ASSISTANT, BODY, "model", "1 in · 2 out"),
    ]


async def test_blocks_and_links_are_reached_and_copied_by_key() -> None:
    app = KeysApp(entries())
    async with app.run_test(size=(60, 30)) as pilot:
        await pilot.press("n", "y", "n", "y", "enter", "n", "y", "n", "y", "p", "p", "p", "y")
        assert app.copies == [
            ("code block 1", "x = 1\n"),
            ("link", "https://example.com"),
            ("code block 2", "second\n"),
            ("code block 2", "second\n"),
            ("code block 1", "x = 1\n"),
        ]
        assert app.links == ["https://example.com"]


async def test_the_thing_in_focus_is_marked() -> None:
    app = KeysApp(entries())
    async with app.run_test(size=(60, 30)) as pilot:
        before = [app.transcript.render_line(y) for y in range(20)]
        await pilot.press("n")
        changed = [y for y in range(20) if app.transcript.render_line(y) != before[y]]
        text = app.transcript.visible_text().split("\n")
        assert any("x = 1" in text[y] for y in changed)
        assert not any("A prompt" in text[y] for y in changed)


async def test_messages_are_reached_and_copied_by_key() -> None:
    app = KeysApp(entries())
    async with app.run_test(size=(60, 30)) as pilot:
        await pilot.press("y", "k", "y", "k", "y", "k", "y", "Y")
        bodies = {"u": "A prompt", "a": BODY}
        assert app.copies == [
            ("reply", bodies["a"]),
            ("message", bodies["a"]),
            ("message", bodies["u"]),
            ("message", bodies["u"]),
            ("reply", bodies["a"]),
        ]


async def test_moving_by_messages_brings_each_to_the_screen() -> None:
    app = KeysApp(conversation(40))
    async with app.run_test(size=(60, 12)) as pilot:
        for number in range(39, 29, -1):
            await pilot.press("k")
            assert f"Message {number}." in app.transcript.visible_text()
        await pilot.press("j")
        assert "Message 31." in app.transcript.visible_text()


async def test_the_next_block_is_found_in_a_message_far_below() -> None:
    app = KeysApp([*entries()[1:], *conversation(300), Entry("z", EntryRole.ASSISTANT, "```\nfar\n```")])
    async with app.run_test(size=(60, 12)) as pilot:
        await pilot.press("home", "n", "n", "n", "n", "y")
        assert app.copies == [("code block 1", "far\n")]
        assert app.transcript.store.renders < 40


async def test_links_and_the_copy_hint_answer_to_the_mouse() -> None:
    app = KeysApp(entries())
    async with app.run_test(size=(60, 30)) as pilot:
        rows = app.transcript.visible_text().split("\n")
        head = next(y for y, row in enumerate(rows) if "1 python" in row)
        link = next(y for y, row in enumerate(rows) if "a link" in row)
        await pilot.click(Transcript, offset=(rows[head].index("copy") + 1, head))
        await pilot.click(Transcript, offset=(rows[link].index("a link") + 1, link))
        assert app.copies == [("code block 1", "x = 1\n")]
        assert app.links == ["https://example.com"]


async def test_a_drag_selects_across_soft_wraps_and_messages() -> None:
    app = KeysApp(entries())
    async with app.run_test(size=(60, 30)) as pilot:
        rows = app.transcript.visible_text().split("\n")
        code = next(y for y, row in enumerate(rows) if "x = 1" in row)
        await pilot.mouse_down(Transcript, offset=(4, 1))
        await pilot.hover(Transcript, offset=(rows[code].index("x = 1") + 4, code))
        await pilot.mouse_up(Transcript, offset=(rows[code].index("x = 1") + 4, code))
        assert app.screen.get_selected_text() == (
            "prompt\n\nmodel\n"
            "First words of a paragraph that is long enough to be wrapped over two lines at least."
            "\n\nx = 1"
        )


async def test_a_double_click_selects_the_message() -> None:
    app = KeysApp(entries())
    async with app.run_test(size=(60, 30)) as pilot:
        await pilot.click(Transcript, offset=(4, 1), times=2)
        assert (app.screen.get_selected_text() or "").strip() == "You\nA prompt"


async def test_a_resize_clears_the_selection() -> None:
    app = KeysApp(entries())
    async with app.run_test(size=(60, 30)) as pilot:
        await pilot.click(Transcript, offset=(4, 1), times=2)
        await pilot.resize_terminal(50, 30)
        await pilot.pause()
        assert app.transcript.text_selection is None


async def test_a_very_long_selection_is_copied_from_the_source() -> None:
    app = KeysApp(conversation(10_000))
    async with app.run_test(size=(60, 20)) as pilot:
        everything = Selection(Offset(0, 0), Offset(99, 9_999 * ROWS_PER_ENTRY + 9 * ROWS_PER_PART))
        app.screen.selections = {app.transcript: everything}
        await pilot.pause()
        text = app.screen.get_selected_text() or ""
        assert text.startswith("You\nMessage 0.")
        assert "Message 5000.\n\nIt has *two* paragraphs." in text
        assert text.rstrip().endswith("It has two paragraphs.")
        assert app.transcript.store.renders < 20


async def test_a_highlighted_text_is_found_and_marked() -> None:
    app = KeysApp(conversation(500))
    async with app.run_test(size=(60, 20)):
        assert app.transcript.highlight("message 25.") == ["25"]
        app.transcript.scroll_to_entry("25")
        rows = app.transcript.visible_text().split("\n")
        y = next(y for y, row in enumerate(rows) if "Message 25." in row)
        colour = app.transcript.palette.over_base("current").rich_style.bgcolor
        marked = [s.text for s in app.transcript.render_line(y) if s.style and s.style.bgcolor == colour]
        assert "".join(marked) == "Message 25."


async def test_every_binding_has_id_description_and_tooltip() -> None:
    app = KeysApp([])
    async with app.run_test():
        bindings = [b for bs in app.transcript._bindings.key_to_bindings.values() for b in bs]
        ours = [b for b in bindings if (b.id or "").startswith("transcript.")]
        assert len(ours) >= 20
        assert all(b.description and b.tooltip for b in ours)
