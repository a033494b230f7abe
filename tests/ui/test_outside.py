"""Copies and links, from the key to the terminal."""

import base64
import os
import re
from pathlib import Path

import pytest
from textual.geometry import Offset
from textual.selection import Selection
from textual.widgets import Input

from tests.ui.app_harness import Running, running
from tui.dialogs.link import LinkDialog
from tui.dialogs.save_code import SaveCodeDialog
from tui.outside import NOT_HERE, WEB_ONLY
from tui.widgets.transcript import Entry, EntryRole
from tui.widgets.transcript.selection import selection_row
from tui.widgets.transcript.view import Place

CODE = """Two blocks:

```python
print("one")
```

- a list with one

  ```
  two
  ```

and [a link](https://example.com/a?b=c).
"""
WHOLE = f"## You\n\nA prompt\n\n## model\n\n{CODE}\n## model\n\nLast words.\n"


class Wire:
    """What the app wrote to its terminal beside the screen."""

    def __init__(self, ui: Running, monkeypatch: pytest.MonkeyPatch) -> None:
        self.written: list[str] = []
        monkeypatch.setattr(ui.app._driver, "write", self.written.append)

    @property
    def clipboard(self) -> list[str]:
        copies = re.findall(r"\]52;c;([A-Za-z0-9+/=]*)\a", "".join(self.written))
        return [base64.b64decode(copied).decode() for copied in copies]


def toasts(ui: Running) -> list[str]:
    return [toast.message for toast in ui.app._notifications]


async def take_selection(ui: Running, wire: Wire, key: str) -> None:
    """Select a whole prompt and press a key: the clipboard has it, and nothing is said."""
    ui.prompt.text = "some text"
    ui.prompt.select_all()
    await ui.pilot.press(key)
    await ui.until(lambda: wire.clipboard == ["some text"])
    assert toasts(ui) == []


async def show(ui: Running, *bodies: str) -> None:
    """A conversation of one prompt and replies; the transcript has the focus."""
    entries = [Entry("u", EntryRole.USER, "A prompt", "You")]
    entries += [Entry(f"a{n}", EntryRole.ASSISTANT, body, "model") for n, body in enumerate(bodies)]
    ui.transcript.load(entries)
    ui.transcript.focus()
    await ui.pilot.pause()


async def test_replies_messages_blocks_and_the_conversation_are_copied_by_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path) as ui:
        wire = Wire(ui, monkeypatch)
        await show(ui, CODE, "Last words.")
        for key, words in (
            ("Y", "Sent the reply to the terminal's clipboard (11 characters)."),
            ("2", "Sent code block 2 to the terminal's clipboard (4 characters)."),
            ("1", "Sent code block 1 to the terminal's clipboard (13 characters)."),
            ("C", f"Sent the conversation to the terminal's clipboard ({len(WHOLE)} characters)."),
            ("7", "There is no code block 7 here: the last one is 2."),
        ):
            await ui.pilot.press(key)
            await ui.until(lambda words=words: words in toasts(ui))  # type: ignore[misc]
        await ui.pilot.press("k", "k", "k", "y")
        await ui.until(lambda: len(wire.clipboard) == 5)
        reply, second, first, whole, prompt = wire.clipboard
        assert (reply, second, first, prompt) == ("Last words.", "two\n", 'print("one")\n', "A prompt")
        assert whole == WHOLE


async def test_a_selection_is_copied_by_y_and_by_control_c(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path) as ui:
        wire = Wire(ui, monkeypatch)
        await show(ui, "Some words of a reply.")
        row = selection_row(1, Place(1, 0))
        ui.app.screen.selections = {ui.transcript: Selection(Offset(5, row), Offset(10, row))}
        await ui.pilot.press("y")
        await ui.until(lambda: len(wire.clipboard) == 1)
        await ui.pilot.press("ctrl+c")
        await ui.until(lambda: len(wire.clipboard) == 2)
        assert wire.clipboard == ["words", "words"]
        assert "Sent the selection to the terminal's clipboard (5 characters)." in toasts(ui)


async def test_control_c_with_nothing_to_copy_says_what_quits_and_what_stops(tmp_path: Path) -> None:
    async with running(tmp_path) as ui:
        await ui.pilot.press("ctrl+c")
        await ui.until(lambda: toasts(ui) == ["Ctrl+Q quits."])
        await ui.type("/slow please", "enter")
        await ui.until(lambda: "Esc stop" in ui.screen_text())
        await ui.pilot.press("ctrl+c")
        await ui.until(lambda: toasts(ui) == ["Esc stops the reply · Ctrl+Q quits"])
        await ui.pilot.press("f2")  # from the messages, Esc leads back to the prompt
        await ui.until(lambda: ui.transcript.has_focus)
        await ui.pilot.press("ctrl+c")
        await ui.until(lambda: toasts(ui) == ["Ctrl+Q quits."])
        await ui.services.settings.set("keymap.app.quit", "ctrl+d")
        await ui.pilot.press("escape")
        await ui.until(lambda: ui.app.screen.active_bindings["ctrl+d"].binding.id == "app.quit")
        await ui.pilot.press("ctrl+c")
        await ui.until(lambda: toasts(ui) == ["Esc stops the reply · Ctrl+D quits"])
        await ui.pilot.press("escape")
        await ui.until(lambda: not ui.chat.replying)


