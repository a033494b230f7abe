"""The header line: the app's name, the tabs, and whose session it is."""

from textual import events
from textual.content import Content
from textual.reactive import reactive
from textual.style import Style
from textual.widget import Widget

from tui.core.frozen import frozen
from tui.core.text import sanitize_line


@frozen
class TabName:
    """A tab as the header names it."""

    id: str
    title: str


class HeaderBar(Widget):
    """One line: "Ctroom" at the left, the tabs in the middle, user and tier at the right."""

    COMPONENT_CLASSES = {"header--name", "header--tab", "header--current", "header--user"}

    current: reactive[str] = reactive("")
    """The id of the tab that is shown."""
    user: reactive[str] = reactive("")
    """For example "sam · basic"."""

    def __init__(self, tabs: tuple[TabName, ...]) -> None:
        super().__init__(id="header")
        self.tabs = tabs

    def render(self) -> Content:
        """The line; without room for everything, the user goes first."""
        width = self.content_size.width
        name = Content.styled("Ctroom", self._look("name"))
        tabs = Content("  ").join(self._tab(tab) for tab in self.tabs)
        user = Content.styled(sanitize_line(self.user, 40), self._look("user"))
        before = max(2, (width - tabs.cell_length) // 2 - name.cell_length)
        after = width - name.cell_length - before - tabs.cell_length - user.cell_length
        if after < 2:
            return Content.assemble(name, " " * before, tabs)
        return Content.assemble(name, " " * before, tabs, " " * after, user)

    def _tab(self, tab: TabName) -> Content:
        look = self._look("current" if tab.id == self.current else "tab")
        return Content.styled(f" {tab.title} ", look + Style.from_meta({"tab": tab.id}))

    async def on_click(self, event: events.Click) -> None:
        """Go to the tab that was clicked."""
        if tab := event.style.meta.get("tab"):
            await self.run_action(f"app.show_tab({tab!r})")

    def _look(self, part: str) -> Style:
        # A partial style would lose an opaque background (Textual 8.2.8).
        return self.get_visual_style(f"header--{part}")
