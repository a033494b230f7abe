"""Links that the terminal itself can open (OSC 8): only those of the web and of mail."""

import pytest

from tui.widgets.transcript.flow import render_document
from tui.widgets.transcript.palette import Palette


@pytest.mark.parametrize(
    ("href", "linked"),
    [
        ("https://example.com/a", True),
        ("mailto:a@example.com", True),
        ("ftp://example.com/a", False),
        ("ssh://example.com", False),
        ("zoommtg://join", False),
    ],
)
def test_only_web_and_mail_links_reach_the_terminal(href: str, linked: bool) -> None:
    lines, things = render_document(f"See [there]({href}).", 60, Palette(), "key")
    assert [thing.text for thing in things] == [href]
    links = {segment.style.link for line in lines for segment in line.strip if segment.style} - {None}
    assert links == ({href} if linked else set())
