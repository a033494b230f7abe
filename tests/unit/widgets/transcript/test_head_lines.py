"""The line over a message: whose it is, and what it took as far as that has room."""

import pytest

from tui.widgets.transcript.model import Entry, EntryRole
from tui.widgets.transcript.view import EntryRenderer

META = "‹ 2/3 › · 80 in · 140 out · 4.2 s · 33/s"


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (56, f"gpt-5.1         {META}"),
        (49, f"gpt-5.1  {META}"),
        (48, "gpt-5.1        ‹ 2/3 › · 80 in · 140 out · 4.2 s"),
        (36, "gpt-5.1   ‹ 2/3 › · 80 in · 140 out"),
        (20, "gpt-5.1      ‹ 2/3 ›"),
        (12, "gpt-5.1"),
        (5, "gpt-…"),
    ],
)
def test_what_has_no_room_goes_from_the_end(width: int, line: str) -> None:
    entry = Entry(key="r", role=EntryRole.ASSISTANT, body="Yes.", title="gpt-5.1", meta=META)
    head = EntryRenderer(width).render(entry, unfolded=False).lines_of(0)[0]
    assert head.text.split() == line.split()
    assert len(head.text.rstrip()) == (width if " " in line else len(line))
