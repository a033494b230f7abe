"""The keys that work everywhere, and the line of key hints at the bottom."""

from collections.abc import Mapping

from textual import events
from textual.binding import ActiveBinding, Binding, BindingType
from textual.content import Content
from textual.dom import DOMNode
from textual.screen import Screen
from textual.style import Style
from textual.widget import Widget

_SYMBOLS = {
    "slash": "/",
    "question_mark": "?",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "minus": "-",
    "plus": "+",
}
_KEY_NAMES = {
    "escape": "Esc",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "delete": "Del",
    **_SYMBOLS,
    "up": "↑",
    "down": "↓",
}

APP_BINDINGS: list[BindingType] = [
    Binding("f1", "help", "help", id="app.help", tooltip="Help for where you are", priority=True),
    Binding(
        "f2",
        "chat",
        "chat",
        id="app.chat",
        tooltip="Go to the chat; from the prompt, to its messages",
        priority=True,
    ),
    Binding(
        "f4",
        "show_tab('settings')",
        "settings",
        id="app.settings",
        tooltip="Go to Settings",
        priority=True,
    ),
    Binding("f5", "new_conversation", "new", id="app.new", tooltip="Begin a new conversation", priority=True),
    Binding("f6", "choose_model", "model", id="app.model", tooltip="Choose the model", priority=True),
    Binding("f7", "find", "find", id="app.find", tooltip="Find messages in all conversations", priority=True),
    Binding("f8", "list", "list", id="app.list", tooltip="Go to the conversations", priority=True),
    Binding(
        "f9",
        "command_palette",
        "commands",
        id="app.commands",
        tooltip="Every command by name",
        priority=True,
    ),
    Binding(
        "ctrl+s",
        "save_again",
        "save again",
        id="app.save",
        tooltip="Save again what could not be saved",
        show=False,
        priority=True,
    ),
    Binding("ctrl+q", "quit", "quit", id="app.quit", tooltip="Quit Ctroom", show=False, priority=True),
]
"""The keys that work everywhere."""


class HintBar(Widget):
    """The keys of the bindings that are active and meant to be shown: function keys first.

    Lighter than Textual's Footer, which mounts a widget for each key.
    """

    COMPONENT_CLASSES = {"hint--key", "hint--text"}

    def __init__(self) -> None:
        super().__init__(id="hints")
        self._shown: list[ActiveBinding] = []

    def on_mount(self) -> None:
        """Follow the bindings of whatever has the focus."""
        self.screen.bindings_updated_signal.subscribe(self, self._bindings_updated)

    def render(self) -> Content:
        """The hints, as far apart as the width allows; of keys that always work, the last ones make room."""
        if self.app.screen is self.screen:
            # Under a dialog the app's keys are off; the line stays as it was rather than go blank.
            self._shown = shown_bindings(self.screen)
        key, text = self.get_visual_style("hint--key"), self.get_visual_style("hint--text")
        hints = [self._hint(active, key, text) for active in self._shown]
        width = self.content_size.width
        total = sum(hint.cell_length for hint in hints)
        gap = next((gap for gap in (3, 2) if total + gap * (len(hints) - 1) <= width), 1)
        always = sum(is_function_key(active.binding.key) for active in self._shown)
        kept, used = set[int](), 0
        for index in (*range(always, len(hints)), *range(always)):
            if used + hints[index].cell_length <= width:
                kept.add(index)
                used += hints[index].cell_length + gap
        return Content(" " * gap).join(hints[index] for index in sorted(kept))

    def _hint(self, active: ActiveBinding, key: Style, text: Style) -> Content:
        click = Style.from_meta({"key": active.binding.key})
        return Content.assemble(
            (self.app.get_key_display(active.binding), key + click),
            (f" {active.binding.description}", text + click),
        )

    async def on_click(self, event: events.Click) -> None:
        """Do what the key that was clicked does."""
        if key := event.style.meta.get("key"):
            await self.run_action(f"app.simulate_key({key!r})")

    def _bindings_updated(self, _screen: Screen[object]) -> None:
        self.refresh()


def bindings_of(node: DOMNode) -> Mapping[str, list[Binding]]:
    """A node's own bindings by key, with the keys that the user chose."""
    keymap = node.app._keymap
    if not keymap:
        return node._bindings.key_to_bindings
    bindings = node._bindings.copy()
    bindings.apply_keymap(keymap)
    return bindings.key_to_bindings


def key_words(key: str) -> str:
    """A key's name for people: "f1" is "F1", "ctrl+q" is "Ctrl+Q", "escape" is "Esc"."""
    *modifiers, last = key.split("+")
    name = _KEY_NAMES.get(last) or (last if len(last) == 1 and not modifiers else last.capitalize())
    return "+".join([modifier.capitalize() for modifier in modifiers] + [name])


def shown_bindings(screen: Screen[object]) -> list[ActiveBinding]:
    """The active bindings with `show`, one per action: function keys in their order, then the rest."""
    by_action: dict[str, ActiveBinding] = {}
    for active in screen.active_bindings.values():
        if active.binding.show and active.binding.description:
            by_action.setdefault(active.binding.action, active)
    return sorted(by_action.values(), key=lambda active: _order(active.binding.key))


def is_function_key(key: str) -> bool:
    """Whether a key is F1 to F12."""
    return key.startswith("f") and key[1:].isdigit()


def _order(key: str) -> int:
    return int(key[1:]) if is_function_key(key) else 100
