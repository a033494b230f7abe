"""The help dialog: what the focused widget is for, and every key that works there."""

from textual.app import ComposeResult
from textual.binding import ActiveBinding, Binding
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from tui.dialogs.actions import Action, actions_of
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
        """The words, then the keys in two columns."""
        with Vertical(classes="dialog") as frame:
            frame.border_title = "Help"
            frame.border_subtitle = "Esc close"
            with VerticalScroll(id="help-body"):
                yield Static(self._about, classes="about", markup=False)
                yield Static("Here", classes="heading", markup=False)
                yield Static(self._table(self._here()), classes="keys", markup=False)
                yield Static("Everywhere", classes="heading", markup=False)
                yield Static(self._table(self._everywhere()), classes="keys", markup=False)

    def _here(self) -> list[tuple[str, str]]:
        return [
            (self._keys(active), active.binding.tooltip or active.binding.description)
            for active in _one_per_action(self._active)
            if active.node is not self.app
        ]

    def _everywhere(self) -> list[tuple[str, str]]:
        return [(action.key, action.help) for action in self._actions if action.node is self.app]

    def _keys(self, active: ActiveBinding) -> str:
        return " ".join(
            self.app.get_key_display(other.binding)
            for other in self._active
            if other.binding.action == active.binding.action and other.node is active.node
        )

    def _table(self, rows: list[tuple[str, str]]) -> Content:
        width = max((len(keys) for keys, _ in rows), default=0)
        return Content("\n").join(
            Content.assemble((f"{keys:<{width}}", "bold"), f"   {words}") for keys, words in rows
        )


def _one_per_action(active: list[ActiveBinding]) -> list[ActiveBinding]:
    seen: dict[tuple[object, str], ActiveBinding] = {}
    for entry in active:
        if entry.binding.description and not entry.binding.system:
            seen.setdefault((entry.node, entry.binding.action), entry)
    return list(seen.values())


__all__ = ["ABOUT", "Action", "HelpDialog"]
