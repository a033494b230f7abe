"""The help dialog: what the focused widget is for, and every key that works there."""

from textual.app import ComposeResult
from textual.binding import ActiveBinding, Binding
from textual.containers import Grid, Vertical, VerticalScroll
from textual.screen import Screen
from textual.widgets import Static

from tui.dialogs.actions import actions_of
from tui.dialogs.dialog import Dialog

ABOUT = (
    "Ctroom chats with language models and always shows how many tokens remain. "
    "F9 lists every command by name; this list shows the keys that work where you are."
)


class HelpDialog(Dialog[None]):
    """Made from the bindings that are active on the screen that it covers.

    Args:
        covered: The screen that asked for help.
    """

    BINDINGS = [
        Binding("f1", "close", "close", show=False, id="help.close", tooltip="Close the help", priority=True)
    ]
    AUTO_FOCUS = "#help-body"

    def __init__(self, covered: Screen[object]) -> None:
        super().__init__()
        focused = covered.focused
        self._about = (getattr(focused, "HELP", None) or ABOUT) if focused else ABOUT
        self._active = list(covered.active_bindings.values())
        self._actions = actions_of(covered)

    def compose(self) -> ComposeResult:
        """The words, then the keys: ours here, ours everywhere, and those of any text field or list."""
        ours = [active for active in self._active if active.binding.id and active.node is not self.app]
        given = [active for active in self._active if not active.binding.id and not active.binding.system]
        with Vertical(classes="dialog") as frame:
            frame.border_title = "Help"
            frame.border_subtitle = "Esc close"
            with VerticalScroll(id="help-body"):
                yield Static(self._about, classes="about", markup=False)
                yield from self._section("Here", self._rows(ours))
                yield from self._section("Everywhere", self._everywhere())
                yield from self._section("Moving and editing", self._rows(given))

    def _section(self, heading: str, rows: list[tuple[str, str]]) -> ComposeResult:
        if rows:
            yield Static(heading, classes="heading", markup=False)
            with Grid(classes="keys"):
                for keys, words in rows:
                    yield Static(keys, classes="key", markup=False)
                    yield Static(words, markup=False)

    def _everywhere(self) -> list[tuple[str, str]]:
        return [(action.key, action.help) for action in self._actions if action.node is self.app]

    def _rows(self, active: list[ActiveBinding]) -> list[tuple[str, str]]:
        """A row for each action, with its first two keys."""
        keys: dict[tuple[str, str], list[str]] = {}
        for entry in active:
            if words := entry.binding.tooltip or entry.binding.description:
                found = keys.setdefault((entry.binding.action, words), [])
                found.append(self.app.get_key_display(entry.binding))
        return [(" ".join(names[:2]), words) for (_, words), names in keys.items()]
