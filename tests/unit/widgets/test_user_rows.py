"""The table of users: what it shows in which room."""

from datetime import UTC, date, datetime

import pytest

from tui.core.figures import DayFigures
from tui.core.settings import UserRole
from tui.services.user_figures import UserEntry
from tui.widgets.settings.user_rows import user_table
from tui.widgets.usage_text import Line, Part, width_of

NOW = datetime(2026, 11, 23, 22, tzinfo=UTC)


def entry(
    name: str, used: int = 0, limit: int | None = 1_000, total: int = 0, *, estimated: int = 0
) -> UserEntry:
    day = DayFigures(date(2026, 11, 23), limit, used, 0, NOW, estimated)
    role = UserRole.ADMIN if name == "local" else UserRole.MEMBER
    tier = "free" if limit else "unlimited"
    return UserEntry(name, role, tier, NOW, (), day, total, 0, 0)


TEAM = (
    entry("local", 1_204, 10_000, 44_204),
    entry("kim", 18_311, None, 49_311),
    entry("sam", 830, total=12_345, estimated=5),
)


def text(line: Line) -> str:
    return "".join(piece.text for piece in line)


def test_a_wide_table_has_every_column_in_its_place() -> None:
    table = user_table(TEAM, {"sam": 2}, 110)
    assert [text(line) for line in (table.headings, *table.lines)] == [
        "Name   Role    Tier                             Used today       In total  Sessions",
        "local  admin   free       ██████████████░░  1,204 / 10,000         44,204",
        "kim    member  unlimited                            18,311         49,311",
        "sam    member  free       ██▌░░░░░░░░░░░░░    ~830 / 1,000  LOW    12,345  ● 2",
    ]


@pytest.mark.parametrize("width", range(24, 120))
def test_it_never_is_wider_than_its_room_and_keeps_what_matters(width: int) -> None:
    table = user_table(TEAM, {"sam": 2}, width)
    lines = (table.headings, *table.lines)
    assert max(map(width_of, lines)) <= width
    sam = text(table.lines[2])
    assert sam.startswith("sam")
    if width >= 40:
        assert "~830 / 1,000" in sam
        assert "LOW" in sam
        assert "● 2" in sam


@pytest.mark.parametrize(("width", "today"), [(32, "960 / 1,000  CRITICAL"), (27, "960  CRITICAL")])
def test_the_least_room_has_what_was_used_and_the_shortage(width: int, today: str) -> None:
    table = user_table((*TEAM, entry("max", 960)), {"sam": 2}, width)
    assert text(table.headings).split() == ["Name", "Used", "today"]
    assert text(table.lines[3]).split(maxsplit=1) == ["max", today]


def test_columns_go_one_after_the_other() -> None:
    headings = [text(user_table(TEAM, {"sam": 2}, width).headings).split() for width in (100, 64, 56, 46)]
    assert headings == [
        ["Name", "Role", "Tier", "Used", "today", "In", "total", "Sessions"],
        ["Name", "Tier", "Used", "today", "In", "total", "Sessions"],
        ["Name", "Tier", "Used", "today", "Sessions"],
        ["Name", "Used", "today", "Sessions"],
    ]


def test_without_a_server_there_are_no_sessions_and_without_a_shortage_no_word() -> None:
    table = user_table((entry("local"),), None, 100)
    assert text(table.headings).split() == ["Name", "Role", "Tier", "Used", "today", "In", "total"]
    assert "Sessions" not in text(table.headings)


@pytest.mark.parametrize(("used", "part", "word"), [(830, "low", "LOW"), (950, "critical", "CRITICAL")])
def test_a_shortage_is_a_word_and_a_colour(used: int, part: str, word: str) -> None:
    (line,) = user_table((entry("sam", used),), None, 100).lines
    assert [piece.part for piece in line if piece.text == word] == [Part(part)]
    assert Part(part) in {piece.part for piece in line if "█" in piece.text or "▌" in piece.text}


def test_a_used_up_day_is_empty() -> None:
    (line,) = user_table((entry("sam", 1_200),), None, 100).lines
    assert "EMPTY" in text(line)
    assert "█" not in text(line)
