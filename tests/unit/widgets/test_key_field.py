from pathlib import Path
from typing import Any

import pytest
from textual import constants, events
from textual.app import App, ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.pilot import Pilot

from tests.environment import ROOT
from tui.widgets.key_field import BULLET, BULLETS, KeyField, key_prefix, key_problem, mask

KEY = "sk-proj-NobodyMaySeeThis0123456789a91f"
HIDDEN = KEY[8:-4]
"""The part that is shown nowhere."""


class KeyApp(App[None]):
    CSS_PATH = ROOT / "styles" / "settings.tcss"

    def __init__(self) -> None:
        super().__init__()
        self.submitted: list[str] = []
        self.seen: list[str] = []

    def compose(self) -> ComposeResult:
        with Vertical():
            yield KeyField("Key")

    @property
    def key(self) -> KeyField:
        return self.query_one(KeyField)

    @property
    def row(self) -> str:
        return self.key.render_line(0).text

    def on_key_field_submitted(self, event: KeyField.Submitted) -> None:
        self.submitted.append(event.control.take())

    def note_message(self, message: Message) -> None:
        """What anyone could read of a message."""
        self.seen.append(f"{message!r} {vars(message) if hasattr(message, '__dict__') else ''}")


async def paste(pilot: Pilot[None], text: str) -> None:
    """A bracketed paste, as the driver posts it."""
    pilot.app.post_message(events.Paste(text))
    await pilot.pause()


@pytest.mark.parametrize(
    ("key", "masked"),
    [
        (KEY, f"sk-proj-{BULLETS}a91f"),
        ("sk-0123456789abcdefghij", f"sk-{BULLETS}ghij"),
        ("AIzaSyA0123456789abcdefghijk", f"AIza{BULLETS}hijk"),
        ("0123456789abcdef", f"{BULLETS}cdef"),
        ("short", BULLETS),
        ("", ""),
    ],
)
def test_a_masked_key_shows_its_prefix_and_last_four(key: str, masked: str) -> None:
    assert mask(key) == masked


def test_a_prefix_never_leaves_fewer_than_twelve_characters_hidden_or_last() -> None:
    assert key_prefix("sk-proj-12345678901") == ""


@pytest.mark.parametrize("text", ["two words", "k\u00e9y-0123456789", "x" * 600, "line\nbreak"])
def test_what_cannot_be_a_key_is_refused_in_words(text: str) -> None:
    problem = key_problem(text)
    assert problem is not None
    assert problem.endswith(".")
    assert text not in problem


async def test_a_pasted_key_is_masked_revealed_and_masked_again() -> None:
    app = KeyApp()
    async with app.run_test(size=(80, 10)) as pilot:
        app.key.focus()
        await paste(pilot, f"  {KEY}\n")
        assert f"sk-proj-{BULLET * len(HIDDEN)}a91f" in app.row
        await pilot.press("ctrl+r")
        assert KEY in app.row
        await pilot.press("ctrl+r")
        assert HIDDEN not in app.row


async def test_a_key_that_is_typed_or_edited_never_shows_its_end() -> None:
    app = KeyApp()
    async with app.run_test(size=(80, 10)) as pilot:
        app.key.focus()
        for length, character in enumerate(KEY, start=1):
            await pilot.press(character)
            assert length <= 12 or KEY[length - 4 : length] not in app.row
        await pilot.press("escape")
        await paste(pilot, KEY)
        assert KEY[-4:] in app.row
        await pilot.press("left")
        assert KEY[-4:] in app.row
        await pilot.press("end", "backspace")
        assert KEY[-5:-1] not in app.row


async def test_leaving_the_field_hides_a_revealed_key() -> None:
    app = KeyApp()
    async with app.run_test(size=(80, 10)) as pilot:
        app.key.focus()
        await paste(pilot, KEY)
        await pilot.press("ctrl+r")
        app.set_focus(None)
        await pilot.pause()
        assert not app.key.revealed
        assert HIDDEN not in app.row


async def test_enter_hands_the_key_over_by_a_call_and_empties_the_field() -> None:
    app = KeyApp()
    async with app.run_test(size=(80, 10)) as pilot:
        app.key.focus()
        await pilot.press(*KEY, "enter")
        await pilot.pause()
        assert app.submitted == [KEY]
        assert not app.key.filled


async def test_a_text_that_is_no_key_is_not_handed_over() -> None:
    app = KeyApp()
    async with app.run_test(size=(80, 10)) as pilot:
        app.key.focus()
        await pilot.press(*"sk-two words", "enter")
        await pilot.pause()
        assert app.submitted == []
        assert "no spaces" in app.key.note


async def test_escape_discards_what_was_typed() -> None:
    app = KeyApp()
    async with app.run_test(size=(80, 10)) as pilot:
        app.key.focus()
        await pilot.press(*"sk-abc", "escape")
        assert not app.key.filled


async def test_the_key_is_found_nowhere_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Typed, pasted, revealed, copied, cut and selected: only the revealed screen ever shows it."""
    log = tmp_path / "textual.log"
    monkeypatch.setattr(constants, "LOG_FILE", str(log))
    app = KeyApp()
    async with app.run_test(size=(80, 10), message_hook=app.note_message) as pilot:
        app.key.focus()
        await paste(pilot, KEY)
        await pilot.press("ctrl+r", "ctrl+r", "ctrl+a", "shift+end", "ctrl+c", "ctrl+x")
        app.screen.text_select_all()
        await pilot.press("ctrl+c", "super+c")
        selected = app.screen.get_selected_text() or ""
        assert app.key.filled
        places = {
            "screenshot": app.export_screenshot(),
            "clipboard": app.clipboard,
            "selection": selected,
            "repr": f"{app.key!r} {app.key.tree} {app.screen.css_tree}",
            "state": repr(state_of(app.key)),
        }
        await pilot.press("enter")
        await pilot.pause()
        places["messages"] = "\n".join(line for line in app.seen if "Paste(" not in line)
    places["log"] = log.read_text()
    assert app.submitted == [KEY]
    assert "KeyField" in places["log"], "The log holds nothing, so it shows nothing."
    for place, text in places.items():
        assert HIDDEN not in text, place


async def test_typed_characters_are_not_in_the_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One by one they would spell the key."""
    log = tmp_path / "textual.log"
    monkeypatch.setattr(constants, "LOG_FILE", str(log))
    app = KeyApp()
    async with app.run_test(size=(80, 10)) as pilot:
        app.key.focus()
        await pilot.press(*KEY)
        assert app.key.filled
    assert "Key(" not in "".join(line for line in log.read_text().splitlines() if "character=" in line)


def state_of(widget: KeyField) -> dict[str, Any]:
    return {**vars(widget), "reactives": [getattr(widget, name) for name in widget._reactives]}


@pytest.mark.parametrize(("width", "bullets"), [(60, 16), (30, 6), (28, 4)])
async def test_both_ends_of_a_kept_key_are_seen_in_any_room(width: int, bullets: int) -> None:
    app = KeyApp()
    async with app.run_test(size=(width, 10)) as pilot:
        app.set_focus(None)
        app.key.kept = mask("sk-0123456789abcdefghij")
        await pilot.pause()
        assert f" sk-{BULLET * bullets}ghij" in app.row
