"""The README's picture is what the app shows: `--snapshot-update` writes it."""

import re
from pathlib import Path

import pytest
from textual._doc import take_svg_screenshot

from tests.snapshots.scenes import WIDE, Scene, open_latest

PICTURE = Path(__file__).with_name("readme.svg")


def test_the_readme_shows_the_app(example: Scene, request: pytest.FixtureRequest) -> None:
    shown = take_svg_screenshot(example.app(), terminal_size=WIDE, run_before=open_latest)
    if request.config.option.update_snapshots:
        PICTURE.write_text(shown, encoding="utf-8")
    # Not by `==` in the assertion: the difference of two pictures takes minutes to explain.
    same = shown == PICTURE.read_text(encoding="utf-8")
    assert same, "The README's picture is out of date: look at the new one after --snapshot-update."


def test_the_readmes_picture_fetches_nothing() -> None:
    picture = PICTURE.read_text(encoding="utf-8")
    assert set(re.findall(r"\w+://[^\"')\s]+", picture)) == {"http://www.w3.org/2000/svg"}
    assert "@import" not in picture
    assert "href" not in picture
