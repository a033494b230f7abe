"""What Ctroom's start is measured against: `static`, the least that Textual does, and `chat`, a skeleton."""

import sys

from textual.app import App, ComposeResult
from textual.scroll_view import ScrollView
from textual.widgets import Static, TextArea


class StaticApp(App[None]):
    """One Static: the limit."""

    def compose(self) -> ComposeResult:
        yield Static("READY")


class ChatApp(App[None]):
    """What any chat client mounts: a view, a composer, a line of figures."""

    CSS = "ScrollView { height: 1fr; } TextArea { height: 5; } Static { height: 1; }"

    def compose(self) -> ComposeResult:
        yield ScrollView()
        yield TextArea()
        yield Static("READY")

    def on_mount(self) -> None:
        area = self.query_one(TextArea)
        area.cursor_blink = False
        area.focus()


if __name__ == "__main__":
    {"static": StaticApp, "chat": ChatApp}[sys.argv[1]]().run()
