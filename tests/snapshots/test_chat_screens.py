"""The chat as pictures: replies in every state, versions, rich text, and what lies over it."""

from dataclasses import replace
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.snapshots.scenes import (
    NARROW,
    SMALL,
    TINY,
    WIDE,
    Scene,
    exchange,
    forecast,
    open_latest,
    settled,
    until,
)
from tests.snapshots.test_screens import SIZES, Compare, pressing
from tests.support.replay import Hold, Replay
from tui.app import CtroomApp
from tui.core.chat import MessageStatus, ReasoningDelta, TextDelta
from tui.core.usage import Usage
from tui.dialogs.keys import KeysDialog

HUGE = (160, 50)
COMPACT = pytest.mark.parametrize("size", [NARROW, TINY], ids=["60x20", "40x12"])
LIGHT = "textual-light"
CONTRASTS = pytest.mark.parametrize("theme", ["high-contrast-dark", "high-contrast-light"])

RICH = (
    """Here is **everything** at once, with `code` in a line and a [link](https://example.org/book):

| Language | Script | Greeting | Width |
|:---------|:------:|:--------:|------:|
| Japanese | 日本語 | こんにちは | 10 |
| Arabic | العربية | مرحبا | 5 |
| Emoji | 🧪 | 👋🏽 hello | 8 |

1. A list with a number,
   - and one within,
     - and another.
2. Its second entry.

> A quotation,
>
> > and one within it.

A word that never ends: """
    + "abcdefghij" * 14
    + """

---

\x1b[31mAn escape sequence\x1b[0m is text."""
)


