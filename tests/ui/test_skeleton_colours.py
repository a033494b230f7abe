"""Whether the skeleton's colours are those of the app's own first frame, in every theme."""

import json
from pathlib import Path

from rich.color import Color as RichColor
from rich.color import ColorSystem
from rich.style import Style
from textual.color import Color
from textual.theme import Theme

from tests.ui.app_harness import Running, running
from tui.skeleton import COLOURS, PARTS, pens

WIDTH, HEIGHT = SIZE = (130, 40)
PLACES = {
    "ground": (60, 5),
    "panel": (1, 39),
    "name": (1, 0),
    "prompt": (29, 35),
    "list": (0, 1),
    "title": (5, 1),
}
"""Where on the screen a part's colour is seen: column and row; the tabs are found by their words."""
GROUNDS = ("ground", "panel", "chosen_ground")


def cells(ui: Running) -> list[list[Style]]:
    """The style of every cell of the screen."""
    strips = ui.app.screen._compositor.render_strips()
    return [[segment.style or Style() for segment in strip for _ in segment.text] for strip in strips]


def colour(style: Style, part: str) -> str:
    found = style.bgcolor if part in GROUNDS else style.color
    assert found is not None
    return bytes(found.get_truecolor()).hex()


async def show(ui: Running, theme: Theme) -> None:
    """Wait until the screen is styled with a theme."""
    variables = theme.to_color_system().generate()
    wanted = [Color.parse(variables[each]) for each in ("background", "primary")]
    ui.app.theme = theme.name
    await ui.until(lambda: [ui.app.screen.styles.background, ui.prompt.styles.border_top[1]] == wanted)


async def test_the_skeleton_has_the_colours_of_every_theme(tmp_path: Path) -> None:
    seen: dict[str, str] = {}
    async with running(tmp_path, SIZE) as ui:
        header = ui.screen_text().split("\n")[0]
        chat, settings = header.index("Chat"), header.index("Settings")
        places = PLACES | {"tab": (settings, 0), "chosen": (chat, 0), "chosen_ground": (chat, 0)}
        for name, theme in ui.app.available_themes.items():
            if theme.ansi:
                seen[name] = ""
                continue
            await show(ui, theme)
            styles = cells(ui)
            seen[name] = " ".join(colour(styles[y][x], part) for part in PARTS for x, y in [places[part]])
    assert seen == COLOURS, "\n".join(f'    "{name}": "{colours}",' for name, colours in seen.items())


def test_256_colours_are_those_that_the_app_is_drawn_in(tmp_path: Path) -> None:
    environ = {"CTROOM_HOME": str(tmp_path), "TERM": "xterm-256color"}
    for name, colours in COLOURS.items():
        data = {"user_settings": {"1": {"user": "local", "theme": name}}}
        (tmp_path / "ctroom.json").write_text(json.dumps(data), encoding="utf-8")
        for part, value in zip(PARTS, colours.split(), strict=False):
            number = RichColor.parse(f"#{value}").downgrade(ColorSystem.EIGHT_BIT).number
            assert f"8;5;{number}m" in pens(environ)[part], (name, part)


def test_terminals_of_few_colours_and_terminals_own_themes_have_none(tmp_path: Path) -> None:
    environ = {"CTROOM_HOME": str(tmp_path), "TERM": "xterm"}
    assert set(pens(environ).values()) == {""}
    assert set(pens({**environ, "COLORTERM": "truecolor"}).values()) != {""}
    assert set(pens({**environ, "COLORTERM": "truecolor", "NO_COLOR": ""}).values()) == {""}


def test_the_data_directory_is_where_the_app_looks_for_it(tmp_path: Path) -> None:
    from tui.paths import data_directory
    from tui.skeleton import home

    for environ in ({"CTROOM_HOME": str(tmp_path)}, {}):
        assert home(environ) == str(data_directory(environ))
