"""What leads out of the app, as pictures: a link that can't be opened here, and code that is saved."""

from typing import Any

from textual.pilot import Pilot

from tests.snapshots.scenes import Scene, open_latest, until
from tests.snapshots.test_screens import SIZES, Compare
from tui.app import CtroomApp
from tui.dialogs.link import LinkDialog
from tui.dialogs.save_code import SaveCodeDialog
from tui.widgets.transcript import Transcript
from tui.widgets.transcript.model import Thing

HREF = "https://doc.example.org/book/ch04-02-references-and-borrowing.html" + "?from=chat" * 12
BLOCK = Thing("code", 'fn main() {\n    println!("{}", longest("a", "bc"));\n}\n', "code block 1", "rust")


@SIZES
def test_a_link_shown_whole(example: Scene, snap_compare: Compare, size: tuple[int, int]) -> None:
    async def follow(pilot: Pilot[Any]) -> None:
        await open_latest(pilot)
        assert isinstance(pilot.app, CtroomApp)
        transcript = pilot.app.query_one(Transcript)
        transcript.post_message(Transcript.LinkClicked(transcript, HREF))
        await until(pilot, lambda: isinstance(pilot.app.screen, LinkDialog))

    assert snap_compare(example.app(), terminal_size=size, run_before=follow)


@SIZES
def test_saving_a_code_block(example: Scene, snap_compare: Compare, size: tuple[int, int]) -> None:
    async def save(pilot: Pilot[Any]) -> None:
        await open_latest(pilot)
        assert isinstance(pilot.app, CtroomApp)
        transcript = pilot.app.query_one(Transcript)
        transcript.post_message(Transcript.SaveRequested(transcript, BLOCK))
        await until(pilot, lambda: isinstance(pilot.app.screen, SaveCodeDialog))

    assert snap_compare(example.app(), terminal_size=size, run_before=save)