class StillTime:
    """A monotonic clock that a picture stands still on."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@SIZES
def test_a_reply_streams(
    example: Scene, snap_compare: Compare, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    hold, time = Hold(), StillTime()
    monkeypatch.setattr("tui.tabs.turn_state.monotonic", time)
    example.provider = Replay(
        [
            ReasoningDelta("The user asks for the rules. There are three."),
            TextDelta(
                "There are **three rules**:\n\n1. Each reference among the arguments gets its own.\n2. With o"
            ),
            hold,
        ]
    )

    async def ask(pilot: Pilot[Any]) -> None:
        app = pilot.app
        assert isinstance(app, CtroomApp)
        await open_latest(pilot)
        await pilot.press(*"Which rules?", "enter")
        await until(pilot, hold.reached.is_set)
        await pilot.press(*"And in a struct?", "enter")
        # The figures of a reply that streams are shown with its first checkpoint.
        await until(pilot, lambda: "~" in footer(app))
        time.seconds += 7
        await until(pilot, lambda: "7 s" in str(app.chat.pane.prompt.border_title))

    assert snap_compare(example.app(), terminal_size=size, run_before=ask)


def footer(app: CtroomApp) -> str:
    """The words of the usage footer."""
    from tui.widgets.usage_footer import UsageFooter

    return "".join(piece.text for line in app.query_one(UsageFooter).lines for piece in line)


@SIZES
def test_replies_that_did_not_come_whole(
    example: Scene, snap_compare: Compare, size: tuple[int, int]
) -> None:
    asked, answered = exchange(0, "Name the rules.", "There are three. The first", Usage(60, 9), 2.0)
    stopped = replace(answered, status=MessageStatus.STOPPED)
    again, failed = exchange(1, "Go on, please.", "", Usage(80, 0), 0.0)
    failed = replace(
        failed,
        status=MessageStatus.FAILED,
        usage=None,
        provenance=None,
        seconds=None,
        error="OpenAI could not be reached: check the network, then try again.",
    )
    last, thought = exchange(
        2, "And now?", "The second rule is about one reference.", Usage(80, 140, 0, 96), 4.2
    )
    thought = replace(thought, reasoning="They want the second rule. I should name it, and give its reason.")
    example.converse("The rules of elision", (asked, stopped, again, failed, last, thought))
    assert snap_compare(example.app(), terminal_size=size, run_before=open_latest)


@SIZES
def test_an_earlier_prompt_is_edited(example: Scene, snap_compare: Compare, size: tuple[int, int]) -> None:
    asked, answered = exchange(0, "Where do trams go?", "To many places. Which city?", Usage(20, 9), 0.8)
    better, better_reply = exchange(
        1, "Where does tram 28E go?", "From Martim Moniz to Prazeres.", Usage(24, 12), 0.9
    )
    better = replace(better, parent_id=None, instead_of=asked.id)
    example.converse("Trams of Lisbon", (asked, answered, better, better_reply))

    async def edit(pilot: Pilot[Any]) -> None:
        app = pilot.app
        assert isinstance(app, CtroomApp)
        await open_latest(pilot)
        app.chat.pane.transcript.focus()
        await pilot.pause()
        await pilot.press("k", "k", "e")
        await until(pilot, lambda: app.chat.pane.editing is not None)
        await forecast(pilot)

    assert snap_compare(example.app(), terminal_size=size, run_before=edit)


@SIZES
def test_rich_text(example: Scene, snap_compare: Compare, size: tuple[int, int]) -> None:
    example.converse("Everything at once", exchange(0, "Show me everything.", RICH, Usage(30, 400), 6.0))

    async def from_the_start(pilot: Pilot[Any]) -> None:
        app = pilot.app
        assert isinstance(app, CtroomApp)
        await open_latest(pilot)
        app.chat.pane.transcript.focus()
        await pilot.press("home" if size == WIDE else "end")
        await settled(pilot)

    assert snap_compare(example.app(), terminal_size=size, run_before=from_the_start)


@SIZES
def test_a_code_block_in_focus(example: Scene, snap_compare: Compare, size: tuple[int, int]) -> None:
    async def focus(pilot: Pilot[Any]) -> None:
        app = pilot.app
        assert isinstance(app, CtroomApp)
        await open_latest(pilot)
        app.chat.pane.transcript.focus()
        await pilot.press("home", "n")
        await settled(pilot)

    assert snap_compare(example.app(), terminal_size=size, run_before=focus)


# What lies over the chat


@SIZES
def test_the_options_of_a_conversation(example: Scene, snap_compare: Compare, size: tuple[int, int]) -> None:
    async def press(pilot: Pilot[Any]) -> None:
        await open_latest(pilot)
        await pressing("f12", "#option-prompt, .dialog")(pilot)

    assert snap_compare(example.app(), terminal_size=size, run_before=press)


@SIZES
def test_the_palette(example: Scene, snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(example.app(), terminal_size=size, run_before=pressing("f9", "#palette"))


@SIZES
def test_the_keys(example: Scene, snap_compare: Compare, size: tuple[int, int]) -> None:
    example.set("keymap.app.find", "ctrl+f")

    async def open_keys(pilot: Pilot[Any]) -> None:
        app = pilot.app
        assert isinstance(app, CtroomApp)
        await pilot.pause()
        app.push_screen(KeysDialog(app.services.settings))
        await until(pilot, lambda: isinstance(app.screen, KeysDialog))

    assert snap_compare(example.app(), terminal_size=size, run_before=open_keys)


# Sizes and colours


def test_a_first_run_on_a_small_screen(first_run: Scene, snap_compare: Compare) -> None:
    assert snap_compare(first_run.app(), terminal_size=SMALL, run_before=settled)


def test_a_conversation_on_a_huge_screen(example: Scene, snap_compare: Compare) -> None:
    assert snap_compare(example.app(), terminal_size=HUGE, run_before=open_latest)


@COMPACT
def test_a_conversation_in_little_room(example: Scene, snap_compare: Compare, size: tuple[int, int]) -> None:
    async def write(pilot: Pilot[Any]) -> None:
        app = pilot.app
        assert isinstance(app, CtroomApp)
        await open_latest(pilot)
        await pilot.press(
            *"A prompt of several rows, which scrolls within itself, ", "ctrl+j", *"and leaves room."
        )
        await forecast(pilot)

    assert snap_compare(example.app(), terminal_size=size, run_before=write)


@COMPACT
@pytest.mark.parametrize(
    ("key", "focused"),
    [
        ("f1", "#help-body"),
        ("f4", "#settings"),
        ("f6", "#model-filter"),
        ("f9", "#palette"),
        ("f12", ".dialog"),
    ],
    ids=["help", "settings", "models", "palette", "options"],
)
def test_what_opens_in_little_room(
    example: Scene, snap_compare: Compare, size: tuple[int, int], key: str, focused: str
) -> None:
    assert snap_compare(example.app(), terminal_size=size, run_before=pressing(key, focused))


def test_a_conversation_in_light_colours(example: Scene, snap_compare: Compare) -> None:
    example.set("theme", LIGHT)
    assert snap_compare(example.app(), terminal_size=WIDE, run_before=open_latest)


def test_settings_in_light_colours(example: Scene, snap_compare: Compare) -> None:
    example.set("theme", LIGHT)
    assert snap_compare(example.app(), terminal_size=WIDE, run_before=pressing("f4", "#settings"))


@CONTRASTS
def test_a_conversation_in_high_contrast(example: Scene, snap_compare: Compare, theme: str) -> None:
    example.set("theme", theme)
    assert snap_compare(example.app(), terminal_size=WIDE, run_before=open_latest)


@CONTRASTS
def test_settings_in_high_contrast(example: Scene, snap_compare: Compare, theme: str) -> None:
    example.set("theme", theme)
    assert snap_compare(example.app(), terminal_size=WIDE, run_before=pressing("f4", "#settings"))