async def test_control_c_copies_what_is_selected_in_the_prompt_and_says_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path) as ui:
        wire = Wire(ui, monkeypatch)
        await take_selection(ui, wire, "ctrl+c")


async def test_rows_are_selected_by_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(tmp_path) as ui:
        wire = Wire(ui, monkeypatch)
        await show(ui, "\n\n".join(f"Paragraph {n}." for n in range(40)))
        await ui.pilot.press("k", "shift+down", "shift+down", "shift+down", "shift+down", "shift+up", "y")
        await ui.until(lambda: len(wire.clipboard) == 1)
        assert wire.clipboard == ["model\nParagraph 0."]
        await ui.pilot.press(*["shift+down"] * 50, "y")
        await ui.until(lambda: len(wire.clipboard) == 2)
        assert wire.clipboard[1].startswith("model\nParagraph 0.\n")
        assert "Paragraph 25." in wire.clipboard[1]


async def test_cutting_in_the_prompt_reaches_the_clipboard_without_a_toast(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path) as ui:
        wire = Wire(ui, monkeypatch)
        await take_selection(ui, wire, "ctrl+x")
        await ui.pilot.press("ctrl+v")
        assert ui.prompt.text == "some text"


async def test_a_link_is_opened_on_the_desktop(tmp_path: Path) -> None:
    opener = tmp_path / "xdg-open"
    opener.write_text(f'#!/bin/sh\nprintf %s "$1" > {tmp_path}/opened\n')
    opener.chmod(0o755)
    environ = {"PATH": f"{tmp_path}{os.pathsep}{os.defpath}", "DISPLAY": ":0"}
    async with running(tmp_path / "home", environ=environ) as ui:
        await show(ui, CODE)
        await ui.pilot.press("n", "n", "n", "enter")
        await ui.until(lambda: toasts(ui) == ["Asked the browser to open https://example.com/a?b=c"])
        assert (tmp_path / "opened").read_text() == "https://example.com/a?b=c"


@pytest.mark.parametrize(
    ("href", "about"), [("https://example.com/x", NOT_HERE), ("ftp://example.com", WEB_ONLY)]
)
async def test_a_link_that_cant_be_opened_is_shown_whole_and_can_be_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, href: str, about: str
) -> None:
    href += "/long" * 40
    async with running(tmp_path, environ={"SSH_CONNECTION": "1 2 3 4", "DISPLAY": ":0"}) as ui:
        wire = Wire(ui, monkeypatch)
        await show(ui, f"[a link]({href})")
        await ui.pilot.press("n", "enter")
        await ui.until(lambda: isinstance(ui.app.screen, LinkDialog))
        words = re.sub(r"[\s│]", "", ui.screen_text())
        assert href in words
        assert about[:30].replace(" ", "") in words
        await ui.pilot.press("enter")
        await ui.until(lambda: wire.clipboard == [href])
        assert not isinstance(ui.app.screen, LinkDialog)


async def test_a_code_block_is_saved_and_nothing_is_replaced_unasked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with running(tmp_path / "home") as ui:
        await show(ui, CODE)
        await ui.pilot.press("n", "s")
        await ui.until(lambda: isinstance(ui.app.screen, SaveCodeDialog))
        assert ui.app.screen.query_one(Input).value == "code-1.py"
        await ui.pilot.press("enter")
        saved = tmp_path / "code-1.py"
        await ui.until(lambda: toasts(ui) == [f"Saved code block 1 as {saved}."])
        assert saved.read_text() == 'print("one")\n'
        saved.write_text("mine")
        await ui.pilot.press("s")
        await ui.until(lambda: isinstance(ui.app.screen, SaveCodeDialog))
        await ui.pilot.press("enter")
        await ui.until(lambda: "exists already" in ui.screen_text())
        assert saved.read_text() == "mine"
        await ui.pilot.press(*"two", "enter")
        await ui.until(lambda: not isinstance(ui.app.screen, SaveCodeDialog))
        assert saved.read_text() == "mine"
        assert (tmp_path / "two.py").read_text() == 'print("one")\n'


async def test_without_a_code_block_there_is_nothing_to_save(tmp_path: Path) -> None:
    async with running(tmp_path) as ui:
        await show(ui, "No code.")
        await ui.pilot.press("s")
        await ui.until(lambda: toasts(ui) == ["There is no code block here."])
        assert not isinstance(ui.app.screen, SaveCodeDialog)
