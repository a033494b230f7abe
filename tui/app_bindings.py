"""The keys that work everywhere in the app."""

from textual.binding import Binding, BindingType

APP_BINDINGS: list[BindingType] = [
    Binding("f1", "help", "help", id="app.help", tooltip="Help for where you are", priority=True),
    Binding("f2", "chat", "chat", id="app.chat", tooltip="Go to the chat", priority=True),
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
