"""A full-screen program that shows what reaches it, to test the harness: `python -m tests.pty.probe`."""

from textual import events
from textual.app import App, ComposeResult
from textual.widgets import Label


class Probe(App[None]):
    """Shows the last key, paste, size and click; "z" ends it with status 3, "y" copies."""

    ENABLE_COMMAND_PALETTE = False

    def compose(self) -> ComposeResult:
        yield Label("waiting", id="input")
        yield Label("", id="size")
        yield Label("a button", id="button")

    def on_resize(self, event: events.Resize) -> None:
        self.query_one("#size", Label).update(f"size {event.size.width}x{event.size.height}")

    def on_key(self, event: events.Key) -> None:
        event.stop()
        self.query_one("#input", Label).update(f"<{event.key}>")
        if event.key == "z":
            self.exit(return_code=3)
        if event.key == "y":
            self.copy_to_clipboard("copied ✓")

    def on_paste(self, event: events.Paste) -> None:
        self.query_one("#input", Label).update(f"pasted {event.text!r}", layout=True)

    def on_click(self, event: events.Click) -> None:
        self.query_one("#input", Label).update(f"clicked {event.screen_x},{event.screen_y}")


if __name__ == "__main__":
    app = Probe()
    app.run()
    raise SystemExit(app.return_code)
