"""Rules that sessions share."""

from pathlib import Path

import pytest
from textual.color import Color
from textual.css.model import RuleSet
from textual.css.stylesheet import StylesheetParseError

from tui.ssh.stylesheet import SharedStylesheet

CSS = "Label { color: $shown; } Button { width: 12; }"


def sheet(css: str, **variables: str) -> SharedStylesheet:
    made = SharedStylesheet(variables=variables)
    made.add_source(css, read_from=("test.tcss", ""))
    return made


def colour(rules: list[RuleSet]) -> Color:
    return rules[0].styles.color


def test_sessions_with_the_same_theme_have_the_same_rules() -> None:
    one, two = sheet(CSS, shown="#112233"), sheet(CSS, shown="#112233")
    assert len(one.rules) == 2
    assert all(mine is yours for mine, yours in zip(one.rules, two.rules, strict=True))


def test_sessions_with_different_themes_have_their_own() -> None:
    one, two = sheet(CSS, shown="#112233"), sheet(CSS, shown="#445566")
    assert (colour(one.rules), colour(two.rules)) == (Color.parse("#112233"), Color.parse("#445566"))


def test_another_theme_changes_one_session_only() -> None:
    one, two = sheet(CSS, shown="#112233"), sheet(CSS, shown="#112233")
    assert colour(one.rules) == colour(two.rules)
    one.set_variables({"shown": "#445566"})
    one.reparse()
    assert (colour(one.rules), colour(two.rules)) == (Color.parse("#445566"), Color.parse("#112233"))


def test_what_comes_later_is_shared_too(tmp_path: Path) -> None:
    late = tmp_path / "late.tcss"
    late.write_text("Input { color: $shown; }")
    one, two = sheet(CSS, shown="#112233"), sheet(CSS, shown="#112233")
    for each in (one, two):
        assert len(each.rules) == 2
        each.read_all([late])
        each.parse()
    assert len(one.rules) == 3
    assert one.rules[2] is two.rules[2]


def test_wrong_styles_are_refused_in_every_session() -> None:
    for _ in range(2):
        with pytest.raises(StylesheetParseError):
            sheet("Label { color: nonsense; }").parse()
