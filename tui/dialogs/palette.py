"""The command palette: everything by name."""

from heapq import nlargest
from itertools import chain

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.dom import DOMNode
from textual.screen import Screen
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from tui.core.errors import CtroomError
from tui.core.fuzzy import match
from tui.dialogs import palette_entries
from tui.dialogs.dialog import Dialog
from tui.dialogs.palette_entries import Entry
from tui.dialogs.palette_places import places
from tui.services.services import Services
from tui.widgets.muted import MUTED
from tui.widgets.wrapping import fitting

MOST_SHOWN = 50
"""Rows; the best ones."""
ASKED = ("Search for commands, conversations, models, settings", "Search for anything by its name")
"""What can be typed, from the longest: the first that has room is shown."""
NOTHING = " Nothing is called that."


class PaletteDialog(Dialog[Entry]):
    """A line to type in, over what matches best; commands alone while nothing is typed.

    Args:
        covered: The screen whose actions are offered.
        services: The session's services.
        behind: The tab whose actions are offered though another is shown.
    """

    BINDINGS = [
        Binding("down", "move(1)", "down", show=False, id="palette.down", tooltip="The entry below"),
        Binding("up", "move(-1)", "up", show=False, id="palette.up", tooltip="The entry above"),
        Binding("pagedown", "page(1)", "forth", show=False, id="palette.page_down", tooltip="A page down"),
        Binding("pageup", "page(-1)", "back", show=False, id="palette.page_up", tooltip="A page up"),
    ]
    AUTO_FOCUS = "Input"

    def __init__(self, covered: Screen[object], services: Services, behind: DOMNode | None = None) -> None:
        super().__init__()
        self._covered = covered
        self._services = services
        self._actions = list(palette_entries.actions(covered, behind))
        self._others: list[Entry] = []
        self._older: list[Entry] = []
        self._shown: list[Entry] = []

    def compose(self) -> ComposeResult:
        """The line over the list."""
        with Vertical(classes="dialog", id="palette") as frame:
            frame.border_title = "Commands"
            frame.border_subtitle = "Enter do it · Esc close"
            yield Input(placeholder=ASKED[0], compact=True)
            options = OptionList(id="palette-entries", markup=False, compact=True)
            options.can_focus = False
            yield options

    def on_mount(self) -> None:
        """Show the commands; then look for what else there is."""
        self._show()
        services, covered = self._services, self._covered
        known = {entry.title for entry in self._actions}
        self._others = [
            *(entry for entry in places(covered, services) if entry.title not in known),
            *palette_entries.conversations(covered, services.library.conversations()),
            *palette_entries.models(covered, services),
            *palette_entries.settings(covered, services),
            *palette_entries.themes(covered, self.app.available_themes.values()),
        ]
        self.run_worker(self._find_older(), exit_on_error=False)

    def action_move(self, step: int) -> None:
        """Move the highlight."""
        options = self.query_one(OptionList)
        if step > 0:
            options.action_cursor_down()
        else:
            options.action_cursor_up()

    def action_page(self, step: int) -> None:
        """Move the highlight by a page."""
        for _ in range(max(1, self.query_one(OptionList).size.height - 1)):
            self.action_move(step)

    def on_resize(self) -> None:
        """The details stand at the right edge, and the line says as much as there is room for."""
        self.call_after_refresh(self._fit)

    def _fit(self) -> None:
        line = self.query_one(Input)
        line.placeholder = fitting(ASKED, line.content_size.width - 1)
        self._show()

    async def _find_older(self) -> None:
        """Conversations of earlier years, which lie in files of their own."""
        try:
            older = await self._services.library.older()
        except CtroomError:
            return
        known = {entry.action for entry in self._others}
        found = palette_entries.conversations(self._covered, older)
        self._older = [entry for entry in found if entry.action not in known]
        if self.query_one(Input).value.strip():
            self._show()

    @on(Input.Changed)
    def _typed(self) -> None:
        self._show()

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self.query_one(OptionList).action_select()

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._shown[event.option_index])

    def _show(self) -> None:
        """List what matches, the best first; of equals, in the order of commands, conversations, the rest."""
        options = self.query_one(OptionList)
        wanted = self.query_one(Input).value.strip()
        self._shown = self._matching(wanted) if wanted else self._actions
        width = max(20, options.size.width - 3)
        rows = [Option(_row(entry, wanted, width)) for entry in self._shown]
        options.set_options(rows or [Option(NOTHING, disabled=True)])
        options.highlighted = 0 if rows else None

    def _matching(self, wanted: str) -> list[Entry]:
        found = []
        for number, entry in enumerate(chain(self._actions, self._others, self._older)):
            if (hit := match(wanted, entry.searched)) is not None:
                found.append((hit[0], -number, entry))
        return [entry for _, _, entry in nlargest(MOST_SHOWN, found, key=lambda each: each[:2])]


def _row(entry: Entry, wanted: str, width: int) -> Content:
    """A title with what matched in it, and the detail at the right where there is room."""
    title = Content(f" {entry.title}")
    hit = match(wanted, entry.title) if wanted else None
    for place in hit[1] if hit else ():
        title = title.stylize("bold $text-accent", place + 1, place + 2)
    room = width - cell_len(entry.detail)
    if title.cell_length + 2 > room:
        title = title.truncate(max(8, room - 2), ellipsis=True)
    if room < 10:
        return title
    return Content.assemble(title, " " * (room - title.cell_length), (entry.detail, MUTED))
